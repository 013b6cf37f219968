"""Entries: publishes under way, who sent them, and what became of each."""

from collections.abc import Awaitable
from typing import Any, Protocol

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.errors import NotStarted
from mumian.foundation.sensing.sta import ingest
from mumian.kernel.errors import Forbidden, Invalid, MumianError, NotFound, Stale, Unauthenticated, Unavailable

BUSY, NOT_AUTHORISED, BAD_TOPIC, BAD_PAYLOAD, FAILED = 0x89, 0x87, 0x90, 0x99, 0x83


class Sender(Protocol):
    """Who published, and hears what became of it."""

    @property
    def caller(self) -> Caller | None:
        """Who publishes; None where another broker has decided who may."""
        ...

    @property
    def client(self) -> str:
        """The client id."""
        ...

    def settled(self, entries: "list[Entry]") -> None:
        """These publishes are done, in the order in which they came."""
        ...


class Entry:
    """One publish under way; `rows` of the batch are its, `code` is the reason code of MQTT 5 (0: well)."""

    __slots__ = ("code", "error", "id", "parsed", "payload", "qos", "rows", "sender", "stream", "topic", "work")

    def __init__(self, sender: Sender, id_: int, qos: int, topic: str, payload: bytes) -> None:
        self.sender, self.id, self.qos, self.topic, self.payload = sender, id_, qos, topic, payload
        self.stream: int | None = None
        self.rows = 0
        self.code = 0
        self.error: MumianError | None = None
        self.parsed: ingest.Parsed | None = None
        self.work: Awaitable[Any] | None = None

    def fail(self, error: MumianError) -> None:
        """Refuse the publish."""
        self.rows, self.parsed, self.error, self.code = 0, None, error, code_of(error)


def code_of(error: MumianError) -> int:
    """The reason code of MQTT 5 for an error; BUSY is for what may be taken when it comes again."""
    if isinstance(error, (Unavailable, Stale, NotStarted)):
        return BUSY
    if isinstance(error, (Forbidden, Unauthenticated)):
        return NOT_AUTHORISED
    if isinstance(error, NotFound):
        return BAD_TOPIC
    return BAD_PAYLOAD if isinstance(error, Invalid) else FAILED
