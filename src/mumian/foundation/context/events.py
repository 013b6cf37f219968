"""Events of context."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class EntitiesChanged(Event):
    """Entities were written; the subject is the first one's id.

    `numbers` are those of the changes, `digests` say what each made of its entity (see `service/evidence.py`), in that order;
    `created` and `deleted` count entities.
    """

    type: ClassVar[str] = "context.entities.changed"
    numbers: list[int]
    digests: list[str]
    created: int
    deleted: int


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
