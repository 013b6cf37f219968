"""How events reach their handlers: after the commit, in order, once in effect, and softly when a handler fails."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from mumian.foundation.storage.api import open_records
from mumian.kernel.bus import Bus
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import StorageFull
from mumian.kernel.events import DeliveredEvent, Event
from mumian.kernel.migrations import migrate
from mumian.kernel.unit_of_work import Records, Transaction
from tests.conftest import START


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    type: ClassVar[str] = "test.notes.noted"
    number: int


def opened(tmp_path: Path) -> Records:
    records = open_records("sqlite", tmp_path, ManualClock(START))
    migrate(records)
    return records


async def note(records: Records, *numbers: int) -> None:
    for number in numbers:
        await records.write(lambda tx, n=number: tx.emit(Noted(subject=str(n), number=n)))  # type: ignore[misc]


async def test_each_consumer_gets_every_matching_event_once_and_in_order(tmp_path: Path) -> None:
    records = opened(tmp_path)
    bus = Bus(records, ManualClock(START))
    exact: list[int] = []
    wide: list[int] = []
    other: list[int] = []
    bus.subscribe("test.notes.noted", "exact", lambda tx, e: exact.append(e.data["number"]))
    bus.subscribe("test.*", "wide", lambda tx, e: wide.append(e.data["number"]))
    bus.subscribe("other.*", "other", lambda tx, e: other.append(e.data["number"]))
    await note(records, 1, 2, 3)
    assert await bus.settle()
    assert not await bus.settle()
    assert (exact, wide, other) == ([1, 2, 3], [1, 2, 3], [])
    records.close()


async def test_a_restart_goes_on_where_the_consumer_stood(tmp_path: Path) -> None:
    records = opened(tmp_path)
    got: list[int] = []
    for numbers in ((1, 2), (3,)):
        bus = Bus(records, ManualClock(START))
        bus.subscribe("test.*", "c", lambda tx, e: got.append(e.data["number"]))
        await note(records, *numbers)
        await bus.settle()
    assert got == [1, 2, 3]
    records.close()


async def test_a_failing_handler_is_tried_again_then_buried_and_the_rest_goes_on(tmp_path: Path) -> None:
    records = opened(tmp_path)
    bus = Bus(records, ManualClock(START))
    tried: list[int] = []

    def handler(tx: Transaction, event: DeliveredEvent) -> None:
        tried.append(event.data["number"])
        tx.session.execute("INSERT INTO kernel_sequence (name, value) VALUES (:n, 1)", n=f"effect {event.subject}")
        if event.data["number"] == 2:
            raise ValueError("cannot take 2")

    bus.subscribe("test.*", "c", handler)
    await note(records, 1, 2, 3)
    await bus.settle()
    rows = await records.read(lambda s: s.rows("SELECT name FROM kernel_sequence WHERE name LIKE 'effect%' ORDER BY name"))
    assert [row["name"] for row in rows] == ["effect 1", "effect 3"]
    assert tried.count(2) > 1
    dead = await records.read(lambda s: s.rows("SELECT consumer, event, error FROM kernel_dead_letter"))
    assert [(d["consumer"], d["event"]) for d in dead] == [("c", 2)]
    assert "cannot take 2" in dead[0]["error"]
    records.close()


async def test_what_a_handler_emits_reaches_other_consumers(tmp_path: Path) -> None:
    records = opened(tmp_path)
    bus = Bus(records, ManualClock(START))
    got: list[int] = []

    def double(tx: Transaction, event: DeliveredEvent) -> None:
        if event.data["number"] < 10:
            tx.emit(Noted(subject="d", number=event.data["number"] * 10))

    bus.subscribe("test.*", "double", double)
    bus.subscribe("test.*", "watch", lambda tx, e: got.append(e.data["number"]))
    await note(records, 1, 2)
    await bus.settle()
    assert got == [1, 2, 10, 20]
    records.close()


async def test_a_live_reader_catches_up_and_then_follows(tmp_path: Path) -> None:
    records = opened(tmp_path)
    bus = Bus(records, ManualClock(START))
    await bus.start()
    await note(records, 1, 2)
    tail = bus.tail(after=1)
    assert (await anext(tail)).data["number"] == 2
    await note(records, 3)
    assert (await anext(tail)).data["number"] == 3
    await tail.aclose()
    await bus.stop()
    records.close()


async def test_two_processes_on_the_same_records_handle_each_event_once_together(tmp_path: Path) -> None:
    records = opened(tmp_path)
    got: list[int] = []
    buses = [Bus(records, ManualClock(START)) for _ in range(2)]
    for bus in buses:
        bus.subscribe("test.*", "c", lambda tx, e: got.append(e.data["number"]))
        await bus.settle()
    await note(records, 1, 2, 3)
    await asyncio.gather(*(bus.settle() for bus in buses))
    await note(records, 4)
    await asyncio.gather(*(bus.settle() for bus in buses))
    assert got == [1, 2, 3, 4]
    records.close()


async def test_a_settle_that_was_cut_off_repeats_no_effect(tmp_path: Path) -> None:
    records = opened(tmp_path)
    bus = Bus(records, ManualClock(START))
    got: list[int] = []
    bus.subscribe("test.*", "c", lambda tx, e: got.append(e.data["number"]))
    for number in range(40):
        await note(records, number)
        task = asyncio.create_task(bus.settle())
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await bus.settle()
    assert got == list(range(40))
    records.close()


async def test_a_full_disk_buries_no_event(tmp_path: Path) -> None:
    records = opened(tmp_path)
    bus = Bus(records, ManualClock(START))
    got: list[int] = []
    full = [True]

    def handler(tx: Transaction, event: DeliveredEvent) -> None:
        if full[0]:
            raise StorageFull
        got.append(event.data["number"])

    bus.subscribe("test.*", "c", handler)
    await note(records, 1)
    for _ in range(10):
        with pytest.raises(StorageFull):
            await bus.settle()
    full[0] = False
    await bus.settle()
    assert got == [1]
    assert await records.read(lambda s: s.value("SELECT COUNT(*) FROM kernel_dead_letter")) == 0
    records.close()
