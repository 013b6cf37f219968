"""Events of channels; what a message says stays out of them, for they go to everybody who may read events."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class MessageEvent(Event):
    """A message, named by `subject`; `digest` is the SHA-256 of its recipient and text."""

    channel: str
    topic: str


@dataclass(frozen=True, kw_only=True)
class MessageQueued(MessageEvent):
    """A message waits to be sent, or already lies in an inbox: `state` is waiting or sent."""

    type: ClassVar[str] = "foundation.channels.queued"
    state: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class MessageSent(MessageEvent):
    """The receiver took it, at the try of that number."""

    type: ClassVar[str] = "foundation.channels.sent"
    tries: int
    reference: str


@dataclass(frozen=True, kw_only=True)
class MessageGivenUp(MessageEvent):
    """The receiver will not take it, or did not within all tries."""

    type: ClassVar[str] = "foundation.channels.given_up"
    tries: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class MessageRead(MessageEvent):
    """Its recipient read it; `acknowledged`: and answers for it."""

    type: ClassVar[str] = "foundation.channels.read"
    acknowledged: bool


@dataclass(frozen=True, kw_only=True)
class ContactChanged(Event):
    """A person, named by `subject`, may be reached at another address by a way, or at none."""

    type: ClassVar[str] = "foundation.channels.contact"
    way: str
    digest: str
