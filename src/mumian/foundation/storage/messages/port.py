"""The port of messages: publish events in order, read them again from any point, each of them once."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from mumian.kernel.events import DeliveredEvent


class Messages(Protocol):
    """An ordered, durable stream of events; the id of an event is its message id and its place in the order."""

    async def publish(self, events: Sequence[DeliveredEvent]) -> None:
        """Store `events`, given in the order of their ids; those already stored are not stored again.

        When it returns they survive a restart. Raises Unavailable: then publish the same events again.
        """
        ...

    def subscribe(self, pattern: str = "*", after: int = 0) -> AsyncIterator[DeliveredEvent]:
        """All events of `pattern` (`*`, `a.b.*` or a whole type) with an id above `after`, then new ones as they come.

        It never ends by itself: close the iterator (`aclose`) to leave.
        """
        ...

    async def last(self) -> int:
        """The highest id stored, 0 while there is none."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the connection."""
        ...
