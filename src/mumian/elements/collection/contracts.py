"""What collection hands out: batches of a source, what is known of its columns, and how a run stands."""

from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["queued", "reading", "loading", "done", "failed", "stopped", "quarantined", "cancelled", "discarded"]
ENDED = frozenset({"done", "failed", "stopped", "cancelled", "discarded"})


@dataclass(frozen=True)
class Batch:
    """Rows as a source gave them: plain values under the source's own names of columns.

    `lines` says where each row stands in `place` (a file, page or table; the first line is 1). `position` (any JSON) is from
    where to go on after this batch, None if the source can only begin anew. `types` are those that the source declares;
    `faults` are rows that could not even be read: line, what was there, and why. `watermark` is how far the batch reaches.
    """

    columns: list[str]
    rows: list[list[Any]]
    lines: list[int]
    place: str
    position: Any
    types: dict[str, str] = field(default_factory=dict)
    watermark: str | None = None
    bytes: int = 0
    mended: int = 0
    faults: tuple[tuple[int, str, str], ...] = ()
    told: dict[str, Any] | None = None
    total: int | None = None


@dataclass(frozen=True)
class Drift:
    """How the columns of a source differ from what was accepted: `changed` gives type before and after."""

    new: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.lost or self.changed)


@dataclass(frozen=True)
class Run:
    """One run of a connector; times are ISO 8601 UTC.

    `read` counts rows of the source, of which `good` fit and `bad` do not; `mended` were read though their quotes or columns
    were wrong. `total` is how many there are, where the source says it. `guessed` is how files were read.
    """

    id: str
    connector: str
    dataset: str
    state: str
    trigger: str
    actor: str
    queued_at: str
    started_at: str | None
    ended_at: str | None
    read: int
    good: int
    bad: int
    mended: int
    bytes: int
    total: int | None
    batches: int
    watermark: str | None
    load: int | None
    drift: dict[str, Any] | None
    error: dict[str, Any] | None
    guessed: dict[str, Any]


@dataclass(frozen=True)
class RowFault:
    """What is wrong with a value of a row; `expected` names the type or is empty."""

    place: str
    line: int
    field: str
    value: str
    key: str
    expected: str
