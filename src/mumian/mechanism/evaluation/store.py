"""Evaluation's own table of judged incidents, written from events, and the figures over it."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session
from mumian.mechanism.evaluation import rules

_COLUMNS = "number type district organisation opened_at closed_at version on_time hours next_due".split()
_SCOPE = "(closed_at IS NULL OR closed_at >= :since)"


def keep(session: Session, version: int, incident: dict[str, Any]) -> None:
    """Judge an incident and keep the newest version; an older one that comes late is ignored."""
    updates = ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c != "number")
    session.execute(
        f"INSERT INTO evaluation_incident ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + c for c in _COLUMNS)}) "
        f"ON CONFLICT (number) DO UPDATE SET {updates} WHERE excluded.version > evaluation_incident.version",
        **judged(version, incident),
    )


def judged(version: int, incident: dict[str, Any]) -> Row:
    """The row of an incident at a version, from what its event tells."""
    known: dict[str, Any] = {name: incident.get(name) for name in rules.Facts.__dataclass_fields__}
    facts = rules.Facts(**known)
    values = {column: incident.get(column) for column in _COLUMNS}
    values |= {"version": version, "on_time": int(rules.on_time(facts))}
    return values | {"hours": rules.hours_to_close(facts), "next_due": rules.next_due(facts)}


def everything(session: Session) -> list[Row]:
    """Every row: for verification."""
    return session.rows(f"SELECT {', '.join(_COLUMNS)} FROM evaluation_incident ORDER BY number")


def figures(session: Session, by: str, since: str, now: str, types: tuple[str, ...] = ()) -> list[Row]:
    """Rows of key, closed, on_time, open, overdue, median, by a column (`''`: all in one), by key.

    They are over incidents that are open, or were closed at or after `since`; only of some `types`, when given.
    """
    key = f"COALESCE({by}, '')" if by else "CAST('' AS TEXT)"
    chosen = f" AND type IN ({', '.join(f':type{i}' for i in range(len(types)))})" if types else ""
    parameters = {"since": since, **{f"type{i}": name for i, name in enumerate(types)}}
    counts = session.rows(
        f"SELECT {key} AS key, COUNT(closed_at) AS closed, SUM(on_time) AS on_time, COUNT(*) - COUNT(closed_at) AS open, "
        f"SUM(CASE WHEN next_due < :now THEN 1 ELSE 0 END) AS overdue "
        f"FROM evaluation_incident WHERE {_SCOPE}{chosen} GROUP BY {key} ORDER BY 1",
        now=now,
        **parameters,
    )
    medians = session.rows(
        f"SELECT key, AVG(hours) AS median FROM (SELECT {key} AS key, hours, "
        f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY hours) AS place, COUNT(*) OVER (PARTITION BY {key}) AS many "
        f"FROM evaluation_incident WHERE closed_at >= :since{chosen}) AS ranked "
        f"WHERE place IN ((many + 1) / 2, (many + 2) / 2) GROUP BY key",
        **parameters,
    )
    known = {row["key"]: row["median"] for row in medians}
    return [{**row, "median": known.get(row["key"])} for row in counts]
