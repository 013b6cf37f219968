"""Store of vitals: the values of every vital, key and mark."""

from collections.abc import Sequence
from typing import Any

from mumian.brain.vitals.contracts import Reading
from mumian.kernel.unit_of_work import Row, Session

_FIELDS = "vital, key, time, value, state, level, version"


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Keep values, each in the place of the one before it at the same vital, key and time."""
    session.execute_many(
        f"INSERT INTO vitals_value ({_FIELDS}) VALUES (:vital, :key, :time, :value, :state, :level, :version) "
        "ON CONFLICT (vital, key, time) DO UPDATE SET value = :value, state = :state, level = :level, version = :version",
        rows,
    )


def since(session: Session, vital: str, start: str) -> list[Row]:
    """The values of a vital from an instant on, by time."""
    return session.rows(
        f"SELECT {_FIELDS} FROM vitals_value WHERE vital = :vital AND time >= :start ORDER BY time", vital=vital, start=start
    )


def between(session: Session, vital: str, start: str, end: str, limit: int) -> list[Row]:
    """The values of a vital from an instant up to another, by time, at most so many."""
    where = "vital = :vital AND time >= :start AND time < :end ORDER BY time, key LIMIT :limit"
    sql = f"SELECT key, time, value FROM vitals_value WHERE {where}"
    return session.rows(sql, vital=vital, start=start, end=end, limit=limit)


def newest(session: Session, vital: str) -> str | None:
    """The time of a vital's newest values."""
    found = session.value("SELECT MAX(time) FROM vitals_value WHERE vital = :vital", vital=vital)
    return None if found is None else str(found)


def at(session: Session, vital: str, key: str, time: str | None) -> Reading | None:
    """One value: the newest not after `time`, or at all."""
    row = session.row(
        f"SELECT {_FIELDS} FROM vitals_value WHERE vital = :vital AND key = :key AND time <= :time ORDER BY time DESC LIMIT 1",
        vital=vital,
        key=key,
        time=time or "9999",
    )
    return None if row is None else Reading(**row)


def together(session: Session, vital: str, time: str) -> list[Reading]:
    """The values of a vital at one time, by key."""
    rows = session.rows(
        f"SELECT {_FIELDS} FROM vitals_value WHERE vital = :vital AND time = :time ORDER BY key", vital=vital, time=time
    )
    return [Reading(**row) for row in rows]


def progress(session: Session) -> int:
    """The id up to which all observations are evaluated."""
    return int(session.value("SELECT MAX(observation) FROM vitals_progress") or 0)


def note_progress(session: Session, observation: int) -> None:
    """Remember that all observations up to this id are evaluated."""
    session.execute("UPDATE vitals_progress SET observation = :observation", observation=observation)


def everything(session: Session) -> list[Row]:
    """All values: for verification."""
    return session.rows(f"SELECT {_FIELDS} FROM vitals_value")
