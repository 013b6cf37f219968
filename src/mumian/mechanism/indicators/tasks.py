"""Measures indicators whenever something happened that may move them, and at least once an hour."""

from datetime import datetime, timedelta

from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.background import Loop
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction
from mumian.mechanism.indicators import service
from mumian.mechanism.indicators.api import Indicators

_CONSUMER = "mechanism.indicators"
_PAUSE_SECONDS = 0.5
_HOUR = timedelta(hours=1)


def register(platform: Platform) -> None:
    """Offer `Indicators`, listen to what may move them, and measure in the background."""
    platform.provide(Indicators, Indicators(platform))
    job = Measuring(platform)
    platform.subscribe("brain.incidents.*", _CONSUMER, lambda tx, event: job.ask())
    platform.subscribe("declarations.applied", _CONSUMER, lambda tx, event: job.ask())
    platform.subscribe("brain.vitals.evaluated", _CONSUMER, job.remember)
    platform.background(job)
    platform.get(EvidenceChecks).add(_CONSUMER, lambda session: service.faults(platform, session, _CONSUMER))


class Measuring:
    """The background job; a burst of events leads to one round of measurements."""

    name = "indicators"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._asked = True
        self._last: datetime | None = None
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE_SECONDS)

    def ask(self) -> None:
        """Have the indicators measured soon."""
        self._asked = True

    def remember(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Keep the day values of vitals that indicators rest on."""
        if service.remember_days(self._platform, tx, event):
            self.ask()

    async def start(self) -> None:
        """Begin to measure."""
        self._loop.start()

    async def stop(self) -> None:
        """Stop measuring."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Measure if something happened or an hour has passed; True if any indicator moved."""
        now = self._platform.clock.now()
        if not self._asked and self._last is not None and abs(now - self._last) < _HOUR:
            return False
        self._asked, self._last = False, now
        try:
            movements = await self._platform.records.read(lambda session: service.look(self._platform, session, now))
            if movements:
                await self._platform.records.write(lambda tx: service.keep(tx, movements))
        except Exception:
            self.ask()
            raise
        return bool(movements)
