"""Watching: observations of things bring notices, at least once: how far they were looked at is kept with the notices."""

import asyncio

import numpy as np

from mumian.foundation.context import store
from mumian.foundation.context.service.asking import Asking
from mumian.foundation.context.service.memory import Held, Memory
from mumian.foundation.context.service.notifying import Notifying
from mumian.foundation.context.service.subscriptions import Subscriptions
from mumian.foundation.context.service.things import Things
from mumian.foundation.sensing.api import Observations, Sensing
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_POSITION = "observed"
_MOST = 200_000
_MOST_ENTITIES = 1000


class Watching:
    """Gathers which streams were observed, and turns them into notices in groups; after a restart it looks at what it missed."""

    def __init__(
        self,
        platform: Platform,
        asking: Asking,
        memory: Memory,
        things: Things,
        subscriptions: Subscriptions,
        notifying: Notifying,
    ) -> None:
        self._asking = asking
        self._memory = memory
        self._platform = platform
        self._things = things
        self._subscriptions = subscriptions
        self._notifying = notifying
        self._streams: set[int] = set()
        self._last = 0
        self._kept = 0
        self._caught_up = False
        self._busy = asyncio.Lock()

    async def start(self) -> None:
        """Listen to what is recorded from now on."""
        self._kept = await self._platform.records.read(lambda session: store.position(session, _POSITION))
        self._platform.get(Sensing).listen(self._heard)

    def _heard(self, rows: Observations) -> None:
        if self._subscriptions.all and len(rows):
            self._streams.update(np.unique(rows.streams).tolist())
            self._last = max(self._last, int(rows.ids.max()))

    async def settle(self) -> bool:
        """Turn what was observed into notices; True if there was anything."""
        async with self._busy:
            if not self._subscriptions.all:
                return False
            sensing = self._platform.get(Sensing)
            if not self._caught_up and sensing.last_id >= self._kept:
                await asyncio.to_thread(self._catch_up, sensing)
                self._caught_up = True
            told = await self._periodic()
            if not self._streams:
                return told
            streams, last = self._streams, self._last
            self._streams = set()
            await self._tell(streams, last)
            return True

    async def _periodic(self) -> bool:
        """Notices of subscriptions that are told at regular times."""
        notices = []
        for subscription in self._subscriptions.due():
            found = await self._asking.find(subscription.ask, 0, _MOST_ENTITIES, count=False)
            entities = [item.entity if isinstance(item, Held) else item for item in found.page]
            if entities:
                notices.append(self._subscriptions.periodic(subscription, entities))
        if notices:
            await self._platform.records.write(lambda tx: store.add_notices(tx, notices))
            self._notifying.wake(notices)
        return bool(notices)

    def _catch_up(self, sensing: Sensing) -> None:
        """What was recorded after the last notices and before this start; nothing where nobody had ever listened."""
        last = sensing.last_id
        if self._kept and last > self._kept:
            rows = sensing.numbered(max(self._kept + 1, last - _MOST), last)
            self._streams.update(np.unique(rows.streams).tolist())
        self._last = max(self._last, last)

    async def _tell(self, streams: set[int], last: int) -> None:
        self._things.refresh()
        names: dict[str, set[str]] = {}
        things = {}
        for stream in streams:
            thing = self._things.of_stream(stream)
            if thing is not None:
                things[thing.id] = thing
                names.setdefault(thing.id, set()).update(name for info, name, *_ in thing.streams if info.id == stream)
        own = {id_: entity for id_ in things if (entity := self._memory.get(id_)) is not None}
        notices = self._subscriptions.observed(self._things.entities(list(things.values()), own), names)

        def work(tx: Transaction) -> None:
            store.add_notices(tx, notices)
            store.keep_position(tx, _POSITION, last)

        await self._platform.records.write(work)
        self._kept = last
        if notices:
            self._notifying.wake(notices)
