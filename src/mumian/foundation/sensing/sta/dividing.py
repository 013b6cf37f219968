"""Dividing a condition between the engines: what is said of entities kept elsewhere is answered there and comes back as ids.

Paths that lead to several entities mean one and the same of them within a group of conditions joined by `and` or `or`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mumian.foundation.sensing.sta import spatial
from mumian.foundation.sensing.sta.faults import query_fault
from mumian.foundation.sensing.sta.functions import SPATIAL
from mumian.foundation.sensing.sta.model import EntitySet, Model, Property
from mumian.foundation.sensing.sta.syntax import (
    Binary,
    Call,
    Expression,
    In,
    Literal,
    Member,
    Not,
    Path,
    Quantifier,
    children,
    walk,
)

Parts = tuple[str | int, ...]
_ANY_POINT = '{"type": "Point", "coordinates": [0, 0]}'
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")


class Elsewhere(Protocol):
    """Who answers what is said of entities that another engine keeps."""

    async def ids(self, entities: str, condition: Expression, option: str) -> Sequence[int]:
        """The ids of the entities of a set in the records that fulfil a condition."""
        ...

    async def observed(self, owners: str, condition: Expression, option: str) -> Sequence[int]:
        """The ids of the entities of a set that have an observation which fulfils a condition."""
        ...

    async def streams_at(self, features: Sequence[int]) -> Sequence[int]:
        """The ids of the streams whose own feature of interest is one of these."""
        ...

    async def placed(self, entities: str, known: Property, condition: Expression, option: str) -> Sequence[int]:
        """The ids of the entities of a set whose geometry fulfils a spatial condition."""
        ...


@dataclass
class Divider:
    """Divides the conditions of one query; `root` is the set that it asks for."""

    model: Model
    root: EntitySet
    elsewhere: Elsewhere
    option: str
    variables: dict[str, EntitySet] = field(default_factory=dict)

    async def divide(self, node: Expression) -> Expression:
        """The condition with all that belongs elsewhere answered."""
        owner = self._owner(node)
        if owner is not None:
            return await self._ask(node, owner)
        if isinstance(node, Binary) and node.operator == "and":
            return await self._all(node)
        if self._spatial(node):
            return await self._place(node)
        if isinstance(node, Binary) and node.operator == "or":
            return replace(node, left=await self.divide(node.left), right=await self.divide(node.right))
        if isinstance(node, Not):
            return replace(node, operand=await self.divide(node.operand))
        return await self._quantified(node) if isinstance(node, Quantifier) else node

    async def _all(self, node: Binary) -> Expression:
        groups: dict[Parts | None, list[Expression]] = defaultdict(list)
        for part in _conjuncts(node):
            groups[None if isinstance(part, Quantifier) else self._owner(part)].append(part)
        found = [await self.divide(part) for part in groups.pop(None, [])]
        for owner, parts in groups.items():
            if owner is not None:
                found.append(await self._ask(_joined(parts), owner))
        return _joined(found)

    async def _quantified(self, node: Quantifier) -> Expression:
        target = self._walk(node.path.parts)
        if target is None:
            return node  # the compiler says what is wrong with the path
        inner = Divider(self.model, self.root, self.elsewhere, self.option, {**self.variables, node.variable: target})
        return replace(node, body=await inner.divide(node.body))

    def _start(self, parts: Parts) -> tuple[EntitySet, int]:
        first = str(parts[0]) if parts else ""
        if first == "$it":
            return self.root, 1
        return (self.variables[first], 1) if first in self.variables else (self.root, 0)

    def _walk(self, parts: Parts) -> EntitySet | None:
        here, start = self._start(parts)
        for part in parts[start:]:
            link = here.links.get(str(part))
            if link is None:
                return None
            here = self.model[link.target]
        return here

    def _crossing(self, parts: Parts) -> Parts | None:
        """The beginning of a path up to the link that leaves this engine."""
        here, start = self._start(parts)
        for place, part in enumerate(parts[start:], start):
            link = here.links.get(str(part))
            if link is None:
                return None
            if link.crossing:
                return parts[: place + 1]
            here = self.model[link.target]
        return None

    def _owner(self, node: Expression) -> Parts | None:
        """Where all paths of an expression leave this engine, if they do so in one and the same way."""
        if isinstance(node, Quantifier) and (found := self._crossing(node.path.parts)) == node.path.parts:
            return found if self._owners(node.body, frozenset({node.variable})) == set() else None
        owners = self._owners(node, frozenset())
        return owners.pop() if len(owners) == 1 else None

    def _owners(self, node: Expression, inner: frozenset[str]) -> set[Parts | None]:
        if isinstance(node, Path):
            return set() if node.parts[0] in inner else {self._crossing(node.parts)}
        if isinstance(node, Quantifier):
            owner = None if node.path.parts[0] in inner else self._crossing(node.path.parts)
            alone = {None, owner} if owner == node.path.parts else {owner}  # each `any` may mean another entity
            found = set() if node.path.parts[0] in inner else alone
            return found | self._owners(node.body, inner | {node.variable})
        every: set[Parts | None] = set()
        for child in children(node):
            every |= self._owners(child, inner)
        return every

    async def _ask(self, node: Expression, owner: Parts) -> Expression:
        here = self._walk(owner[:-1])
        target = self._walk(owner)
        if here is None or target is None:
            raise query_fault(self.option, "navigation", node.at, name="/".join(map(str, owner)))
        condition = _without(node, owner)
        links = owner[:-1]
        if target.name == "Observations":
            found = Member(links, await self.elsewhere.observed(here.name, condition, self.option), node.at)
            return Not(found, node.at) if isinstance(node, Quantifier) and node.every else found
        ids = await self.elsewhere.ids(target.name, condition, self.option)
        if target.name != "FeaturesOfInterest":
            return Member(links, ids, node.at, "#stream")
        own = Binary("eq", Path((*links, "#feature"), node.at), Literal("null", None, node.at), node.at)
        streams = Member(links, await self.elsewhere.streams_at(ids), node.at, "#stream")
        return Binary("or", Member(links, ids, node.at, "#feature"), Binary("and", own, streams, node.at), node.at)

    def _spatial(self, node: Expression) -> bool:
        if isinstance(node, Binary) and node.operator in _COMPARISONS:
            sides = (node.left, node.right)
            return any(isinstance(side, Call) and side.name in ("geo.distance", "geo.length") for side in sides)
        return isinstance(node, Call) and node.name in SPATIAL and node.name not in ("geo.distance", "geo.length")

    async def _place(self, node: Expression) -> Expression:
        paths = {part.parts: part for part in walk(node) if isinstance(part, Path)}
        if not paths:
            return Literal("bool", bool(spatial.chosen(node, [_ANY_POINT], self.option)[0]), node.at)
        if len(paths) != 1:
            raise query_fault(self.option, "spatial", node.at, name="location")
        path = next(iter(paths.values()))
        here = self._walk(path.parts[:-1])
        known = here.properties.get(str(path.parts[-1])) if here is not None else None
        if here is None or known is None or known.kind != "geometry":
            raise query_fault(self.option, "spatial", path.at, name=path.text[:100])
        return Member(path.parts[:-1], await self.elsewhere.placed(here.name, known, node, self.option), node.at)


def _conjuncts(node: Expression) -> list[Expression]:
    if isinstance(node, Binary) and node.operator == "and":
        return [*_conjuncts(node.left), *_conjuncts(node.right)]
    return [node]


def _joined(parts: list[Expression]) -> Expression:
    found = parts[0]
    for part in parts[1:]:
        found = Binary("and", found, part, part.at)
    return found


def _rest(parts: Parts, prefix: Parts) -> Parts:
    return parts[len(prefix) :] if parts[: len(prefix)] == prefix else parts


def _without(node: Expression, prefix: Parts) -> Expression:
    """The expression with paths that begin where the prefix ends."""
    if isinstance(node, Path):
        return replace(node, parts=_rest(node.parts, prefix))
    if isinstance(node, Quantifier):
        body = _without(node.body, prefix)
        if node.path.parts == prefix:
            inside = _without(body, (node.variable,))
            return Not(inside, node.at) if node.every else inside
        path = replace(node.path, parts=_rest(node.path.parts, prefix))
        return replace(node, path=path, body=body)
    if isinstance(node, Binary):
        return replace(node, left=_without(node.left, prefix), right=_without(node.right, prefix))
    if isinstance(node, Not | In):
        return replace(node, operand=_without(node.operand, prefix))
    if isinstance(node, Call):
        return replace(node, arguments=tuple(_without(argument, prefix) for argument in node.arguments))
    return node
