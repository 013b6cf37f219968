"""Events of the infrastructure ledger."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class FacilityEvent(Event):
    """A step in a facility's life: `digest` is SHA-256 over its whole state after it, `facility` kind, owner, state, district."""

    action: str
    version: int
    digest: str
    note: str
    changes: dict[str, Any]
    facility: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FacilityRegistered(FacilityEvent):
    """A facility was entered, imported or declared."""

    type: ClassVar[str] = "infrastructure.facility.registered"


@dataclass(frozen=True, kw_only=True)
class FacilityChanged(FacilityEvent):
    """Something about a facility changed, or a step of its life was taken."""

    type: ClassVar[str] = "infrastructure.facility.changed"


@dataclass(frozen=True, kw_only=True)
class StatusReported(Event):
    """The live state of a facility changed from `before` to `status` (free, busy, fault …; its kind says which there are)."""

    type: ClassVar[str] = "infrastructure.status.reported"
    status: str
    before: str
    note: str


@dataclass(frozen=True, kw_only=True)
class FacilitiesImported(Event):
    """A file was brought in; the subject is the id of the import."""

    type: ClassVar[str] = "infrastructure.import.finished"
    file: str
    sha256: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int


@dataclass(frozen=True, kw_only=True)
class Measured(Event):
    """The measure named by the subject came out anew: by area `value`, `numerator`, `denominator`; `as_of` when."""

    type: ClassVar[str] = "infrastructure.measured"
    unit: str
    as_of: str
    areas: dict[str, dict[str, float | None]]


@dataclass(frozen=True, kw_only=True)
class Planned(Event):
    """A plan of where the next facilities should stand was made; the subject is its id, `digest` SHA-256 over its result."""

    type: ClassVar[str] = "infrastructure.plan.made"
    kind: str
    count: int
    gain: float
    method: str
    digest: str
