"""Live events: the outbox as server-sent events, resumed where a page left off."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec

from mumian.kernel.clock import iso
from mumian.kernel.events import DeliveredEvent, matches
from mumian.kernel.platform import Platform

HEARTBEAT_SECONDS = 15.0


async def event_stream(
    platform: Platform, after: int | None, types: list[str], visible: Callable[[DeliveredEvent], bool]
) -> AsyncIterator[bytes]:
    """Server-sent events after the id `after` (None: from now on), of `types` (empty: all) and `visible` to the reader."""
    tail = platform.bus.tail(after)
    upcoming: asyncio.Task[DeliveredEvent] | None = None
    yield b"retry: 2000\n\n"
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(tail))
            done, _ = await asyncio.wait({upcoming}, timeout=HEARTBEAT_SECONDS)
            if not done:
                yield b": still here\n\n"
                continue
            event, upcoming = upcoming.result(), None
            if (not types or any(matches(t, event.type) for t in types)) and visible(event):
                yield _write(event)
    finally:
        if upcoming is not None:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        await tail.aclose()


def _write(event: DeliveredEvent) -> bytes:
    body = msgspec.json.encode({"subject": event.subject, "time": iso(event.time), "actor": event.actor, "data": event.data})
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.type.encode(), body)
