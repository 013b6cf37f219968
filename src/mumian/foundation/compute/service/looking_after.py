"""Looking after jobs in the background: placing what waits, starting what is placed here, and collecting what has ended."""

import asyncio
import logging
from typing import Any

from mumian.foundation.compute import store
from mumian.foundation.compute.contracts import Job
from mumian.foundation.compute.errors import NotPossible
from mumian.foundation.compute.service.jobs import Jobs
from mumian.foundation.compute.service.placing import Placing
from mumian.foundation.compute.service.pools import Pools
from mumian.foundation.compute.service.running import Runner
from mumian.foundation.compute.settings import ComputeSettings
from mumian.kernel.background import Loop
from mumian.kernel.errors import MumianError, Stale
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_log = logging.getLogger("mumian.compute")


class LookingAfter:
    """The background job of compute."""

    name = "compute"

    def __init__(
        self, platform: Platform, pools: Pools, jobs: Jobs, placing: Placing, runner: Runner, settings: ComputeSettings
    ) -> None:
        self._platform = platform
        self._pools = pools
        self._jobs = jobs
        self._placing = placing
        self._runner = runner
        self._working = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self.settle, settings.look_seconds)

    async def start(self) -> None:
        """Begin; jobs that were running when the city stopped are taken up again where they are."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the round under way; local jobs go on."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """One round; True if any job moved."""
        if not self._pools.specs():
            return False
        async with self._working:
            moved = await self._collect()
            if await self._platform.records.read(_anything_waits):
                looked = await self._platform.records.read(self._placing.look)
                if looked[1]:
                    moved = bool(await self._platform.records.write(lambda tx: self._placing.place(tx, looked))) or moved
            return await self._begin() or moved

    async def _collect(self) -> bool:
        running = await self._platform.records.read(lambda session: store.in_states(session, ("running",)))
        moved = False
        for job in running:
            if job.runner != self._runner.id:
                continue
            if await asyncio.to_thread(self._runner.alive, job):
                if job.cancelling:
                    await asyncio.to_thread(self._runner.stop, job)
                continue
            await self._ended(job)
            moved = True
        return moved

    async def _ended(self, job: Job) -> None:
        result = await asyncio.to_thread(self._runner.collected, job)

        def work(tx: Transaction) -> None:
            found = self._jobs.find(tx.session, job.id)
            if found.state != "running" or found.attempt != job.attempt:
                return
            if result is None:
                self._jobs.again(tx, found, "dead")
                return
            state = "cancelled" if result["reason"] == "cancelled" else "done" if result["status"] == 0 else "failed"
            self._jobs.end(tx, found, state, result)

        await self._platform.records.write(work)
        await asyncio.to_thread(self._runner.clear, job)

    async def _begin(self) -> bool:
        here = {name for name, spec in self._pools.specs().items() if spec.runner == "local"}
        placed = await self._platform.records.read(lambda session: store.in_states(session, ("placed",)))
        begun = False
        for job in placed:
            if job.pool not in here:
                continue
            try:
                claimed = await self._platform.records.write(lambda tx, job=job: self._claim(tx, job))  # type: ignore[misc]
            except (Stale, NotPossible):
                continue
            begun = True
            try:
                await asyncio.to_thread(self._runner.begin, claimed)
            except (OSError, MumianError) as error:
                _log.warning("job %s could not be started: %s", job.id, error)
                why: dict[str, Any] = {"reason": "start", "status": None, "files": []}
                await self._platform.records.write(lambda tx, job=claimed, why=why: self._jobs.end(tx, job, "failed", why))  # type: ignore[misc]
        return begun

    def _claim(self, tx: Transaction, job: Job) -> Job:
        return self._jobs.start(tx, self._jobs.find(tx.session, job.id), self._runner.id)


def _anything_waits(session: Session) -> bool:
    return session.value("SELECT id FROM compute_job WHERE state = 'queued' LIMIT 1") is not None
