"""Schemas of layers: which properties features have, of which type, and how values fit them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from mumian.foundation.spatial.contracts import Property
from mumian.kernel.errors import Fault

MOST_PROPERTIES = 300
SQL_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "json": "VARCHAR",
}
JSON_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "json": {},
}
_WIDER = {("integer", "number"): "number", ("date", "datetime"): "datetime"}


def type_of(value: Any) -> str | None:
    """The type of a JSON value as a property; None for null, which fits any."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if abs(value) < 2**63 else "number"
    if isinstance(value, float):
        return "number"
    return _type_of_text(value) if isinstance(value, str) else "json"


def _type_of_text(value: str) -> str:
    if not (10 <= len(value) <= 35 and value[:4].isdigit() and value[4] == "-"):
        return "string"
    try:
        date.fromisoformat(value)
    except ValueError:
        pass
    else:
        return "date" if len(value) == 10 else "string"
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return "string"
    return "datetime" if found.tzinfo is not None else "string"


def wider(a: str, b: str) -> str:
    """The narrowest type that holds both."""
    if a == b:
        return a
    return _WIDER.get((a, b)) or _WIDER.get((b, a)) or ("json" if "json" in (a, b) else "string")


def infer(rows: Iterable[Mapping[str, Any]], known: Sequence[Property] = ()) -> tuple[Property, ...]:
    """The properties of these rows beside those that are `known`, in the order in which they come."""
    fixed = {p.name for p in known}
    types: dict[str, str | None] = {}
    for row in rows:
        for name, value in row.items():
            if name in fixed:
                continue
            found, before = type_of(value), types.get(name)
            types[name] = found if before is None else before if found is None else wider(before, found)
    return (*known, *(Property(name, type_ or "string") for name, type_ in types.items()))


def fits(value: Any, property_: Property) -> bool:
    """Whether a JSON value has the declared type; null always has."""
    found = type_of(value)
    if found is None or property_.type == "json":
        return True
    if property_.type == "string":
        return isinstance(value, str)
    return wider(found, property_.type) == property_.type and not (property_.type == "datetime" and found == "date")


def faults_of(properties: Mapping[str, Any], declared: Sequence[Property], strict: bool) -> list[Fault]:
    """What is wrong with a feature's properties: wrong types, missing required ones and, where `strict`, unknown ones."""
    faults = []
    known = {p.name: p for p in declared}
    for name, value in properties.items():
        if name in known and not fits(value, known[name]):
            faults.append(Fault(f"properties.{name}", "field.type", {"expected": known[name].type}))
        elif name not in known and strict:
            faults.append(Fault(f"properties.{name}", "spatial.no_property", {"name": name}))
    for property_ in declared:
        if property_.required and properties.get(property_.name) is None:
            faults.append(Fault(f"properties.{property_.name}", "field.missing", {}))
    return faults


def encode_schema(properties: Sequence[Property]) -> str:
    """A schema as JSON text."""
    return json.dumps([[p.name, p.type, p.title, p.required] for p in properties], ensure_ascii=False)


def decode_schema(text: str) -> tuple[Property, ...]:
    """A schema from its JSON text."""
    return tuple(Property(*entry) for entry in json.loads(text))


def renewed(base: str) -> str:
    """The same rows under another name, so that the cache lays their columns out anew."""
    name, _, turn = base.partition("#")
    return f"{name}#{int(turn or 0) + 1}"


def widened(properties: Mapping[str, Any], known: Sequence[Property]) -> tuple[Property, ...]:
    """The schema with these properties, each type as wide as its value asks."""
    grown = []
    for property_ in known:
        found = type_of(properties.get(property_.name))
        grown.append(property_ if found is None else replace(property_, type=wider(property_.type, found)))
    return infer([properties], grown)
