"""The life of grants, objections and demands: small tables of transitions."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mumian.elements.sharing.contracts import Delivery, Demand, Grant, Objection

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
DELIVERY = {
    "load": (("active",), None),
    "try": (("active",), None),
    "deliver": (("active",), None),
    "wait": (("active",), None),
    "fail": (("active",), "failed"),
    "stop": (("active", "failed"), "stopped"),
    "start": (("failed", "stopped"), "active"),
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


def delivery_after(delivery: Delivery, action: str, changed: dict[str, Any]) -> Delivery:
    """A delivery after a possible step, one version on."""
    return replace(delivery, **({**_moved(DELIVERY, delivery, action), **changed}))


def pause(attempts: int) -> float:
    """Seconds until the next attempt: 5, 20, 80, … at most six hours."""
    return min(5.0 * 4.0 ** max(attempts - 1, 0), 6 * 3600.0)


def in_force(grant: Grant, now: str) -> bool:
    """Whether anything may be had under a grant."""
    return grant.state == "active" and grant.valid_from <= now < grant.until


def _moved(table: Table, thing: Grant | Objection | Demand | Delivery, action: str) -> dict[str, Any]:
    state = table[action][1] or thing.state
    changed: dict[str, Any] = {"version": thing.version + 1, "state": state}
    if state in ENDED and isinstance(thing, Objection | Demand):
        changed["due"] = None
    return changed
