"""Store of removal: told batches and what is left of them, and removals under way."""

import json
from typing import Any

from mumian.foundation.sensing.removal.events import ObservationsRemoved
from mumian.foundation.sensing.removal.rules import Unit
from mumian.kernel.unit_of_work import Session, Transaction, next_value

_EVENTS = "SELECT payload FROM kernel_outbox WHERE type = 'sensing.observations.removed' ORDER BY id"


def units_between(session: Session, first: int, last: int) -> list[Unit]:
    """What was told of the ids first…last, by id: batches, or what removals left of them."""
    folds = session.rows(
        "SELECT first_id, last_id, observations, digest FROM sensing_fold f WHERE recorded = 1 AND last_id >= :first "
        "AND first_id <= :last AND NOT EXISTS (SELECT 1 FROM sensing_span s "
        "WHERE s.first_id <= f.first_id AND s.last_id >= f.last_id) ORDER BY first_id",
        first=first,
        last=last,
    )
    spans = session.rows(
        "SELECT first_id, last_id, kept, digest FROM sensing_span WHERE last_id >= :first AND first_id <= :last "
        "ORDER BY first_id",
        first=first,
        last=last,
    )
    found = [Unit(row["first_id"], row["last_id"], row["observations"], row["digest"]) for row in folds]
    found += [Unit(row["first_id"], row["last_id"], row["kept"], row["digest"]) for row in spans]
    return sorted(found, key=lambda unit: unit.first)


def plan(tx: Transaction, facts: dict[str, Any]) -> int:
    """Remember a removal that is about to be committed to the lake; returns its number."""
    number = next_value(tx.session, "sensing.removal")
    tx.session.execute(
        "INSERT INTO sensing_removal (number, facts) VALUES (:number, :facts)", number=number, facts=json.dumps(facts)
    )
    return number


def planned(session: Session) -> list[tuple[int, dict[str, Any]]]:
    """Removals of which it is not told yet whether the lake has them."""
    rows = session.rows("SELECT number, facts FROM sensing_removal ORDER BY number")
    return [(int(row["number"]), json.loads(row["facts"])) for row in rows]


def forget(tx: Transaction, number: int) -> None:
    """Drop a removal that the lake never got."""
    tx.session.execute("DELETE FROM sensing_removal WHERE number = :number", number=number)


def told(tx: Transaction, number: int, facts: dict[str, Any]) -> None:
    """Tell of a removal that the lake has."""
    forget(tx, number)
    for span in facts["spans"]:
        tx.session.execute(
            "DELETE FROM sensing_span WHERE first_id >= :first AND last_id <= :last", first=span["first_id"], last=span["last_id"]
        )
    tx.session.execute_many(
        "INSERT INTO sensing_span (first_id, last_id, kept, digest) VALUES (:first_id, :last_id, :kept, :digest)",
        [{key: span[key] for key in ("first_id", "last_id", "kept", "digest")} for span in facts["spans"]],
    )
    tx.emit(ObservationsRemoved(number=number, **facts))


def removals(session: Session) -> list[dict[str, Any]]:
    """What was told of removals, in their order."""
    return [json.loads(row["payload"]) for row in session.rows(_EVENTS)]
