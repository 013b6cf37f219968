"""Intake: what workers report becomes detections with evidence, candidates, observations and health, each once."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from mumian.foundation.sensing.api import instant
from mumian.foundation.storage.contracts import Objects
from mumian.foundation.video import store
from mumian.foundation.video.contracts import Camera, Detection, Probe
from mumian.foundation.video.events import CandidateRaised, DetectionMade, RunChanged
from mumian.foundation.video.models import AnalyticTaskSpec
from mumian.foundation.video.service import health
from mumian.foundation.video.service.streams import Streams
from mumian.foundation.video.worker.messages import Alarm, Broken, Ended, FromWorker, Seen, Window
from mumian.kernel.clock import iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import NotFound, Unavailable
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

_log = logging.getLogger("mumian.video")
_RETRY_SECONDS = 1.0
_SEEN_SECONDS = 30.0
Task = Declared[AnalyticTaskSpec]


class Intake:
    """Keeps messages; what it has kept may be acknowledged. `changed` is called when a run ended."""

    def __init__(self, platform: Platform, changed: Callable[[], None]) -> None:
        self._platform = platform
        self._streams = Streams(platform)
        self._changed = changed
        self._seen: dict[str, float] = {}
        self.views: dict[tuple[str, str], str] = {}

    async def take(self, message: FromWorker) -> None:
        """Keep a message, however long the stores need to come back; what can never be kept is logged and let go."""
        while True:
            try:
                await self._take(message)
                return
            except Unavailable as error:
                _log.warning("what %s reported waits: %s", message.camera, error)
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                _log.exception("a report of %s (%s) cannot be kept", type(message).__name__, message.camera)
                return

    async def _take(self, message: FromWorker) -> None:
        if isinstance(message, Alarm):
            await self._alarm(message)
        elif isinstance(message, Window):
            found = await self._known(message.task, message.version, message.camera)
            if found is not None:
                await self._streams.record(*found, message.start, message.values)
        elif isinstance(message, Seen):
            await self._delivers(message)
        else:
            await self._ended(message)

    async def _known(self, task: str, version: int, camera: str) -> tuple[Task, Camera] | None:
        """The task and the camera, unless either is gone or was changed since."""
        try:
            declared = self._platform.declarations.get("AnalyticTask", task)
        except NotFound:
            return None
        found = await self._platform.records.read(lambda session: store.camera(session, camera))
        return None if found is None or declared.version != version else (declared, found)

    async def _alarm(self, alarm: Alarm) -> None:
        known = await self._known(alarm.task, alarm.version, alarm.camera)
        if known is None:
            return
        made = _detection(alarm, *known)
        assert made.picture is not None
        await asyncio.to_thread(self._platform.get(Objects).put, made.picture, alarm.picture)  # type: ignore[type-abstract]
        await self._platform.records.write(lambda tx: _keep(tx, made, *known))

    async def _delivers(self, seen: Seen) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._seen.get(seen.camera, -_SEEN_SECONDS) < _SEEN_SECONDS:
            return
        self._seen[seen.camera] = now
        probe = Probe(camera=seen.camera, reachable=True, fps=seen.fps, width=seen.width, height=seen.height)
        await self._platform.records.write(lambda tx: _look(tx, probe))

    async def _ended(self, message: Broken | Ended) -> None:
        if isinstance(message, Ended):
            await self._runs(message.camera, message.tasks, "finished", "")
        elif message.task:
            detail = f"{'model' if message.reason == 'model' else 'algorithm'}: {message.detail}"
            await self._runs(message.camera, [(message.task, message.version)], "failed", detail)
        else:
            self._seen.pop(message.camera, None)
            probe = Probe(camera=message.camera, reachable=False, reason=message.reason)
            await self._platform.records.write(lambda tx: health.keep(tx, probe))
            if message.final:
                running = [name for name, camera in self.views if camera == message.camera]
                found = [(d.name, d.version) for d in self._platform.declarations.all("AnalyticTask") if d.name in running]
                await self._runs(message.camera, found, "failed", message.reason)
        self._changed()

    async def _runs(self, camera: str, tasks: list[tuple[str, int]], state: str, detail: str) -> None:
        views = {name: self.views.get((name, camera), "") for name, _ in tasks}

        def work(tx: Transaction) -> None:
            known = {run["task"]: run for run in store.runs(tx.session) if run["camera"] == camera}
            for name, version in tasks:
                before = known.get(name)
                if before and before["state"] != "running" and before["version"] == version:
                    continue  # what ended before, or failed by itself, stays so
                row = {"task": name, "camera": camera, "version": version, "digest": views[name]}
                keep_run(tx, {**row, "state": state, "detail": detail[:500], "changed": tx.now_text})

        await self._platform.records.write(work)


def keep_run(tx: Transaction, row: Row) -> None:
    """Keep how a task stands on a camera, and tell if that is new."""
    if store.put_run(tx.session, row):
        told = {name: row[name] for name in ("task", "camera", "version", "state", "detail")}
        tx.emit(RunChanged(subject=f"{row['task']}/{row['camera']}", **told))


def _look(tx: Transaction, probe: Probe) -> None:
    """A stream that is watched delivers; only analysis itself lifts what it called tampered, after the camera was away."""
    known = store.health(tx.session, probe.camera)
    if known is None or known.state != "tampered":
        health.keep(tx, probe)


def _detection(alarm: Alarm, task: Task, camera: Camera) -> Detection:
    box = None if alarm.box is None else [round(value, 4) for value in alarm.box]
    time = iso(instant(alarm.time))
    told = f"{alarm.task}|{alarm.camera}|{alarm.place}|{alarm.detail}|{alarm.time}|{box}"
    id_ = sha256(told.encode()).hexdigest()[:32]
    return Detection(
        id=id_,
        task=alarm.task,
        camera=alarm.camera,
        version=alarm.version,
        algorithm=task.spec.algorithm,
        place=alarm.place,
        detail=alarm.detail,
        time=time,
        began=iso(instant(alarm.began)),
        value=alarm.value,
        box=box,
        owner=camera.owner,
        longitude=camera.longitude,
        latitude=camera.latitude,
        picture=f"video/detections/{alarm.camera}/{id_}.jpg",
        sha256=sha256(alarm.picture).hexdigest(),
        bytes=len(alarm.picture),
        masked=alarm.masked,
        expires=iso(instant(alarm.time) + timedelta(days=task.spec.retention_days)),
    )


def _keep(tx: Transaction, made: Detection, task: Task, camera: Camera) -> None:
    if not store.add_detection(tx.session, made):
        return
    names = [name for name in DetectionMade.__dataclass_fields__ if name not in ("subject", "type")]
    tx.emit(DetectionMade(subject=made.id, **{name: getattr(made, name) for name in names}))
    if task.spec.algorithm == "tamper" and made.detail:
        health.settle(tx, camera.code, "blind" if made.detail == "blind" else "tampered", made.detail)
    rule = task.spec.candidate
    if rule is None or made.value < rule.at_least:
        return
    evidence: dict[str, Any] = {
        name: getattr(made, name) for name in ("task", "camera", "place", "detail", "time", "began", "value", "picture", "sha256")
    }
    tx.emit(
        CandidateRaised(
            subject=made.id,
            incident_type=rule.incident_type,
            severity=rule.severity,
            title=task.title,
            label=camera.title,
            owner=made.owner,
            longitude=made.longitude,
            latitude=made.latitude,
            time=made.time,
            matter=f"{made.task}/{made.camera}/{made.place}",
            evidence={"detection": made.id, **evidence},
        )
    )
