"""Facilities: what is wrong with the fields of one, which steps its state allows, and why one is due for renewal."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from mumian.foundation.infrastructure.contracts import STATES, Facility
from mumian.foundation.infrastructure.models import CODE_PATTERN, FacilityKindSpec, FieldSpec, RenewalSpec
from mumian.foundation.tables.contracts import fault, from_text
from mumian.kernel.errors import Fault

CODE = re.compile(CODE_PATTERN)
LENGTHS = {"name": 200, "owner": 80, "operator": 200, "address": 400, "plane": 60, "note": 2000}
STEPS = {
    "begin": ("planned", "building"),
    "open": ("building", "in_use"),
    "renew": ("in_use", "renewing"),
    "reopen": ("renewing", "in_use"),
}
_ORDER = {
    "planned": {"building": 1, "in_use": 2},
    "building": {"in_use": 1},
    "in_use": {"renewing": 1},
    "renewing": {"in_use": 1},
}
_MOST_LINKS = 200


def after(state: str, step: str) -> str | None:
    """The state after a step; None where the state does not allow it."""
    if step == "retire":
        return None if state == "retired" else "retired"
    source, target = STEPS.get(step, ("", ""))
    return target if state == source else None


def reachable(state: str, target: str) -> bool:
    """Whether an import may say that a facility in one state is now in another: forward only, and anything may retire."""
    return state == target or (target == "retired" and state != "retired") or target in _ORDER.get(state, {})


def is_day(text: str) -> bool:
    """Whether a text is an ISO 8601 day."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def properties(fields: Mapping[str, FieldSpec], given: Mapping[str, Any], complete: bool = True) -> list[Fault]:
    """What is wrong with properties; with `complete` those that must be given are missed."""
    faults = []
    for name, value in given.items():
        spec = fields.get(name)
        if spec is None:
            faults.append(Fault(f"properties.{name}", "field.unknown", {"expected": ", ".join(fields) or "–"}))
            continue
        if spec.several and not isinstance(value, list):
            faults.append(Fault(f"properties.{name}", "field.type", {"expected": "a list"}))
            continue
        for each in value[:_MOST_LINKS] if spec.several else [value]:
            key, expected = fault(spec, each)
            if key:
                faults.append(Fault(f"properties.{name}", key, {"expected": expected}))
                break
    missing = [name for name, spec in fields.items() if complete and spec.required and name not in given]
    return faults + [Fault(f"properties.{name}", "field.missing", {}) for name in missing]


def property_from(spec: FieldSpec, text: str) -> Any:
    """The value of a property that a cell's text means; several are parted by semicolons or the Chinese comma."""
    if not spec.several:
        return from_text(spec, text)
    return [from_text(spec, part.strip()) for part in re.split(r"[;；、|]", text) if part.strip()]


def faults(facility: Facility, kind: FacilityKindSpec | None, owners: Collection[str]) -> list[Fault]:
    """Everything that is wrong with a facility."""
    found = [] if CODE.fullmatch(facility.code) else [Fault("code", "infrastructure.code", {"given": facility.code[:80]})]
    found += [
        _length(name, getattr(facility, name), most) for name, most in LENGTHS.items() if len(getattr(facility, name)) > most
    ]
    found += [Fault(name, "field.missing", {}) for name in ("name", "owner") if not getattr(facility, name)]
    if facility.owner and facility.owner not in owners:
        found.append(Fault("owner", "field.reference", {"kind": "Organisation", "name": facility.owner[:80]}))
    if facility.state not in STATES:
        found.append(Fault("state", "field.choice", {"expected": ", ".join(STATES)}))
    if facility.built is not None and not is_day(facility.built):
        found.append(Fault("built", "infrastructure.day", {"given": facility.built[:40]}))
    found += _place(facility)
    if kind is None:
        return [*found, Fault("kind", "field.reference", {"kind": "FacilityKind", "name": facility.kind[:80]})]
    return found + _links(facility, kind) + properties(kind.fields, facility.properties)


def _length(name: str, text: str, most: int) -> Fault:
    return Fault(name, "field.length", {"expected": f"≤ {most}"})


def _place(facility: Facility) -> list[Fault]:
    if (facility.longitude is None) != (facility.latitude is None):
        lacking = "longitude" if facility.longitude is None else "latitude"
        return [Fault(lacking, "field.missing", {})]
    bad = []
    for name, most in (("longitude", 180), ("latitude", 90)):
        value = getattr(facility, name)
        if value is not None and not abs(value) <= most:
            bad.append(Fault(name, "field.range", {"expected": f"-{most} … {most}"}))
    return bad


def _links(facility: Facility, kind: FacilityKindSpec) -> list[Fault]:
    found = []
    if kind.link and (len(facility.ends) != 2 or facility.ends[0] == facility.ends[1]):
        found.append(Fault("ends", "infrastructure.ends", {}))
    if not kind.link and facility.ends:
        found.append(Fault("ends", "infrastructure.no_ends", {"kind": facility.kind}))
    many = [("devices", facility.devices), ("streams", list(facility.streams.values()))]
    found += [_length(name, "", _MOST_LINKS) for name, values in many if len(values) > _MOST_LINKS]
    if any(len(text) > 200 for text in (*facility.devices, *facility.ends, *facility.streams, *facility.streams.values())):
        found.append(Fault("devices", "field.length", {"expected": "≤ 200"}))
    return found


def age_years(built: str | None, today: str) -> float | None:
    """Years of 365.25 days since the day built; None where that is not known."""
    if built is None or not is_day(built):
        return None
    return (date.fromisoformat(today) - date.fromisoformat(built)).days / 365.25


def renewal(facility: Facility, kind: FacilityKindSpec, today: str) -> list[tuple[RenewalSpec, float]]:
    """The reasons why a facility in use is due for renewal, each with the figure found; empty where too few hold."""
    if facility.state != "in_use":
        return []
    found = []
    for reason in kind.renewal:
        value = age_years(facility.built, today) if reason.field == "age_years" else facility.properties.get(reason.field)
        if value is None:
            continue
        if (reason.above is not None and value > reason.above) or (reason.below is not None and value < reason.below):
            found.append((reason, float(value)))
    return found if len(found) >= kind.renewal_matches else []
