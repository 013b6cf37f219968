"""Notifying: notices go to their receivers at least once, in order, tried again with back-off, across restarts."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from mumian.foundation.context import store
from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules.core import CORE_ADDRESS
from mumian.foundation.context.service.subscriptions import Subscription, Subscriptions
from mumian.foundation.context.service.targets import resolve
from mumian.foundation.context.settings import ContextSettings
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row

if TYPE_CHECKING:
    import httpx

_AT_ONCE = 16
_PAGE = 50
_PAUSE = 0.2
_LONGEST = 300.0
_log = logging.getLogger("mumian.context")


class Notifying:
    """Sends what waits; each subscription has its own queue and its own back-off."""

    def __init__(self, platform: Platform, subscriptions: Subscriptions, settings: ContextSettings) -> None:
        self._platform = platform
        self._subscriptions = subscriptions
        self._settings = settings
        self._waiting: set[str] = set()
        self._tries: dict[str, tuple[int, float]] = {}
        self._busy = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None
        self.before: Callable[[], Awaitable[bool]] = _nothing
        self._loop = Loop("notifications", platform.clock, self.settle, _PAUSE)

    async def start(self) -> None:
        """Take up what waited when the city stopped."""
        self._waiting |= set(await self._platform.records.read(store.waiting))
        self._loop.start()

    async def stop(self) -> None:
        """End after what is being sent; the rest waits in the records."""
        await self._loop.stop()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def wake(self, notices: Sequence[Row]) -> None:
        """Send soon what was just kept."""
        self._waiting |= {notice["subscription"] for notice in notices}
        self._loop.wake()

    async def settle(self) -> bool:
        """Send all that is due; True if anything was sent."""
        async with self._busy:
            await self.before()
            time = asyncio.get_running_loop().time()
            due = [id_ for id_ in self._waiting if self._tries.get(id_, (0, 0.0))[1] <= time]
            if not due:
                return False
            gate = asyncio.Semaphore(_AT_ONCE)
            return any(await asyncio.gather(*(self._serve(id_, gate) for id_ in due)))

    async def _serve(self, id_: str, gate: asyncio.Semaphore) -> bool:
        """Send a subscription's notices, oldest first, until one fails."""
        async with gate:
            subscription = self._subscriptions.all.get(id_)
            notices = await self._platform.records.read(lambda session: store.notices(session, id_, _PAGE))
            if subscription is None or not notices:
                self._waiting.discard(id_)
                return False
            for notice in notices:
                fault = await self._send(subscription, notice)
                if not await self._told(subscription, notice, fault):
                    return True
            return True

    async def _send(self, subscription: Subscription, notice: Row) -> str | None:
        """Send one; returns what went wrong, None if it was taken."""
        import httpx

        endpoint = subscription.endpoint
        try:
            target = await resolve(endpoint.uri, self._settings.targets)
            if self._client is None:
                limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
                self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)
            headers = {"Content-Type": endpoint.accept, "Host": target.host, **dict(endpoint.headers)}
            if endpoint.accept != "application/ld+json":
                context = subscription.names.address or CORE_ADDRESS
                headers["Link"] = f'<{context}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
            request = self._client.build_request(
                "POST",
                target.url,
                content=notice["body"].encode(),
                headers=headers,
                timeout=endpoint.timeout or self._settings.timeout_seconds,
                extensions={"sni_hostname": target.host.partition(":")[0]} if target.secure else {},
            )
            answer = await self._client.send(request, stream=True)
            await answer.aclose()
        except (httpx.HTTPError, OSError, BadRequestData, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:300]
        return None if 200 <= answer.status_code < 300 else f"HTTP {answer.status_code}"

    async def _told(self, subscription: Subscription, notice: Row, fault: str | None) -> bool:
        """Keep what became of a notice; True if the next may follow."""
        now = iso(self._platform.clock.now())
        state = dict(subscription.state)
        state["lastNotification"] = now
        state["timesSent"] = state.get("timesSent", 0) + 1
        tries = self._tries.pop(subscription.id, (0, 0.0))[0] + 1
        if fault is None:
            state |= {"lastSuccess": now, "status": "ok"}
        else:
            _log.info("a notification of %s failed: %s", subscription.id, fault)
            state |= {"lastFailure": now, "status": "failed", "timesFailed": state.get("timesFailed", 0) + 1}
        done = fault is None or tries >= self._settings.attempts
        if not done:
            pause = min(2.0 ** (tries - 1), _LONGEST)
            self._tries[subscription.id] = (tries, asyncio.get_running_loop().time() + pause)
        subscription.state = state
        number = int(notice["number"])

        def work(tx: Any) -> None:
            if done:
                store.drop_notices(tx, subscription.id, number)
            store.keep_state(tx, subscription.id, json.dumps(state))

        await self._platform.records.write(work)
        return done


async def _nothing() -> bool:
    return False
