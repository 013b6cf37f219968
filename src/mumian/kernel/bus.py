"""Bus: events fail softly. Handlers run after the commit, once in effect; what keeps failing goes to the dead letters.

What fails because a store is away or full is no fault of the event: it waits and is tried again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import msgspec

from mumian.kernel.background import Loop
from mumian.kernel.clock import Clock, iso, parse_iso
from mumian.kernel.errors import Unavailable
from mumian.kernel.events import DeliveredEvent, matches
from mumian.kernel.unit_of_work import Records, Row, Session, Transaction

Handler = Callable[[Transaction, DeliveredEvent], None]
_Work = tuple["DeliveredEvent", list[Handler]]
_log = logging.getLogger("mumian.bus")
_BATCH = 500
_ATTEMPTS = 5
_UNSTORED = 5000  # a consumer that wants nothing stores its position only so often
_POLL_SECONDS = 1.0  # another process on the same records may commit too


@dataclass
class _Consumer:
    name: str
    handlers: list[tuple[str, Handler]]
    position: int | None = None
    stored: int = 0

    def wanted(self, event: DeliveredEvent) -> list[Handler]:
        return [handler for pattern, handler in self.handlers if matches(pattern, event.type)]


class Bus:
    """Delivers the outbox to named consumers in commit order, and to live listeners such as open browser pages."""

    name = "bus"

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._consumers: dict[str, _Consumer] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Condition | None = None
        self._deliveries = Loop("bus", clock, self.settle, _POLL_SECONDS)
        self._delivering = asyncio.Lock()
        self._notices: list[asyncio.Future[None]] = []
        self._announced = 0
        records.listen(self._committed)

    def subscribe(self, type_: str, consumer: str, handler: Handler) -> None:
        """Let `consumer` handle events of `type_` (which may end in `.*`); its writes and its position are one commit."""
        self._consumers.setdefault(consumer, _Consumer(consumer, [])).handlers.append((type_, handler))

    async def start(self) -> None:
        """Begin to deliver, from where each consumer stood."""
        self._loop = asyncio.get_running_loop()
        self._deliveries.start()

    async def stop(self) -> None:
        """Stop after the delivery under way."""
        await self._deliveries.stop()

    async def settle(self) -> bool:
        """Deliver all that is waiting; True if anything was delivered."""
        async with self._delivering:
            done = False
            while await self._deliver_once():
                done = True
            return done

    async def tail(self, after: int | None) -> AsyncGenerator[DeliveredEvent, None]:
        """Events after the id `after` (None: from now on), then every new one as it is committed."""
        if self._news is None:
            self._news = asyncio.Condition()
        position = after if after is not None else await self._records.read(_last_id)
        while True:
            heard = self._announced
            events = await self._records.read(lambda session, p=position: _events(session, p, _BATCH))  # type: ignore[misc]
            for event in events:
                yield event
                position = event.id
            if not events:
                async with self._news:
                    try:
                        await asyncio.wait_for(self._news.wait_for(lambda h=heard: self._announced != h), 1.0)  # type: ignore[misc]
                    except TimeoutError:
                        continue

    def _committed(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        self._deliveries.wake()
        self._announced += 1
        if self._news is not None:
            self._notices.append(asyncio.ensure_future(self._notify(self._news)))
            self._notices = [n for n in self._notices if not n.done()]

    @staticmethod
    async def _notify(news: asyncio.Condition) -> None:
        async with news:
            news.notify_all()

    async def _deliver_once(self) -> bool:
        if not self._consumers:
            return False
        await self._load_positions()
        lowest = min(c.position or 0 for c in self._consumers.values())
        events = await self._records.read(lambda session: _events(session, lowest, _BATCH))
        for consumer in self._consumers.values():
            await self._serve(consumer, [e for e in events if e.id > (consumer.position or 0)])
        return bool(events)

    async def _load_positions(self) -> None:
        if all(c.position is not None for c in self._consumers.values()):
            return
        rows = await self._records.read(lambda session: session.rows("SELECT name, position FROM kernel_consumer"))
        known = {row["name"]: row["position"] for row in rows}
        for consumer in self._consumers.values():
            consumer.position = consumer.stored = int(known.get(consumer.name, 0))

    async def _serve(self, consumer: _Consumer, events: list[DeliveredEvent]) -> None:
        if not events:
            return
        wanted = [(event, consumer.wanted(event)) for event in events]
        work = [(event, handlers) for event, handlers in wanted if handlers]
        last = events[-1].id
        if not work and last - consumer.stored < _UNSTORED:
            consumer.position = last
            return
        try:
            await self._handle(consumer, work, last)
        except Unavailable:
            raise
        except Exception:
            for event, handlers in work:
                await self._handle_alone(consumer, event, handlers)
            consumer.position = last

    async def _handle(self, consumer: _Consumer, work: list[_Work], position: int) -> None:
        """Handle what the stored position says is still to do: another process, or a cut-off run, may have done a part."""

        def handle(tx: Transaction) -> int:
            done = _claim(tx.session, consumer.name)
            for event, handlers in work:
                for handler in handlers if event.id > done else ():
                    handler(tx, event)
            return _move(tx.session, consumer.name, max(position, done))

        consumer.position = consumer.stored = await self._records.write(handle)

    async def _handle_alone(self, consumer: _Consumer, event: DeliveredEvent, handlers: list[Handler]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._handle(consumer, [(event, handlers)], event.id)
                return
            except Unavailable:
                raise
            except Exception as error:
                _log.warning("%s failed on event %d (%s), attempt %d: %s", consumer.name, event.id, event.type, attempt, error)
                failure = error
                if attempt < _ATTEMPTS and not self._clock.stepped:
                    await asyncio.sleep(0.02 * 4**attempt)
        await self._bury(consumer, event, failure)

    async def _bury(self, consumer: _Consumer, event: DeliveredEvent, error: Exception) -> None:
        _log.error("%s gives up on event %d (%s)", consumer.name, event.id, event.type, exc_info=error)

        def work(tx: Transaction) -> None:
            tx.session.execute(
                "INSERT INTO kernel_dead_letter (consumer, event, attempts, error, time) "
                "VALUES (:consumer, :event, :attempts, :error, :time) ON CONFLICT (consumer, event) DO NOTHING",
                consumer=consumer.name,
                event=event.id,
                attempts=_ATTEMPTS,
                error=repr(error)[:2000],
                time=iso(tx.now),
            )
            _move(tx.session, consumer.name, max(event.id, _claim(tx.session, consumer.name)))

        await self._records.write(work)


def _claim(session: Session, consumer: str) -> int:
    """The consumer's stored position, locked until the commit."""
    return int(
        session.value(
            "INSERT INTO kernel_consumer (name, position) VALUES (:name, 0) "
            "ON CONFLICT (name) DO UPDATE SET position = kernel_consumer.position RETURNING position",
            name=consumer,
        )
    )


def _move(session: Session, consumer: str, position: int) -> int:
    session.execute("UPDATE kernel_consumer SET position = :position WHERE name = :name", name=consumer, position=position)
    return position


def _last_id(session: Session) -> int:
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'outbox'") or 0)


def _events(session: Session, after: int, limit: int) -> list[DeliveredEvent]:
    rows = session.rows(
        "SELECT id, type, subject, time, actor, payload FROM kernel_outbox WHERE id > :after ORDER BY id LIMIT :limit",
        after=after,
        limit=limit,
    )
    return [delivered(row) for row in rows]


def delivered(row: Row) -> DeliveredEvent:
    """Read an outbox row back into an event."""
    data = msgspec.json.decode(row["payload"])
    return DeliveredEvent(row["id"], row["type"], row["subject"], parse_iso(row["time"]), row["actor"], data)
