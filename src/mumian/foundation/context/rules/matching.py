"""Matching: whether an entity fulfils a query (ETSI GS CIM 009, 4.9): one value that fits is enough."""

import operator
from collections.abc import Callable, Iterator
from typing import Any

from mumian.foundation.context.rules import texts
from mumian.foundation.context.rules.core import RESERVED, VALUE_KEYS
from mumian.foundation.context.rules.entity import Entity, Instance
from mumian.foundation.context.rules.query import All, Condition, Moment, Node, Path, Range

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_TIMES = frozenset({"observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})


def matches(node: Node, entity: Entity, expand: Callable[[str], str]) -> bool:
    """Whether the entity fulfils the query; `expand` gives the addresses of words compared with vocabulary values."""
    if isinstance(node, Condition):
        return _holds(node, list(targets(node.path, entity)), expand)
    results = (matches(part, entity, expand) for part in node.parts)
    return all(results) if isinstance(node, All) else any(results)


class Word(str):
    """The value of a VocabProperty: an address."""

    __slots__ = ()


def targets(path: Path, entity: Entity) -> Iterator[Any]:
    """All values at a path; arrays count as their elements, too."""
    found = _members(path, entity)
    for value in found:
        reached = [value]
        for key in path.inside:
            reached = [inner for outer in reached for inner in _inside(outer, key)]
        yield from reached


def _members(path: Path, entity: Entity) -> list[Any]:
    plain = {"id": entity.id, "type": list(entity.types), "scope": list(entity.scope) or None}
    plain |= {"createdAt": entity.created, "modifiedAt": entity.modified}
    if path.attribute in plain:
        value = plain[path.attribute]
        return [] if value is None or path.members else [value]
    instances = entity.attributes.get(path.attribute, [])
    for place, name in enumerate(path.members):
        if name in RESERVED:
            values = [instance[name] for instance in instances if name in instance]
            return [_typed(name, value) for value in values] if place == len(path.members) - 1 else []
        instances = [inner for instance in instances for inner in instance.get(name, ())]
    return [_value(instance) for instance in instances]


def _value(instance: Instance) -> Any:
    kind = instance["type"]
    value = instance.get(VALUE_KEYS[kind])
    if kind == "VocabProperty":
        return [Word(word) for word in value] if isinstance(value, list) else Word(value)
    return value


def _typed(name: str, value: Any) -> Any:
    at = texts.microseconds(value) if name in _TIMES else None
    return value if at is None else Moment(at, value)


def _inside(value: Any, key: str) -> list[Any]:
    if isinstance(value, dict):
        if key in value:
            return [value[key]]
        return list(value.values()) if key == "*" else []
    if isinstance(value, list):
        if key.isdecimal() and len(key) < 7:
            return value[int(key) : int(key) + 1]
        return [inner for item in value for inner in _inside(item, key)]
    return []


def _holds(condition: Condition, found: list[Any], expand: Callable[[str], str]) -> bool:
    if not condition.operator:
        return bool(found)
    return any(_fits(condition, value, expand) for value in found)


def _fits(condition: Condition, value: Any, expand: Callable[[str], str]) -> bool:
    elements = value if isinstance(value, list) else [value]
    if condition.operator == "==":
        return any(_equal(element, wanted, expand) for element in elements for wanted in condition.values)
    if condition.operator == "!=":
        return not any(_equal(element, wanted, expand) for element in elements for wanted in condition.values)
    if condition.operator in ("~=", "!~="):
        pattern = condition.values[0]
        hit = any(isinstance(element, str) and pattern.search(element) is not None for element in elements)
        return hit == (condition.operator == "~=")
    compare = _ORDERED[condition.operator]
    return any(_compared(compare, element, wanted) for element in elements for wanted in condition.values)


def _equal(value: Any, wanted: Any, expand: Callable[[str], str]) -> bool:
    if isinstance(wanted, Range):
        return _compared(operator.ge, value, wanted.low) and _compared(operator.le, value, wanted.high)
    if isinstance(value, Word):
        text = wanted.text if isinstance(wanted, Moment) else wanted
        return isinstance(text, str) and (value == text or value == expand(text))
    one, two = _pair(value, wanted)
    return one is not None and bool(one == two)


def _compared(compare: Callable[[Any, Any], bool], value: Any, wanted: Any) -> bool:
    one, two = _pair(value, wanted)
    return one is not None and not isinstance(one, bool) and compare(one, two)


def _pair(value: Any, wanted: Any) -> tuple[Any, Any]:
    """Both as values of one type that can be compared, or None twice."""
    if isinstance(value, dict) and "@value" in value:
        value = value["@value"]
    if isinstance(wanted, Moment) or isinstance(value, Moment):
        one = value.at if isinstance(value, Moment) else texts.microseconds(value)
        two = wanted.at if isinstance(wanted, Moment) else texts.microseconds(wanted)
        return (None, None) if one is None or two is None else (one, two)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return (value, wanted) if isinstance(value, bool) and isinstance(wanted, bool) else (None, None)
    for kind in (int | float, str):
        if isinstance(value, kind) and isinstance(wanted, kind):
            return value, wanted
    return None, None
