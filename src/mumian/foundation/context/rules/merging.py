"""Merging: what becomes of an entity when attributes are appended, updated, replaced, merged or deleted (5.5.8, 5.5.12, 5.6)."""

from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.context.rules.core import NULL, RESERVED, VALUE_KEYS
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset


@dataclass
class Outcome:
    """An entity after a change, the addresses of what was changed, and of what was not, with the reason's key."""

    entity: Entity
    updated: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)


def append(entity: Entity, attributes: Attributes, now: str, overwrite: bool = True) -> Outcome:
    """Add attributes; what is there in the same dataset is replaced, or with `overwrite` off left as it is."""
    outcome = Outcome(entity)
    result = dict(entity.attributes)
    for name, given in attributes.items():
        held = result.get(name, [])
        known = {dataset(instance) for instance in held}
        taken = given if overwrite else [instance for instance in given if dataset(instance) not in known]
        if not taken:
            outcome.left[name] = "context.exists"
            continue
        result[name] = _put(held, taken)
        outcome.updated.append(name)
    return _finish(outcome, result, now)


def update(entity: Entity, attributes: Attributes, now: str) -> Outcome:
    """Replace the instances of attributes that are there; `urn:ngsi-ld:null` deletes; unknown ones are left out."""
    outcome = Outcome(entity)
    result = dict(entity.attributes)
    for name, given in attributes.items():
        if name not in result:
            outcome.left[name] = "context.no_attribute"
            continue
        gone = [dataset(instance) for instance in given if is_null(instance)]
        held = [instance for instance in result[name] if dataset(instance) not in gone]
        held = _put(held, [instance for instance in given if not is_null(instance)])
        _settle(outcome, result, name, held, deleted=bool(gone))
    return _finish(outcome, result, now)


def merge(entity: Entity, attributes: Attributes, now: str) -> Outcome:
    """Merge-patch (RFC 7396) into an entity: members given replace members held, null deletes them, the rest stays."""
    outcome = Outcome(entity)
    result = dict(entity.attributes)
    for name, given in attributes.items():
        held, gone = list(result.get(name, [])), False
        for instance in given:
            place = _place(held, dataset(instance))
            if is_null(instance):
                gone = True
                held = [other for other in held if dataset(other) != dataset(instance)]
            elif place is None:
                held.append(without_nulls(instance))
            else:
                held[place] = merged(held[place], instance)
        _settle(outcome, result, name, held, deleted=gone)
    return _finish(outcome, result, now)


def _settle(outcome: Outcome, result: Attributes, name: str, held: list[Instance], deleted: bool) -> None:
    if held:
        result[name] = held
        outcome.updated.append(name)
    else:
        known = result.pop(name, None) is not None
        if deleted and known:
            outcome.deleted.append(name)


def _finish(outcome: Outcome, result: Attributes, now: str) -> Outcome:
    if outcome.updated or outcome.deleted:
        outcome.entity = outcome.entity.changed(now, attributes=result)
    return outcome


def is_null(instance: Instance) -> bool:
    """Whether an instance's value is the null that deletes."""
    value = instance.get(VALUE_KEYS[instance["type"]])
    return value == NULL or (instance["type"] == "LanguageProperty" and isinstance(value, dict) and value.get("@none") == NULL)


def merged(held: Instance, patch: Instance) -> Instance:
    """One instance merged into another of the same dataset; one of another kind takes its place."""
    if held["type"] != patch["type"]:
        return {**without_nulls(patch), "createdAt": held["createdAt"]}
    result = dict(held)
    key = VALUE_KEYS[held["type"]]
    for name, value in patch.items():
        if name == "createdAt":
            continue
        if value == NULL:
            result.pop(name, None)
        elif name == key:
            result[name] = merged_value(held.get(key), value)
        elif name in RESERVED:
            result[name] = value
        else:
            inner = _merged_inner(held.get(name, []), value)
            result.pop(name, None)
            if inner:
                result[name] = inner
    return result


def _merged_inner(held: list[Instance], patch: list[Instance]) -> list[Instance]:
    result = list(held)
    for instance in patch:
        place = _place(result, dataset(instance))
        if is_null(instance):
            result = [other for other in result if dataset(other) != dataset(instance)]
        elif place is None:
            result.append(without_nulls(instance))
        else:
            result[place] = merged(result[place], instance)
    return result


def merged_value(held: Any, patch: Any) -> Any:
    """RFC 7396 on JSON values, with `urn:ngsi-ld:null` in the place of null."""
    if not isinstance(patch, dict) or "coordinates" in patch:
        return patch
    result = dict(held) if isinstance(held, dict) else {}
    for name, value in patch.items():
        if value == NULL or value is None:
            result.pop(name, None)
        else:
            result[name] = merged_value(result.get(name), value)
    return result


def without_nulls(instance: Instance) -> Instance:
    """An instance that is new, where there is nothing to delete."""
    key = VALUE_KEYS[instance["type"]]
    result = {name: value for name, value in instance.items() if value != NULL}
    if isinstance(result.get(key), dict):
        result[key] = merged_value({}, result[key])
    for name in [name for name in result if name not in RESERVED]:
        result[name] = [without_nulls(inner) for inner in result[name] if not is_null(inner)]
    return result


def partial(held: Instance, patch: Instance) -> Instance:
    """Partial attribute update (5.6.4): each member given replaces the one held; null deletes sub-attributes."""
    result = {**held}
    for name, value in patch.items():
        if name == "createdAt":
            continue
        gone = value == NULL or (name not in RESERVED and all(is_null(inner) for inner in value))
        if gone:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def replaced(held: Attributes, given: Attributes) -> Attributes:
    """New attributes that remember when those of the same name and dataset were created."""
    return {name: _put([], _remembering(held.get(name, []), instances)) for name, instances in given.items()}


def without(instances: list[Instance], dataset_id: str | None, everything: bool) -> list[Instance]:
    """The instances that stay when one dataset's, or all, are deleted."""
    return [] if everything else [instance for instance in instances if dataset(instance) != dataset_id]


def _put(held: list[Instance], given: list[Instance]) -> list[Instance]:
    result = list(held)
    for instance in _remembering(held, given):
        place = _place(result, dataset(instance))
        if place is None:
            result.append(instance)
        else:
            result[place] = instance
    return result


def _remembering(held: list[Instance], given: list[Instance]) -> list[Instance]:
    created = {dataset(instance): instance["createdAt"] for instance in held}
    return [
        {**instance, "createdAt": created[dataset(instance)]} if dataset(instance) in created else instance for instance in given
    ]


def _place(instances: list[Instance], dataset_id: str | None) -> int | None:
    return next((place for place, instance in enumerate(instances) if dataset(instance) == dataset_id), None)
