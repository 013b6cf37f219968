"""Rules of evaluation: when an incident counts as closed on time or overdue, and the figures over many of them.

Instants are ISO 8601 UTC texts of equal form, so that they compare as texts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median


@dataclass(frozen=True)
class Facts:
    """What evaluation needs to know of one incident."""

    closed_at: str | None
    opened_at: str
    taken_at: str | None
    resolved_at: str | None
    verified_at: str | None
    due_accept: str | None
    due_resolve: str | None
    due_verify: str | None


@dataclass(frozen=True)
class Figures:
    """The figures over a set of incidents; a rate or median over none is None."""

    closed: int
    on_time: int
    open: int
    overdue: int
    on_time_rate: float | None
    median_hours: float | None


def on_time(facts: Facts) -> bool:
    """Whether a closed incident was handled by its deadline (按期结案); without a deadline it always was."""
    done = facts.resolved_at or facts.closed_at
    return facts.closed_at is not None and done is not None and (facts.due_resolve is None or done <= facts.due_resolve)


def overdue(facts: Facts, now: str) -> bool:
    """Whether an open incident has passed a deadline of a stage that is still to be done."""
    if facts.closed_at is not None:
        return False
    stages = (
        (facts.taken_at or facts.resolved_at, facts.due_accept),
        (facts.resolved_at, facts.due_resolve),
        (facts.verified_at, facts.due_verify),
    )
    return any(done is None and due is not None and due < now for done, due in stages)


def hours_to_close(facts: Facts) -> float | None:
    """Hours from opening to closing; None while open."""
    if facts.closed_at is None:
        return None
    elapsed = datetime.fromisoformat(facts.closed_at) - datetime.fromisoformat(facts.opened_at)
    return max(0.0, elapsed.total_seconds() / 3600)


def figures(incidents: Iterable[Facts], now: str) -> Figures:
    """Count and summarise: on-time rate = closed on time / closed; median of the hours from opening to closing."""
    closed = in_time = still_open = late = 0
    hours: list[float] = []
    for facts in incidents:
        taken = hours_to_close(facts)
        if taken is None:
            still_open += 1
            late += overdue(facts, now)
        else:
            closed += 1
            in_time += on_time(facts)
            hours.append(taken)
    return Figures(closed, in_time, still_open, late, in_time / closed if closed else None, median(hours) if hours else None)
