"""How background loops behave: repeated, woken, tried again after a failure, and ended without being cut off."""

import asyncio

from mumian.kernel.background import Loop
from mumian.kernel.clock import ManualClock, SystemClock
from tests.conftest import START


async def test_a_loop_runs_at_once_and_when_woken_and_outlives_a_failure() -> None:
    runs: list[int] = []
    ran = asyncio.Event()

    async def work() -> None:
        runs.append(len(runs))
        ran.set()
        if len(runs) == 1:
            raise ValueError("the first run fails")

    loop = Loop("test", SystemClock(), work, 3600)
    loop.start()
    for count in (1, 2):
        await asyncio.wait_for(ran.wait(), 5)
        ran.clear()
        assert len(runs) == count
        loop.wake()
    await asyncio.wait_for(ran.wait(), 5)
    await loop.stop()


async def test_stopping_waits_for_the_run_under_way_however_it_meets_the_loop() -> None:
    for delay in range(60):
        finished: list[int] = []

        async def work(done: list[int] = finished) -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            done.append(1)

        loop = Loop("test", SystemClock(), work, 0.001)
        loop.start()
        for _ in range(delay):
            loop.wake()
            await asyncio.sleep(0)
        await asyncio.wait_for(loop.stop(), 5)
        count = len(finished)
        await asyncio.sleep(0.003)
        assert len(finished) == count


async def test_a_loop_stands_still_on_a_stepped_clock() -> None:
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)

    loop = Loop("test", ManualClock(START), work, 0.001)
    loop.start()
    await asyncio.sleep(0.02)
    await loop.stop()
    assert runs == []
