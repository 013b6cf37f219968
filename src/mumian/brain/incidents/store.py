"""Store of incidents: the few statements that keep an incident and its history."""

from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from mumian.brain.incidents.contracts import Incident
from mumian.kernel.unit_of_work import Row, Session, encode

FIELDS = Incident.__struct_fields__
_TEXTS = ("title", "label", "evidence")
_SELECT = f"SELECT {', '.join(FIELDS)} FROM incidents_incident"
_BY_NUMBER = f"{_SELECT} WHERE number = :number"
_INSERT = f"INSERT INTO incidents_incident ({', '.join(FIELDS)}, digest) VALUES ({', '.join(':' + f for f in FIELDS)}, :digest)"
_HISTORY = (
    "INSERT INTO incidents_history (number, version, time, actor, action, from_state, to_state, note) "
    "VALUES (:number, :version, :time, :actor, :action, :source, :target, :note)"
)
_UNATTENDED = ("reported", "filed", "dispatched", "handling")


def digest(incident: Incident) -> str:
    """SHA-256 (hex) of the canonical JSON of the whole state."""
    return sha256(encode(incident)).hexdigest()


def load(row: Row) -> Incident:
    """An incident from its row."""
    decode = msgspec.json.decode
    return Incident(**{**row, "title": decode(row["title"]), "label": decode(row["label"]), "evidence": decode(row["evidence"])})


def find(session: Session, number: str) -> Incident | None:
    """The incident of that number."""
    row = session.row(_BY_NUMBER, number=number)
    return None if row is None else load(row)


def insert(session: Session, incident: Incident, state_digest: str) -> None:
    """Keep a new incident."""
    row: dict[str, Any] = {name: getattr(incident, name) for name in FIELDS}
    for name in _TEXTS:
        row[name] = encode(row[name]).decode()
    session.execute(_INSERT, **row, digest=state_digest)


def update(session: Session, number: str, seen: int, changes: dict[str, Any], state_digest: str) -> bool:
    """Keep the next version of an incident, touching only the columns that change; False if `seen` is not the version kept."""
    return session.execute(_update(tuple(changes)), **changes, number=number, seen=seen, digest=state_digest) == 1


@cache
def _update(names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{name} = :{name}" for name in (*names, "digest"))
    return f"UPDATE incidents_incident SET {columns} WHERE number = :number AND version = :seen"


def remember(session: Session, number: str, version: int, time: str, actor: str, step: tuple[str, str, str, str]) -> None:
    """One row of history; `step` is action, state before, state after, note."""
    action, source, target, note = step
    session.execute(
        _HISTORY, number=number, version=version, time=time, actor=actor, action=action, source=source, target=target, note=note
    )


def history(session: Session, number: str) -> list[Row]:
    """The steps of an incident, oldest first."""
    return session.rows(
        "SELECT version, time, actor, action, from_state, to_state, note FROM incidents_history "
        "WHERE number = :number ORDER BY version",
        number=number,
    )


def unattended(session: Session, subject: str) -> Incident | None:
    """The incident about a subject that is not handled yet, if there is one."""
    states = ", ".join(f"'{state}'" for state in _UNATTENDED)
    row = session.row(f"{_SELECT} WHERE subject = :subject AND state IN ({states}) ORDER BY number DESC", subject=subject)
    return None if row is None else load(row)


def severities(session: Session, subject: str, warning: str) -> list[str]:
    """The severities of all incidents that a warning has opened about a subject."""
    sql = "SELECT severity FROM incidents_incident WHERE subject = :subject AND warning = :warning"
    return [row["severity"] for row in session.rows(sql, subject=subject, warning=warning)]


def followers(session: Session, subject: str, warning: str) -> list[Incident]:
    """The incidents about a subject that a warning still bears on: not handled yet, or handled but perhaps to be returned."""
    states = ", ".join(f"'{state}'" for state in (*_UNATTENDED, "handled"))
    rows = session.rows(
        f"{_SELECT} WHERE subject = :subject AND warning = :warning AND state IN ({states}) ORDER BY number",
        subject=subject,
        warning=warning,
    )
    return [load(row) for row in rows]


def due(session: Session, now: str, limit: int) -> list[Incident]:
    """Incidents with a pending deadline at or before `now`, the longest overdue first."""
    return [
        load(row)
        for row in session.rows(
            f"{_SELECT} WHERE next_due IS NOT NULL AND next_due <= :now ORDER BY next_due, number LIMIT :limit",
            now=now,
            limit=limit,
        )
    ]


def next_due(session: Session) -> str | None:
    """The earliest pending deadline of all."""
    found = session.value("SELECT MIN(next_due) FROM incidents_incident WHERE next_due IS NOT NULL")
    return None if found is None else str(found)


def unassigned(session: Session, after: tuple[str, str], limit: int) -> list[Incident]:
    """Reported incidents that no organisation is responsible for, oldest first, after one (opened_at, number)."""
    return [
        load(row)
        for row in session.rows(
            f"{_SELECT} WHERE closed_at IS NULL AND state = 'reported' AND (opened_at, number) > (:opened, :number) "
            "ORDER BY opened_at, number LIMIT :limit",
            opened=after[0],
            number=after[1],
            limit=limit,
        )
    ]


def page(session: Session, state: str | None, district: str | None, before: tuple[str, str] | None, limit: int) -> list[Incident]:
    """Incidents newest first, `state` open or closed, after the row `before` (opened_at, number)."""
    where, params = ["1 = 1"], {"district": district, "limit": limit}
    if state is not None:
        where.append("closed_at IS NULL" if state == "open" else "closed_at IS NOT NULL")
    if district is not None:
        where.append("district = :district")
    if before is not None:
        where.append("(opened_at, number) < (:opened, :number)")
        params |= {"opened": before[0], "number": before[1]}
    used = {k: v for k, v in params.items() if v is not None}
    sql = f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY opened_at DESC, number DESC LIMIT :limit"
    return [load(row) for row in session.rows(sql, **used)]


def counts(session: Session) -> dict[str, int]:
    """How many incidents stand in each state."""
    return {
        row["state"]: int(row["n"]) for row in session.rows("SELECT state, COUNT(*) AS n FROM incidents_incident GROUP BY state")
    }


def everything(session: Session) -> list[Row]:
    """Every incident as kept, with its digest: for verification."""
    return session.rows(f"{_SELECT.replace(' FROM', ', digest FROM')} ORDER BY number")
