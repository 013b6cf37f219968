"""How submissions of forms are kept."""

import json
from collections.abc import Sequence
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction

_SHOWN = "id, form, dataset, subject, version, digest, actor, organisation, submitted_at, load_number"


def last(session: Session, form: str, subject: str) -> Row | None:
    """The last submission of a form about a subject, with its values."""
    return session.row(
        f"SELECT {_SHOWN}, row_values, origins FROM collection_submission WHERE form = :form AND subject = :subject "
        "ORDER BY version DESC LIMIT 1",
        form=form,
        subject=subject,
    )


def enter(tx: Transaction, row: dict[str, Any]) -> None:
    """Keep a submission; `row` has id, form, dataset, subject, version, row_values, origins and digest."""
    tx.session.execute(
        "INSERT INTO collection_submission (id, form, dataset, subject, version, row_values, origins, digest, actor, "
        "organisation, submitted_at) VALUES (:id, :form, :dataset, :subject, :version, :row_values, :origins, :digest, :actor, "
        ":organisation, :now)",
        **row,
        actor=tx.actor.id,
        organisation=tx.actor.organisation,
        now=tx.now_text,
    )


def get(session: Session, form: str, id_: str) -> Row | None:
    """One submission with its values."""
    return session.row(
        f"SELECT {_SHOWN}, row_values, origins FROM collection_submission WHERE form = :form AND id = :id", form=form, id=id_
    )


def page(session: Session, form: str, before: str | None, limit: int) -> list[Row]:
    """Submissions of a form, newest first, without their values."""
    return session.rows(
        f"SELECT {_SHOWN} FROM collection_submission WHERE form = :form AND id < :before ORDER BY id DESC LIMIT :limit",
        form=form,
        before=before or "~",
        limit=limit,
    )


def waiting(session: Session, limit: int) -> list[Row]:
    """Submissions that are not in their dataset yet, oldest first."""
    return session.rows(
        f"SELECT {_SHOWN}, row_values FROM collection_submission WHERE load_number IS NULL ORDER BY dataset, id LIMIT :limit",
        limit=limit,
    )


def loaded(tx: Transaction, ids: Sequence[str], load: int) -> None:
    """Remember which load brought submissions into their dataset."""
    tx.session.execute_many(
        "UPDATE collection_submission SET load_number = :load WHERE id = :id", [{"id": each, "load": load} for each in ids]
    )


def values(row: Row) -> dict[str, Any]:
    """The values of a submission."""
    return dict(json.loads(row["row_values"]))
