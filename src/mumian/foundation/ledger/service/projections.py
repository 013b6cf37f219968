"""Projections: tables that a component keeps from events are held against those events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mumian.foundation.ledger.contracts import Fault
from mumian.kernel.bus import delivered
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.unit_of_work import Session


def handled(session: Session, consumer: str, pattern: str) -> Iterator[DeliveredEvent]:
    """The events of a type (`brain.incidents.*`: of all below) that a consumer has handled, oldest first.

    Those that wait for it, and those that it gave up on, are left out.
    """
    wanted = f"{pattern[:-1]}%" if pattern.endswith(".*") else pattern
    rows = session.rows(
        "SELECT id, type, subject, time, actor, payload FROM kernel_outbox WHERE type LIKE :wanted "
        "AND id <= (SELECT MAX(position) FROM kernel_consumer WHERE name = :consumer) "
        "AND id NOT IN (SELECT event FROM kernel_dead_letter WHERE consumer = :consumer) ORDER BY id",
        wanted=wanted,
        consumer=consumer,
    )
    return map(delivered, rows)


def differences(
    table: str, expected: Mapping[str, Mapping[str, Any]], found: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[Fault]:
    """A fault for every field of every row, by its key, that is not as the events made it, and for rows too many or too few."""
    missing = dict(expected)
    for key, row in found:
        told = missing.pop(key, None)
        if told is None:
            yield Fault(table, key, "row", "no row", "one that no event speaks of")
            continue
        for field, value in told.items():
            if row[field] != value:
                yield Fault(table, key, field, str(value), str(row[field]))
    for key in missing:
        yield Fault(table, key, "row", "a row", "none")
