"""Events: facts that happened, written to the outbox and the evidence ledger in the commit that made them true."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact; subclasses set `type` (`area.component.happened`) and add plain fields.

    `subject` names the thing it is about. Fields may be text, numbers, booleans, datetimes, lists, dicts and dataclasses.
    """

    type: ClassVar[str]
    subject: str


@dataclass(frozen=True)
class EmittedEvent:
    """An event as it is written: `payload` is the canonical JSON of its fields (without the subject)."""

    id: int
    type: str
    subject: str
    time: str
    actor: str
    payload: bytes


@dataclass(frozen=True)
class DeliveredEvent:
    """An event as handlers and listeners receive it after its commit; `id` grows with commit order."""

    id: int
    type: str
    subject: str
    time: datetime
    actor: str
    data: dict[str, Any]


def matches(pattern: str, type_: str) -> bool:
    """Whether an event type falls under a subscription: equal, or below a pattern that ends in `.*`; `*` takes all."""
    if pattern == "*":
        return True
    return type_.startswith(pattern[:-1]) if pattern.endswith(".*") else type_ == pattern
