"""The bytes of MQTT: fixed headers, numbers, texts and properties (MQTT 5.0, chapters 1.5 and 2), without any input or output."""

from collections.abc import Callable
from typing import Any

MALFORMED, PROTOCOL, TOO_LARGE = 0x81, 0x82, 0x95

PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION, SUBSCRIPTION_ID = 1, 2, 3, 8, 9, 11
SESSION_EXPIRY, ASSIGNED_ID, KEEP_ALIVE, WILL_DELAY, REASON, RECEIVE_MAXIMUM = 17, 18, 19, 24, 31, 33
ALIAS_MAXIMUM, TOPIC_ALIAS, USER, MAXIMUM_PACKET, SHARED_AVAILABLE = 34, 35, 38, 39, 42
_KINDS = {
    **dict.fromkeys((1, 23, 25, 36, 37, 40, 41, 42), "byte"),
    **dict.fromkeys((19, 33, 34, 35), "short"),
    **dict.fromkeys((2, 17, 24, 39), "long"),
    **dict.fromkeys((3, 8, 18, 21, 26, 28, 31), "text"),
    **dict.fromkeys((9, 22), "binary"),
    11: "varint",
    38: "pair",
}
Properties = dict[int, Any]


class Violation(Exception):
    """The other side does not speak MQTT; `code` is the reason code of MQTT 5 that says why."""

    def __init__(self, reason: str, code: int = MALFORMED) -> None:
        self.code = code
        super().__init__(reason)


class Reader:
    """Reads values from the body of a packet, one after another; raises Violation where the bytes do not reach."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self.at + count
        if end > len(self.body):
            raise Violation("the packet ends too early")
        taken = self.body[self.at : end]
        self.at = end
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self.body) - self.at)

    def number(self, size: int) -> int:
        """A whole number of `size` bytes."""
        return int.from_bytes(self.take(size))

    def varint(self) -> int:
        """A number of variable length, up to four bytes."""
        value = 0
        for place in range(4):
            byte = self.number(1)
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise Violation("a variable byte integer is longer than four bytes")

    def binary(self) -> bytes:
        """Bytes after their length."""
        return self.take(self.number(2))

    def text(self) -> str:
        """A UTF-8 text after its length; U+0000 is refused."""
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise Violation("a text is not UTF-8") from None
        if "\x00" in text:
            raise Violation("a text holds U+0000")
        return text

    def properties(self) -> Properties:
        """The properties of a packet of MQTT 5, by identifier; user properties (38) are a list of pairs."""
        inner = Reader(self.take(self.varint()))
        found: Properties = {}
        while inner.at < len(inner.body):
            key = inner.varint()
            value = inner.value(_KINDS.get(key, ""))
            if key == USER:
                found.setdefault(key, []).append(value)
            elif key in found:
                raise Violation(f"property {key} comes twice", PROTOCOL)
            else:
                found[key] = value
        return found

    def value(self, kind: str) -> Any:
        """The value of a property of some kind."""
        if kind in ("byte", "short", "long"):
            return self.number({"byte": 1, "short": 2, "long": 4}[kind])
        if kind == "pair":
            return self.text(), self.text()
        reader: dict[str, Callable[[], Any]] = {"text": self.text, "binary": self.binary, "varint": self.varint}
        if kind not in reader:
            raise Violation("an unknown property")
        return reader[kind]()

    def done(self) -> None:
        """Raises Violation if anything is left."""
        if self.at != len(self.body):
            raise Violation("the packet is longer than its content")


class Framer:
    """Cuts the bytes of a connection into packets of at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The packets that are whole now, each as first byte and body; raises Violation for one that is too large."""
        if self._kept:
            data = self._kept + data
        packets = []
        at, count = 0, len(data)
        while at + 1 < count:
            length = data[at + 1]
            start = at + 2
            if length > 0x7F:
                length, start = _length(data, at + 1)
                if start == 0:
                    break
            if length > self._most:
                raise Violation(f"a packet of {length} bytes; {self._most} are the most", TOO_LARGE)
            end = start + length
            if end > count:
                break
            packets.append((data[at], data[start:end]))
            at = end
        self._kept = data[at:] if at else data
        return packets


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A remaining length and where it ends; 0 where the bytes do not reach yet."""
    value = 0
    for place in range(4):
        if at + place >= len(data):
            return 0, 0
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise Violation("a remaining length is longer than four bytes")


def frame(first: int, body: bytes) -> bytes:
    """A whole packet."""
    return bytes((first,)) + varint(len(body)) + body


def varint(value: int) -> bytes:
    """A number of variable length."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def binary(value: bytes) -> bytes:
    """Bytes after their length, at most 65,535 of them."""
    return len(value).to_bytes(2) + value


def text(value: str) -> bytes:
    """A UTF-8 text after its length."""
    return binary(value.encode("utf-8", "replace"))


def properties(values: Properties) -> bytes:
    """Properties after their length."""
    body = b"".join(
        varint(key) + _value(_KINDS[key], value) for key, given in values.items() for value in (given if key == USER else [given])
    )
    return varint(len(body)) + body


def _value(kind: str, value: Any) -> bytes:
    if kind == "pair":
        return text(value[0]) + text(value[1])
    if kind == "text":
        return text(value)
    if kind == "binary":
        return binary(value)
    if kind == "varint":
        return varint(value)
    return int(value).to_bytes({"byte": 1, "short": 2, "long": 4}[kind])
