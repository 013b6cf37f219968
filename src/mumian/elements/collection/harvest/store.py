"""How harvests are kept."""

import json
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction

_SHOWN = "id, source, state, actor, started_at, ended_at, found, entered, left_count, refused, faults, error"


def begin(tx: Transaction, id_: str, source: str) -> None:
    """Remember that a harvest begins."""
    tx.session.execute(
        "INSERT INTO collection_harvest (id, source, state, actor, started_at) VALUES (:id, :source, 'harvesting', :by, :now)",
        id=id_,
        source=source,
        by=tx.actor.id,
        now=tx.now_text,
    )


def end(
    tx: Transaction, id_: str, state: str, counts: tuple[int, int, int, int], faults: str, error: dict[str, Any] | None
) -> None:
    """Remember how a harvest ended; `counts` are found, entered, left and refused."""
    tx.session.execute(
        "UPDATE collection_harvest SET state = :state, ended_at = :now, found = :found, entered = :entered, "
        "left_count = :left_count, refused = :refused, faults = :faults, error = :error WHERE id = :id",
        id=id_,
        state=state,
        now=tx.now_text,
        found=counts[0],
        entered=counts[1],
        left_count=counts[2],
        refused=counts[3],
        faults=faults,
        error=None if error is None else json.dumps(error, ensure_ascii=False),
    )


def forget_open(tx: Transaction) -> None:
    """Harvests that the end of the process cut off have failed."""
    tx.session.execute(
        "UPDATE collection_harvest SET state = 'failed', ended_at = :now WHERE state = 'harvesting'", now=tx.now_text
    )


def last(session: Session) -> dict[str, str]:
    """When each catalogue was last harvested."""
    rows = session.rows("SELECT source, MAX(started_at) AS at FROM collection_harvest GROUP BY source")
    return {row["source"]: row["at"] for row in rows}


def page(session: Session, source: str, before: str | None, limit: int) -> list[Row]:
    """Harvests of a catalogue, newest first."""
    return session.rows(
        f"SELECT {_SHOWN} FROM collection_harvest WHERE source = :source AND id < :before ORDER BY id DESC LIMIT :limit",
        source=source,
        before=before or "~",
        limit=limit,
    )
