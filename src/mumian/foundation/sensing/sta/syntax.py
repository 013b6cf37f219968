"""Syntax of query expressions: what `$filter` and `$orderby` say, as a tree of values, paths, operators and functions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union


@dataclass(frozen=True)
class Literal:
    """A value: `kind` is number, text, bool, null, time, period, date, clock, duration or geometry.

    Times are µs since 1970 UTC, periods pairs of them, dates days since 1970, clocks and durations µs, geometries WKT.
    """

    kind: str
    value: Any
    at: int


@dataclass(frozen=True)
class Path:
    """A property, reached over navigation links or inside of JSON: names, and numbers for places in JSON lists."""

    parts: tuple[str | int, ...]
    at: int

    @property
    def text(self) -> str:
        """The path as it is written."""
        joined = "/".join(f"[{part}]" if isinstance(part, int) else part for part in self.parts)
        return joined.replace("/[", "[")


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple["Expression", ...]
    at: int


@dataclass(frozen=True)
class Binary:
    """Two expressions joined by `or and eq ne gt ge lt le add sub mul div mod`."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: int


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    operand: "Expression"
    at: int


@dataclass(frozen=True)
class In:
    """Whether an expression equals one of several values."""

    operand: "Expression"
    choices: tuple[Literal, ...]
    at: int


@dataclass(frozen=True)
class Quantifier:
    """Whether a condition holds for any (`every`: for all) of the entities that a path leads to, each called `variable`."""

    path: Path
    variable: str
    body: "Expression"
    every: bool
    at: int


@dataclass(frozen=True, eq=False)
class Member:
    """Whether the entity that navigation links lead to (none: the entity itself) is one of those with these ids.

    It stands for a condition that another engine has answered; `column` names the property that holds the id.
    """

    links: tuple[str | int, ...]
    ids: Sequence[int]
    at: int
    column: str = "id"


Expression = Union[Literal, Path, Call, Binary, Not, In, Quantifier, Member]  # noqa: UP007  # names that are quoted above


def children(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside of one."""
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Not | In):
        return (node.operand,)
    if isinstance(node, Quantifier):
        return (node.path, node.body)
    return ()


def walk(node: Expression) -> Iterator[Expression]:
    """An expression and all that is inside of it."""
    yield node
    for child in children(node):
        yield from walk(child)
