"""Streams: what tasks measure, as observations of streams that are registered when they are first needed."""

import asyncio
from math import isnan

import numpy as np

from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.events import StreamRegistered
from mumian.foundation.sensing.kinds import StreamSpec, apply_stream
from mumian.foundation.video.contracts import Camera
from mumian.foundation.video.models import AnalyticTaskSpec
from mumian.kernel.declarations.kinds import Change, Declared
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Transaction

_MEASURED = {
    "line_count": ("count", "1"),
    "stay": ("objects_staying", "1"),
    "linger": ("objects_staying", "1"),
    "intrusion": ("objects_inside", "1"),
    "crowd": ("people", "1"),
    "water": ("water_covered_share", "1"),
    "smoke": ("smoke_covered_share", "1"),
    "colour": ("colour_difference", "1"),
    "tamper": ("picture_likeness", "1"),
    "model": ("certainty", "1"),
}


def stream_name(task: str, camera: str, place: str) -> str:
    """The name of the stream of a task on a camera at a place (`<line>.in`, `<zone>`, `picture`, `alarms`)."""
    return f"video.{task}.{camera}.{place}"


class Streams:
    """Records windows; a window recorded before, with the same value, is a repeat and is not stored again."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[str, int] = {}
        self._registering = asyncio.Lock()

    async def record(self, task: Declared[AnalyticTaskSpec], camera: Camera, start: int, values: dict[str, float]) -> None:
        """Record a window's values at its start (µs since 1970); durable when it returns."""
        places = sorted(values)
        ids = [await self._stream(task, camera, place) for place in places]
        results = np.array([values[place] for place in places], np.float64)
        results[[isnan(value) for value in results]] = np.nan
        times = np.full(len(ids), start, np.int64)
        await self._platform.get(Sensing).record(Observations(np.array(ids, np.int64), times, results))

    async def _stream(self, task: Declared[AnalyticTaskSpec], camera: Camera, place: str) -> int:
        name = stream_name(task.name, camera.code, place)
        if name not in self._known:
            async with self._registering:
                if name not in self._known:
                    self._known[name] = await self._registered(task, camera, place, name)
        return self._known[name]

    async def _registered(self, task: Declared[AnalyticTaskSpec], camera: Camera, place: str, name: str) -> int:
        sensing = self._platform.get(Sensing)
        try:
            return (await asyncio.to_thread(sensing.stream, name)).id
        except NotFound:
            pass
        measured, unit = _MEASURED[task.spec.algorithm] if place != "alarms" else ("alarms", "1")
        observe = task.spec.observe
        spec = StreamSpec(
            thing=f"camera {camera.code}",
            longitude=camera.longitude,
            latitude=camera.latitude,
            sensor=f"video {task.spec.algorithm}",
            observed_property=(observe.observed_property if place != "alarms" else None) or measured,
            unit=(observe.unit if place != "alarms" else None) or unit,
            frequency_seconds=observe.interval_seconds if camera.source == "rtsp" else None,
            owner=camera.owner,
        )
        title = {language: f"{task.title[language]} · {camera.title[language]} · {place}" for language in ("zh", "en")}
        made = Declared("Stream", name, title, spec, 1, f"video/{task.name}", {})
        return await sensing.register(lambda tx: _register(tx, made), SYSTEM)


def _register(tx: Transaction, made: Declared[StreamSpec]) -> int:
    apply_stream(tx, Change("Stream", made.name, "create", None, made))
    told = [event for event in tx.emitted if isinstance(event, StreamRegistered) and event.subject == made.name]
    return told[-1].stream
