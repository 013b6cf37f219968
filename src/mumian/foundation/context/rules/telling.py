"""Telling: what a notification says of a change beside the entity itself: what went, and what was there before (5.8.6)."""

from collections.abc import Mapping
from typing import Any

from mumian.foundation.context.rules.core import NULL, VALUE_KEYS
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset
from mumian.foundation.context.rules.history import Delta


def told(
    entity: Entity,
    old: Entity | None,
    delta: Delta,
    watched: frozenset[str] | None,
    deletions: bool,
    notification: Mapping[str, Any],
) -> Entity:
    """The entity to be shown: with `showChanges` members that say what was before, and with nulls for what was deleted."""
    changes, system = bool(notification.get("showChanges")), bool(notification.get("sysAttrs"))
    whole = delta.kind == "delete"
    attributes: Attributes = {} if whole else dict(entity.attributes)
    before = old.attributes if old is not None else {}
    if changes and not whole:
        for name, fresh in delta.attributes.items():
            attributes[name] = [
                {**i, **_previous(before.get(name, []), i)} if i in fresh else i for i in attributes.get(name, fresh)
            ]
    if deletions and (changes or not whole):
        for name, of in delta.gone:
            gone = next((i for i in before.get(name, []) if dataset(i) == of), None)
            if gone is not None and (watched is None or name in watched):
                attributes[name] = [*attributes.get(name, []), _deleted(gone, delta.time, changes, system)]
    return Entity(entity.id, entity.types, attributes, entity.created, entity.modified, entity.scope)


def _previous(before: list[Instance], instance: Instance) -> Instance:
    held = next((i for i in before if dataset(i) == dataset(instance) and i["type"] == instance["type"]), None)
    if held is None:
        return {}
    key = VALUE_KEYS[held["type"]]
    return {f"previous{key[0].upper()}{key[1:]}": held.get(key)}


def _deleted(gone: Instance, time: str, changes: bool, system: bool) -> Instance:
    key = VALUE_KEYS[gone["type"]]
    made: Instance = {"type": gone["type"], key: {"@none": NULL} if gone["type"] == "LanguageProperty" else NULL}
    if "datasetId" in gone:
        made["datasetId"] = gone["datasetId"]
    if system:
        made["deletedAt"] = time
    if changes:
        made |= _previous([gone], made)
    return made
