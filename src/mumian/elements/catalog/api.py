"""The catalogue for other components: `platform.get(Catalog)` lists datasets with their freshness."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mumian.elements.catalog import rules, store
from mumian.elements.catalog.contracts import Load, LoadMode, TableInfo
from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.catalog.service.tables import Tables
from mumian.foundation.sensing.api import Sensing, StreamInfo, instant
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform

__all__ = ["Catalog", "Dataset", "Load", "LoadMode", "TableInfo", "Tables"]


@dataclass(frozen=True)
class Dataset:
    """A dataset; `kind` is `stream` (entered by itself) or `dataset` (declared), `members` the streams it is made of."""

    name: str
    title: dict[str, str]
    description: dict[str, str] | None
    owner: str | None
    kind: str
    unit: str | None
    observed_property: str | None
    frequency_seconds: int | None
    licence: str | None
    source: str | None
    members: tuple[str, ...]
    last_observed: datetime | None
    freshness: rules.Freshness
    observations: int


class Catalog:
    """Joins what is registered and declared with what sensing has received."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def all(self, now: datetime) -> list[Dataset]:
        """Every dataset, by name."""
        names = await self._platform.records.read(store.streams)
        streams = {info.name: info for info in self._platform.get(Sensing).streams()}
        entered = [self._stream(streams[name], now) for name in names if name in streams]
        declared = [self._declared(d, streams.values(), now) for d in self._platform.declarations.all("Dataset")]
        return sorted([*entered, *declared], key=lambda dataset: dataset.name)

    async def get(self, name: str, now: datetime) -> Dataset:
        """One dataset; raises NotFound."""
        for dataset in await self.all(now):
            if dataset.name == name:
                return dataset
        raise NotFound(kind="Dataset", name=name)

    def _stream(self, info: StreamInfo, now: datetime) -> Dataset:
        last, count = self._observed([info])
        return Dataset(
            name=info.name,
            title=info.title,
            description=None,
            owner=info.owner,
            kind="stream",
            unit=info.unit,
            observed_property=info.observed_property,
            frequency_seconds=info.frequency_seconds,
            licence=None,
            source=None,
            members=(info.name,),
            last_observed=last,
            freshness=rules.freshness(last, info.frequency_seconds, now),
            observations=count,
        )

    def _declared(self, declared: Declared[DatasetSpec], streams: Iterable[StreamInfo], now: datetime) -> Dataset:
        spec = declared.spec
        members = [info for info in streams if spec.observed_property == info.observed_property]
        last, count = self._observed(members)
        return Dataset(
            name=declared.name,
            title=declared.title,
            description=None if spec.description is None else spec.description.model_dump(),
            owner=spec.owner,
            kind="dataset",
            unit=spec.unit,
            observed_property=spec.observed_property,
            frequency_seconds=spec.frequency_seconds,
            licence=spec.licence,
            source=spec.source,
            members=tuple(info.name for info in members),
            last_observed=last,
            freshness=rules.freshness(last, spec.frequency_seconds, now),
            observations=count,
        )

    def _observed(self, streams: list[StreamInfo]) -> tuple[datetime | None, int]:
        """The newest observation of these streams (a value recorded as missing is one, too), and how many they have."""
        if not streams:
            return None, 0
        sensing, ids = self._platform.get(Sensing), [info.id for info in streams]
        times = sensing.latest(ids).times
        return (instant(int(times.max())) if len(times) else None), sum(sensing.counts(ids).values())
