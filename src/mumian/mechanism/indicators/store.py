"""The measurements of indicators, one for each time a value moved, and the day values of vitals that they rest on."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session

NEWEST = 200


def newest(session: Session) -> dict[str, float | None]:
    """The present value of every indicator that was ever measured."""
    rows = session.rows(
        "SELECT m.indicator, m.value FROM indicators_measurement m JOIN "
        "(SELECT indicator, MAX(time) AS time FROM indicators_measurement GROUP BY indicator) n "
        "ON n.indicator = m.indicator AND n.time = m.time"
    )
    return {row["indicator"]: row["value"] for row in rows}


def add(session: Session, indicator: str, time: str, value: float | None) -> None:
    """Keep a measurement; a second one of the same instant takes the place of the first."""
    session.execute(
        "INSERT INTO indicators_measurement (indicator, time, value) VALUES (:indicator, :time, :value) "
        "ON CONFLICT (indicator, time) DO UPDATE SET value = excluded.value",
        indicator=indicator,
        time=time,
        value=value,
    )


def series(session: Session, indicator: str) -> list[tuple[str, float | None]]:
    """The newest measurements of an indicator, in the order of time."""
    rows = session.rows(
        "SELECT time, value FROM indicators_measurement WHERE indicator = :indicator ORDER BY time DESC LIMIT :newest",
        indicator=indicator,
        newest=NEWEST,
    )
    return [(row["time"], row["value"]) for row in reversed(rows)]


def everything(session: Session) -> tuple[list[Row], list[Row]]:
    """Every measurement and every day: for verification."""
    return (
        session.rows("SELECT indicator, time, value FROM indicators_measurement ORDER BY indicator, time"),
        session.rows("SELECT vital, key, day, value, level FROM indicators_vital_day ORDER BY vital, key, day"),
    )


def keep_days(session: Session, days: list[dict[str, Any]]) -> None:
    """Keep vitals' values for days; a corrected one takes the place of the first."""
    session.execute_many(
        "INSERT INTO indicators_vital_day (vital, key, day, value, level) VALUES (:vital, :key, :day, :value, :level) "
        "ON CONFLICT (vital, key, day) DO UPDATE SET value = excluded.value, level = excluded.level",
        days,
    )


def days(session: Session, vital: str, key: str, since: str, until: str) -> list[Row]:
    """The days from `since` to `until` (ISO dates, both included) on which the vital had a value."""
    return session.rows(
        "SELECT day, value, level FROM indicators_vital_day "
        "WHERE vital = :vital AND key = :key AND day >= :since AND day <= :until AND value IS NOT NULL ORDER BY day",
        vital=vital,
        key=key,
        since=since,
        until=until,
    )
