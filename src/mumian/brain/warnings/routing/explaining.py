"""Explaining: why a warning stands or does not, why somebody was told or was not, and what a rule would have done in the past."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mumian.brain.warnings import rules
from mumian.brain.warnings import store as warnings
from mumian.brain.warnings.kinds import WarningSpec
from mumian.brain.warnings.routing import store
from mumian.brain.warnings.routing.muting import labels_of, muting
from mumian.brain.warnings.routing.noticing import Routing
from mumian.brain.warnings.rules import LEVELS, Rule, Standing
from mumian.brain.warnings.service.judging import rule_of
from mumian.foundation.sensing.api import instant, microseconds
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session

_WEEK = 7 * 24 * 3600 * 1_000_000


@dataclass(frozen=True)
class Raised:
    """A warning that a rule would have raised: its worst level and value, from when to when (None: it would still stand)."""

    key: str
    level: str
    start: str
    end: str | None
    worst: float | None


def explained(platform: Platform, session: Session, rule: str, key: str) -> dict[str, Any]:
    """Why a rule does or does not warn about a key: its lines against the last values; raises NotFound."""
    declared = next((d for d in platform.declarations.all("Warning") if d.name == rule), None)
    if declared is None:
        raise NotFound(kind="Warning", name=rule)
    judged = rule_of(declared.spec)
    known = warnings.track(session, rule, key)
    track = known[0] if known else rules.Track()
    standing = track.now
    return {
        "rule": rule,
        "key": key,
        "level": None if standing.severity is None else LEVELS[standing.severity],
        "since": _text(standing.since) if standing.severity is not None else None,
        "value": standing.value,
        "valued_at": _text(standing.valued_at),
        "stale": standing.stale,
        "lines": [_line(judged, standing, index) for index in range(len(judged.lines))],
        "samples": [{"time": _text(time), "value": value} for time, value in track.samples],
    }


def told(platform: Platform, session: Session, id_: str) -> dict[str, Any]:
    """Who was told of a warning, or why nobody was: its labels, its groups, what mutes it, their notices; raises NotFound."""
    row = warnings.one(session, id_)
    if row is None:
        raise NotFound(kind="warning", name=id_)
    labels = labels_of(platform, row)
    muted = muting(platform, session, platform.clock.now())
    groups = []
    for group, route, _ in Routing(platform).groups_of(labels):
        found = store.group(session, group)
        notices = store.notices(session, group)
        groups.append(
            {
                "group": group,
                "route": route.name,
                "muted": muted(route, labels),
                "acknowledged": found[0].acknowledged if found else None,
                "next_look": found[1]["look_at"] if found else None,
                "notices": [notice for notice in notices if id_ in notice["warnings"]],
            }
        )
    return {"warning": id_, "labels": labels, "lifted": row["lifted_at"] is not None, "groups": groups}


def replayed(spec: WarningSpec, rows: Iterable[Row]) -> list[Raised]:
    """The warnings that a rule would have raised on values (key, time, value) in the order of time."""
    rule = rule_of(spec)
    standings: dict[str, Standing] = {}
    began: dict[str, tuple[int, int, float | None]] = {}
    found: list[Raised] = []
    for row in rows:
        if ("city" if row["key"] == "city" else "station") not in spec.applies_to:
            continue
        key, time, value = row["key"], microseconds(parse_iso(row["time"])), row["value"]
        before = standings.get(key, Standing())
        after = standings[key] = rules.step(rule, before, (time, value))
        if after.severity is None:
            if key in began:
                found.append(_raised(key, began.pop(key), time))
            continue
        start, level, worst = began.get(key, (time, after.severity, value))
        worst = value if worst is None or (value is not None and value * rule.sign > worst * rule.sign) else worst
        began[key] = (start, max(level, after.severity), worst)
    found += [_raised(key, open_, None) for key, open_ in began.items()]
    return sorted(found, key=lambda raised: (raised.start, raised.key))


def per_week(count: int, start: str, end: str) -> float:
    """So many in this time, as a number a week."""
    length = microseconds(parse_iso(end)) - microseconds(parse_iso(start))
    return count * _WEEK / length if length > 0 else 0.0


def _raised(key: str, open_: tuple[int, int, float | None], end: int | None) -> Raised:
    start, level, worst = open_
    return Raised(key, LEVELS[level], iso(instant(start)), None if end is None else iso(instant(end)), worst)


def _line(rule: Rule, standing: Standing, index: int) -> dict[str, Any]:
    line = rule.lines[index]
    over = standing.over[index] if index < len(standing.over) else None
    lasted = None if over is None or standing.valued_at is None else standing.valued_at - over
    return {
        "level": LEVELS[line.severity],
        "enter": line.enter * rule.sign,
        "leave": line.leave * rule.sign,
        "for_minutes": line.duration / 60_000_000,
        "crossed_since": _text(over),
        "missing_minutes": None if lasted is None else max(line.duration - lasted, 0) / 60_000_000,
        "short_of": None if standing.value is None else max(line.enter - standing.value * rule.sign, 0.0),
    }


def _text(time: int | None) -> str | None:
    return None if time is None else iso(instant(time))
