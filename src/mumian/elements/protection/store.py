"""SQL of protection: labels as they stand, and their history."""

import json
from typing import Any

from mumian.elements.protection.contracts import Label
from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

_LABEL = "dataset, field, state, grade, personal, category, origin, evidence, reason, proposed_at, decided_at, decided_by"


def in_force(session: Session, dataset: str) -> dict[str, tuple[str, Label]]:
    """State and label of every field of a dataset that has one, by name in lower case."""
    rows = session.rows(
        "SELECT field, state, grade, personal, category FROM protection_label WHERE dataset = :dataset", dataset=dataset
    )
    return {r["field"].casefold(): (r["state"], Label(r["grade"], r["personal"], r["category"])) for r in rows}


def stamp(session: Session) -> int:
    """A number that grows with every change of a label."""
    return int(session.value("SELECT COALESCE(MAX(number), 0) FROM protection_label_history"))


def label(session: Session, dataset: str, field: str) -> Row | None:
    """What is kept of a field's label."""
    return session.row(
        f"SELECT {_LABEL} FROM protection_label WHERE dataset = :dataset AND field = :field", dataset=dataset, field=field
    )


def labels(session: Session, wanted: dict[str, str | None], after: tuple[str, str] | None, limit: int) -> list[Row]:
    """Labels by dataset and field; `wanted` narrows dataset, state, grade and personal."""
    conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
    params: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if after is not None:
        conditions.append("(dataset > :after_dataset OR (dataset = :after_dataset AND field > :after_field))")
        params |= {"after_dataset": after[0], "after_field": after[1]}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return session.rows(
        f"SELECT {_LABEL} FROM protection_label {where} ORDER BY dataset, field LIMIT :limit", limit=limit, **params
    )


def put(tx: Transaction, dataset: str, field: str, facts: dict[str, Any]) -> None:
    """Keep what was proposed or decided for a field, and add it to the history.

    `facts` are state, grade, personal, category, origin, evidence (an object) and reason.
    """
    decided = facts["state"] != "proposed"
    values = {
        **facts,
        "evidence": json.dumps(facts["evidence"], ensure_ascii=False, sort_keys=True),
        "dataset": dataset,
        "field": field,
    }
    tx.session.execute(
        f"INSERT INTO protection_label ({_LABEL}) VALUES (:dataset, :field, :state, :grade, :personal, :category, :origin, "
        ":evidence, :reason, :now, :decided_at, :decided_by) ON CONFLICT (dataset, field) DO UPDATE SET state = :state, "
        "grade = :grade, personal = :personal, category = :category, origin = :origin, evidence = :evidence, reason = :reason, "
        "decided_at = :decided_at, decided_by = :decided_by",
        **values,
        now=tx.now_text,
        decided_at=tx.now_text if decided else None,
        decided_by=tx.actor.id if decided else None,
    )
    tx.session.execute(
        "INSERT INTO protection_label_history (number, dataset, field, time, actor, state, grade, personal, category, origin, "
        "evidence, reason) VALUES (:number, :dataset, :field, :now, :actor, :state, :grade, :personal, :category, :origin, "
        ":evidence, :reason)",
        **values,
        number=next_value(tx.session, "protection.label"),
        now=tx.now_text,
        actor=tx.actor.id,
    )


def history(session: Session, dataset: str, field: str, before: int | None, limit: int) -> list[Row]:
    """What was proposed and decided for a field, newest first."""
    return session.rows(
        "SELECT number, time, actor, state, grade, personal, category, origin, evidence, reason FROM protection_label_history "
        "WHERE dataset = :dataset AND field = :field AND number < :before ORDER BY number DESC LIMIT :limit",
        dataset=dataset,
        field=field,
        before=before if before is not None else 1 << 62,
        limit=limit,
    )


def everything(session: Session) -> list[Row]:
    """All labels, for the evidence."""
    return session.rows("SELECT dataset, field, state, grade, personal, category FROM protection_label ORDER BY dataset, field")
