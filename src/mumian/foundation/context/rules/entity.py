"""Entities as they are kept: types and attributes by their addresses, each attribute as a list of instances.

An instance is a dictionary of reserved members (`type`, its value, `observedAt`, …) and of sub-attributes, whose names are
addresses and therefore never reserved words. Nothing in an entity is changed once it is made.
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mumian.foundation.context.rules.core import RESERVED, VALUE_KEYS

Instance = dict[str, Any]
Attributes = dict[str, list[Instance]]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """An entity: `types` and the keys of `attributes` are IRIs, times are ISO 8601 texts in UTC."""

    id: str
    types: tuple[str, ...]
    attributes: Attributes
    created: str
    modified: str
    scope: tuple[str, ...] = ()
    past: bool = False
    """It was made by telling its past alone, and goes when that is forgotten."""

    def changed(self, now: str, **changes: Any) -> "Entity":
        """The same entity with some members changed at `now`."""
        return replace(self, modified=now, past=False, **changes)


def encode(entity: Entity) -> bytes:
    """The entity's one stored form, without its id."""
    form: dict[str, Any] = {"t": entity.types, "c": entity.created, "m": entity.modified, "a": entity.attributes}
    if entity.scope:
        form["s"] = entity.scope
    if entity.past:
        form["p"] = True
    return _encode(form)


def decode(id_: str, body: str | bytes) -> Entity:
    """An entity from its stored form."""
    form = msgspec.json.decode(body)
    return Entity(id_, tuple(form["t"]), form["a"], form["c"], form["m"], tuple(form.get("s", ())), form.get("p", False))


def value_of(instance: Instance) -> Any:
    """An instance's own value, whatever the kind of its attribute."""
    return instance.get(VALUE_KEYS[instance["type"]])


def inner(instance: Instance) -> list[str]:
    """The addresses of an instance's sub-attributes."""
    return [key for key in instance if key not in RESERVED]


def dataset(instance: Instance) -> str | None:
    """The dataset that an instance belongs to; None is the default one."""
    found: str | None = instance.get("datasetId")
    return found
