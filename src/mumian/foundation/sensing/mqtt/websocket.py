"""WebSocket (RFC 6455) as far as MQTT needs it: the handshake with the subprotocol `mqtt`, and binary frames."""

from base64 import b64encode
from hashlib import sha1

from mumian.foundation.sensing.mqtt.wire import TOO_LARGE, Violation

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST_HEAD = 8192
_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10


class WebSocket:
    """The server's side of one connection; bytes in, bytes out."""

    def __init__(self, most: int) -> None:
        self.closed = False
        self._most = most
        self._open = False
        self._kept = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """What the client sent inside its frames, and what is to be sent back as it stands."""
        self._kept += data
        answers = []
        if not self._open:
            end = self._kept.find(b"\r\n\r\n")
            if end < 0:
                if len(self._kept) > _MOST_HEAD:
                    raise Violation("the HTTP request is too long", TOO_LARGE)
                return b"", b""
            head, self._kept = self._kept[:end], self._kept[end + 4 :]
            answers.append(self._handshake(head))
        content = []
        while not self.closed and self._open:
            found = self._next()
            if found is None:
                break
            kind, payload = found
            if kind in (_CONTINUATION, _BINARY):
                content.append(payload)
            elif kind == _PING:
                answers.append(_frame(_PONG, payload))
            elif kind == _CLOSE:
                answers.append(_frame(_CLOSE, payload[:2]))
                self.closed = True
            elif kind != _PONG:
                raise Violation("a WebSocket frame that is not binary")
        return b"".join(content), b"".join(answers)

    @staticmethod
    def frame(data: bytes) -> bytes:
        """Bytes to the client in one frame."""
        return _frame(_BINARY, data)

    def _handshake(self, head: bytes) -> bytes:
        lines = head.split(b"\r\n")[1:]
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        key = fields.get(b"sec-websocket-key")
        offered = [part.strip() for part in fields.get(b"sec-websocket-protocol", b"").split(b",")]
        if key is None or fields.get(b"upgrade", b"").lower() != b"websocket" or b"mqtt" not in offered:
            self.closed = True
            return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self._open = True
        accept = b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def _next(self) -> tuple[int, bytes] | None:
        data = self._kept
        if len(data) < 2:
            return None
        length, at = data[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(data) < 2 + size:
                return None
            length, at = int.from_bytes(data[2 : 2 + size]), 2 + size
        if length > self._most + 16 or not data[1] & 0x80:
            raise Violation("a WebSocket frame that is too large or not masked", TOO_LARGE)
        end = at + 4 + length
        if len(data) < end:
            return None
        mask = data[at : at + 4] * (length // 4 + 1)
        masked = data[at + 4 : end]
        payload = (int.from_bytes(masked) ^ int.from_bytes(mask[:length])).to_bytes(length)
        self._kept = data[end:]
        return data[0] & 15, payload


def _frame(kind: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | kind, length))
    elif length < 2**16:
        head = bytes((0x80 | kind, 126)) + length.to_bytes(2)
    else:
        head = bytes((0x80 | kind, 127)) + length.to_bytes(8)
    return head + payload
