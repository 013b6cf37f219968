"""Muting: why nobody is told of a warning now — a silence, an inhibition, a maintenance window, quiet hours."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mumian.brain.vitals.api import Vitals
from mumian.brain.warnings import store as warnings
from mumian.brain.warnings.kinds import MaintenanceWindowSpec, WarningInhibitionSpec, WarningRouteSpec
from mumian.brain.warnings.routing import store
from mumian.brain.warnings.routing.rules import Labels, matches, within
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

Muted = Callable[[Declared[WarningRouteSpec], Labels], str | None]


def labels_of(platform: Platform, row: Mapping[str, Any]) -> dict[str, str]:
    """The labels by which a warning (rule, vital, level, dimension, key) is matched and grouped, with its theme and district."""
    vital = next((v for v in platform.declarations.all("Vital") if v.name == row["vital"]), None)
    district = ""
    try:
        subject = platform.get(Vitals).subject(row["key"])
        if subject.dimension == "station" and subject.longitude is not None and subject.latitude is not None:
            found = platform.get(Spatial).district_at(subject.longitude, subject.latitude)
            district = found.code if found else ""
    except NotFound:
        district = ""
    known = {name: str(row[name]) for name in ("rule", "vital", "level", "dimension", "key")}
    return known | {"theme": vital.spec.theme if vital else "", "district": district}


def muting(platform: Platform, session: Session, now: datetime) -> Muted:
    """A function that tells why a warning is muted at `now`: silence:<id>, inhibition:<name>, maintenance:<name> or quiet."""
    silences = store.silences(session, iso(now))
    inhibitions: list[Declared[WarningInhibitionSpec]] = platform.declarations.all("WarningInhibition")
    standing = [labels_of(platform, row) for row in warnings.active(session)] if inhibitions else []
    city = platform.get(Spatial).city()
    local = now.astimezone(ZoneInfo(city.timezone if city else "UTC"))
    windows = [window for window in platform.declarations.all("MaintenanceWindow") if _open(window.spec, now, local)]
    sources = [(each, [labels for labels in standing if matches(each.spec.source.wanted(), labels)]) for each in inhibitions]

    def muted(route: Declared[WarningRouteSpec], labels: Labels) -> str | None:
        for silence in silences:
            if matches(silence["wanted"], labels):
                return f"silence:{silence['id']}"
        for window in windows:
            if matches(window.spec.match.wanted(), labels):
                return f"maintenance:{window.name}"
        for inhibition, over in sources:
            if _inhibited(inhibition.spec, over, labels):
                return f"inhibition:{inhibition.name}"
        quiet = labels["level"] not in route.spec.loud and within([w.hours() for w in route.spec.quiet], local)
        return "quiet" if quiet else None

    return muted


def _inhibited(spec: WarningInhibitionSpec, sources: list[dict[str, str]], labels: Labels) -> bool:
    """Whether another warning that inhibits stands; none inhibits itself."""
    return matches(spec.target.wanted(), labels) and any(
        all(source[name] == labels[name] for name in spec.equal)
        and (source["rule"], source["key"]) != (labels["rule"], labels["key"])
        for source in sources
    )


def _open(spec: MaintenanceWindowSpec, now: datetime, local: datetime) -> bool:
    return any(start <= now < end for start, end in spec.once) or within([w.hours() for w in spec.weekly], local)
