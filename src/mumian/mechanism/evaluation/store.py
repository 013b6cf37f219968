"""Evaluation's own table of incident facts, written from events."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session

_COLUMNS = (
    "number type severity state district organisation opened_at taken_at resolved_at verified_at closed_at "
    "due_accept due_resolve due_verify supervised version"
).split()


def keep(session: Session, facts: dict[str, Any]) -> None:
    """Keep the newest version of an incident's facts; an older one that comes late is ignored."""
    values = {column: facts.get(column) for column in _COLUMNS}
    updates = ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c != "number")
    session.execute(
        f"INSERT INTO evaluation_incident ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + c for c in _COLUMNS)}) "
        f"ON CONFLICT (number) DO UPDATE SET {updates} WHERE excluded.version > evaluation_incident.version",
        **values,
    )


def incidents(session: Session, since: str, types: tuple[str, ...] = ()) -> list[Row]:
    """The facts of incidents that are open or were closed at or after `since`; only of some `types`, when given."""
    rows = session.rows(
        f"SELECT {', '.join(_COLUMNS)} FROM evaluation_incident WHERE closed_at IS NULL OR closed_at >= :since ORDER BY number",
        since=since,
    )
    return [row for row in rows if not types or row["type"] in types]
