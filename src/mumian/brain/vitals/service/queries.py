"""Queries of vitals: values with their history, and the observations that made a value."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from mumian.brain.vitals import store
from mumian.brain.vitals.contracts import CITY, Observation, Provenance, Reading, Subject
from mumian.brain.vitals.kinds import Level
from mumian.brain.vitals.service.layout import Vital, root_window, subject_of
from mumian.brain.vitals.service.running import HISTORY
from mumian.foundation.sensing.api import Sensing, StreamInfo, instant, microseconds
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session


class Vitals:
    """Reads vitals for the API and for other components; `platform.get(Vitals)`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def subject(self, key: str) -> Subject:
        """What a key is about: "city", or the stream of that name; raises NotFound."""
        if key == CITY:
            city = self._platform.get(Spatial).city()
            title, centre = (city.title, city.centre) if city else ({"zh": "全市", "en": "The city"}, (None, None))
            return Subject(CITY, CITY, title, *centre)
        return subject_of(self._platform.get(Sensing).stream(key))

    def keys(self, name: str) -> set[str]:
        """What a vital has values for now: its streams and "city", by its dimensions; nothing if it has no stream."""
        vital, streams = self._watched(name)
        if vital is None or not streams:
            return set()
        stations = {stream.name for stream in streams} if "station" in vital.spec.dimensions else set()
        return stations | ({CITY} if CITY in vital.spec.dimensions else set())

    def silent_from(self, name: str) -> int:
        """When the window of a vital has passed its newest observation, in µs since 1970; 0 if there is none."""
        vitals = self._platform.declarations.all("Vital")
        vital, streams = self._watched(name)
        window = root_window(vitals, vital) if vital else None
        times = self._platform.get(Sensing).latest(np.array([stream.id for stream in streams], dtype=np.int64)).times
        return int(times.max()) + window.hours * 3_600_000_000 if window and len(times) else 0

    def _watched(self, name: str) -> tuple[Vital | None, list[StreamInfo]]:
        vitals = self._platform.declarations.all("Vital")
        vital = next((v for v in vitals if v.name == name), None)
        window = root_window(vitals, vital) if vital else None
        if window is None:
            return vital, []
        return vital, self._platform.get(Sensing).streams({window.observed_property})

    async def reading(self, vital: str, key: str, time: str | None = None) -> Reading | None:
        """The newest value not after `time` (ISO text; None: now)."""
        return await self._platform.records.read(lambda session: store.at(session, vital, key, time))

    @staticmethod
    def history(session: Session, vital: str, start: str, end: str, limit: int) -> list[Row]:
        """The values (key, time, value) of a vital from `start` up to `end` (ISO texts), by time, at most `limit`."""
        return store.between(session, vital, start, end, limit)

    async def provenance(self, name: str, key: str, time: str | None = None) -> Provenance | None:
        """Which observations made a value; None if there is no such value or its vital is not declared any more."""
        vitals = self._platform.declarations.all("Vital")
        vital = next((v for v in vitals if v.name == name), None)
        window = root_window(vitals, vital) if vital else None
        reading = await self.reading(name, key, time)
        if vital is None or window is None or reading is None:
            return None
        end = parse_iso(reading.time)
        start = end - timedelta(hours=window.hours)
        inputs = await self._platform.records.read(lambda session: self._inputs(session, vital, reading))
        observations = await self._observations(window.observed_property, key, start, end)
        rule = vital.spec.source.model_dump(exclude_none=True)
        return Provenance(reading, rule, iso(start), reading.time, inputs, observations)

    async def overview(self) -> list[dict[str, Any]]:
        """Every vital with its present values and their history, as the API shows them."""
        vitals = self._platform.declarations.all("Vital")
        return await self._platform.records.read(lambda session: [self._overview(session, vital) for vital in vitals])

    def _overview(self, session: Session, vital: Vital) -> dict[str, Any]:
        newest = store.newest(session, vital.name)
        by_key: dict[str, list[Row]] = {}
        if newest is not None:
            start = parse_iso(newest) - timedelta(seconds=vital.spec.frequency_seconds * (HISTORY - 1))
            for row in store.since(session, vital.name, iso(start)):
                by_key.setdefault(row["key"], []).append(row)
        return {
            "name": vital.name,
            "title": vital.title,
            "theme": vital.spec.theme,
            "unit": vital.spec.unit,
            "direction": vital.spec.direction,
            "owner": vital.spec.owner,
            "standard": vital.spec.standard.model_dump() if vital.spec.standard else None,
            "frequency_seconds": vital.spec.frequency_seconds,
            "levels": [_level(level) for level in vital.spec.levels],
            "values": [self._value(vital, key, by_key[key]) for key in sorted(by_key, key=lambda k: (k != CITY, k))],
        }

    def _value(self, vital: Vital, key: str, rows: list[Row]) -> dict[str, Any]:
        last = rows[-1]
        try:
            subject = self.subject(key)
        except NotFound:
            subject = Subject(key, "station", {"zh": key, "en": key}, None, None)
        level = next((level for level in vital.spec.levels if level.name == last["level"]), None)
        return {
            "key": key,
            "dimension": subject.dimension,
            "label": subject.label,
            "longitude": subject.longitude,
            "latitude": subject.latitude,
            "value": last["value"],
            "state": last["state"],
            "level": _level(level) if level else None,
            "time": last["time"],
            "history": [[row["time"], row["value"]] for row in rows],
        }

    def _inputs(self, session: Session, vital: Vital, reading: Reading) -> list[Reading]:
        """The readings that a value was worked out from: its base, or the stations behind a city's mean."""
        derived = vital.spec.source.derived
        if derived is not None:
            base = store.at(session, derived.vital, reading.key, reading.time)
            return [base] if base is not None and base.time == reading.time else []
        if reading.key != CITY:
            return []
        return [other for other in store.together(session, vital.name, reading.time) if other.key != CITY]

    async def _observations(self, observed_property: str, key: str, start: datetime, end: datetime) -> list[Observation]:
        sensing = self._platform.get(Sensing)
        streams = {s.id: s.name for s in sensing.streams({observed_property}) if key in (s.name, CITY)}
        ids = np.array(sorted(streams), dtype=np.int64)
        rows = await asyncio.to_thread(sensing.window, ids, microseconds(start) + 1, microseconds(end) + 1, good_only=True)
        return [
            Observation(streams[int(stream)], iso(instant(int(time))), None if np.isnan(result) else float(result))
            for stream, time, result in zip(rows.streams, rows.times, rows.results, strict=True)
        ]


def _level(level: Level) -> dict[str, Any]:
    return {"name": level.name, "title": level.title.model_dump(), "colour": level.colour, "from": level.bound}
