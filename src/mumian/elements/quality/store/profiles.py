"""How profiles, and suggestions that people declined, are kept."""

import json
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction, encode


def put(tx: Transaction, dataset: str, load: int, rows: int, profile: Any) -> None:
    """Keep the profile of a dataset in the place of the one before."""
    tx.session.execute(
        "INSERT INTO quality_profile (dataset, load, at, held_rows, profile) VALUES (:dataset, :load, :now, :rows, :profile) "
        "ON CONFLICT (dataset) DO UPDATE SET load = excluded.load, at = excluded.at, held_rows = excluded.held_rows, "
        "profile = excluded.profile",
        dataset=dataset,
        load=load,
        now=tx.now_text,
        rows=rows,
        profile=encode(profile).decode(),
    )


def profile(session: Session, dataset: str) -> Row | None:
    """The profile of a dataset."""
    row = session.row("SELECT dataset, load, at, held_rows, profile FROM quality_profile WHERE dataset = :d", d=dataset)
    return None if row is None else {**row, "profile": json.loads(row["profile"])}


def decline(tx: Transaction, dataset: str, suggestion: str, reason: str) -> None:
    """Remember that a suggestion was declined."""
    tx.session.execute(
        "INSERT INTO quality_declined (dataset, suggestion, reason, declined_at, declined_by) "
        "VALUES (:dataset, :suggestion, :reason, :now, :by) ON CONFLICT (dataset, suggestion) DO UPDATE SET "
        "reason = excluded.reason, declined_at = excluded.declined_at, declined_by = excluded.declined_by",
        dataset=dataset,
        suggestion=suggestion,
        reason=reason,
        now=tx.now_text,
        by=tx.actor.id,
    )


def declined(session: Session, dataset: str) -> dict[str, Row]:
    """The suggestions that were declined, by name."""
    rows = session.rows(
        "SELECT suggestion, reason, declined_at, declined_by FROM quality_declined WHERE dataset = :d ORDER BY suggestion",
        d=dataset,
    )
    return {row["suggestion"]: row for row in rows}


def all_declined(session: Session) -> list[Row]:
    """Everything that was declined, for the evidence."""
    return session.rows("SELECT dataset, suggestion, reason, declined_at, declined_by FROM quality_declined ORDER BY dataset")
