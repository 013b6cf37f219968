"""Events of quality."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DatasetScored(Event):
    """The dataset `subject` was judged in run `run`: its score from 0 to 100 (None: nothing to judge), in all and by dimension.

    `load` is the load up to which was judged, `failed` names rules that do not hold (100 at most), `digest` is the SHA-256 of
    what was found for all rules.
    """

    type: ClassVar[str] = "elements.quality.scored"
    run: int
    trigger: str
    load: int
    rows: int
    score: float | None
    dimensions: dict[str, float]
    failed: list[str]
    digest: str


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    """The rows of the dataset `subject` could not be read: why, in words."""

    type: ClassVar[str] = "elements.quality.unreadable"
    run: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class TicketMoved(Event):
    """Something happened to the ticket `subject`; all fields but `action` and `note` are as they stand after it.

    `action` is opened, reopened, closed, withdrawn, assigned, extended, commented or reminded.
    """

    type: ClassVar[str] = "elements.quality.ticket"
    action: str
    note: str
    dataset: str
    rule: str
    owner: str
    severity: str
    state: str
    opened_at: str
    due_at: str
    closed_at: str | None
    reopened: int
    assignee: str | None


@dataclass(frozen=True, kw_only=True)
class SuggestionDeclined(Event):
    """A rule that profiling suggested for the dataset `subject` was declined, and why."""

    type: ClassVar[str] = "elements.quality.declined"
    suggestion: str
    reason: str
