"""Sessions: what a client is subscribed to and what waits for it, kept in bounds while it is slow or away."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from mumian.foundation.sensing.mqtt.packets import Filter, Publish, Will
from mumian.foundation.sensing.mqtt.wire import MESSAGE_EXPIRY, SUBSCRIPTION_ID, Properties

Key = tuple[str, str]
_IDS = 0xFFFF


@dataclass(frozen=True, slots=True)
class Message:
    """What is published under a topic; `expires` by the loop's clock, `qos` as it was published."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    properties: Properties = field(default_factory=dict)
    expires: float | None = None


class Outlet(Protocol):
    """The connection behind a session, as far as sending goes."""

    receive_maximum: int

    @property
    def congested(self) -> bool:
        """Whether what was sent before still waits."""
        ...

    def send_message(self, message: Publish) -> None:
        """Send a PUBLISH."""
        ...

    def now(self) -> float:
        """The loop's clock."""
        ...


@dataclass(frozen=True)
class Bounds:
    """How much may wait for one client: messages, and bytes of payload."""

    messages: int
    size: int


class Session:
    """One client's session; `ends` is when it is forgotten, by the loop's clock, None while the client is there."""

    def __init__(self, key: Key, bounds: Bounds) -> None:
        self.key = key
        self.outlet: Outlet | None = None
        self.subscriptions: dict[str, tuple[Filter, int]] = {}
        self.received: set[int] = set()
        self.expiry = 0.0
        self.ends: float | None = None
        self.will: Will | None = None
        self.dropped = 0
        self._bounds = bounds
        self._waiting: deque[tuple[Message, bool, int]] = deque()
        self._size = 0
        self._sent: dict[int, tuple[Message, bool, int]] = {}
        self._last = 0

    def deliver(self, message: Message, qos: int, retain: bool = False, number: int = 0) -> None:
        """Send a message, or let it wait; what is over the bounds is dropped and counted."""
        outlet = self.outlet
        if qos == 0:
            if outlet is None or outlet.congested:
                self.dropped += 1
                return
            outlet.send_message(_packet(message, 0, 0, retain, number, outlet.now()))
            return
        if len(self._waiting) >= self._bounds.messages or self._size + len(message.payload) > self._bounds.size:
            self.dropped += 1
            return
        self._waiting.append((message, retain, number))
        self._size += len(message.payload)
        self.pump()

    def pump(self) -> None:
        """Send of what waits as much as the client may be sent."""
        outlet = self.outlet
        while outlet is not None and self._waiting and len(self._sent) < outlet.receive_maximum and not outlet.congested:
            message, retain, number = self._waiting.popleft()
            self._size -= len(message.payload)
            if message.expires is not None and message.expires <= outlet.now():
                continue
            identifier = self._free_id()
            self._sent[identifier] = (message, retain, number)
            outlet.send_message(_packet(message, 1, identifier, retain, number, outlet.now()))

    def acknowledged(self, identifier: int) -> None:
        """The client has a message."""
        self._sent.pop(identifier, None)
        self.pump()

    def resume(self) -> None:
        """Send again what the client did not acknowledge, then what waited for it."""
        outlet = self.outlet
        assert outlet is not None
        for identifier, (message, retain, number) in self._sent.items():
            packet = _packet(message, 1, identifier, retain, number, outlet.now())
            outlet.send_message(Publish(packet.topic, packet.payload, 1, packet.retain, True, identifier, packet.properties))
        self.pump()

    @property
    def waiting(self) -> int:
        """How many messages wait or are not acknowledged."""
        return len(self._waiting) + len(self._sent)

    def _free_id(self) -> int:
        while True:
            self._last = self._last % _IDS + 1
            if self._last not in self._sent:
                return self._last


class Sessions:
    """All sessions by owner and client id; those of clients that are away are forgotten in time, the oldest first."""

    def __init__(self, bounds: Bounds, most: int) -> None:
        self._bounds = bounds
        self._most = most
        self._sessions: dict[Key, Session] = {}

    def find(self, key: Key) -> Session | None:
        """The session of that owner and client, if there is one."""
        return self._sessions.get(key)

    def begin(self, key: Key) -> Session:
        """A new session in place of any old one."""
        session = self._sessions[key] = Session(key, self._bounds)
        return session

    def forget(self, session: Session) -> None:
        """Let go of a session."""
        if self._sessions.get(session.key) is session:
            del self._sessions[session.key]

    def expired(self, now: float) -> Iterator[Session]:
        """The sessions whose time is over, and the oldest of those whose clients are away when there are too many."""
        away = sorted((s for s in self._sessions.values() if s.ends is not None), key=lambda s: s.ends or 0.0)
        surplus = len(self._sessions) - self._most
        for place, session in enumerate(away):
            if (session.ends or 0.0) <= now or place < surplus:
                yield session


def _packet(message: Message, qos: int, identifier: int, retain: bool, number: int, now: float) -> Publish:
    properties = message.properties
    if number or message.expires is not None:
        properties = dict(properties)
        if number:
            properties[SUBSCRIPTION_ID] = number
        if message.expires is not None:
            properties[MESSAGE_EXPIRY] = max(1, round(message.expires - now))
    return Publish(message.topic, message.payload, qos, retain, False, identifier, properties)
