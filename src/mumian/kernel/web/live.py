"""Live events: the outbox as server-sent events, resumed where a page left off, for as long as its reader may read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from mumian.kernel.clock import iso
from mumian.kernel.events import DeliveredEvent, matches
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

HEARTBEAT_SECONDS = 15.0


async def event_stream(
    platform: Platform,
    after: int | None,
    types: list[str],
    visible: Callable[[DeliveredEvent], bool],
    may_read: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    """Server-sent events after the id `after` (None: from now on), of `types` (empty: all) and `visible` to the reader.

    An id that no event has yet comes from another city's life: then, too, from now on. Every 15 s there is a heartbeat, and
    `may_read` is asked again; the stream ends with its first no.
    """
    if after is not None:
        after = min(after, await platform.records.read(_last_id))
    time = asyncio.get_running_loop().time
    tail = platform.bus.tail(after)
    upcoming: asyncio.Task[DeliveredEvent] | None = None
    yield b"retry: 2000\n\n"
    due = time() + HEARTBEAT_SECONDS
    try:
        while True:
            if time() >= due:
                if not await may_read():
                    return
                yield b": still here\n\n"
                due = time() + HEARTBEAT_SECONDS
            upcoming = upcoming or asyncio.ensure_future(anext(tail))
            done, _ = await asyncio.wait({upcoming}, timeout=max(due - time(), 0))
            if not done:
                continue
            event, upcoming = upcoming.result(), None
            if (not types or any(matches(t, event.type) for t in types)) and visible(event):
                yield _write(event)
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        await tail.aclose()


def _last_id(session: Session) -> int:
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'outbox'") or 0)


def _write(event: DeliveredEvent) -> bytes:
    body = msgspec.json.encode({"subject": event.subject, "time": iso(event.time), "actor": event.actor, "data": event.data})
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.type.encode(), body)
