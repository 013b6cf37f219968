"""Layout: definitions of vitals grouped by what they observe and how often, so that one grid answers them all."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mumian.brain.vitals.contracts import CITY, Subject
from mumian.brain.vitals.kinds import VitalSpec, Window
from mumian.brain.vitals.rules import Floats, Integers, city_mean, enough, interpolate, levels_of
from mumian.brain.vitals.service.grid import Grid
from mumian.foundation.sensing.contracts import StreamInfo
from mumian.kernel.declarations.kinds import Declared

Vital = Declared[VitalSpec]


@dataclass(frozen=True)
class Group:
    """Vitals that rest on one observed property at one rhythm, bases before what is derived from them, and their streams."""

    observed_property: str
    period: int
    vitals: tuple[Vital, ...]
    streams: tuple[StreamInfo, ...]

    @cached_property
    def ids(self) -> Integers:
        """The ids of the streams, growing."""
        return np.array([stream.id for stream in self.streams], dtype=np.int64)

    @cached_property
    def keys(self) -> list[str]:
        """What each column of values is about: the streams, then the city."""
        return [*(stream.name for stream in self.streams), CITY]

    @cached_property
    def span(self) -> int:
        """The widest window in buckets."""
        return max(self.width(vital.spec.source.window) for vital in self.vitals if vital.spec.source.window)

    def width(self, window: Window) -> int:
        """A window in buckets."""
        return max(window.hours * 3600 // self.period, 1)

    def columns(self, vital: Vital) -> list[int]:
        """The columns in which a vital has values, by its dimensions."""
        stations = range(len(self.streams)) if "station" in vital.spec.dimensions else range(0)
        return [*stations, *([len(self.streams)] if CITY in vital.spec.dimensions else [])]

    def evaluate(self, grid: Grid, mark: int) -> dict[str, Floats]:
        """The values of every vital at a mark, a column a key, NaN where missing."""
        values: dict[str, Floats] = {}
        for vital in self.vitals:
            derived, window = vital.spec.source.derived, vital.spec.source.window
            if derived is not None:
                values[vital.name] = interpolate(derived.interpolate, values[derived.vital], derived.round, derived.cap)
            elif window is not None:
                stations, counts = grid.window(mark, self.width(window), window.aggregate)
                stations = np.where(enough(counts, self._expected(window), window.minimum_share), stations, np.nan)
                values[vital.name] = np.append(stations, city_mean(stations))
        return values

    def _expected(self, window: Window) -> Floats:
        rhythms = [stream.frequency_seconds or self.period for stream in self.streams]
        return window.hours * 3600 / np.array(rhythms, dtype=np.float64)


def arrange(vitals: Iterable[Vital], streams: Iterable[StreamInfo]) -> dict[tuple[str, int], Group]:
    """All groups by observed property and rhythm in seconds; vitals without a stream make none."""
    by_name = {vital.name: vital for vital in vitals}
    members: dict[tuple[str, int], list[tuple[int, Vital]]] = {}
    for vital in by_name.values():
        depth, root = _root(by_name, vital)
        if root is not None:
            members.setdefault((root.observed_property, vital.spec.frequency_seconds), []).append((depth, vital))
    groups = {}
    alive = sorted((stream for stream in streams if not stream.retired), key=lambda stream: stream.id)
    for (name, period), found in members.items():
        watched = tuple(stream for stream in alive if stream.observed_property == name)
        ordered = tuple(vital for _, vital in sorted(found, key=lambda pair: (pair[0], pair[1].name)))
        if watched:
            groups[name, period] = Group(name, period, ordered, watched)
    return groups


def observed(vitals: Iterable[Vital]) -> set[str]:
    """The observed properties that vitals rest on."""
    return {vital.spec.source.window.observed_property for vital in vitals if vital.spec.source.window}


def root_window(vitals: Iterable[Vital], vital: Vital) -> Window | None:
    """The window that a vital rests on in the end."""
    return _root({v.name: v for v in vitals}, vital)[1]


def level_names(vital: Vital, values: Floats) -> list[str | None]:
    """The name of the level of each value, None below the first level or missing."""
    names = [level.name for level in vital.spec.levels]
    indices = levels_of([(level.bound, level.strict) for level in vital.spec.levels], values)
    return [names[index] if index >= 0 else None for index in indices]


def subject_of(stream: StreamInfo) -> Subject:
    """What the values of a stream are about."""
    return Subject(stream.name, "station", stream.title, stream.longitude, stream.latitude)


def _root(by_name: dict[str, Vital], vital: Vital) -> tuple[int, Window | None]:
    depth = 0
    while vital.spec.source.derived is not None:
        base = by_name.get(vital.spec.source.derived.vital)
        if base is None or depth > len(by_name):
            return depth, None
        depth, vital = depth + 1, base
    return depth, vital.spec.source.window
