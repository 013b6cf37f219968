"""Pools as declared, and the city's hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mumian.foundation.compute.models import PoolSpec
from mumian.foundation.compute.rules.pricing import Pool
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.platform import Platform


class Pools:
    """What the scheduler knows of the declared pools."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def specs(self) -> dict[str, PoolSpec]:
        """The declared pools by name."""
        return {declared.name: declared.spec for declared in self._platform.declarations.all("ComputePool")}

    def all(self) -> list[Pool]:
        """All pools, by name."""
        return [_pool(name, spec) for name, spec in sorted(self.specs().items())]

    def local_hours(self, moment: datetime) -> float:
        """An instant as hours of the city's clock since 1970, so that the hour of the day is the remainder by 24."""
        city = self._platform.get(Spatial).city()
        here = moment.astimezone(ZoneInfo(city.timezone if city else "UTC"))
        return (here.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 3600


def _pool(name: str, spec: PoolSpec) -> Pool:
    return Pool(
        name=name,
        cores=spec.cores,
        memory=spec.memory,
        gpus=dict(spec.gpus),
        core_hour=spec.core_hour,
        gpu_hour=spec.gpu_hour,
        tariff=tuple((each.from_hour, each.to_hour, each.factor) for each in spec.tariff),
        renewable=spec.renewable,
        grades=frozenset(spec.grades),
        personal=spec.personal,
        datasets=frozenset(spec.datasets),
    )
