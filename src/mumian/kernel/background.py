"""Background loops: work that is repeated while the city runs, and stands still on a clock that is stepped by hand."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from mumian.kernel.clock import Clock

_log = logging.getLogger("mumian.background")
_RETRY_SECONDS = 0.5


class Loop:
    """Runs `work` every `pause` real seconds, and at once when woken; what fails is logged and tried again.

    On a stepped clock it does not run at all: there, whoever steps the clock settles the platform, so that a run is repeatable.
    """

    def __init__(
        self, name: str, clock: Clock, work: Callable[[], Awaitable[object]], pause: float | Callable[[], float]
    ) -> None:
        self._name = name
        self._clock = clock
        self._work = work
        self._pause = pause if callable(pause) else lambda: pause
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with the first run at once."""
        if self._clock.stepped or self._task is not None:
            return
        self._stopping = False
        self._woken.set()
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Run soon; call it on the event loop."""
        self._woken.set()

    async def stop(self) -> None:
        """End after the run under way; it is never cut off half-way."""
        if self._task is None:
            return
        self._stopping = True
        self._woken.set()
        await self._task
        self._task = None

    async def _run(self) -> None:
        pause = 0.0
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(pause, 0.001))
            self._woken.clear()
            if self._stopping:
                return
            try:
                await self._work()
                pause = self._pause()
            except Exception:
                _log.exception("%s failed; it is tried again", self._name)
                pause = _RETRY_SECONDS
