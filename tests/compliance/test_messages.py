"""What every engine of the messages port must do: keep events once, in order, and give them again from any point."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from mumian.foundation.storage.messages.jetstream import JetStreamMessages
from mumian.foundation.storage.messages.outbox import OutboxMessages
from mumian.foundation.storage.messages.port import Messages
from mumian.foundation.storage.messages.relay import Relay
from mumian.foundation.storage.records.opening import open_records
from mumian.kernel.bus import Bus, delivered
from mumian.kernel.clock import SystemClock
from mumian.kernel.errors import Unavailable
from mumian.kernel.events import DeliveredEvent, Event
from mumian.kernel.ids import new_id
from mumian.kernel.migrations import migrate
from mumian.kernel.unit_of_work import Records, Transaction

NATS = os.environ.get("MUMIAN_TEST_NATS")


@dataclass(frozen=True, kw_only=True)
class LampLit(Event):
    """An event of the tests."""

    type = "test.lamps.lit"
    watts: float


@dataclass(frozen=True, kw_only=True)
class BellRung(Event):
    """Another event of the tests."""

    type = "test.bells.rung"


class Source:
    """A records store that emits, and the messages under test."""

    def __init__(self, records: Records, messages: Messages) -> None:
        self.records = records
        self.messages = messages

    async def emit(self, events: Sequence[Event]) -> list[DeliveredEvent]:
        """Emit in one commit; returns what the outbox has for them."""

        def work(tx: Transaction) -> int:
            before = tx.session.value("SELECT COALESCE(MAX(id), 0) FROM kernel_outbox")
            for event in events:
                tx.emit(event)
            return int(before)

        before = await self.records.write(work)
        rows = await self.records.read(lambda s: s.rows("SELECT * FROM kernel_outbox WHERE id > :b ORDER BY id", b=before))
        return [delivered(row) for row in rows]

    async def publish(self, *subjects: str) -> list[DeliveredEvent]:
        """Emit a lamp event for each subject and publish them."""
        events = await self.emit([LampLit(subject=subject, watts=60.0) for subject in subjects])
        await self.messages.publish(events)
        return events


def _engines() -> list[object]:
    nats = pytest.mark.skipif(NATS is None, reason="MUMIAN_TEST_NATS names no NATS server")
    return [pytest.param("outbox"), pytest.param("jetstream", marks=nats)]


@pytest_asyncio.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    opened = open_records("sqlite", tmp_path, SystemClock(), "normal")
    migrate(opened)
    yield opened
    opened.close()


@pytest_asyncio.fixture(params=_engines())
async def source(request: pytest.FixtureRequest, records: Records) -> AsyncIterator[Source]:
    messages: Messages
    if request.param == "outbox":
        bus = Bus(records, SystemClock())
        await bus.start()
        messages = OutboxMessages(records, bus)
    else:
        messages = JetStreamMessages(NATS or "", stream=f"test-{new_id()}")
    yield Source(records, messages)
    await messages.close()
    if request.param == "outbox":
        await bus.stop()


async def read(messages: Messages, count: int, pattern: str = "*", after: int = 0) -> list[DeliveredEvent]:
    """The first `count` events of a subscription."""
    found: list[DeliveredEvent] = []
    async with asyncio.timeout(20), aclosing(messages.subscribe(pattern, after)) as stream:  # type: ignore[type-var]
        async for event in stream:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_events_come_back_whole_and_in_order(source: Source) -> None:
    published = await source.publish("north gate", "天河区 体育西路", "", "a\u0000b")
    assert await read(source.messages, 4) == published
    assert published[1].data == {"watts": 60.0}


async def test_publishing_again_stores_nothing_again(source: Source) -> None:
    published = await source.publish("one", "two")
    await source.messages.publish(published)
    await source.messages.publish(published[1:])
    published += await source.publish("three")
    assert await read(source.messages, 3) == published


async def test_a_reader_goes_on_from_where_it_stood(source: Source) -> None:
    published = await source.publish(*(f"lamp {n}" for n in range(50)))
    for after in (0, 1, 17, 48):
        assert await read(source.messages, 50 - after, after=published[after - 1].id if after else 0) == published[after:]


async def test_a_reader_sees_what_comes_later(source: Source) -> None:
    await source.publish("before")
    reading = asyncio.create_task(read(source.messages, 2))
    await asyncio.sleep(0.1)
    await source.publish("after")
    assert [event.subject for event in await reading] == ["before", "after"]


async def test_a_reader_may_wait_at_the_end_of_the_stream(source: Source) -> None:
    published = await source.publish("before")
    reading = asyncio.create_task(read(source.messages, 1, after=published[-1].id))
    await asyncio.sleep(0.1)
    later = await source.publish("after")
    assert await reading == later


@pytest.mark.parametrize(
    ("pattern", "subjects"),
    [("test.lamps.lit", ["lamp"]), ("test.bells.*", ["bell"]), ("test.*", ["lamp", "bell"]), ("*", ["lamp", "bell"])],
)
async def test_a_pattern_chooses_types(source: Source, pattern: str, subjects: list[str]) -> None:
    await source.messages.publish(await source.emit([LampLit(subject="lamp", watts=1.5), BellRung(subject="bell")]))
    assert [event.subject for event in await read(source.messages, len(subjects), pattern)] == subjects


async def test_the_last_id_is_known(source: Source) -> None:
    assert await source.messages.last() == 0
    published = await source.publish("one", "two")
    assert await source.messages.last() == published[-1].id


async def test_a_large_batch_loses_nothing(source: Source) -> None:
    published = await source.publish(*(f"lamp {n}" for n in range(3000)))
    assert [event.id for event in await read(source.messages, 3000)] == [event.id for event in published]


@pytest.mark.skipif(NATS is None, reason="MUMIAN_TEST_NATS names no NATS server")
async def test_the_relay_goes_on_where_the_server_stands_after_a_restart(records: Records) -> None:
    stream = f"test-{new_id()}"
    first = Source(records, JetStreamMessages(NATS or "", stream))
    await first.emit([LampLit(subject=f"lamp {n}", watts=1.0) for n in range(5)])
    assert await Relay(records, first.messages, SystemClock()).settle()
    await first.messages.close()
    second = Source(records, JetStreamMessages(NATS or "", stream))
    await second.emit([BellRung(subject="bell")])
    relay = Relay(records, second.messages, SystemClock())
    assert await relay.settle()
    assert not await relay.settle()
    assert [event.id for event in await read(second.messages, 6)] == [1, 2, 3, 4, 5, 6]
    await second.messages.close()


async def test_events_wait_in_the_outbox_while_the_server_is_away(records: Records) -> None:
    messages = JetStreamMessages("nats://127.0.0.1:1")
    await Source(records, messages).emit([BellRung(subject="bell")])
    assert not await Relay(records, messages, SystemClock()).settle()
    with pytest.raises(Unavailable):
        await messages.last()
    await messages.close()
