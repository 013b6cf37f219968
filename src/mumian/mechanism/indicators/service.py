"""Measuring: works out every indicator that can be measured and keeps what moved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mumian.foundation.ledger.api import Fault, differences, handled
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import parse_iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction
from mumian.mechanism.evaluation.api import Evaluation
from mumian.mechanism.indicators import rules, store
from mumian.mechanism.indicators.events import IndicatorMeasured
from mumian.mechanism.indicators.kinds import IncidentMeasure, KpiSpec, VitalMeasure

_FIGURES = {
    "incidents.on_time_rate": "on_time_rate",
    "incidents.median_hours_to_close": "median_hours",
    "incidents.closed": "closed",
    "incidents.open": "open",
    "incidents.overdue": "overdue",
}


def measurable(platform: Platform) -> list[Declared[KpiSpec]]:
    """The indicators that the platform itself measures."""
    return [kpi for kpi in platform.declarations.all("Kpi") if kpi.spec.measure is not None]


@dataclass(frozen=True)
class Movement:
    """An indicator whose value is no longer what it was."""

    kpi: Declared[KpiSpec]
    before: float | None
    after: float | None


def look(platform: Platform, session: Session, now: datetime) -> list[Movement]:
    """Measure every indicator on a read snapshot, and tell which moved."""
    before = store.newest(session)
    measured = [Movement(kpi, before.get(kpi.name), _measure(platform, session, kpi.spec, now)) for kpi in measurable(platform)]
    return [movement for movement in measured if rules.moved(movement.before, movement.after)]


def keep(tx: Transaction, movements: list[Movement]) -> None:
    """Keep new values, each with its event."""
    for moved in movements:
        spec = moved.kpi.spec
        target = rules.target_for(tx.now.year, spec.target, spec.targets)
        standing = rules.status(moved.after, target, spec.direction)
        store.add(tx.session, moved.kpi.name, tx.now_text, moved.after)
        tx.emit(
            IndicatorMeasured(subject=moved.kpi.name, value=moved.after, previous=moved.before, target=target, status=standing)
        )


def _measure(platform: Platform, session: Session, spec: KpiSpec, now: datetime) -> float | None:
    measure = spec.measure
    if isinstance(measure, IncidentMeasure):
        figures = platform.get(Evaluation).city(session, now, measure.window_days, measure.incident_types)
        value = getattr(figures, _FIGURES[measure.of])
        return None if value is None else float(value)
    if isinstance(measure, VitalMeasure):
        today = now.astimezone(zone(platform)).date()
        since, until = today - timedelta(days=measure.window_days), today - timedelta(days=1)
        known = store.days(session, measure.vital, measure.key, since.isoformat(), until.isoformat())
        return sum(row["level"] in measure.levels for row in known) / len(known) if known else None
    return None


def remember_days(platform: Platform, tx: Transaction, event: DeliveredEvent) -> bool:
    """Keep what vitals were at the end of the city's days, for indicators declared later, too; whether one rests on them now."""
    days = days_in(event, zone(platform))
    store.keep_days(tx.session, days)
    measures = [kpi.spec.measure for kpi in measurable(platform)] if days else []
    wanted = {(measure.vital, measure.key) for measure in measures if isinstance(measure, VitalMeasure)}
    return any((day["vital"], day["key"]) in wanted for day in days)


def days_in(event: DeliveredEvent, here: ZoneInfo) -> list[Row]:
    """The values of an evaluation that are of the end of a day in the city, each with that day."""
    days = []
    for value in event.data["values"]:
        local = parse_iso(value["time"]).astimezone(here)
        if (local.hour, local.minute, local.second) == (0, 0, 0):
            day = (local.date() - timedelta(days=1)).isoformat()
            days.append({**{k: value[k] for k in ("vital", "key", "value", "level")}, "day": day})
    return days


def faults(platform: Platform, session: Session, consumer: str) -> Iterator[Fault]:
    """Every measurement and every day that is not as the events told."""
    measurements, days = store.everything(session)
    told = {}
    for row in session.rows("SELECT subject, time, payload FROM kernel_outbox WHERE type = :type", type=IndicatorMeasured.type):
        told[f"{row['subject']} {row['time']}"] = {"value": json.loads(row["payload"])["value"]}
    kept = ((f"{row['indicator']} {row['time']}", row) for row in measurements)
    yield from differences("indicators_measurement", told, kept)
    here = zone(platform)
    ends = (day for event in handled(session, consumer, "brain.vitals.evaluated") for day in days_in(event, here))
    last = {f"{day['vital']} {day['key']} {day['day']}": {"value": day["value"], "level": day["level"]} for day in ends}
    yield from differences("indicators_vital_day", last, ((f"{d['vital']} {d['key']} {d['day']}", d) for d in days))


def zone(platform: Platform) -> ZoneInfo:
    """The city's time zone; UTC before there is a city."""
    city = platform.get(Spatial).city()
    return ZoneInfo(city.timezone if city else "UTC")
