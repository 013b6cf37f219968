"""SQL of what the public says: requests, corrections and use cases, with their answers."""

import json
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

PUBLIC = ("planned", "done", "declined")
_COLUMNS = "number, kind, dataset, owner, state, said, contact, person, filed_at, due, answer, answered_at, answered_by"


def file(tx: Transaction, given: dict[str, Any]) -> int:
    """Keep what somebody said; returns its number."""
    number = next_value(tx.session, "opening.voice")
    tx.session.execute(
        "INSERT INTO opening_voice (number, kind, dataset, owner, state, said, contact, person, filed_at, due) "
        "VALUES (:number, :kind, :dataset, :owner, 'filed', :said, :contact, :person, :now, :due)",
        number=number,
        now=tx.now_text,
        **given,
    )
    return number


def answer(tx: Transaction, number: int, state: str, text: str) -> None:
    """Keep an answer."""
    tx.session.execute(
        "UPDATE opening_voice SET state = :state, answer = :text, answered_at = :now, answered_by = :by WHERE number = :number",
        number=number,
        state=state,
        text=text,
        now=tx.now_text,
        by=tx.actor.id,
    )


def one(session: Session, number: int) -> Row | None:
    """What somebody said, by number."""
    row = session.row(f"SELECT {_COLUMNS} FROM opening_voice WHERE number = :number", number=number)
    return None if row is None else row | {"said": json.loads(row["said"])}


def some(session: Session, wanted: dict[str, Any], states: tuple[str, ...] | None, before: int, limit: int) -> list[Row]:
    """What was said, newest first; `wanted` narrows kind, dataset and owner, `states` to some states."""
    conditions = [f"{name} = :{name}" for name, value in wanted.items() if value is not None]
    params = {name: value for name, value in wanted.items() if value is not None}
    if states is not None:
        params |= {f"state{i}": state for i, state in enumerate(states)}
        conditions.append(f"state IN ({', '.join(f':state{i}' for i in range(len(states)))})")
    where = "".join(f" AND {condition}" for condition in conditions)
    rows = session.rows(
        f"SELECT {_COLUMNS} FROM opening_voice WHERE number < :before{where} ORDER BY number DESC LIMIT :limit",
        before=before,
        limit=limit,
        **params,
    )
    return [row | {"said": json.loads(row["said"])} for row in rows]


def figures(session: Session) -> dict[str, dict[str, int]]:
    """How many of each kind stand in each state."""
    found: dict[str, dict[str, int]] = {}
    for row in session.rows("SELECT kind, state, COUNT(*) AS n FROM opening_voice GROUP BY kind, state"):
        found.setdefault(row["kind"], {})[row["state"]] = int(row["n"])
    return found


def punctual(session: Session) -> tuple[int, int]:
    """How many that had a deadline were answered in time, and how many were answered."""
    row = session.row(
        "SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN answered_at <= due THEN 1 ELSE 0 END), 0) AS good FROM opening_voice "
        "WHERE answered_at IS NOT NULL AND due IS NOT NULL"
    )
    return (int(row["good"]), int(row["n"])) if row is not None else (0, 0)


def everything(session: Session) -> list[Row]:
    """All that was said, for the evidence."""
    return session.rows(f"SELECT {_COLUMNS} FROM opening_voice ORDER BY number")
