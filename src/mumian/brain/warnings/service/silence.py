"""Silence: where nothing comes any more, no value lifts a warning; then the platform's clock does."""

import asyncio

from mumian.brain.warnings.service.judging import Warnings
from mumian.foundation.sensing.api import microseconds
from mumian.kernel.background import Loop
from mumian.kernel.platform import Platform

_LONGEST_PAUSE = 60.0
_SHORTEST_PAUSE = 1.0


class Silence:
    """The background job of warnings: looks once a minute of the platform's clock."""

    name = "brain.warnings"

    def __init__(self, platform: Platform, warnings: Warnings) -> None:
        self._platform = platform
        self._warnings = warnings
        self._busy = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self.settle, self._pause)

    async def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the look under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Lift every warning that is stale by now."""
        async with self._busy:
            now = microseconds(self._platform.clock.now())
            if not await self._platform.records.read(lambda session: self._warnings.stale(session, now)):
                return False
            return await self._platform.records.write(self._warnings.lift_stale) > 0

    def _pause(self) -> float:
        return min(max(self._platform.clock.real_seconds(_LONGEST_PAUSE), _SHORTEST_PAUSE), _LONGEST_PAUSE)
