"""Registers dispatch: it assigns what was opened, and a background job supervises what is overdue."""

import asyncio
import logging

from mumian.brain.dispatch.api import Dispatch
from mumian.brain.incidents.api import Incidents
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform

_log = logging.getLogger("mumian.dispatch")
_MOST_SECONDS = 1.0
_CITY_SECONDS = 30.0


class Supervision:
    """Looks for passed deadlines every half minute of the city's time, at least once a second."""

    name = "dispatch.supervision"

    def __init__(self, platform: Platform, dispatch: Dispatch) -> None:
        self._platform = platform
        self._dispatch = dispatch
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def settle(self) -> bool:
        """Supervise all that is overdue now."""
        next_due = await self._platform.records.read(self._platform.get(Incidents).next_due)
        if next_due is None or next_due > iso(self._platform.clock.now()):
            return False
        return await self._platform.records.write(self._dispatch.supervise) > 0

    async def _run(self) -> None:
        while True:
            wait = self._platform.clock.real_seconds(_CITY_SECONDS)
            await asyncio.sleep(min(max(wait, 0.05), _MOST_SECONDS))
            try:
                await self.settle()
            except Exception:
                _log.exception("supervision failed; it is tried again")


def register(platform: Platform) -> None:
    """Provide Dispatch, listen for new incidents and new rules, start supervision."""
    dispatch = Dispatch(platform)
    platform.provide(Dispatch, dispatch)
    platform.subscribe("brain.incidents.opened", "dispatch", dispatch.opened)
    platform.subscribe("declarations.applied", "dispatch", dispatch.applied)
    platform.background(Supervision(platform, dispatch))
