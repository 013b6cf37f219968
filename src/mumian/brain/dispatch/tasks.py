"""Registers dispatch: it assigns what was opened, and a background job supervises what is overdue."""

from mumian.brain.dispatch.api import Dispatch
from mumian.brain.incidents.api import Incidents, Urgency
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform

_MOST_SECONDS = 1.0
_CITY_SECONDS = 30.0


class Supervision:
    """Looks for passed deadlines every half minute of the city's time, at least once a second."""

    name = "dispatch.supervision"

    def __init__(self, platform: Platform, dispatch: Dispatch) -> None:
        self._platform = platform
        self._dispatch = dispatch
        self._loop = Loop(self.name, platform.clock, self.settle, self._pause)

    async def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    async def stop(self) -> None:
        """Stop looking."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Supervise all that is overdue now."""
        next_due = await self._platform.records.read(self._platform.get(Incidents).next_due)
        if next_due is None or next_due > iso(self._platform.clock.now()):
            return False
        return await self._platform.records.write(self._dispatch.supervise) > 0

    def _pause(self) -> float:
        wait = self._platform.clock.real_seconds(_CITY_SECONDS)
        return min(max(wait, 0.05), _MOST_SECONDS)


def register(platform: Platform) -> None:
    """Provide Dispatch, listen for new incidents and new rules, start supervision."""
    dispatch = Dispatch(platform)
    platform.provide(Dispatch, dispatch)
    platform.provide(Urgency, Urgency(dispatch.deadlines))
    platform.subscribe("brain.incidents.opened", "dispatch", dispatch.opened)
    platform.subscribe("declarations.applied", "dispatch", dispatch.applied)
    platform.background(Supervision(platform, dispatch))
