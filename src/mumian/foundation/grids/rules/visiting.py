"""Visits: what may be found, and what a finding says about the state of a component or a building."""

from mumian.foundation.grids.contracts import Visit

STATES = ("intact", "damaged", "missing", "obstructed", "removed")
_COMPONENT = {
    "confirmed": "intact", "repaired": "intact", "damaged": "damaged", "missing": "missing", "obstructed": "obstructed",
    "removed": "removed", "absent": "missing",
}  # fmt: skip
_BUILDING = {"confirmed": "standing", "removed": "demolished", "absent": "demolished"}


def state_after(subject_kind: str, result: str) -> str | None:
    """The state that a finding proves, or None where it proves none."""
    known = {"component": _COMPONENT, "building": _BUILDING}.get(subject_kind, {})
    return known.get(result)


def results_for(subject_kind: str) -> tuple[str, ...]:
    """What may be found at a subject."""
    if subject_kind == "component":
        return ("confirmed", "changed", "damaged", "missing", "obstructed", "removed", "repaired")
    if subject_kind == "building":
        return ("confirmed", "changed", "absent", "removed")
    return ("confirmed", "changed", "absent")


def overdue(visit: Visit, now: str) -> bool:
    """Whether an open visit should have been made by now."""
    return visit.state == "open" and bool(visit.due) and visit.due <= now
