"""Notices: who asked to hear of observations, entities and properties of SensorThings gets them once they are durable."""

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.mqtt.addresses import ROOT, Interest
from mumian.foundation.sensing.mqtt.sessions import Message, Session
from mumian.foundation.sensing.sta import reading, tasking
from mumian.foundation.sensing.sta.paths import parse_path
from mumian.kernel.errors import MumianError
from mumian.kernel.events import DeliveredEvent

Publish = Callable[[Message], None]
_AT_ONCE = 500
_MOST_ROWS = 500_000
_SUBJECT = re.compile(r"([A-Za-z]+)\((\d+)\)")
_log = logging.getLogger("mumian.sensing")


class Notices:
    """Turns what happens into messages; work is done in small steps on the event loop, and what waits is bounded.

    `publish` brings a message to filters with wildcards, and `wild` says whether there are any.
    """

    def __init__(self, sensing: Sensing, base: str, publish: Publish, wild: Callable[[], bool]) -> None:
        self._sensing = sensing
        self._base = base
        self._publish = publish
        self._wild = wild
        self._everything: dict[tuple[Session, Interest], None] = {}
        self._by_stream: dict[int, dict[tuple[Session, Interest], None]] = {}
        self._others: dict[str, dict[tuple[Session, Interest], None]] = {}
        self._waiting: deque[Observations] = deque()
        self._rows = 0
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = self._watching = False
        self.dropped = 0

    def start(self) -> None:
        """Begin to tell."""
        if not self._listening:
            self._listening = True
            self._sensing.listen(self.observed)
        self._tasks = [asyncio.create_task(self._tell_observations())]

    def watch_entities(self) -> None:
        """Follow the changes of entities from now on: nobody has to pay for it before somebody asks."""
        if not self._watching:
            self._watching = True
            self._tasks.append(asyncio.create_task(self._tell_entities()))

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        self._watching = False

    def add(self, session: Session, interest: Interest) -> None:
        """Let a session hear of something."""
        self._group(interest)[session, interest] = None
        if interest.path.last != "Observations":
            self.watch_entities()

    def remove(self, session: Session, interest: Interest) -> None:
        """Let a session hear of it no more."""
        group = self._group(interest)
        group.pop((session, interest), None)
        if not group and interest.stream is not None:
            del self._by_stream[interest.stream]

    def observed(self, rows: Observations) -> None:
        """New observations are durable; called on the event loop."""
        if not self._tasks:
            return
        if not self._everything and not self._wild() and not self._others.get("Observations"):
            if not self._by_stream:
                return
            wanted = np.fromiter(self._by_stream, np.int64, len(self._by_stream))
            rows = rows.take(np.flatnonzero(np.isin(rows.streams, wanted)))
        if not len(rows):
            return
        if self._rows + len(rows) > _MOST_ROWS:
            self.dropped += len(rows)
            return
        self._rows += len(rows)
        self._waiting.append(rows)
        self._news.set()

    async def _tell_observations(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                rows = self._waiting.popleft()
                for start in range(0, len(rows), _AT_ONCE):
                    part = rows.take(slice(start, start + _AT_ONCE))
                    try:
                        await self._tell(part)
                    except Exception:
                        _log.exception("observations could not be told over MQTT")
                    self._rows -= len(part)
                    await asyncio.sleep(0)

    async def _tell(self, rows: Observations) -> None:
        wild = self._wild()
        for stream, entity in zip(rows.streams.tolist(), reading.observation_entities(rows, self._base), strict=True):
            bodies: dict[tuple[str, ...], bytes] = {}
            for session, interest in [*self._everything, *self._by_stream.get(stream, ())]:
                body = bodies.get(interest.select)
                if body is None:
                    body = bodies[interest.select] = msgspec.json.encode(chosen(entity, interest.select))
                deliver(session, interest, body)
            if wild:
                body = bodies.get(()) or msgspec.json.encode(entity)
                self._publish(Message(f"{ROOT}Observations", body))
                self._publish(Message(f"{ROOT}Datastreams({stream})/Observations", body))
        for session, interest in list(self._others.get("Observations", ())):
            for number in rows.ids.tolist():
                await self._tell_one(session, interest, "Observations", number, None)

    async def _tell_entities(self) -> None:
        async for event in self._sensing.platform.bus.tail(None):
            if event.type not in ("sensing.entity.created", "sensing.entity.changed"):
                continue
            matched = _SUBJECT.fullmatch(event.subject)
            if matched is None:
                continue
            try:
                await self._tell_entity(matched.group(1), int(matched.group(2)), event)
            except Exception:
                _log.exception("%s could not be told over MQTT", event.subject)

    async def _tell_entity(self, name: str, number: int, event: DeliveredEvent) -> None:
        changed = None if event.type.endswith("created") else changed_properties(event)
        for session, interest in list(self._others.get(name, ())):
            await self._tell_one(session, interest, name, number, changed)
        if self._wild() and name not in tasking.WRITES:  # a wildcard is no right to hear of tasks
            entity = await self._read(f"{name}({number})")
            if entity is not None:
                body = msgspec.json.encode(entity)
                self._publish(Message(f"{ROOT}{name}", body))
                self._publish(Message(f"{ROOT}{name}({number})", body))
                for key in changed or ():
                    if key in entity:
                        self._publish(Message(f"{ROOT}{name}({number})/{key}", msgspec.json.encode({key: entity[key]})))

    async def _tell_one(self, session: Session, interest: Interest, name: str, number: int, changed: "set[str] | None") -> None:
        """Tell of one entity, if the interest's path leads to it and what is asked for changed."""
        path = interest.path
        if path.attribute is not None and changed is not None and path.attribute not in changed:
            return
        if interest.select and changed is not None and not changed & set(interest.select):
            return
        entity = await self._read(f"{name}({number})")
        if entity is None or not await self._leads_to(interest, name, number):
            return
        found = {path.attribute: entity.get(path.attribute)} if path.attribute else chosen(entity, interest.select)
        deliver(session, interest, msgspec.json.encode(found))

    async def _leads_to(self, interest: Interest, name: str, number: int) -> bool:
        path = interest.path
        if len(path.names) == 1:
            return path.id in (None, number)
        resource = interest.topic[len(ROOT) :].partition("?")[0]
        if path.attribute:
            resource = resource.rpartition("/")[0]
        if not path.one:
            found = await self._read(resource, f"$filter=id eq {number}&$select=id&$top=1")
            return bool(found and found["value"])
        found = await self._read(resource)
        return bool(found and found.get("@iot.id") == number)

    async def _read(self, resource: str, query: str = "") -> dict[str, Any] | None:
        from urllib.parse import quote

        try:
            path = parse_path(f"/{resource}", resource)
            found = await reading.read(self._sensing, path, quote(query, safe="=&$").encode(), self._base)
        except MumianError:
            return None
        return found if isinstance(found, dict) else None

    def _group(self, interest: Interest) -> "dict[tuple[Session, Interest], None]":
        if interest.all_observations:
            return self._everything
        if interest.stream is not None:
            return self._by_stream.setdefault(interest.stream, {})
        return self._others.setdefault(interest.path.last, {})


def chosen(entity: dict[str, Any], select: tuple[str, ...]) -> dict[str, Any]:
    """The properties of an entity that `$select` names, or all."""
    if not select:
        return entity
    names = {"@iot.id" if name == "id" else name for name in select}
    return {key: value for key, value in entity.items() if key.removesuffix("@iot.navigationLink") in names}


def deliver(session: Session, interest: Interest, body: bytes) -> None:
    """Bring a body to a session under the topic of its interest."""
    subscription = session.subscriptions.get(interest.topic)
    if subscription is not None:
        wish, number = subscription
        session.deliver(Message(interest.topic, body), min(wish.qos, 1), False, number)


def changed_properties(event: DeliveredEvent) -> set[str]:
    """The names of the properties that an entity's event says were changed."""
    return {*event.data.get("properties", ()), *event.data.get("links", ())}
