"""What every records engine must do: grouped commits that are all or nothing, durable, ordered and isolated."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from mumian.foundation.storage.api import open_records
from mumian.kernel.clock import SystemClock
from mumian.kernel.errors import Invalid
from mumian.kernel.events import EmittedEvent, Event
from mumian.kernel.migrations import migrate
from mumian.kernel.unit_of_work import Records, Session, Transaction, next_value


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    type: ClassVar[str] = "test.noted"
    number: int


class WrongInputError(Exception):
    pass


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "sqlite"
        return
    dsn = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not dsn:
        pytest.skip("MUMIAN_TEST_POSTGRESQL names no server")
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS records_test CASCADE")
        connection.execute("CREATE SCHEMA records_test")
    yield f"{dsn}{'&' if '?' in dsn else '?'}options=-csearch_path%3Drecords_test"


@pytest.fixture
def records(url: str, tmp_path: Path) -> Iterator[Records]:
    opened = open_records(url, tmp_path, SystemClock())
    migrate(opened)
    opened.write_now(lambda tx: tx.session.execute("CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT)"))
    yield opened
    opened.close()


def _insert(tx: Transaction, number: int, text: str = "x") -> None:
    tx.session.execute("INSERT INTO note (id, text) VALUES (:id, :text)", id=number, text=text)


def _count(session: Session) -> int:
    return int(session.value("SELECT COUNT(*) FROM note"))


def test_what_was_written_is_there_after_opening_again(url: str, records: Records, tmp_path: Path) -> None:
    records.write_now(lambda tx: _insert(tx, 1, "木棉 'quoted' 100% :name"))
    records.close()
    again = open_records(url, tmp_path, SystemClock())
    assert again.read_now(lambda s: s.rows("SELECT id, text FROM note")) == [{"id": 1, "text": "木棉 'quoted' 100% :name"}]
    again.close()


def test_a_failing_unit_of_work_leaves_nothing_behind(records: Records) -> None:
    def work(tx: Transaction) -> None:
        _insert(tx, 1)
        tx.emit(Noted(subject="n", number=1))
        raise WrongInputError

    with pytest.raises(WrongInputError):
        records.write_now(work)
    assert records.read_now(_count) == 0
    assert records.read_now(lambda s: s.value("SELECT COUNT(*) FROM kernel_outbox")) == 0


async def test_units_in_one_group_fail_alone(records: Records) -> None:
    def work(number: int) -> None:
        def inner(tx: Transaction) -> None:
            _insert(tx, number)
            tx.emit(Noted(subject="n", number=number))
            if number % 3 == 0:
                raise WrongInputError

        return inner  # type: ignore[return-value]

    results = await asyncio.gather(*(records.write(work(n)) for n in range(60)), return_exceptions=True)  # type: ignore[arg-type]
    assert [isinstance(r, WrongInputError) for r in results] == [n % 3 == 0 for n in range(60)]
    assert await records.read(_count) == 40
    ids = await records.read(lambda s: [r["id"] for r in s.rows("SELECT id FROM kernel_outbox ORDER BY id")])
    assert ids == list(range(1, 41))


async def test_a_broken_constraint_fails_only_its_own_unit(records: Records) -> None:
    await records.write(lambda tx: _insert(tx, 1))
    results = await asyncio.gather(*(records.write(lambda tx, n=n: _insert(tx, n)) for n in (1, 2, 3)), return_exceptions=True)  # type: ignore[misc]
    assert isinstance(results[0], Exception)
    assert results[1:] == [None, None]
    assert await records.read(_count) == 3


async def test_events_are_numbered_in_commit_order_and_seen_by_recorders_in_the_same_commit(records: Records) -> None:
    seen: list[int] = []

    def recorder(session: Session, events: list[EmittedEvent]) -> None:
        seen.extend(e.id for e in events)
        for event in events:
            session.execute("INSERT INTO note (id, text) VALUES (:id, :text)", id=event.id, text=event.payload.decode())

    records.recorder(recorder)
    await asyncio.gather(*(records.write(lambda tx, n=n: tx.emit(Noted(subject="n", number=n))) for n in range(50)))  # type: ignore[misc]
    assert seen == list(range(1, 51))
    assert await records.read(_count) == 50
    assert await records.read(lambda s: s.value("SELECT text FROM note WHERE id = 1")) == '{"number":0}'


async def test_a_recorder_that_fails_undoes_the_change_too(records: Records) -> None:
    def recorder(session: Session, events: list[EmittedEvent]) -> None:
        raise WrongInputError

    records.recorder(recorder)

    def work(tx: Transaction) -> None:
        _insert(tx, 1)
        tx.emit(Noted(subject="n", number=1))

    with pytest.raises(WrongInputError):
        await records.write(work)
    assert await records.read(_count) == 0


def test_a_read_sees_one_snapshot_while_others_write(records: Records) -> None:
    def work(session: Session) -> tuple[int, int]:
        before = _count(session)
        records.write_now(lambda tx: _insert(tx, 7))
        return before, _count(session)

    assert records.read_now(work) == (0, 0)
    assert records.read_now(_count) == 1


def test_a_read_inside_a_read_sees_the_same_snapshot(records: Records) -> None:
    def work(session: Session) -> int:
        records.write_now(lambda tx: _insert(tx, 7))
        return records.read_now(_count)

    before = records.read_now(_count)
    assert records.read_now(lambda session: (_count(session), work(session))) == (0, 0)
    assert records.read_now(_count) == before + 1


def test_a_read_cannot_write(records: Records) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        records.read_now(lambda s: s.execute("INSERT INTO note (id, text) VALUES (1, 'x')"))


def test_sequences_have_no_gaps_when_a_unit_fails(records: Records) -> None:
    def failing(tx: Transaction) -> None:
        next_value(tx.session, "case", 5)
        raise WrongInputError

    assert records.write_now(lambda tx: next_value(tx.session, "case")) == 1
    with pytest.raises(WrongInputError):
        records.write_now(failing)
    assert records.write_now(lambda tx: next_value(tx.session, "case", 3)) == 2
    assert records.write_now(lambda tx: next_value(tx.session, "case")) == 5


def test_a_closed_store_refuses_clearly(records: Records) -> None:
    records.close()
    with pytest.raises(Exception, match="closed"):
        records.write_now(lambda tx: None)


def test_the_engine_finds_its_own_files_sound(records: Records) -> None:
    assert records.integrity_faults() == []


async def test_odd_ends_of_one_unit_leave_the_others_and_the_store_alone(records: Records) -> None:
    def stops(tx: Transaction) -> None:
        raise StopIteration

    def exits(tx: Transaction) -> None:
        raise SystemExit

    works = [stops, lambda tx: _insert(tx, 1), exits, lambda tx: _insert(tx, 2)]
    results = await asyncio.wait_for(asyncio.gather(*(records.write(w) for w in works), return_exceptions=True), 10)  # type: ignore[arg-type]
    assert [isinstance(r, RuntimeError) for r in results] == [True, False, True, False]
    assert await records.read(_count) == 2


async def test_a_listener_that_fails_stops_nobody(records: Records) -> None:
    def listener() -> None:
        raise WrongInputError

    records.listen(listener)
    await asyncio.wait_for(records.write(lambda tx: tx.emit(Noted(subject="n", number=1))), 10)
    await asyncio.wait_for(records.write(lambda tx: _insert(tx, 1)), 10)


def test_text_that_the_engine_cannot_hold_is_refused_as_invalid(url: str, records: Records) -> None:
    if url == "sqlite":
        records.write_now(lambda tx: _insert(tx, 1, "a\0b"))
        assert records.read_now(lambda s: s.value("SELECT text FROM note")) == "a\0b"
    else:
        with pytest.raises(Invalid):
            records.write_now(lambda tx: _insert(tx, 1, "a\0b"))


def test_readers_come_back_after_the_server_dropped_them(url: str, records: Records) -> None:
    if url == "sqlite":
        pytest.skip("a file drops nobody")
    assert records.read_now(_count) == 0
    records.write_now(
        lambda tx: tx.session.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND state LIKE 'idle%' AND application_name = ''"
        )
    )
    assert records.read_now(_count) == 0
