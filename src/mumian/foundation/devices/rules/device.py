"""What a device may look like: limits of its fields, faults in a draft, and the text by which it is found."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from mumian.foundation.devices.rules.life import STATES, out_of_order
from mumian.foundation.tables.contracts import Typed, checked, plain
from mumian.kernel.errors import Fault

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
RESERVED = frozenset("imports exports duplicates coverage products kinds enrolments tokens statistics self commands".split())
LENGTHS = {
    "name": 200,
    "model": 200,
    "maker": 200,
    "serial": 200,
    "operator": 200,
    "address": 400,
    "grid": 80,
    "firmware": 100,
    "note": 2000,
}
DAYS = ("installed", "maintained", "retired")
SHARES = ("", "open", "conditional", "none")
CHANGEABLE = (*LENGTHS, *DAYS, "owner", "longitude", "latitude", "share", "properties")
_SEARCHED = ("code", "name", "serial", "model", "maker", "address", "operator", "grid")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class HasProperties(Protocol):
    """A kind of device, as far as drafts are held against it."""

    @property
    def properties(self) -> Mapping[str, Typed]: ...


def code_fault(code: str) -> Fault | None:
    """What is wrong with a code, or None."""
    if not CODE.fullmatch(code):
        return Fault("code", "devices.code", {"given": code[:80]})
    return Fault("code", "devices.code_reserved", {"given": code}) if code.lower() in RESERVED else None


def faults(draft: Mapping[str, Any], kind: HasProperties | None, owners: Mapping[str, Any]) -> list[Fault]:
    """Everything wrong with the fields of a whole draft, which has at least `name`, `owner` and `state`."""
    found = [each for name, most in LENGTHS.items() if (each := _text_fault(name, draft.get(name, ""), most)) is not None]
    if not draft.get("name"):
        found.append(Fault("name", "field.missing", {}))
    if draft["owner"] not in owners:
        found.append(Fault("owner", "field.reference", {"kind": "Organisation", "name": str(draft["owner"])[:80]}))
    if draft["state"] not in STATES:
        found.append(Fault("state", "field.choice", {"expected": ", ".join(STATES)}))
    if draft.get("share", "") not in SHARES:
        found.append(Fault("share", "field.choice", {"expected": "open, conditional, none"}))
    found += _place_faults(draft.get("longitude"), draft.get("latitude"))
    found += _day_faults(draft)
    if kind is not None:
        found += checked(kind.properties, draft.get("properties") or {}, "properties")[1]
    return found


def _text_fault(name: str, value: Any, most: int) -> Fault | None:
    if not isinstance(value, str) or _CONTROL.search(value):
        return Fault(name, "field.type", {"expected": "text"})
    return Fault(name, "field.length", {"expected": f"≤ {most}"}) if len(value) > most else None


def _place_faults(longitude: Any, latitude: Any) -> list[Fault]:
    if (longitude is None) != (latitude is None):
        return [Fault("longitude" if longitude is None else "latitude", "field.missing", {})]
    if longitude is None:
        return []
    limits = (("longitude", longitude, 180), ("latitude", latitude, 90))
    return [Fault(name, "field.range", {"expected": f"-{most}…{most}"}) for name, at, most in limits if not -most <= at <= most]


def _day_faults(draft: Mapping[str, Any]) -> list[Fault]:
    found = []
    for name in DAYS:
        given = draft.get(name)
        if given is not None and not is_day(given):
            found.append(Fault(name, "devices.day", {"given": str(given)[:40]}))
    wrong = None if found else out_of_order(dict(draft))
    return found if wrong is None else [Fault(wrong[0], "devices.day_order", {"other": wrong[1]})]


def is_day(text: Any) -> bool:
    """Whether it is a day as YYYY-MM-DD."""
    try:
        return isinstance(text, str) and len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        return False


def searched(device: Any) -> str:
    """The text by which a device is found: codes, names and places in one comparable form."""
    return "\n".join(plain(value) for name in _SEARCHED if (value := getattr(device, name)))


def patterns(query: str) -> list[str]:
    """The LIKE patterns that all have to fit `searched`, one for each word of a query; `!` escapes."""
    words = plain(query).split()[:8]
    return ["%" + re.sub(r"([!%_])", r"!\1", word) + "%" for word in words]
