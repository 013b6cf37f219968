"""One client's connection: its packets in, what it is sent out; by TCP, or by WebSocket where it begins with an HTTP request."""

import asyncio
from typing import Any, Protocol

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.mqtt import packets, wire
from mumian.foundation.sensing.mqtt.entries import Entry
from mumian.foundation.sensing.mqtt.intake import Intake
from mumian.foundation.sensing.mqtt.packets import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, V5, V311, Connect, Publish, Subscribe
from mumian.foundation.sensing.mqtt.sessions import Session
from mumian.foundation.sensing.mqtt.websocket import WebSocket
from mumian.foundation.sensing.mqtt.wire import Framer, Violation
from mumian.foundation.sensing.settings import MqttSettings

_MOST_UNSETTLED = 256 * 1024
_WEIGHT = 100
_SEND_BUFFER = 1024 * 1024


class Host(Protocol):
    """The server, as far as a connection needs it."""

    settings: MqttSettings
    intake: Intake
    connections: "dict[Connection, None]"
    streams: dict[bytes, tuple[int, str]]

    def now(self) -> float:
        """The loop's clock."""
        ...

    async def welcome(self, connection: "Connection", connect: Connect) -> None:
        """Answer a CONNECT."""
        ...

    def left(self, connection: "Connection") -> None:
        """A connection is gone."""
        ...

    def may_write(self, connection: "Connection") -> bool:
        """Whether a connection may record observations just now."""
        ...

    def publish(self, connection: "Connection", message: Publish) -> None:
        """Give a PUBLISH its effect."""
        ...

    def must_end(self, connection: "Connection", entry: Entry) -> bool:
        """Whether a publish that failed cannot be answered but by ending the connection."""
        ...

    def subscribe(self, connection: "Connection", subscribe: Subscribe) -> None:
        """Answer a SUBSCRIBE."""
        ...

    def unsubscribe(self, connection: "Connection", number: int, topics: list[str]) -> None:
        """Answer an UNSUBSCRIBE."""
        ...


class Connection(asyncio.Protocol):
    """State of one connection; `session` is there from CONNECT on."""

    def __init__(self, server: Host) -> None:
        self.server = server
        self.transport: Any = None
        self.version = V311
        self.session: Session | None = None
        self.caller: Caller | None = None
        self.connect: Connect | None = None
        self.client = ""
        self.began = self.heard = server.now()
        self.receive_maximum = server.settings.mqtt_in_flight
        self.maximum_packet = 2**28
        self.closing = False
        self.graceful = False
        self.aliases: dict[int, str] = {}
        self.task: asyncio.Task[None] | None = None
        self._framer = Framer(server.settings.mqtt_packet_bytes)
        self._socket: WebSocket | None = None
        self._held: list[tuple[int, bytes]] = []
        self._unsettled = 0
        self._paused = False
        self._congested = False
        self._allowed: bool | None = None
        self._draining = False

    @property
    def congested(self) -> bool:
        """Whether what was sent before still waits."""
        return self._congested or self.closing

    def now(self) -> float:
        """The loop's clock."""
        return self.server.now()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.transport = transport
        self.transport.set_write_buffer_limits(high=_SEND_BUFFER)
        self.server.connections[self] = None
        if len(self.server.connections) > self.server.settings.mqtt_connections:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """The client is gone."""
        self.closing = True
        self.server.connections.pop(self, None)
        self.server.left(self)

    def pause_writing(self) -> None:
        """The client reads slower than we send."""
        self._congested = True

    def resume_writing(self) -> None:
        """The client caught up."""
        self._congested = False
        if self.session is not None and self.session.outlet is self:
            self.session.pump()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        self.heard = self.server.now()
        self._allowed = None
        try:
            if self._socket is None and self.connect is None and self.task is None and data[:1] == b"G":
                self._socket = WebSocket(self.server.settings.mqtt_packet_bytes)
            if self._socket is not None:
                data, answer = self._socket.feed(data)
                if answer:
                    self.transport.write(answer)
                if self._socket.closed:
                    self.close()
                    return
            for first, body in self._framer.feed(data):
                if self.closing:
                    return
                self._packet(first, body)
        except Violation as error:
            self.end(error.code)

    def _packet(self, first: int, body: bytes) -> None:
        if self.session is None:
            self._before_session(first, body)
        elif first & 0xF0 == PUBLISH << 4:
            self._published(first, body)
        else:
            self._controlled(first >> 4, first, body)

    def _before_session(self, first: int, body: bytes) -> None:
        if self.task is not None:
            if len(self._held) >= 1000:
                raise Violation("too many packets before CONNACK", wire.PROTOCOL)
            self._held.append((first, body))
            return
        if first != packets.CONNECT << 4:
            raise Violation("the first packet is no CONNECT", wire.PROTOCOL)
        try:
            connect = packets.read_connect(body)
        except Violation as error:
            self.refuse(error.code)
            return
        self.connect, self.version, self.client = connect, connect.version, connect.client
        self.task = asyncio.create_task(self.server.welcome(self, connect))

    def opened(self) -> None:
        """The session has begun: go on with what came meanwhile."""
        held, self._held = self._held, []
        try:
            for first, body in held:
                if not self.closing:
                    self._packet(first, body)
        except Violation as error:
            self.end(error.code)

    def _published(self, first: int, body: bytes) -> None:
        qos = first >> 1 & 3
        if self._allowed is None:
            self._allowed = self.server.may_write(self)
        if qos == 1 and self._allowed:
            # The common case in as few steps as can be: one observation for a stream that is named in the topic.
            start = (body[0] << 8 | body[1]) + 2 if len(body) > 2 else 0
            topic = body[2:start]
            stream = self.server.streams.get(topic)
            at = start + 2
            if stream is not None and len(body) > at and (self.version == V311 or body[at] == 0):
                entry = Entry(self, body[start] << 8 | body[start + 1], 1, "", body[at + (self.version == V5) :])
                if entry.id:
                    entry.topic = stream[1]
                    self._charge(len(entry.payload))
                    self.server.intake.observe(entry, stream[0])
                    return
        message = packets.read_publish(first, body, self.version)
        if message.qos == 2 and self.session is not None and message.id in self.session.received:
            self.write(packets.acknowledgement(PUBREC, message.id))
            return
        self._charge(len(message.payload))
        self.server.publish(self, self._aliased(message))

    def _aliased(self, message: Publish) -> Publish:
        alias = message.properties.pop(wire.TOPIC_ALIAS, None)
        if alias is None:
            return message
        if not 1 <= alias <= self.server.settings.mqtt_aliases or (not message.topic and alias not in self.aliases):
            raise Violation(f"topic alias {alias}", 0x94)
        self.aliases[alias] = topic = message.topic or self.aliases[alias]
        return Publish(topic, message.payload, message.qos, message.retain, message.duplicate, message.id, message.properties)

    def _controlled(self, kind: int, first: int, body: bytes) -> None:
        session = self.session
        assert session is not None
        if kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            number, _ = packets.read_acknowledgement(first, body, self.version)
            if kind == PUBACK:
                session.acknowledged(number)
            elif kind == PUBREL:
                session.received.discard(number)
                self.write(packets.acknowledgement(PUBCOMP, number))
        elif kind == packets.SUBSCRIBE:
            self.server.subscribe(self, packets.read_subscribe(first, body, self.version))
        elif kind == packets.UNSUBSCRIBE:
            self.server.unsubscribe(self, *packets.read_unsubscribe(first, body, self.version))
        elif kind == packets.PINGREQ:
            self.write(packets.PINGRESP_PACKET)
        elif kind == packets.DISCONNECT:
            code, values = packets.read_disconnect(body, self.version)
            self.graceful = code != 4
            if wire.SESSION_EXPIRY in values:
                session.expiry = min(values[wire.SESSION_EXPIRY], self.server.settings.mqtt_session_seconds)
            self.close()
        else:
            raise Violation(f"a packet of type {kind}", wire.PROTOCOL)

    def settled(self, entries: list[Entry]) -> None:
        """Acknowledge publishes, in their order; those that could not be taken just now are not, and the connection ends."""
        answers: list[bytes] = []
        for entry in entries:
            self._unsettled -= len(entry.payload) + _WEIGHT
            if entry.qos == 0:
                continue
            if self.server.must_end(self, entry):
                self.write(b"".join(answers))
                self.end(entry.code)
                return
            answers.append(self._answer(entry))
        if answers:
            self.write(b"".join(answers))
        if self._paused and not self._draining and self._unsettled < _MOST_UNSETTLED // 2:
            self._paused = False
            if not self.closing:
                self.transport.resume_reading()

    def _answer(self, entry: Entry) -> bytes:
        if entry.qos == 1 and not entry.code:
            return bytes((0x40, 2, entry.id >> 8, entry.id & 255))
        if entry.qos == 2 and not entry.code and self.session is not None:
            self.session.received.add(entry.id)
        reason = str(entry.error)[:500] if entry.error is not None else ""
        return packets.acknowledgement(PUBACK if entry.qos == 1 else PUBREC, entry.id, self.version, entry.code, reason)

    def _charge(self, size: int) -> None:
        self._unsettled += size + _WEIGHT
        if self._unsettled > _MOST_UNSETTLED and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def drain(self) -> None:
        """Take nothing more, but still answer."""
        self._draining = self._paused = True
        self.transport.pause_reading()

    def send_message(self, message: Publish) -> None:
        """Send a PUBLISH, unless it is larger than the client takes."""
        data = packets.publish(message, self.version)
        if len(data) <= self.maximum_packet:
            self.write(data)
        elif self.session is not None and message.qos:
            self.session.acknowledged(message.id)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if data and not self.transport.is_closing():
            self.transport.write(data if self._socket is None else self._socket.frame(data))

    def refuse(self, code: int) -> None:
        """Answer CONNECT with a refusal and close; the codes of MQTT 3.1.1 are fewer."""
        old = {0x84: 1, 0x85: 2, 0x86: 4, 0x87: 5, 0x88: 3, 0x89: 3}.get(code, 0)
        if self.version == V5 or old:
            self.write(packets.connack(self.version, code if self.version == V5 else old))
        self.close()

    def end(self, code: int) -> None:
        """Say why, where the protocol has words for it, and close."""
        if self.version == V5 and self.session is not None and not self.closing:
            self.write(packets.disconnect(code))
        self.close()

    def close(self) -> None:
        """Close after what was written."""
        self.closing = True
        self.transport.close()
