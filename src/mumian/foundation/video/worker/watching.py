"""Watching: one camera in one thread, its frames shared by all tasks that look at it."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mumian.foundation.video.vision.building import Plan, build
from mumian.foundation.video.vision.findings import Algorithm, Finding
from mumian.foundation.video.vision.inference import BadModel
from mumian.foundation.video.vision.masking import Area, jpeg, masked
from mumian.foundation.video.vision.source import Frame, Source, SourceFailed
from mumian.foundation.video.worker.messages import Alarm, Broken, Ended, Job, Seen, TaskPart, Window
from mumian.foundation.video.worker.windows import Windows

_log = logging.getLogger("mumian.video.worker")
_TELL_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_SECOND = 1_000_000
_WHOLE = 0.9
Send = Callable[[Callable[[int], Any]], None]  # numbers a message and sends it; waits while too much is unacknowledged


@dataclass
class _Task:
    part: TaskPart
    algorithm: Algorithm
    windows: Windows
    due: float = 0.0
    failed: bool = False


class Watch:
    """Watches a camera until it is stopped; a live source that breaks is opened again after 1, 2, 4 … 30 s."""

    def __init__(self, job: Job, send: Send) -> None:
        self.job = job
        self._send = send
        self._stopping = threading.Event()
        self._areas = [Area(area.polygon, area.mode) for area in job.areas]
        self._thread = threading.Thread(target=self._run, name=f"watch-{job.camera}", daemon=True)
        self._frames = 0
        self._told = (time.monotonic(), 0)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the frame under way."""
        self._stopping.set()

    def _run(self) -> None:
        job, pause = self.job, 1.0
        while not self._stopping.is_set():
            before = self._frames
            try:
                self._watch()
                if not job.live:
                    self._send(lambda n: Ended(n, job.camera, self._frames, [(part.name, part.version) for part in job.tasks]))
                    return
            except SourceFailed as error:
                reason, detail = error.reason, str(error)
                self._send(lambda n: Broken(n, job.camera, reason, detail, not job.live))  # noqa: B023
            except Exception as error:
                _log.exception("watching %s failed", job.camera)
                detail = type(error).__name__
                self._send(lambda n: Broken(n, job.camera, "failed", detail, not job.live))  # noqa: B023
            if not job.live:
                return
            pause = 1.0 if self._frames > before else min(pause * 2, _LONGEST_PAUSE)
            self._stopping.wait(pause)

    def _watch(self) -> None:
        tasks = [made for part in self.job.tasks if (made := self._made(part)) is not None]
        source = Source(self.job.address, self.job.live)
        try:
            for frame in source.frames(max((task.part.fps for task in tasks), default=1.0)):
                if self._stopping.is_set():
                    return
                self._frames += 1
                instant = self._instant(frame)
                self._look(tasks, frame, instant)
                self._tell(instant, source)
        finally:
            source.close()
            for task in tasks if self.job.live or not self._stopping.is_set() else ():
                self._window(task, task.windows.close())

    def _made(self, part: TaskPart) -> _Task | None:
        fields = {name: getattr(part, name) for name in Plan.__dataclass_fields__ if name not in ("wanted", "labels")}
        try:
            algorithm = build(Plan(**fields, wanted=tuple(part.wanted), labels=tuple(part.labels)))
        except BadModel as error:
            detail = str(error)
            self._send(lambda n: Broken(n, self.job.camera, "model", detail, True, part.name, part.version))
            return None
        return _Task(part, algorithm, Windows(part))

    def _instant(self, frame: Frame) -> int:
        """µs since 1970 of a frame; what is live has the time at which it arrives, which does not drift as a camera's clock."""
        if self.job.live:
            return int(time.time() * _SECOND) + self.job.ahead
        return self.job.begins + round(frame.time * _SECOND)

    def _look(self, tasks: list[_Task], frame: Frame, instant: int) -> None:
        small = None
        for task in tasks:
            if task.failed or frame.time < task.due - 1e-6:
                continue
            task.due = max(task.due + 1 / task.part.fps, frame.time + 0.5 / task.part.fps)
            small = frame.small() if small is None else small
            try:
                findings = task.algorithm(small, frame.time)
            except Exception as error:
                _log.exception("%s fails on %s", task.part.name, self.job.camera)
                task.failed, detail, part = True, type(error).__name__, task.part
                self._send(lambda n: Broken(n, self.job.camera, "failed", detail, True, part.name, part.version))  # noqa: B023
                continue
            for found in findings:
                if found.kind == "alarm":
                    self._alarm(task, found, frame, instant)
            self._window(task, task.windows.add(instant, findings))

    def _alarm(self, task: _Task, found: Finding, frame: Frame, instant: int) -> None:
        hide = self.job.store_masked or not self._areas
        picture = jpeg(masked(frame.full(), self._areas) if hide else frame.full())
        began = instant - round((frame.time - (found.began if found.began is not None else frame.time)) * _SECOND)
        part, camera = task.part, self.job.camera
        self._send(
            lambda n: Alarm(
                n,
                camera,
                part.name,
                part.version,
                instant,
                began,
                found.place,
                found.detail,
                found.value,
                found.box,
                picture,
                hide,
            )
        )

    def _window(self, task: _Task, done: tuple[int, float, dict[str, float]] | None) -> None:
        """Send a window; of a file also the last, of a live stream only what was seen nearly whole counts as observed."""
        if done is None or not done[2]:
            return
        start, coverage, values = done
        if self.job.live and coverage < _WHOLE:
            values = dict.fromkeys(values, float("nan"))
        part, camera = task.part, self.job.camera
        self._send(lambda n: Window(n, camera, part.name, part.version, start, coverage, values))

    def _tell(self, instant: int, source: Source) -> None:
        now = time.monotonic()
        since, frames = self._told
        if now - since >= _TELL_SECONDS or not frames:
            fps = (self._frames - frames) / (now - since) if now > since and frames else source.rate
            self._told = (now, self._frames)
            self._send(lambda n: Seen(n, self.job.camera, instant, round(fps, 2), source.width, source.height))
