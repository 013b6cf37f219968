"""Events of incidents: one type for each thing that can happen to one; all carry the same fields."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class IncidentEvent(Event):
    """A step in the life of the incident named by `subject`.

    `action` led from state `source` (empty when it was opened) to `target`, making version `version`, whose whole state has the
    SHA-256 `digest`. `incident` is a snapshot: number, type, severity, state, district, organisation, assignee, opened_at,
    due_accept, due_resolve, due_verify, dispatched_at, taken_at, resolved_at, verified_at, closed_at, supervised, warning.
    """

    action: str
    source: str
    target: str
    version: int
    digest: str
    note: str
    incident: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class IncidentOpened(IncidentEvent):
    """An incident was reported, by a person or by a warning."""

    type: ClassVar[str] = "brain.incidents.opened"


@dataclass(frozen=True, kw_only=True)
class IncidentChanged(IncidentEvent):
    """It was filed or noted on, or its severity changed."""

    type: ClassVar[str] = "brain.incidents.changed"


@dataclass(frozen=True, kw_only=True)
class IncidentDispatched(IncidentEvent):
    """An organisation was made responsible for it."""

    type: ClassVar[str] = "brain.incidents.dispatched"


@dataclass(frozen=True, kw_only=True)
class IncidentTaken(IncidentEvent):
    """Somebody of the organisation took it."""

    type: ClassVar[str] = "brain.incidents.taken"


@dataclass(frozen=True, kw_only=True)
class IncidentResolved(IncidentEvent):
    """It was handled."""

    type: ClassVar[str] = "brain.incidents.resolved"


@dataclass(frozen=True, kw_only=True)
class IncidentReturned(IncidentEvent):
    """Verification found it not handled well enough."""

    type: ClassVar[str] = "brain.incidents.returned"


@dataclass(frozen=True, kw_only=True)
class IncidentVerified(IncidentEvent):
    """Verification found it handled."""

    type: ClassVar[str] = "brain.incidents.verified"


@dataclass(frozen=True, kw_only=True)
class IncidentClosed(IncidentEvent):
    """It was closed."""

    type: ClassVar[str] = "brain.incidents.closed"


@dataclass(frozen=True, kw_only=True)
class IncidentSupervised(IncidentEvent):
    """A deadline passed, or somebody urged it on."""

    type: ClassVar[str] = "brain.incidents.supervised"


KINDS_OF_EVENT: dict[str, type[IncidentEvent]] = {
    "opened": IncidentOpened,
    "changed": IncidentChanged,
    "dispatched": IncidentDispatched,
    "taken": IncidentTaken,
    "resolved": IncidentResolved,
    "returned": IncidentReturned,
    "verified": IncidentVerified,
    "closed": IncidentClosed,
    "supervised": IncidentSupervised,
}
