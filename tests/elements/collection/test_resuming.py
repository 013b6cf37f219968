"""Resuming: a run that is killed goes on where it was, without doubles or gaps, at whatever point the end came."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mumian.app.platform import create_platform
from mumian.elements.catalog.api import Tables
from mumian.elements.collection import store
from mumian.elements.collection.service.execution import Execution
from mumian.elements.collection.service.runner import Runner
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.elements.collection.conftest import Answer, Server, connect, found, held, inbox, run

CHILD = """
import asyncio, sys
from pathlib import Path
from mumian.app.platform import create_platform
from mumian.elements.collection.service.runner import Runner
from mumian.kernel.settings import Settings

async def main():
    settings = Settings(home=Path(sys.argv[1]), records="sqlite", lake="local", objects="local", messages="outbox")
    platform = create_platform(settings)
    await platform.start()
    await platform.records.write(lambda tx: platform.get(Runner).queue(tx, "shops-http", "person"))
    platform.get(Runner).wake()
    await asyncio.sleep(600)

asyncio.run(main())
"""


class Killed(BaseException):
    """The end of the process, as far as code in it can tell."""


PAGES, SIZE, HELD = 12, 20, 7


def _child(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(settings.home)])


async def test_a_run_that_is_killed_goes_on_from_its_last_batch(
    town: Platform, settings: Settings, clock: ManualClock, serve: Callable[[Answer], Server]
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def answer(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        page = int(query["page"])
        if page == HELD and not go_on.is_set():
            reached.set()
            go_on.wait(30)
        rows = [{"编号": page * SIZE + i, "name": f"p{page}"} for i in range(SIZE)] if page <= PAGES else []
        return 200, {}, json.dumps(rows).encode()

    server = serve(answer)
    source = {"kind": "http", "url": f"{server.url}/shops", "paging": {"by": "page"}}
    await connect(town, "shops-http", source=source, mode="append")
    await town.stop()
    child = _child(settings)
    try:
        assert reached.wait(60)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        go_on.set()
    before = len(server.asked)
    again = create_platform(settings, clock)
    await again.start()
    cut = (await again.records.read(lambda s: store.runs(s, None, None, None, 1)))[0]
    assert (cut.state, cut.batches, cut.read) == ("reading", HELD - 1, (HELD - 1) * SIZE)
    await again.settle()
    done = await found(again, cut.id)
    assert (done.state, done.read) == ("done", PAGES * SIZE), done.error
    assert [row[0] for row in await held(again)] == list(range(SIZE, (PAGES + 1) * SIZE))
    assert [query["page"] for _, query, _ in server.asked[before:]] == [str(page) for page in range(HELD, PAGES + 2)]
    assert (await again.get(Ledger).verify()).sound
    await again.stop()


@pytest.mark.parametrize("where", ["before the load", "after the load"])
async def test_rows_that_were_staged_are_loaded_once_whether_the_end_came_before_or_after_the_load(
    town: Platform, settings: Settings, clock: ManualClock, where: str
) -> None:
    (inbox(town) / "a.csv").write_text("编号,name\n" + "".join(f"{i},a\n" for i in range(120)), "utf-8")
    await connect(town, "shops-file", source={"kind": "files", "path": "*"}, mode="append")

    async def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*((Tables, "load") if where == "before the load" else (Execution, "end")), killed)
        with pytest.raises(Killed):
            await run(town, "shops-file")
    await town.stop()
    again = create_platform(settings, clock)
    await again.start()
    await again.settle()
    (done,) = await again.records.read(lambda s: store.runs(s, None, None, None, 10))
    assert (done.state, done.read, done.batches) == ("done", 120, 3)
    assert [row[0] for row in await held(again)] == list(range(120))
    assert len(await again.get(Tables).loads("shops")) == 1
    assert (await again.get(Ledger).verify()).sound
    await again.stop()


async def test_a_failed_run_goes_on_when_it_is_resumed_and_a_changed_file_begins_anew(
    town: Platform, serve: Callable[[Answer], Server]
) -> None:
    broken = [True]

    def answer(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        page = int(query["page"])
        if page == 3 and broken[0]:
            return 500, {}, b""
        return 200, {}, json.dumps([{"编号": page, "name": "x"}] if page <= 4 else []).encode()

    server = serve(answer)
    await connect(town, "shops-http", source={"kind": "http", "url": server.url, "paging": {"by": "page"}})
    failed = await run(town, "shops-http")
    assert (failed.state, failed.read) == ("failed", 2)
    broken[0] = False
    await town.get(Runner).resume(failed.id)
    await town.settle()
    assert (await found(town, failed.id)).read == 4
    assert [row[0] for row in await held(town)] == [1, 2, 3, 4]


async def test_a_run_can_be_cancelled_and_leaves_the_dataset_as_it_was(town: Platform) -> None:
    (inbox(town) / "a.csv").write_text("编号,name\n1,a\n", "utf-8")
    await connect(town, "shops-file", source={"kind": "files", "path": "*"})
    runner = town.get(Runner)
    id_ = await town.records.write(lambda tx: runner.queue(tx, "shops-file", "person"))
    await runner.cancel(id_)
    await town.settle()
    assert (await found(town, id_)).state == "cancelled"
    assert await held(town) == []
    assert not (town.home / "collection" / "runs" / id_ / "good-00001.parquet").exists()
