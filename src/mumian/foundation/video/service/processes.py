"""Processes: one worker, started again when it dies, after a pause that doubles while it keeps dying."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mumian.foundation.video.service.errands import WORKER
from mumian.foundation.video.worker.messages import Ack, Drop, FromWorker, Job, length, pack, understood

_log = logging.getLogger("mumian.video")
_STEADY_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
_PATIENCE_SECONDS = 5.0
Take = Callable[[FromWorker], Awaitable[None]]


class Worker:
    """A worker process and the jobs that it should have; `take` keeps a message, after which it is acknowledged."""

    def __init__(self, number: int, take: Take) -> None:
        self.number = number
        self.jobs: dict[str, Job] = {}
        self.starts = 0
        self._take = take
        self._sent: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._started = 0.0
        self._pause = 0.0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """The process's number while it lives."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def adjust(self) -> None:
        """Bring the process to the jobs it should have: start it, tell it of new and changed ones, take others away."""
        if self._process is not None and (self._process.returncode is not None or (self._reader and self._reader.done())):
            await self._buried()
        if self._process is None:
            if not self.jobs or time.monotonic() < self._not_before:
                return
            await self._start()
        for camera in [camera for camera in self._sent if camera not in self.jobs]:
            del self._sent[camera]
            await self._write(pack(Drop(camera)))
        for camera, job in self.jobs.items():
            if self._sent.get(camera) != job.digest:
                self._sent[camera] = job.digest
                await self._write(pack(job))

    async def stop(self) -> None:
        """End it: it ends by itself when its input does."""
        self.jobs.clear()
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _PATIENCE_SECONDS)
        await self._end()

    async def _start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*WORKER, stdin=pipe, stdout=pipe)
        self._started = time.monotonic()
        self.starts += 1
        self._sent = {}
        self._reader = asyncio.create_task(self._read(self._process), name=f"video.worker-{self.number}")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                body = await process.stdout.readexactly(length(await process.stdout.readexactly(4)))
                message = understood(body)
                await self._take(message)
                await self._write(pack(Ack(message.number)))

    async def _write(self, content: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(content)
            await self._process.stdin.drain()

    async def _buried(self) -> None:
        """It died: what it did not get acknowledged is done again by the next, after a pause."""
        lived = time.monotonic() - self._started
        self._pause = 0.0 if lived > _STEADY_SECONDS else min(_LONGEST_PAUSE, max(0.5, self._pause * 2))
        self._not_before = time.monotonic() + self._pause
        code = self._process.returncode if self._process is not None else None
        await self._end()
        _log.warning("video worker %d ended (status %s); it is started again in %.1f s", self.number, code, self._pause)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        self._sent = {}
