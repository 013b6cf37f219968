"""What quality hands out: rules in force, what a run found for each, and scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mumian.elements.quality.models import Check, Dimension

DIMENSIONS: tuple[Dimension, ...] = (
    "normativity",
    "completeness",
    "accuracy",
    "consistency",
    "timeliness",
    "accessibility",
)
State = Literal["passed", "failed", "unknown", "error"]


@dataclass(frozen=True)
class Rule:
    """A rule in force: `name` is `document:id`; those that follow from the dataset's own declaration begin with `declared:`."""

    name: str
    dataset: str
    check: Check
    deadline_days: float
    implied: bool = False

    @property
    def ticket(self) -> bool:
        """Whether a fault becomes a ticket."""
        return self.check.ticket and not self.implied


@dataclass(frozen=True)
class Outcome:
    """What a run found for a rule.

    `checked` rows were judged and `failing` of them failed; rules that judge no rows have a `measure` (seconds, rows, an index)
    and the `bound` that it is held against. `score` is from 0 to 100, None while there is nothing to judge. `rows` are the `_id`
    of the first failing rows. `load` is the load up to which was judged; `digest` says what was asked.
    """

    rule: str
    state: State
    score: float | None
    digest: str
    load: int
    checked: int | None = None
    failing: int | None = None
    measure: float | None = None
    bound: float | None = None
    whole: bool = True
    rows: tuple[int, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    due: str | None = None


@dataclass(frozen=True)
class Score:
    """The quality of a dataset from 0 to 100: in all, and in each dimension of GB/T 36344-2018 that was judged."""

    total: float | None
    dimensions: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """One judgement of a dataset; `trigger` is loaded, declared, target, schedule or asked."""

    number: int
    dataset: str
    trigger: str
    at: str
    load: int
    rows: int
    seconds: float
    score: Score
    outcomes: tuple[Outcome, ...]
