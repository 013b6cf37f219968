"""Rules of evaluation: when an incident counts as closed on time, how long it took, and when it becomes overdue.

Instants are ISO 8601 UTC texts of equal form, so that they compare as texts.
"""

from dataclasses import dataclass
from datetime import datetime


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


def on_time(facts: Facts) -> bool:
    """Whether a closed incident was handled by its deadline (按期结案); without a deadline it always was."""
    done = facts.resolved_at or facts.closed_at
    return facts.closed_at is not None and done is not None and (facts.due_resolve is None or done <= facts.due_resolve)


def next_due(facts: Facts) -> str | None:
    """The earliest deadline of a stage still to be done; an open incident is overdue when it has passed."""
    if facts.closed_at is not None:
        return None
    stages = (
        (facts.taken_at or facts.resolved_at, facts.due_accept),
        (facts.resolved_at, facts.due_resolve),
        (facts.verified_at, facts.due_verify),
    )
    return min((due for done, due in stages if done is None and due is not None), default=None)


def hours_to_close(facts: Facts) -> float | None:
    """Hours from opening to closing; None while open."""
    if facts.closed_at is None:
        return None
    elapsed = datetime.fromisoformat(facts.closed_at) - datetime.fromisoformat(facts.opened_at)
    return max(0.0, elapsed.total_seconds() / 3600)
