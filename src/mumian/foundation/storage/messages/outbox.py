"""Messages straight from the outbox: the embedded default, where an event is stored by the commit that emitted it."""

from collections.abc import AsyncIterator, Sequence

from mumian.kernel.bus import Bus
from mumian.kernel.events import DeliveredEvent, matches
from mumian.kernel.unit_of_work import Records, Session


class OutboxMessages:
    """Reads `kernel_outbox`; what is published is there already."""

    def __init__(self, records: Records, bus: Bus) -> None:
        self._records = records
        self._bus = bus

    async def publish(self, events: Sequence[DeliveredEvent]) -> None:
        """Nothing is left to do: the commit stored the events."""

    async def subscribe(self, pattern: str = "*", after: int = 0) -> AsyncIterator[DeliveredEvent]:
        """Events after the id `after`, then new ones as they are committed."""
        async for event in self._bus.tail(after):
            if matches(pattern, event.type):
                yield event

    async def last(self) -> int:
        """The highest id in the outbox."""
        return await self._records.read(_last)

    async def close(self) -> None:
        """The records are closed by their owner."""


def _last(session: Session) -> int:
    return int(session.value("SELECT MAX(id) FROM kernel_outbox") or 0)
