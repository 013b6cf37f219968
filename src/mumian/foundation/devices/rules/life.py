"""The life of a device 生命周期: planned → installed → in service ⇄ maintenance → retired, as one table of transitions."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from mumian.foundation.devices.contracts import Device

STATES = ("planned", "installed", "in_service", "maintenance", "retired")
STANDING = STATES[:-1]
RETIRED = "retired"


@dataclass(frozen=True)
class Transition:
    """From which states a step may be taken, and where it leads."""

    sources: tuple[str, ...]
    target: str


TRANSITIONS: dict[str, Transition] = {
    "install": Transition(("planned",), "installed"),
    "commission": Transition(("installed",), "in_service"),
    "suspend": Transition(("in_service",), "maintenance"),
    "resume": Transition(("maintenance",), "in_service"),
    "retire": Transition(STANDING, "retired"),
}
SINCE = {"install": "installed", "resume": "maintained", "retire": "retired"}


def possible(state: str) -> list[str]:
    """The steps that may be taken from a state."""
    return [step for step, transition in TRANSITIONS.items() if state in transition.sources]


def moved(device: Device, step: str, day: str) -> dict[str, Any] | None:
    """The fields that a step changes on a day (ISO 8601), or None where the state does not allow it."""
    transition = TRANSITIONS.get(step)
    if transition is None or device.state not in transition.sources:
        return None
    changes: dict[str, Any] = {"state": transition.target}
    if step in SINCE:
        changes[SINCE[step]] = day
    if step == "commission" and device.installed is None:
        changes["installed"] = day
    if transition.target == RETIRED:
        changes["due"] = None
    return changes


def path(source: str, target: str) -> list[str] | None:
    """The shortest way of steps from one state to another, or None where there is none: a life goes one way."""
    ways: dict[str, list[str]] = {source: []}
    waiting = [source]
    for state in waiting:
        for step in possible(state):
            reached = TRANSITIONS[step].target
            if reached not in ways:
                ways[reached] = [*ways[state], step]
                waiting.append(reached)
    return ways.get(target)


def next_calibration(day: str, days: int | None) -> str | None:
    """The day by which a device calibrated on `day` must be calibrated again; None where its kind asks for none."""
    if days is None:
        return None
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return None


def out_of_order(device: dict[str, Any]) -> tuple[str, str] | None:
    """The first date of a device that lies before one that must come first, as (field, the other); None if all is in order."""
    order = [name for name in ("installed", "maintained", "retired") if device.get(name)]
    for earlier, later in pairwise(order):
        if device[later] < device[earlier]:
            return later, earlier
    return None
