"""The newest of a stream is the same whether memory, the shelf or the lake tells it, whatever comes late or is changed."""

import asyncio
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Observations
from mumian.foundation.sensing.sta import reading
from mumian.foundation.sensing.sta.newest import newest_first
from mumian.foundation.sensing.sta.paths import parse_path
from mumian.foundation.sensing.sta.shelf import Shelf
from mumian.kernel.clock import ManualClock
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import build

HOUR = 3_600_000_000
FIRST = 1_388_534_400_000_000 - 400 * HOUR


async def read(sensing: Sensing, address: str) -> Any:
    path, _, query = address.partition("?")
    return await reading.read(sensing, parse_path(path, path), query.encode(), "http://city/sta/v1.1")


async def asked(sensing: Sensing, stream: int, top: int, condition: str) -> list[tuple[int, float]]:
    """Pages of the newest first, two of them; a condition lets the lake answer and not memory."""
    found = []
    link = f"/Datastreams({stream})/Observations?$top={top}&$orderby={quote('phenomenonTime desc')}{condition}"
    for _ in range(2):
        page = await read(sensing, link)
        found += [(item["@iot.id"], item["result"]) for item in page["value"]]
        if "@iot.nextLink" not in page:
            break
        link = page["@iot.nextLink"].removeprefix("http://city/sta/v1.1")
    return found


async def expanded(sensing: Sensing, top: int, condition: str) -> list[Any]:
    inner = quote(f"Observations($top={top};$orderby=phenomenonTime desc{condition})")
    page = await read(sensing, f"/Datastreams?$expand={inner}")
    return [(stream["Observations"], "Observations@iot.nextLink" in stream) for stream in page["value"]]


@pytest.mark.parametrize("seed", range(4))
async def test_all_ways_tell_the_same(settings: Settings, clock: ManualClock, seed: int) -> None:
    chance = random.Random(seed)
    made = build(settings, clock)
    sensing = made.get(Sensing)
    sensing.settings.tail_rows = 40
    await made.start()
    try:
        for step in range(14):
            count = chance.randint(1, 25)
            base = step * 20 if chance.random() < 0.7 else chance.randint(0, 200)  # the rest comes late
            streams = np.array([chance.randint(1, 2) for _ in range(count)], np.int64)
            times = np.array([FIRST + (base + chance.randint(0, 19)) * HOUR for _ in range(count)], np.int64)
            await sensing.record(Observations(streams, times, np.array([float(chance.randint(0, 99)) for _ in range(count)])))
            if chance.random() < 0.5:
                await sensing.folding.fold()
            top = chance.choice([1, 3, 10, 40])
            for stream in (1, 2, 3):
                assert await asked(sensing, stream, top, "") == await asked(sensing, stream, top, "&$filter=id%20gt%200")
            for top in (1, 2):
                assert await expanded(sensing, top, "") == await expanded(sensing, top, ";$filter=id gt 0")
    finally:
        await made.stop()


async def test_who_asks_at_the_same_time_is_answered_together_and_rightly(settings: Settings, clock: ManualClock) -> None:
    made = build(settings, clock)
    sensing = made.get(Sensing)
    sensing.settings.tail_rows = 0
    await made.start()
    try:
        evenly, late = np.arange(400, dtype=np.int64), np.append(np.arange(395, dtype=np.int64), np.arange(7000, 7005))
        hours = np.concatenate([evenly, late])  # the second has a long gap before its last five
        streams = np.repeat(np.array([1, 2], np.int64), 400)
        await sensing.record(Observations(streams, FIRST + (hours - 7000) * HOUR, hours.astype(np.float64)))
        await sensing.folding.fold()
        asks = [(stream, top) for stream in (1, 2, 3) for top in (1, 4, 30)]
        together = await asyncio.gather(*(asked(sensing, stream, top, "") for stream, top in asks))
        for (stream, top), found in zip(asks, together, strict=True):
            assert found == await asked(sensing, stream, top, "&$filter=id%20gt%200")
    finally:
        await made.stop()


async def test_an_import_makes_the_shelf_forget(settings: Settings, clock: ManualClock, tmp_path: Path) -> None:
    from mumian.foundation.sensing.api import import_file

    made = build(settings, clock)
    sensing = made.get(Sensing)
    sensing.settings.tail_rows = 0
    await made.start()
    try:
        hours = np.arange(30, dtype=np.int64)
        await sensing.record(Observations(np.ones(30, np.int64), FIRST + hours * HOUR, hours.astype(np.float64)))
        await sensing.folding.fold()
        before = await asked(sensing, 1, 5, "")
        file = tmp_path / "late.csv"
        file.write_text("time,result\n2013-12-20T00:30:00Z,1000\n", "utf-8")
        await import_file(made, file, "a")
        after = await asked(sensing, 1, 5, "")
        assert (len(before), after[0][1]) == (10, 1000.0)
        assert after == await asked(sensing, 1, 5, "&$filter=id%20gt%200")
    finally:
        await made.stop()


def test_memory_that_does_not_reach_back_does_not_answer() -> None:
    times = np.arange(10, dtype=np.int64)
    held = Observations(np.ones(10, np.int64), times, times * 1.0, times + 1)
    assert newest_first(held, 5, 5, None) is None
    found = newest_first(held, 5, 4, None)
    assert found is not None
    assert (found.rows.times.tolist(), found.more) == ([9, 8, 7, 6], True)
    whole = newest_first(held, NONE, 20, (3, 4))
    assert whole is not None
    assert (whole.rows.times.tolist(), whole.more) == ([2, 1, 0], False)


def test_the_shelf_is_bounded() -> None:
    shelf = Shelf(most=25)
    rows = Observations(np.ones(10, np.int64), np.arange(10), np.zeros(10), np.arange(1, 11))
    for stream in (1, 2, 3):
        shelf.put(stream, rows, NONE, 10)
    assert [shelf.find(stream, Observations.empty(), 10) is not None for stream in (1, 2, 3)] == [False, True, True]
    assert shelf.find(2, Observations.empty(), 11) is None, "what came since is not held"
