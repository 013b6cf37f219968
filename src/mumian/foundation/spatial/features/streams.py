"""The view `streams`, the places of all streams of observations; and the newest values of streams, laid over features."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from math import isnan
from typing import Any

import msgspec

from mumian.foundation.sensing.api import Sensing, StreamInfo, instant
from mumian.foundation.spatial.contracts import Feature
from mumian.foundation.spatial.models import LiveSpec
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform

LIVE = ("live_value", "live_unit", "live_time")


class StreamPlaces:
    """Every stream with a place as a point, its name the id."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._changes = 0
        self._seen: tuple[int, int] | None = None
        self._shown: tuple[int, list[Feature]] = (1, [])
        self._lock = threading.Lock()

    def changed(self) -> None:
        """Look again before the next answer."""
        self._changes += 1

    def version(self) -> int:
        """A number that is another whenever the places are."""
        return self._look()[0]

    def features(self) -> list[Feature]:
        """The streams' places."""
        return self._look()[1]

    def _look(self) -> tuple[int, list[Feature]]:
        with self._lock:
            seen = (self._changes, self._platform.declarations.revision)
            if seen != self._seen:
                infos = [info for info in self._platform.get(Sensing).streams() if info.longitude is not None]
                features = [_place(info) for info in infos]
                digest = sha256(msgspec.json.encode(features)).digest()
                self._shown = (int.from_bytes(digest[:6], "big"), features)
                self._seen = seen
            return self._shown


def _place(info: StreamInfo) -> Feature:
    properties = {
        "name": info.name,
        "title_zh": info.title.get("zh"),
        "title_en": info.title.get("en"),
        "thing": info.thing,
        "observed_property": info.observed_property,
        "unit": info.unit,
        "owner": info.owner,
    }
    return Feature(info.name, 1, {"type": "Point", "coordinates": [info.longitude, info.latitude]}, properties)


@dataclass(frozen=True)
class LiveValue:
    """The newest observation for a feature; `value` is None where it is missing or no number."""

    stream: str
    value: float | None
    unit: str
    time: str


def live_values(sensing: Sensing, spec: LiveSpec, features: Iterable[tuple[str, Any]]) -> dict[str, LiveValue]:
    """For features, given as (id, value of the joining property), the newest value of the stream that it names."""
    wanted = {id_: str(value) for id_, value in features if value is not None}
    streams = _streams(sensing, spec, set(wanted.values()))
    latest = sensing.latest([info.id for info in streams.values()]) if streams else None
    if latest is None:
        return {}
    rows = zip(latest.streams.tolist(), latest.times.tolist(), latest.results.tolist(), strict=True)
    newest = {stream: (time, result) for stream, time, result in rows}
    made = {}
    for id_, name in wanted.items():
        info = streams.get(name)
        if info is not None and info.id in newest:
            time, result = newest[info.id]
            value = None if isnan(result) else result
            made[id_] = LiveValue(info.name, value, info.unit, iso(instant(time)))
    return made


def _streams(sensing: Sensing, spec: LiveSpec, names: set[str]) -> dict[str, StreamInfo]:
    if spec.by == "thing":
        wanted = spec.observed_property
        infos = [info for info in sensing.streams() if info.thing in names and wanted in (None, info.observed_property)]
        return {info.thing: info for info in reversed(infos)}
    found = {}
    for name in names:
        try:
            found[name] = sensing.stream(name)
        except NotFound:
            continue
    return found
