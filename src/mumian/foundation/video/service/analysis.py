"""Analysis: the supervisor of the workers; it gives each camera to one of them and takes in what they report."""

import asyncio
import logging
import time
from typing import Any

from mumian.foundation.video.service.errands import installed
from mumian.foundation.video.service.intake import Intake, keep_run
from mumian.foundation.video.service.planning import Planner, Wanted
from mumian.foundation.video.service.processes import Worker
from mumian.foundation.video.settings import VideoSettings
from mumian.kernel.background import Loop
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

_log = logging.getLogger("mumian.video")
_ROUND_SECONDS = 1.0
_SETTLE_SECONDS = 600.0
MISSING = "video libraries are not installed: pip install 'mumian[video]'"


class Analysis:
    """A background job; on a stepped clock only files are watched, to their ends, by `settle`."""

    name = "video.analysis"

    def __init__(self, platform: Platform, planner: Planner, settings: VideoSettings) -> None:
        self._platform = platform
        self._planner = planner
        self._settings = settings
        self._loop = Loop("video.analysis", platform.clock, self.round, _ROUND_SECONDS)
        self.intake = Intake(platform, self._loop.wake)
        self.workers: list[Worker] = []
        self.waiting: list[str] = []
        self._adjusting = asyncio.Lock()
        self._told: dict[tuple[str, str], tuple[object, ...]] = {}

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End the workers after the round under way."""
        await self._loop.stop()
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        self.workers = []

    async def settle(self) -> bool:
        """On a stepped clock, watch every file that is due to its end; True if there was any."""
        if not self._platform.clock.stepped or not self._platform.declarations.all("AnalyticTask") or not installed():
            return False
        end, busy = time.monotonic() + _SETTLE_SECONDS, False
        while await self.round(live=False) and time.monotonic() < end:
            busy = True
            await asyncio.sleep(0.05)
        return busy

    async def round(self, live: bool = True) -> int:
        """Bring the workers to what is wanted now; returns how many cameras are watched."""
        if not self._platform.declarations.all("AnalyticTask") and not self.workers:
            return 0
        async with self._adjusting:
            wanted, failed = await asyncio.to_thread(self._planner.wanted, live)
            if not installed():
                await self._keep(
                    [{**run, "state": "failed", "detail": MISSING} for w in wanted.values() for run in w.runs] + failed
                )
                return 0
            await self._keep([run for found in wanted.values() for run in found.runs] + failed)
            self.intake.views |= {(run["task"], run["camera"]): run["digest"] for w in wanted.values() for run in w.runs}
            self._assign(wanted)
            for worker in self.workers:
                await worker.adjust()
        return len(wanted)

    async def _keep(self, found: list[Row]) -> None:
        runs = [run for run in found if self._told.get((run["task"], run["camera"])) != _state(run)]
        if not runs:
            return

        def work(tx: Transaction) -> None:
            for run in runs:
                keep_run(tx, run)

        await self._platform.records.write(work)
        self._told |= {(run["task"], run["camera"]): _state(run) for run in runs}

    def _assign(self, wanted: dict[str, Wanted]) -> None:
        """Cameras stay with their worker; new ones go to the one with the fewest, and wait where all are full."""
        for worker in self.workers:
            worker.jobs = {camera: wanted[camera].job for camera in worker.jobs if camera in wanted}
        placed = {camera for worker in self.workers for camera in worker.jobs}
        self.waiting = []
        for camera in wanted.keys() - placed:
            roomiest = self._roomiest()
            if roomiest is None:
                self.waiting.append(camera)
            else:
                roomiest.jobs[camera] = wanted[camera].job

    def _roomiest(self) -> Worker | None:
        if len(self.workers) < self._settings.workers and all(worker.jobs for worker in self.workers):
            self.workers.append(Worker(len(self.workers) + 1, self.intake.take))
        worker = min(self.workers, key=lambda known: len(known.jobs))
        return worker if len(worker.jobs) < self._settings.per_worker else None

    def state(self) -> dict[str, Any]:
        """The workers with their cameras and starts, and the cameras for which there is no room."""
        return {
            "workers": [{"number": w.number, "pid": w.pid, "starts": w.starts, "cameras": sorted(w.jobs)} for w in self.workers],
            "waiting": sorted(self.waiting),
        }


def _state(run: Row) -> tuple[object, ...]:
    return tuple(run[name] for name in ("version", "digest", "state", "detail"))
