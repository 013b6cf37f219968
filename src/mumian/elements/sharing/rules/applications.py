"""The life of an application 申请→审核→授权: one table of transitions, and what each step changes."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from mumian.elements.sharing.contracts import Application, Item

OPEN = ("submitted", "returned", "approved", "disputed")
ENDS = ("granted", "refused", "withdrawn", "lapsed")
STAGES = {"submitted": "owner", "returned": "applicant", "approved": "bureau", "disputed": "bureau"}


@dataclass(frozen=True)
class Transition:
    """One action: by whom, from which states, and where it leads."""

    by: str
    sources: tuple[str, ...]
    target: str


TRANSITIONS: dict[str, tuple[Transition, ...]] = {
    "approve": (Transition("owner", ("submitted",), "approved"),),
    "confirm": (Transition("bureau", ("approved",), "granted"),),
    "refuse": (Transition("owner", ("submitted",), "refused"), Transition("bureau", ("approved",), "refused")),
    "ask": (Transition("owner", ("submitted",), "returned"), Transition("bureau", ("approved",), "returned")),
    "supply": (Transition("applicant", ("returned",), "submitted"),),
    "withdraw": (Transition("applicant", OPEN, "withdrawn"),),
    "appeal": (Transition("applicant", ("refused",), "disputed"),),
    "overturn": (Transition("bureau", ("disputed",), "granted"),),
    "uphold": (Transition("bureau", ("disputed",), "refused"),),
    "lapse": (Transition("system", ("returned",), "lapsed"),),
}
GIVING = ("approve", "confirm", "overturn")
REASONED = ("refuse", "ask", "supply", "appeal", "overturn", "uphold")
BASED = ("refuse", "uphold")


@dataclass(frozen=True)
class Step:
    """A step that may be done: by whom (`by` is owner, bureau, applicant or system; `actor` who that is), when, and until when
    the next one is to be done (`due`, None at an end).
    """

    action: str
    by: str
    actor: str
    time: str
    due: str | None
    reason: str = ""
    basis: str = ""
    items: tuple[Item, ...] | None = None
    terms: dict[str, Any] | None = None


def transition(application: Application, action: str) -> Transition | None:
    """What an action would do in the application's state; None if it cannot be done."""
    if action == "appeal" and (application.final or application.bureau is None):
        return None
    return next((one for one in TRANSITIONS.get(action, ()) if application.state in one.sources), None)


def allowed(application: Application) -> list[tuple[str, str]]:
    """The actions that are possible now, each with who may do it."""
    found = ((action, transition(application, action)) for action in TRANSITIONS)
    return [(action, one.by) for action, one in found if one is not None]


def target(application: Application, action: str) -> str:
    """The state that a possible action leads to: without a bureau the owner's word is the last."""
    one = transition(application, action)
    assert one is not None
    if action == "approve" and not application.review:
        return "granted"
    return one.target


def after(application: Application, step: Step) -> Application:
    """The application after a possible step, one version on."""
    state = target(application, step.action)
    changed: dict[str, Any] = {
        "version": application.version + 1,
        "state": state,
        "stage": STAGES.get(state, ""),
        "due": step.due if state in OPEN else None,
        "missed": 0,
    }
    if step.items is not None:
        changed["items"] = step.items
    if step.terms:
        changed |= step.terms
    if state in ("refused", "granted") or step.action == "approve":
        changed |= {"decided_at": step.time, "decided_by": step.actor}
    if step.by == "owner" and application.answered_at is None:
        changed["answered_at"] = step.time
    if step.reason:
        changed["reason"] = step.reason
    changed["refusal_basis"] = step.basis if state == "refused" else ""
    changed["final"] = state == "refused" and step.by == "bureau"
    return replace(application, **changed)


def overdue(application: Application, now: str) -> bool:
    """Whether whoever has it should have answered by now and nobody noted that yet."""
    return application.state in OPEN and not application.missed and application.due is not None and application.due <= now


def on_time(application: Application) -> bool | None:
    """Whether the owner gave a first answer by the deadline; None while neither is known."""
    if application.first_due is None:
        return None
    return None if application.answered_at is None else application.answered_at <= application.first_due
