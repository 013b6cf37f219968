"""Declarations that several processes share: what one applies, the others see, and nobody falls back behind it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from mumian.foundation.storage.api import open_records
from mumian.kernel.clock import Clock, ManualClock, SystemClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Kind, Spec
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.migrations import migrate
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Records, Session, Transaction
from tests.conftest import START

T = TypeVar("T")


class GadgetSpec(Spec):
    size: int


KINDS = {"Gadget": Kind("Gadget", GadgetSpec, "Something with a size.")}


def gadget(size: int) -> Document:
    return Document("Gadget", "x", {"zh": "器具", "en": "gadget"}, {"size": size})


def process(home: Path, clock: Clock) -> Platform:
    """What one process has open on the records in `home`."""
    records = open_records("sqlite", home, clock)
    migrate(records)
    declarations = Declarations(records, KINDS)
    declarations.load()
    return Platform(Settings(home=home), clock, records, declarations)


async def applied_elsewhere(home: Path, size: int) -> None:
    other = process(home, ManualClock(START))
    await asyncio.to_thread(other.declarations.apply_now, [gadget(size)], "other")
    other.records.close()


async def test_a_running_platform_sees_what_another_process_applies(tmp_path: Path) -> None:
    platform = process(tmp_path, SystemClock())
    await platform.start()
    await applied_elsewhere(tmp_path, 1)
    for _ in range(600):
        if platform.declarations.revision == 1:
            break
        await asyncio.sleep(0.05)
    await platform.stop()
    assert platform.declarations.get("Gadget", "x").spec.size == 1


async def test_a_platform_that_settles_sees_what_another_process_applied(tmp_path: Path) -> None:
    platform = process(tmp_path, ManualClock(START))
    await applied_elsewhere(tmp_path, 7)
    await platform.settle()
    assert platform.declarations.get("Gadget", "x").spec.size == 7
    assert not await platform.declarations.refresh()
    await platform.stop()


async def test_a_handler_meets_the_declarations_of_which_its_event_speaks(tmp_path: Path) -> None:
    platform = process(tmp_path, ManualClock(START))
    met: list[tuple[int, int]] = []

    def handle(tx: Transaction, event: DeliveredEvent) -> None:
        met.append((event.data["revision"], platform.declarations.revision))

    platform.subscribe("declarations.applied", "test", handle)
    await applied_elsewhere(tmp_path, 1)
    await platform.bus.settle()
    await platform.stop()
    assert met == [(1, 1)]


class Slow:
    """Records whose asynchronous reads arrive late."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.read_done, self.arrive = asyncio.Event(), asyncio.Event()

    async def read(self, work: Callable[[Session], T]) -> T:
        found = await self._records.read(work)
        self.read_done.set()
        await self.arrive.wait()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)


async def test_a_read_that_arrives_late_does_not_bring_back_what_is_past(tmp_path: Path) -> None:
    records = open_records("sqlite", tmp_path, ManualClock(START))
    migrate(records)
    slow: Any = Slow(records)
    declarations = Declarations(slow, KINDS)
    first = asyncio.create_task(declarations.apply([gadget(1)], "test"))
    await slow.read_done.wait()
    await asyncio.to_thread(declarations.apply_now, [gadget(2)], "test")
    slow.arrive.set()
    await first
    assert (declarations.revision, declarations.get("Gadget", "x").spec.size) == (2, 2)
    records.close()


def test_the_last_version_of_a_declaration_is_found_without_reading_all_changes(tmp_path: Path) -> None:
    records = open_records("sqlite", tmp_path, ManualClock(START))
    migrate(records)
    query = "EXPLAIN QUERY PLAN SELECT MAX(version) FROM declaration_change WHERE kind = 'a' AND name = 'b'"
    steps = records.read_now(lambda session: session.rows(query))
    records.close()
    assert all("(kind=? AND name=?)" in step["detail"] for step in steps), steps
