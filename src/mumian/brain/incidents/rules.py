"""Rules of incidents: the life cycle 报告→立案→派遣→处置→核查→结案 as one transition table, and what each step changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from mumian.brain.incidents.contracts import Incident

STATES = ("reported", "filed", "dispatched", "handling", "handled", "verified", "closed")
OPEN = STATES[:-1]
STAGES = ("accept", "resolve", "verify")
SEVERITIES = ("minor", "moderate", "severe", "extreme")


@dataclass(frozen=True)
class Transition:
    """One action: from which states it may be done, where it leads (None: stays), and the event that tells of it."""

    sources: tuple[str, ...]
    target: str | None
    event: str


TRANSITIONS: dict[str, Transition] = {
    "file": Transition(("reported",), "filed", "changed"),
    "dispatch": Transition(("filed", "dispatched"), "dispatched", "dispatched"),
    "take": Transition(("dispatched", "handling"), "handling", "taken"),
    "resolve": Transition(("handling",), "handled", "resolved"),
    "return": Transition(("handled",), "handling", "returned"),
    "verify": Transition(("handled",), "verified", "verified"),
    "close": Transition(("reported", "verified"), "closed", "closed"),
    "supervise": Transition(OPEN, None, "supervised"),
    "note": Transition(OPEN, None, "changed"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What someone wants done: the action, when (ISO text), by whom, and what it needs.

    `dispatch` needs an `organisation` other than the present one and may set `due` (accept, resolve, verify), of which only
    `accept` counts where an organisation had it before; `take` needs `assignee`; `supervise` may name the missed `stage`;
    `severity` and `warning` come with a note when the warning behind the incident changes.
    """

    action: str
    time: str
    actor: str
    note: str = ""
    organisation: str | None = None
    assignee: str | None = None
    due: tuple[str, str, str] | None = None
    stage: str | None = None
    severity: str | None = None
    warning: str | None = None


def allowed(incident: Incident) -> list[str]:
    """The actions possible in the incident's state."""
    return [action for action, transition in TRANSITIONS.items() if incident.state in transition.sources]


def possible(incident: Incident, step: Step) -> bool:
    """Whether the step may be done: the state allows it, and it names the owner that it needs."""
    transition = TRANSITIONS.get(step.action)
    if transition is None or incident.state not in transition.sources:
        return False
    if step.action == "dispatch":
        return bool(step.organisation) and step.organisation != incident.organisation
    return step.action != "take" or bool(step.assignee)


def worse(severity: str, known: Iterable[str]) -> bool:
    """Whether a severity is above each of the known ones: a level that falls and rises again is no news."""
    return all(SEVERITIES.index(severity) > SEVERITIES.index(each) for each in known)


def missed_stage(incident: Incident, now: str) -> str | None:
    """The pending stage whose deadline has passed and that nobody has been reminded of, the earliest first."""
    for stage, due in _pending(incident.state, incident.due_accept, incident.due_resolve, incident.due_verify):
        if due <= now and stage not in incident.missed:
            return stage
    return None


def overdue(incident: Incident, now: str) -> bool:
    """Whether a deadline of a stage still to be done has passed; of a closed one, whether it was resolved late."""
    if incident.state == "closed":
        return incident.due_resolve is not None and (incident.resolved_at or incident.closed_at or now) > incident.due_resolve
    pending = _pending(incident.state, incident.due_accept, incident.due_resolve, incident.due_verify)
    return any(due < now for _, due in pending)


def next_due(state: str, due: tuple[str | None, str | None, str | None], missed: str) -> str | None:
    """The earliest deadline that is pending in `state` and was not yet reported missed."""
    return min((when for stage, when in _pending(state, *due) if stage not in missed), default=None)


def _pending(state: str, accept: str | None, resolve: str | None, verify: str | None) -> list[tuple[str, str]]:
    """Stages not yet passed in a state, with their deadlines."""
    done = {"dispatched": 0, "handling": 1, "handled": 2}.get(state)
    if done is None:
        return []
    return [(stage, due) for stage, due in zip(STAGES[done:], (accept, resolve, verify)[done:], strict=True) if due is not None]


def apply(incident: Incident, step: Step) -> Incident:
    """The incident after a possible step, one version on."""
    return replace(incident, **changes(incident, step))


def changes(incident: Incident, step: Step) -> dict[str, Any]:
    """The fields that a possible step changes, with their new values."""
    state = TRANSITIONS[step.action].target or incident.state
    changes = {"state": state, "version": incident.version + 1, **_changes(incident, step)}
    due = (
        changes.get("due_accept", incident.due_accept),
        changes.get("due_resolve", incident.due_resolve),
        changes.get("due_verify", incident.due_verify),
    )
    when = next_due(state, due, changes.get("missed", incident.missed))
    if when != incident.next_due:
        changes["next_due"] = when
    return changes


def _changes(incident: Incident, step: Step) -> dict[str, Any]:
    """What an action changes besides the state."""
    match step.action:
        case "dispatch":
            return _dispatch(incident, step)
        case "take":
            return {"assignee": step.assignee, "taken_at": incident.taken_at or step.time}
        case "resolve":
            return {"resolved_at": step.time}
        case "return":
            return {"resolved_at": None}
        case "verify":
            return {"verified_at": step.time}
        case "close":
            return {"closed_at": step.time}
        case "supervise":
            missed = ",".join(filter(None, (incident.missed, step.stage)))
            return {"supervised": incident.supervised + 1, "missed": missed}
    return {"severity": step.severity or incident.severity, "warning": step.warning or incident.warning}


def _dispatch(incident: Incident, step: Step) -> dict[str, Any]:
    """A new owner has its own time to accept; the matter itself is not due later, nor less missed, for changing hands."""
    accept, resolve, verify = step.due or (None, None, None)
    return {
        "organisation": step.organisation,
        "assignee": None,
        "dispatched_at": step.time,
        "taken_at": None,
        "due_accept": accept,
        "due_resolve": incident.due_resolve or resolve,
        "due_verify": incident.due_verify or verify,
        "missed": ",".join(stage for stage in incident.missed.split(",") if stage not in ("", "accept")),
    }
