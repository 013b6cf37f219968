"""The packets of MQTT 3.1.1 and 5: read from bytes and written as bytes, without any input or output."""

from dataclasses import dataclass, field

from mumian.foundation.sensing.mqtt import wire
from mumian.foundation.sensing.mqtt.wire import PROTOCOL, Properties, Reader, Violation, frame

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15
V311, V5 = 4, 5
PINGRESP_PACKET = b"\xd0\x00"


@dataclass(frozen=True)
class Will:
    """What the broker publishes when a client goes without a word."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Connect:
    """A client's first packet; `keep_alive` in seconds, 0: none."""

    version: int
    client: str
    clean: bool
    keep_alive: int
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    will: Will | None = None
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publish:
    """A message; `id` is 0 for quality of service 0."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    duplicate: bool = False
    id: int = 0
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """One topic filter of a SUBSCRIBE with its options."""

    topic: str
    qos: int
    no_local: bool = False
    as_published: bool = False
    retained: int = 0


@dataclass(frozen=True)
class Subscribe:
    """A wish for topics; `number` is the subscription identifier of MQTT 5, 0: none."""

    id: int
    filters: tuple[Filter, ...]
    number: int = 0


def read_connect(body: bytes) -> Connect:
    """A CONNECT; raises Violation, with code 0x84 for a version that is not spoken."""
    reader = Reader(body)
    name, version = reader.text(), reader.number(1)
    if name != "MQTT" or version not in (V311, V5):
        raise Violation(f"protocol {name[:20]!r} version {version}", 0x84)
    flags, keep_alive = reader.number(1), reader.number(2)
    qos = flags >> 3 & 3
    if flags & 1 or qos == 3 or (not flags & 4 and flags & 0x38) or (version == V311 and flags & 0xC0 == 0x40):
        raise Violation("the flags of CONNECT contradict each other")
    properties = reader.properties() if version == V5 else {}
    client = reader.text()
    will = None
    if flags & 4:
        of_will = reader.properties() if version == V5 else {}
        will = Will(_topic(reader.text()), reader.binary(), qos, bool(flags & 0x20), of_will)
    username = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    reader.done()
    return Connect(version, client, bool(flags & 2), keep_alive, username, password, will, properties)


def read_publish(first: int, body: bytes, version: int) -> Publish:
    """A PUBLISH; the topic is empty only where MQTT 5 gives an alias."""
    qos = first >> 1 & 3
    if qos == 3 or (first & 8 and not qos):
        raise Violation("the flags of PUBLISH contradict each other")
    reader = Reader(body)
    topic = reader.text()
    number = 0
    if qos:
        number = reader.number(2)
        if not number:
            raise Violation("a packet identifier of 0", PROTOCOL)
    properties = reader.properties() if version == V5 else {}
    if wire.SUBSCRIPTION_ID in properties:
        raise Violation("a subscription identifier from a client", PROTOCOL)
    if topic or wire.TOPIC_ALIAS not in properties:
        _topic(topic)
    return Publish(topic, reader.rest(), qos, bool(first & 1), bool(first & 8), number, properties)


def read_acknowledgement(first: int, body: bytes, version: int) -> tuple[int, int]:
    """PUBACK, PUBREC, PUBREL or PUBCOMP: packet identifier and reason code."""
    if first & 15 != (2 if first >> 4 == PUBREL else 0):
        raise Violation("wrong flags")
    reader = Reader(body)
    number = reader.number(2)
    code = reader.number(1) if version == V5 and len(body) > 2 else 0
    if version == V5 and len(body) > 3:
        reader.properties()
    reader.done()
    return number, code


def read_subscribe(first: int, body: bytes, version: int) -> Subscribe:
    """A SUBSCRIBE."""
    reader, number, properties = _wish(first, body, version)
    filters = []
    while reader.at < len(body):
        topic, options = reader.text(), reader.number(1)
        if options & 3 == 3 or options & (0xFC if version == V311 else 0xC0) or options & 0x30 == 0x30:
            raise Violation("the options of a subscription contradict each other", PROTOCOL)
        filters.append(Filter(topic, options & 3, bool(options & 4), bool(options & 8), options >> 4 & 3))
    if not filters:
        raise Violation("a SUBSCRIBE without a topic filter", PROTOCOL)
    identifier = properties.get(wire.SUBSCRIPTION_ID, 0)
    if wire.SUBSCRIPTION_ID in properties and not identifier:
        raise Violation("a subscription identifier of 0", PROTOCOL)
    return Subscribe(number, tuple(filters), identifier)


def read_unsubscribe(first: int, body: bytes, version: int) -> tuple[int, list[str]]:
    """An UNSUBSCRIBE: packet identifier and topic filters."""
    reader, number, _ = _wish(first, body, version)
    topics = []
    while reader.at < len(body):
        topics.append(reader.text())
    if not topics:
        raise Violation("an UNSUBSCRIBE without a topic filter", PROTOCOL)
    return number, topics


def read_disconnect(body: bytes, version: int) -> tuple[int, Properties]:
    """A DISCONNECT: reason code and properties."""
    reader = Reader(body)
    code = reader.number(1) if version == V5 and body else 0
    properties = reader.properties() if version == V5 and len(body) > 1 else {}
    reader.done()
    return code, properties


def connack(version: int, code: int, present: bool = False, values: Properties | None = None) -> bytes:
    """A CONNACK; `code` is of the version's own table."""
    tail = wire.properties(values or {}) if version == V5 else b""
    return frame(CONNACK << 4, bytes((present, code)) + tail)


def publish(message: Publish, version: int) -> bytes:
    """A PUBLISH."""
    first = PUBLISH << 4 | message.duplicate << 3 | message.qos << 1 | message.retain
    parts = [wire.text(message.topic)]
    if message.qos:
        parts.append(message.id.to_bytes(2))
    if version == V5:
        parts.append(wire.properties(message.properties))
    return frame(first, b"".join([*parts, message.payload]))


def acknowledgement(kind: int, number: int, version: int = V311, code: int = 0, reason: str = "") -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP; the reason is told in MQTT 5 only."""
    first = kind << 4 | (2 if kind == PUBREL else 0)
    if version != V5 or not code:
        return bytes((first, 2, number >> 8, number & 255))
    values = {wire.REASON: reason} if reason else {}
    return frame(first, number.to_bytes(2) + bytes((code,)) + wire.properties(values))


def suback(kind: int, number: int, version: int, codes: list[int]) -> bytes:
    """A SUBACK or an UNSUBACK; the latter has codes in MQTT 5 only."""
    if version != V5:
        return frame(kind << 4, number.to_bytes(2) + (bytes(codes) if kind == SUBACK else b""))
    return frame(kind << 4, number.to_bytes(2) + b"\x00" + bytes(codes))


def disconnect(code: int) -> bytes:
    """A DISCONNECT of MQTT 5."""
    return frame(DISCONNECT << 4, bytes((code, 0)))


def _wish(first: int, body: bytes, version: int) -> tuple[Reader, int, Properties]:
    if first & 15 != 2:
        raise Violation("wrong flags")
    reader = Reader(body)
    number = reader.number(2)
    if not number:
        raise Violation("a packet identifier of 0", PROTOCOL)
    return reader, number, reader.properties() if version == V5 else {}


def _topic(name: str) -> str:
    if not name or "+" in name or "#" in name:
        raise Violation(f"{name[:100]!r} is no topic name", 0x90)
    return name
