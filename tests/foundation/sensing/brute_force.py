"""The meaning of query expressions once more, in plain Python over entities in memory: what the compiler is held against."""

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mumian.foundation.sensing.sta.syntax import Binary, Call, Expression, In, Literal, Not, Path, Quantifier

LOOSE = object()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPARE = {"eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
DAY = 86_400_000_000


@dataclass(eq=False)
class Thing:
    """An entity: its properties by path, and what its links lead to."""

    id: int
    properties: dict[str, Any]
    links: "dict[str, list[Thing]]" = field(default_factory=dict)


@dataclass(frozen=True)
class Time:
    """A time: start and end in µs."""

    start: int
    end: int


@dataclass(frozen=True)
class Json:
    """A value that shows its kind only when it is looked at."""

    value: Any
    result: bool = False

    def as_number(self) -> Any:
        return self.value if isinstance(self.value, int | float) and not isinstance(self.value, bool) else None

    def as_text(self) -> Any:
        return self.value if isinstance(self.value, str) else None


def holds(node: Expression, entity: Thing) -> bool:
    """Whether some choice of the entities that links lead to makes the condition true."""
    prefixes = sorted({path.parts[:n] for path in _paths(node) for n in range(1, len(path.parts))}, key=len)
    return any(truth(node, entity, chosen) is True for chosen in _choices(entity, [p for p in prefixes if _links(entity, p)], {}))


def _paths(node: Expression) -> Iterator[Path]:
    if isinstance(node, Path):
        yield node
    elif isinstance(node, Binary):
        yield from _paths(node.left)
        yield from _paths(node.right)
    elif isinstance(node, Not | In):
        yield from _paths(node.operand)
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from _paths(argument)


LINKS = {
    *("Locations", "HistoricalLocations", "Datastreams", "Thing", "Things", "Sensor", "ObservedProperty"),
    *("Observations", "Datastream", "FeatureOfInterest"),
}


def _links(_: Thing, prefix: tuple[Any, ...]) -> bool:
    return all(part in LINKS for part in prefix)


def _choices(entity: Thing, prefixes: list[Any], chosen: dict[Any, Thing | None]) -> Iterator[dict[Any, Thing | None]]:
    if not prefixes:
        yield chosen
        return
    first, rest = prefixes[0], prefixes[1:]
    owner = entity if len(first) == 1 else chosen.get(first[:-1])
    for target in (owner.links.get(first[-1], []) if owner else []) or [None]:
        yield from _choices(entity, rest, {**chosen, first: target})


def truth(node: Expression, entity: Thing, chosen: dict[Any, Thing | None]) -> Any:
    """True, False or None."""
    found = value(node, entity, chosen)
    return found.value if isinstance(found, Json) and isinstance(found.value, bool) else found


def value(node: Expression, entity: Thing, chosen: dict[Any, Thing | None]) -> Any:
    """The value of an expression; None where it is missing."""
    if isinstance(node, Literal):
        return Time(*node.value) if node.kind == "period" else Time(node.value, node.value) if node.kind == "time" else node.value
    if isinstance(node, Path):
        return _property(node, entity, chosen)
    if isinstance(node, Not):
        inner = truth(node.operand, entity, chosen)
        return None if inner is None else not inner
    if isinstance(node, In):
        return _either([compare("eq", value(node.operand, entity, chosen), value(one, entity, chosen)) for one in node.choices])
    if isinstance(node, Quantifier):
        raise NotImplementedError
    if isinstance(node, Call):
        return _call(node, [value(argument, entity, chosen) for argument in node.arguments])
    assert isinstance(node, Binary)
    if node.operator in ("and", "or"):
        sides = [truth(node.left, entity, chosen), truth(node.right, entity, chosen)]
        return _either(sides) if node.operator == "or" else _both(sides)
    left, right = value(node.left, entity, chosen), value(node.right, entity, chosen)
    if node.operator in _COMPARE:
        return _null(node, left, right) if _is_null(node.left) or _is_null(node.right) else compare(node.operator, left, right)
    return _calculate(node.operator, left, right)


def _is_null(node: Expression) -> bool:
    return isinstance(node, Literal) and node.kind == "null"


def _null(node: Binary, left: Any, right: Any) -> bool:
    other = left if _is_null(node.right) else right
    missing = other is None or (isinstance(other, Json) and other.value is None)
    return missing if node.operator == "eq" else not missing if node.operator == "ne" else False


def _either(sides: list[Any]) -> Any:
    return True if any(side is True for side in sides) else None if any(side is None for side in sides) else False


def _both(sides: list[Any]) -> Any:
    return False if any(side is False for side in sides) else None if any(side is None for side in sides) else True


def _property(node: Path, entity: Thing, chosen: dict[Any, Thing | None]) -> Any:
    length = 0
    while length < len(node.parts) and node.parts[length] in LINKS:
        length += 1
    owner = entity if length == 0 else chosen[node.parts[:length]]
    if owner is None:
        return None
    name = "/".join(map(str, node.parts[length:]))
    return owner.id if name == "id" else owner.properties.get(name)


def compare(sign: str, left: Any, right: Any) -> Any:
    """Two values compared; None where either is missing or not of a kind with the other."""
    if isinstance(left, Json) and isinstance(right, Json):
        return _loose(sign, left.value, right.value)
    if isinstance(right, Json):
        return compare({"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}.get(sign, sign), right, left)
    if isinstance(left, Json):
        if left.result and isinstance(right, str) and left.as_number() is not None:
            try:
                return _COMPARE[sign](left.as_number(), float(right))
            except ValueError:
                return None
        left = left.as_text() if isinstance(right, str) else left.value if isinstance(right, bool) else left.as_number()
        if isinstance(right, bool) and not isinstance(left, bool):
            return None
    if left is None or right is None:
        return None
    if isinstance(left, Time) and isinstance(right, Time):
        return _times(sign, left, right)
    return _COMPARE[sign](left, right)


def _loose(sign: str, left: Any, right: Any) -> Any:
    kinds = [bool if isinstance(side, bool) else float if isinstance(side, int | float) else type(side) for side in (left, right)]
    if kinds[0] is not kinds[1] or kinds[0] not in (bool, float, str) or (kinds[0] is bool and sign not in ("eq", "ne")):
        return None
    return _COMPARE[sign](left, right)


def _times(sign: str, left: Time, right: Time) -> bool:
    if sign in ("lt", "gt"):
        first, second = (left, right) if sign == "lt" else (right, left)
        return first.start < second.start if first.start == first.end else first.end <= second.start
    if sign in ("le", "ge"):
        first, second = (left, right) if sign == "le" else (right, left)
        return first.start <= second.start and first.end <= second.end
    return (left == right) == (sign == "eq")


def _number(given: Any) -> Any:
    return given.as_number() if isinstance(given, Json) else given


def _text(given: Any) -> Any:
    return given.as_text() if isinstance(given, Json) else given


def _calculate(sign: str, left: Any, right: Any) -> Any:
    left, right = _number(left), _number(right)
    if left is None or right is None:
        return None
    left, right = float(left), float(right)
    if sign in ("div", "mod") and right == 0:
        return None
    if sign == "mod":
        return math.fmod(left, right)
    return {"add": left + right, "sub": left - right, "mul": left * right, "div": left / right if right else None}[sign]


def _instant(time: Time) -> datetime:
    return _EPOCH + timedelta(microseconds=time.start)


_OF_TIME = {
    "year": lambda t: _instant(t).year,
    "month": lambda t: _instant(t).month,
    "day": lambda t: _instant(t).day,
    "hour": lambda t: _instant(t).hour,
    "minute": lambda t: _instant(t).minute,
    "second": lambda t: _instant(t).second,
    "fractionalseconds": lambda t: _instant(t).microsecond / 1e6,
    "totaloffsetminutes": lambda t: 0,
}
_OF_TEXT = {
    "length": len,
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": lambda text: text.strip(" "),
    "startswith": str.startswith,
    "endswith": str.endswith,
    "substringof": lambda part, text: part in text,
    "indexof": str.find,
    "concat": operator.add,
    "substring": lambda text, start, length=None: text[max(start, 0) :][: None if length is None else max(length, 0)],
}
_OF_NUMBER = {
    "round": lambda x: math.copysign(math.floor(abs(x) + 0.5), x),
    "floor": lambda x: float(math.floor(x)),
    "ceiling": lambda x: float(math.ceil(x)),
}
_OF_TIMES = {
    "before": lambda a, b: _times("lt", a, b),
    "after": lambda a, b: _times("gt", a, b),
    "meets": lambda a, b: a.end == b.start or b.end == a.start,
    "during": lambda a, b: b.start <= a.start < b.end and a.end <= b.end,
    "overlaps": lambda a, b: a.start < _past(b) and b.start < _past(a),
    "starts": lambda a, b: a.start == b.start,
    "finishes": lambda a, b: a.end == b.end,
}


def _past(time: Time) -> int:
    return time.end + (time.start == time.end)


def _call(node: Call, arguments: list[Any]) -> Any:
    if node.name in _OF_TEXT:
        given: list[Any] = [_text(one) for one in arguments]
        functions: Any = _OF_TEXT
    elif node.name in _OF_NUMBER:
        given, functions = [_number(one) for one in arguments], _OF_NUMBER
    else:
        given, functions = arguments, {**_OF_TIME, **_OF_TIMES}
    return None if any(one is None for one in given) else functions[node.name](*given)
