"""The query language `q` (ETSI GS CIM 009, 4.9): text becomes a tree of conditions on paths into an entity's attributes.

`;` is and, `|` is or and binds less; conditions are `path`, or `path operator value`. A value is a number, true, false, an
instant, a URI, a text in quotes, a list `a,b` or a range `a..b`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import texts
from mumian.foundation.context.rules.core import RESERVED
from mumian.foundation.context.rules.patterns import Pattern, compiled

LONGEST = 8000
_DEEPEST = 40
_OPERATOR = re.compile(r"==|!=|>=|<=|!~=|~=|>|<|!~")
_NAME = re.compile(r"[^\s<>\"'=;()!~\[\]|,]+")
_TRAILING = re.compile(r"\[([^\]]{1,400})\]")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE = re.compile(r"[^\s<>\"'=;()|,]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_ENTITY = ("id", "type", "scope", "createdAt", "modifiedAt")


@dataclass(frozen=True)
class Moment:
    """An instant in a query, in µs since 1970-01-01 UTC, with the text it came from."""

    at: int
    text: str


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`, both included."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Path:
    """Where to look: an attribute's address, members or sub-attributes below it, keys inside its value."""

    attribute: str
    members: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A path that must be there (`operator` empty), or whose value must compare as said with one of `values`."""

    path: Path
    operator: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class All:
    """Every part must hold."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class OneOf:
    """One part must hold."""

    parts: tuple["Node", ...]


Node = Condition | All | OneOf


def parse(text: str, expand: Callable[[str], str]) -> Node:
    """The tree of a query; names are expanded by `expand`. Raises BadRequestData that names the place."""
    if len(text) > LONGEST:
        raise BadRequestData.field("q", "field.length", expected=f"≤ {LONGEST}")
    parser = _Parser(text, expand)
    node = parser.disjunction(0)
    if parser.at < len(text):
        raise parser.wrong()
    return node


def attributes_of(node: Node) -> set[str]:
    """The addresses of all attributes that a query looks at."""
    if isinstance(node, Condition):
        return {node.path.attribute}
    return set().union(*(attributes_of(part) for part in node.parts))


class _Parser:
    def __init__(self, text: str, expand: Callable[[str], str]) -> None:
        self.text = text
        self.at = 0
        self._expand = expand

    def wrong(self) -> BadRequestData:
        return BadRequestData.field("q", "context.query", at=self.at + 1, found=self.text[self.at : self.at + 30] or "…")

    def _take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def disjunction(self, depth: int) -> Node:
        parts = [self._conjunction(depth)]
        while self._take("|"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else OneOf(tuple(parts))

    def _conjunction(self, depth: int) -> Node:
        parts = [self._term(depth)]
        while self._take(";"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _term(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.wrong()
        if self._take("("):
            node = self.disjunction(depth + 1)
            if not self._take(")"):
                raise self.wrong()
            return node
        path = self._path()
        operator = self._match(_OPERATOR)
        if operator is None:
            return Condition(path)
        return self._compared(path, operator)

    def _compared(self, path: Path, operator: str) -> Condition:
        if operator in ("~=", "!~=", "!~"):
            pattern = self._pattern()
            return Condition(path, "~=" if operator == "~=" else "!~=", (pattern,))
        values = [self._value()]
        if self._take(".."):
            values = [Range(values[0], self._value())]
        while operator in ("==", "!=") and self._take(","):
            values.append(self._value())
        if isinstance(values[0], Range) and operator not in ("==", "!="):
            raise self.wrong()
        return Condition(path, operator, tuple(values))

    def _path(self) -> Path:
        found = self._match(_NAME)
        if found is None or found.startswith(".") or found.endswith(".") or ".." in found:
            raise self.wrong()
        inside: list[str] = []
        while (trailing := self._match(_TRAILING)) is not None:
            inside += trailing[1:-1].split(".")
        if any(not part for part in inside):
            raise self.wrong()
        if "://" in found:
            return Path(found, (), tuple(inside))
        first, *rest = found.split(".")
        attribute = first if first in _ENTITY else self._expand(first)
        return Path(attribute, tuple(name if name in RESERVED else self._expand(name) for name in rest), tuple(inside))

    def _value(self) -> Any:
        quoted = self._match(_QUOTED)
        if quoted is not None:
            return self._unquoted(quoted)
        bare = self._match(_BARE)
        if bare is None:
            raise self.wrong()
        low, dots, _ = bare.partition("..")
        if dots:
            self.at -= len(bare) - len(low)
            bare = low
        return self._bare(bare)

    def _bare(self, bare: str) -> Any:
        if bare in ("true", "false"):
            return bare == "true"
        if _NUMBER.fullmatch(bare):
            return float(bare) if any(mark in bare for mark in ".eE") else int(bare[:300])
        at = texts.microseconds(bare)
        if at is not None:
            return Moment(at, bare)
        if texts.is_uri(bare) or re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d(\.\d+)?Z?", bare):
            return bare
        self.at -= len(bare)
        raise self.wrong()

    def _unquoted(self, quoted: str) -> str:
        try:
            return str(msgspec.json.decode(quoted))
        except msgspec.DecodeError:
            return quoted[1:-1]

    def _pattern(self) -> Pattern:
        found = self._match(_QUOTED)
        if found is not None:
            return compiled(self._unquoted(found).removeprefix("/").removesuffix("/") or ".*", "q")
        bare = re.compile(r"/?[^;|\s]+").match(self.text, self.at)
        if bare is None:
            raise self.wrong()
        text = bare[0]
        while text.count(")") > text.count("(") and text.endswith(")"):
            text = text[:-1]
        self.at += len(text)
        return compiled(text.removeprefix("/").removesuffix("/"), "q")
