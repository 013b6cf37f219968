"""The life of grants, objections and demands: small tables of transitions."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mumian.elements.sharing.contracts import Demand, Grant, Objection

GRANT = {
    "suspend": (("active",), "suspended"),
    "resume": (("suspended",), "active"),
    "revoke": (("active", "suspended"), "revoked"),
    "renew": (("active", "ended"), "active"),
    "end": (("active", "suspended"), "ended"),
}
OBJECTION = {
    "check": (("open",), "checking"),
    "extend": (("open", "checking"), None),
    "correct": (("open", "checking"), "corrected"),
    "reject": (("open", "checking"), "rejected"),
    "withdraw": (("open", "checking"), "withdrawn"),
    "ticket": (("open", "checking"), None),
    "miss": (("open", "checking"), None),
}
DEMAND = {
    "assign": (("open", "assigned"), "assigned"),
    "meet": (("open", "assigned"), "met"),
    "reject": (("open", "assigned"), "rejected"),
    "withdraw": (("open", "assigned"), "withdrawn"),
    "miss": (("open", "assigned"), None),
}
Table = Mapping[str, tuple[tuple[str, ...], str | None]]
ENDED = {"corrected", "rejected", "withdrawn", "met", "revoked", "ended"}


def possible(table: Table, state: str) -> list[str]:
    """The actions that may be done in a state."""
    return [action for action, (sources, _) in table.items() if state in sources]


def grant_after(grant: Grant, action: str, changed: dict[str, Any]) -> Grant:
    """A grant after a possible step, one version on."""
    return replace(grant, **_moved(GRANT, grant, action), **changed)


def objection_after(objection: Objection, action: str, changed: dict[str, Any]) -> Objection:
    """An objection after a possible step, one version on."""
    return replace(objection, **({**_moved(OBJECTION, objection, action), **changed}))


def demand_after(demand: Demand, action: str, changed: dict[str, Any]) -> Demand:
    """A demand after a possible step, one version on."""
    return replace(demand, **({**_moved(DEMAND, demand, action), **changed}))


def in_force(grant: Grant, now: str) -> bool:
    """Whether anything may be had under a grant."""
    return grant.state == "active" and grant.valid_from <= now < grant.until


def _moved(table: Table, thing: Grant | Objection | Demand, action: str) -> dict[str, Any]:
    state = table[action][1] or thing.state
    changed: dict[str, Any] = {"version": thing.version + 1, "state": state}
    if state in ENDED and not isinstance(thing, Grant):
        changed["due"] = None
    return changed
