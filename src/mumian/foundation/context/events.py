"""Events of context."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class EntitiesChanged(Event):
    """Entities were written; the subject is the first one's id.

    `first` … `last` are the numbers of the changes, `digest` the SHA-256 over their ids and stored forms, in that order.
    """

    type: ClassVar[str] = "context.entities.changed"
    count: int
    first: int
    last: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionChanged(Event):
    """A subscription was made, changed or deleted; the subject is its id."""

    type: ClassVar[str] = "context.subscription.changed"
    change: str


@dataclass(frozen=True, kw_only=True)
class ContextDocumentChanged(Event):
    """A JSON-LD @context was added or deleted; the subject is its address."""

    type: ClassVar[str] = "context.document.changed"
    change: str
