"""Messages on NATS JetStream: one stream that the outbox feeds, read by other programmes and other machines."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from mumian.foundation.storage.messages.envelope import CONTENT_TYPE, pack, unpack
from mumian.kernel.errors import Unavailable
from mumian.kernel.events import DeliveredEvent

_DUPLICATE_WINDOW_SECONDS = 600
_IN_FLIGHT = 1000
_ACKNOWLEDGED_SECONDS = 15


class JetStreamMessages:
    """Events below the subject `<stream>.<type>`; the message id (`Nats-Msg-Id`) is the event's id."""

    def __init__(self, url: str, stream: str = "mumian") -> None:
        self._url = url
        self._stream = stream
        self._client: Any = None
        self._jetstream: Any = None
        self._last = 0
        self._opening = asyncio.Lock()

    async def publish(self, events: Sequence[DeliveredEvent]) -> None:
        """Store `events` in order and wait for the server's acknowledgement of each."""
        from nats.errors import Error

        jetstream = await self._open()
        fresh = [event for event in events if event.id > self._last]
        try:
            for start in range(0, len(fresh), _IN_FLIGHT):
                batch = fresh[start : start + _IN_FLIGHT]
                async with asyncio.timeout(_ACKNOWLEDGED_SECONDS):
                    for acknowledged in [await self._send(jetstream, event) for event in batch]:
                        await acknowledged
                self._last = batch[-1].id
        except (Error, TimeoutError) as error:
            self._jetstream = None
            raise Unavailable(reason="NATS") from error

    async def _send(self, jetstream: Any, event: DeliveredEvent) -> "asyncio.Future[Any]":
        headers = {"Nats-Msg-Id": str(event.id), "Content-Type": CONTENT_TYPE}
        body = pack(event, f"/{self._stream}")
        sent: asyncio.Future[Any] = await jetstream.publish_async(f"{self._stream}.{event.type}", body, headers=headers)
        return sent

    async def subscribe(self, pattern: str = "*", after: int = 0) -> AsyncIterator[DeliveredEvent]:
        """Events after the id `after`, then new ones as they are published."""
        from nats.js.api import ConsumerConfig, DeliverPolicy

        jetstream = await self._open()
        start = await self._sequence_after(jetstream, after)
        config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=start)
        subject = f"{self._stream}.{pattern[:-1] + '>' if pattern.endswith('*') else pattern}"
        subscription = await jetstream.subscribe(subject, stream=self._stream, config=config, ordered_consumer=True)
        try:
            async for message in subscription.messages:
                yield unpack(message.data)
        finally:
            await subscription.unsubscribe()

    async def last(self) -> int:
        """The id of the last event in the stream."""
        jetstream = await self._open()
        return await self._id_at(jetstream, (await jetstream.stream_info(self._stream)).state.last_seq)

    async def close(self) -> None:
        """Flush and disconnect."""
        if self._client is not None:
            await self._client.close()

    async def _open(self) -> Any:
        async with self._opening:
            if self._jetstream is None:
                self._jetstream = await self._connect()
                state = (await self._jetstream.stream_info(self._stream)).state
                self._last = await self._id_at(self._jetstream, state.last_seq)
        return self._jetstream

    async def _connect(self) -> Any:
        import nats
        from nats.errors import Error, NoServersError
        from nats.js.api import StreamConfig

        try:
            if self._client is None or self._client.is_closed:
                self._client = await nats.connect(
                    self._url, connect_timeout=5, reconnect_time_wait=0.2, max_reconnect_attempts=5, error_cb=_ignore
                )
            jetstream = self._client.jetstream()
            config = StreamConfig(name=self._stream, subjects=[f"{self._stream}.>"], duplicate_window=_DUPLICATE_WINDOW_SECONDS)
            await jetstream.add_stream(config)
        except (Error, NoServersError, OSError) as error:
            raise Unavailable(reason="NATS") from error
        return jetstream

    async def _id_at(self, jetstream: Any, sequence: int) -> int:
        if sequence == 0:
            return 0
        message = await jetstream.get_msg(self._stream, seq=sequence)
        return unpack(message.data).id

    async def _sequence_after(self, jetstream: Any, after: int) -> int:
        """The place in the stream of the first event with an id above `after`: ids rise with places, so halve the range."""
        state = (await jetstream.stream_info(self._stream)).state
        low, high = max(int(state.first_seq), 1), int(state.last_seq) + 1
        while after > 0 and low < high:
            middle = (low + high) // 2
            if await self._id_at(jetstream, middle) <= after:
                low = middle + 1
            else:
                high = middle
        return low


async def _ignore(error: Exception) -> None:
    """The client reports each failed attempt here; the failed call itself tells its caller."""
