"""Events of sharing."""

from dataclasses import dataclass, field
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class _Moved(Event):
    """A step of something that has a life: `action` led from the state `source` to `target`.

    `digest` is the SHA-256 of the canonical JSON of the whole after it; `note` the reason that was given.
    """

    version: int
    action: str
    source: str
    target: str
    note: str
    digest: str
    owner: str | None = None
    organisation: str | None = None
    datasets: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ApplicationMoved(_Moved):
    """A step of the application `subject`; `grants` came of it."""

    type: ClassVar[str] = "elements.sharing.application"
    grants: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class GrantMoved(_Moved):
    """A step of the grant `subject`."""

    type: ClassVar[str] = "elements.sharing.grant"


@dataclass(frozen=True, kw_only=True)
class ObjectionMoved(_Moved):
    """A step of the objection `subject` to data of a dataset; `fields` are those said to be wrong."""

    type: ClassVar[str] = "elements.sharing.objection"
    fields: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class DemandMoved(_Moved):
    """A step of the demand `subject` for data."""

    type: ClassVar[str] = "elements.sharing.demand"


@dataclass(frozen=True, kw_only=True)
class DeliveryMoved(_Moved):
    """A step of the delivery `subject` under a grant: set up, a part delivered (`rows` up to `position`), failed, stopped."""

    type: ClassVar[str] = "elements.sharing.delivery"
    grant: str = ""
    rows: int = 0
    position: int = 0


@dataclass(frozen=True, kw_only=True)
class Answered(Event):
    """Answers went out under grants: `size` receipts in the Merkle tree of the batch `subject`, its `root` in hexadecimal.

    `calls`, `rows` and `bytes` say of each grant how much it had.
    """

    type: ClassVar[str] = "elements.sharing.answered"
    size: int
    root: str
    calls: dict[str, int]
    rows: dict[str, int]
    bytes: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Used(Event):
    """The dataset `subject` was used `count` times under grants since this was last told."""

    type: ClassVar[str] = "elements.sharing.used"
    count: int


@dataclass(frozen=True, kw_only=True)
class Returned(Event):
    """`rows` rows of load `load` of a dataset went back to a district by the return flow `subject`."""

    type: ClassVar[str] = "elements.sharing.returned"
    dataset: str
    district: str
    target: str
    load: int
    rows: int
