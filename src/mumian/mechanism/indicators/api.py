"""Indicators for other components: `platform.get(Indicators)` tells where each one stands."""

from dataclasses import dataclass
from datetime import datetime

from mumian.kernel.clock import iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session
from mumian.mechanism.indicators import rules, store
from mumian.mechanism.indicators.kinds import KpiSpec
from mumian.mechanism.indicators.service import zone

__all__ = ["Indicator", "Indicators"]

Sample = tuple[str, float | None]


@dataclass(frozen=True)
class Indicator:
    """Where an indicator stands; `measured` tells whether the platform measures it, `series` is in the order of time."""

    name: str
    title: dict[str, str]
    theme: str
    unit: str
    direction: str
    measured: bool
    target: float | None
    targets: dict[int, float]
    value: float | None
    previous: float | None
    measured_at: str | None
    status: rules.Status
    series: list[Sample]


class Indicators:
    """Reads declarations and measurements together."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def all(self, session: Session, now: datetime) -> list[Indicator]:
        """Every declared indicator: those that the platform measures first, then by theme and name."""
        found = [self.read(session, kpi, now) for kpi in self._platform.declarations.all("Kpi")]
        return sorted(found, key=lambda i: (not i.measured, i.theme, i.name))

    def get(self, session: Session, name: str, now: datetime) -> Indicator:
        """One indicator; raises NotFound."""
        return self.read(session, self._platform.declarations.get("Kpi", name), now)

    def read(self, session: Session, kpi: Declared[KpiSpec], now: datetime) -> Indicator:
        """Where a declared indicator stands at `now`."""
        spec = kpi.spec
        series = self._by_year(spec) if spec.measure is None else store.series(session, kpi.name)
        value = series[-1][1] if series else None
        target = rules.target_for(now.year, spec.target, spec.targets)
        return Indicator(
            name=kpi.name,
            title=kpi.title,
            theme=spec.theme,
            unit=spec.unit,
            direction=spec.direction,
            measured=spec.measure is not None,
            target=target,
            targets=dict(sorted(spec.targets.items())),
            value=value,
            previous=series[-2][1] if len(series) > 1 else None,
            measured_at=series[-1][0] if series else None,
            status=rules.status(value, target, spec.direction),
            series=series,
        )

    def _by_year(self, spec: KpiSpec) -> list[Sample]:
        here = zone(self._platform)
        return [(iso(datetime(year, 12, 31, tzinfo=here)), value) for year, value in sorted(spec.series.items())]
