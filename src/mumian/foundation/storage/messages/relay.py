"""The relay: carries the outbox to a message server, in order, each event at least once and in effect once."""

import logging

from mumian.foundation.storage.messages.port import Messages
from mumian.kernel.background import Loop
from mumian.kernel.bus import delivered
from mumian.kernel.clock import Clock
from mumian.kernel.errors import Unavailable
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.unit_of_work import Records, Session

_log = logging.getLogger("mumian.messages")
_BATCH = 1000
_IDLE_SECONDS = 0.2
_RETRY_SECONDS = 2.0


class Relay:
    """A background job; it knows where it stands by asking the server what it has last, so nothing can drift apart."""

    name = "messages.relay"

    def __init__(self, records: Records, messages: Messages, clock: Clock) -> None:
        self._records = records
        self._messages = messages
        self._position: int | None = None
        self._loop = Loop(self.name, clock, self.settle, self._pause)

    async def start(self) -> None:
        """Begin to carry."""
        self._loop.start()

    async def stop(self) -> None:
        """Stop, and disconnect."""
        await self._loop.stop()
        await self._messages.close()

    async def settle(self) -> bool:
        """Carry everything that is waiting; True if there was anything. A server that is away leaves it for later."""
        carried = False
        try:
            while await self._carry():
                carried = True
        except Unavailable:
            self._position = None
            _log.warning("the message server does not answer; events wait in the outbox")
        return carried

    async def _carry(self) -> bool:
        if self._position is None:
            self._position = await self._messages.last()
        after = self._position
        events = await self._records.read(lambda session: _waiting(session, after))
        if events:
            await self._messages.publish(events)
            self._position = events[-1].id
        return bool(events)

    def _pause(self) -> float:
        return _IDLE_SECONDS if self._position is not None else _RETRY_SECONDS


def _waiting(session: Session, after: int) -> list[DeliveredEvent]:
    rows = session.rows(
        "SELECT id, type, subject, time, actor, payload FROM kernel_outbox WHERE id > :after ORDER BY id LIMIT :limit",
        after=after,
        limit=_BATCH,
    )
    return [delivered(row) for row in rows]
