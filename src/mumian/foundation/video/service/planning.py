"""Planning: which cameras are to be watched now, and for which tasks."""

import base64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mumian.foundation.spatial.api import Spatial
from mumian.foundation.video import store
from mumian.foundation.video.contracts import Camera
from mumian.foundation.video.errors import SourceUnavailable
from mumian.foundation.video.models import USUAL, AnalyticTaskSpec
from mumian.foundation.video.rules.schedules import due
from mumian.foundation.video.service.directory import Directory
from mumian.foundation.video.service.errands import Errands
from mumian.foundation.video.worker.messages import AreaPart, Job, TaskPart
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, encode

_MOST_CAMERAS = 10_000
_OVER = ("finished", "failed")
Task = Declared[AnalyticTaskSpec]


@dataclass(frozen=True)
class Wanted:
    """A camera to be watched, and the run of each of its tasks."""

    job: Job
    runs: list[Row]


class Planner:
    """Turns declarations, the ledger of cameras and the clock into jobs; called off the event loop."""

    def __init__(self, platform: Platform, directory: Directory, errands: Errands) -> None:
        self._platform = platform
        self._directory = directory
        self._errands = errands
        self._models: dict[str, bytes] = {}

    def wanted(self, live: bool = True) -> tuple[dict[str, Wanted], list[Row]]:
        """The jobs by camera, and the runs of those that cannot be watched, with why. Files are watched once by each version."""
        now = self._platform.clock.now()
        records = self._platform.records
        by_camera: dict[str, list[Task]] = {}
        runs: list[Row] = []
        local = self._local(now)
        for task in self._platform.declarations.all("AnalyticTask"):
            in_time = due(task.spec.schedule, local)
            for code in self._codes(task.spec):
                by_camera.setdefault(code, [])
                if in_time:
                    by_camera[code].append(task)
        codes = sorted(by_camera)
        cameras, known, sealed = records.read_now(
            lambda session: (
                {camera.code: camera for camera in store.cameras(session, codes) if not camera.retired},
                {(run["task"], run["camera"]): run for run in store.runs(session)},
                {code: store.secrets(session, code) for code in codes},
            )
        )
        found: dict[str, Wanted] = {}
        for code in codes:
            camera = cameras.get(code)
            if camera is None:
                runs += [_run(task, code, "", "failed", "no camera", now) for task in by_camera[code]]
            elif camera.source == "file" or live:
                made = self._job(camera, sealed[code], by_camera[code], known, now, runs)
                if made is not None:
                    found[code] = made
        return found, runs

    def _codes(self, spec: AnalyticTaskSpec) -> list[str]:
        codes = dict.fromkeys(spec.cameras)
        for group in spec.groups:
            codes |= dict.fromkeys(self._directory.page([f"group:{group}"], "", "", _MOST_CAMERAS))
        return list(codes)[:_MOST_CAMERAS]

    def _job(
        self, camera: Camera, sealed: str, tasks: list[Task], known: dict[tuple[str, str], Row], now: datetime, runs: list[Row]
    ) -> Wanted | None:
        areas = [AreaPart(list(mask.polygon), mask.mode) for mask in camera.masks]
        order, reason = self._order(camera, sealed)
        seen = [camera.shown, sha256(sealed.encode()).hexdigest(), camera.recorded_from, areas, _stamp(order)]
        view = sha256(encode(seen)).hexdigest()[:16]
        open_ = [task for task in tasks if camera.source == "rtsp" or not _over(known.get((task.name, camera.code)), task, view)]
        open_ = [task for task in open_ if not _unfit(known.get((task.name, camera.code)), task, view)]
        if not open_:
            return None
        if order is None:
            runs += [_run(task, camera.code, view, "failed", reason, now) for task in open_]
            return None
        begins = parse_iso(camera.recorded_from or camera.created)
        parts = [self._part(task) for task in open_]
        digest = sha256(encode([view, camera.store_masked, [(part.name, part.version) for part in parts]])).hexdigest()
        job = Job(
            camera=camera.code,
            address=order["address"],
            live=order["live"],
            begins=round(begins.timestamp() * 1_000_000),
            ahead=self._ahead(now),
            store_masked=camera.store_masked,
            areas=areas,
            tasks=parts,
            digest=digest,
        )
        return Wanted(job, [_run(task, camera.code, view, "running", "", now) for task in open_])

    def _order(self, camera: Camera, sealed: str) -> tuple[dict[str, Any] | None, str]:
        try:
            return self._errands.order(camera, sealed), ""
        except SourceUnavailable as error:
            return None, str(error.values["reason"])

    def _part(self, task: Task) -> TaskPart:
        spec = task.spec
        threshold, seconds = USUAL[spec.algorithm]
        return TaskPart(
            name=task.name,
            version=task.version,
            algorithm=spec.algorithm,
            zones={zone.name: list(zone.polygon) for zone in spec.zones},
            lines={line.name: list(line.points) for line in spec.lines},
            fps=spec.rate,
            sensitivity=spec.sensitivity,
            smallest=spec.smallest,
            seconds=seconds if spec.seconds is None else spec.seconds,
            threshold=threshold if spec.threshold is None else spec.threshold,
            person=spec.person,
            interval=spec.observe.interval_seconds,
            wanted=list(spec.labels),
            **self._model(spec.model),
        )

    def _model(self, name: str | None) -> dict[str, Any]:
        if name is None:
            return {}
        spec = self._platform.declarations.get("VisionModel", name).spec
        if spec.sha256 not in self._models:
            content = base64.b64decode(self._platform.records.read_now(lambda session: store.model(session, name)))
            self._models[spec.sha256] = content if sha256(content).hexdigest() == spec.sha256 else b""
        return {"content": self._models[spec.sha256], "labels": list(spec.labels)}

    def _local(self, now: datetime) -> datetime:
        city = self._platform.get(Spatial).city()
        return now.astimezone(ZoneInfo(city.timezone if city else "UTC"))

    def _ahead(self, now: datetime) -> int:
        from mumian.kernel.clock import SystemClock

        ahead = (now - SystemClock().now()).total_seconds()
        return 0 if abs(ahead) < 1 else round(ahead * 1_000_000)


def _run(task: Task, camera: str, view: str, state: str, detail: str, now: datetime) -> Row:
    names = {"task": task.name, "camera": camera, "version": task.version, "digest": view}
    return {**names, "state": state, "detail": detail, "changed": iso(now)}


def _stamp(order: dict[str, Any] | None) -> list[int]:
    """What tells a file from one that was put in its place."""
    if order is None or order["live"]:
        return []
    found = Path(order["address"]).stat()
    return [found.st_size, found.st_mtime_ns]


def _over(run: Row | None, task: Task, view: str) -> bool:
    return run is not None and run["version"] == task.version and run["digest"] == view and run["state"] in _OVER


def _unfit(run: Row | None, task: Task, view: str) -> bool:
    """Whether the algorithm itself failed on this camera: trying again before anything changes would fail again."""
    return (
        _over(run, task, view)
        and run is not None
        and run["state"] == "failed"
        and run["detail"].startswith(("model", "algorithm"))
    )
