"""Things: what is sensed, seen as entities; their attributes are streams, whose values are the latest observations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from mumian.foundation.context.rules import mapping
from mumian.foundation.context.rules.core import VOCABULARY
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import StreamInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Latest = dict[int, tuple[int, float]]


@dataclass(eq=False)
class Thing:
    """A thing as an entity: its fixed attributes, and for each stream its attribute, its dataset and its fixed members."""

    id: str
    type: str
    fixed: Attributes
    streams: list[tuple[StreamInfo, str, str | None, Instance]] = field(default_factory=list)

    def stream(self, attribute: str, dataset: str | None) -> StreamInfo | None:
        """The stream that is this attribute in this dataset."""
        return next((info for info, name, own, _ in self.streams if name == attribute and own == dataset), None)

    def numbers(self) -> list[int]:
        """The ids of its streams."""
        return [info.id for info, *_ in self.streams]


class Things:
    """All things with streams, put together anew whenever streams are registered or retired."""

    def __init__(self, sensing: Callable[[], Sensing]) -> None:
        self._sensing = sensing
        self._version = -1
        self._things: dict[str, Thing] = {}
        self._by_type: dict[str, dict[str, None]] = {}
        self._by_stream: dict[int, Thing] = {}

    def refresh(self) -> None:
        """Follow the registry of streams."""
        sensing = self._sensing()
        registry = sensing.registry
        registry.refresh()
        if registry.version != self._version:
            version = registry.version
            self._gather(sensing.streams())
            self._version = version

    def _gather(self, streams: Iterable[StreamInfo]) -> None:
        by_thing: dict[str, list[StreamInfo]] = {}
        for info in streams:
            by_thing.setdefault(info.thing, []).append(info)
        self._things, self._by_type, self._by_stream = {}, {}, {}
        for name, infos in by_thing.items():
            thing = _thing(name, infos)
            self._things[thing.id] = thing
            self._by_type.setdefault(VOCABULARY + thing.type, {})[thing.id] = None
            for info in infos:
                self._by_stream[info.id] = thing

    def find(self, id_: str) -> Thing | None:
        """The thing of that entity id."""
        return self._things.get(id_)

    def of_stream(self, stream: int) -> Thing | None:
        """The thing that a stream belongs to."""
        return self._by_stream.get(stream)

    def ids(self, types: Sequence[str] | None) -> Iterable[str]:
        """The entity ids of all things, or of those of some types."""
        if types is None:
            return self._things
        return (id_ for type_ in types for id_ in self._by_type.get(type_, ()))

    def types(self) -> dict[str, dict[str, None]]:
        """The entity ids by type."""
        return self._by_type

    def __len__(self) -> int:
        return len(self._things)

    def latest(self, things: Sequence[Thing]) -> Latest:
        """The newest observation of every stream of these things that has one: time in µs, and result."""
        numbers = [number for thing in things for number in thing.numbers()]
        if not numbers:
            return {}
        found = self._sensing().latest(np.asarray(numbers, np.int64))
        values = zip(found.times.tolist(), found.results.tolist(), strict=True)
        return dict(zip(found.streams.tolist(), values, strict=True))

    def entities(self, things: Sequence[Thing], own: dict[str, Entity]) -> list[Entity]:
        """Things as entities, each with its newest values and with what its own entity adds."""
        latest = self.latest(things)
        return [as_entity(thing, latest, own.get(thing.id)) for thing in things]


def as_entity(thing: Thing, latest: Latest, own: Entity | None) -> Entity:
    """A thing as an entity; streams without a value that is a number are left out."""
    attributes: Attributes = dict(thing.fixed)
    newest = 0
    for info, name, dataset, fixed in thing.streams:
        time, result = latest.get(info.id, (0, float("nan")))
        if result == result:  # noqa: PLR0124  a missing value is NaN
            newest = max(newest, time)
            attributes[name] = [*attributes.get(name, ()), observed(fixed, dataset, time, result)]
    modified = text(newest) if newest else ""
    types: tuple[str, ...] = (VOCABULARY + thing.type,)
    if own is None:
        return Entity(thing.id, types, attributes, "", modified)
    attributes |= own.attributes
    types += tuple(type_ for type_ in own.types if type_ not in types)
    return Entity(thing.id, types, attributes, own.created, max(own.modified, modified), own.scope)


def observed(fixed: Instance, dataset: str | None, time: int, result: Any) -> Instance:
    """An observation as an instance of its attribute."""
    value = int(result) if isinstance(result, float) and result.is_integer() and abs(result) < 2**53 else result
    instance: Instance = {"type": "Property", "value": value, "observedAt": text(time), **fixed}
    if dataset is not None:
        instance["datasetId"] = dataset
    return instance


def text(time: int) -> str:
    """µs since 1970-01-01 UTC as ISO 8601 with milliseconds where they suffice."""
    moment = _EPOCH + timedelta(microseconds=time)
    return moment.isoformat(timespec="microseconds" if time % 1000 else "milliseconds").replace("+00:00", "Z")


def _thing(name: str, infos: list[StreamInfo]) -> Thing:
    type_ = mapping.type_of(infos[0].observed_property)
    fixed: Attributes = {mapping.NAME: [{"type": "Property", "value": name}]}
    place = next((i for i in infos if i.longitude is not None and i.latitude is not None), None)
    if place is not None:
        point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
        fixed[mapping.LOCATION] = [{"type": "GeoProperty", "value": point}]
    thing = Thing(mapping.entity_id(type_, name), type_, fixed)
    taken = set(fixed)
    for info in infos:
        attribute = mapping.attribute(info.observed_property)
        members: Instance = {VOCABULARY + "title": [{"type": "LanguageProperty", "languageMap": info.title}]}
        code = mapping.unit_code(info.unit)
        if code is not None:
            members["unitCode"] = code
        elif info.unit:
            members[VOCABULARY + "unit"] = [{"type": "Property", "value": info.unit}]
        dataset = mapping.dataset_id(info.name) if attribute in taken else None
        thing.streams.append((info, attribute, dataset, members))
        taken.add(attribute)
    return thing
