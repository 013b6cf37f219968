"""Rules of models: which version may follow which state, and what must be better before it takes over."""

from collections.abc import Mapping
from typing import Any

FOLLOWING: Mapping[str, tuple[str, ...]] = {"draft": ("approved", "retired"), "approved": ("retired",), "retired": ()}


def possible(state: str, wanted: str) -> bool:
    """Whether a version may go from one state to another."""
    return wanted in FOLLOWING[state]


def evaluated(evaluation: Mapping[str, Any]) -> bool:
    """Whether somebody measured how good the version is."""
    return any(isinstance(value, int | float) and not isinstance(value, bool) for value in evaluation.values())


def better(compared: Mapping[str, Any], present: int | None) -> bool:
    """Whether a version may take over from version `present` (None: nothing is in use, anything measured may).

    `compared` holds `against` (the version it was held against), `new` and `old`: the measure of both on the same texts, that
    neither had learned. It must be strictly better, and against the version that is in use now.
    """
    if present is None:
        return True
    if compared.get("against") != present:
        return False
    new, old = compared.get("new"), compared.get("old")
    return isinstance(new, int | float) and isinstance(old, int | float) and new > old
