"""Asks: what a query asks for, and whether an entity answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from mumian.foundation.context.rules import matching, selection
from mumian.foundation.context.rules.entity import Entity, dataset
from mumian.foundation.context.rules.geometry import GeoQuery
from mumian.foundation.context.rules.names import CORE, Names
from mumian.foundation.context.rules.patterns import Pattern
from mumian.foundation.context.rules.query import Node


@dataclass(frozen=True, eq=False)
class Selector:
    """One way to name entities: by type, by ids, by a pattern of ids; what is None does not matter."""

    types: selection.Tree | None = None
    ids: tuple[str, ...] | None = None
    pattern: Pattern | None = None

    def matches(self, entity: Entity, expand: Callable[[str], str]) -> bool:
        """Whether the entity is named."""
        if self.ids is not None and entity.id not in self.ids:
            return False
        if self.pattern is not None and self.pattern.search(entity.id) is None:
            return False
        return self.types is None or selection.typed(self.types, entity.types, expand)


@dataclass(frozen=True, eq=False)
class Ask:
    """What a query asks for; `attributes` are addresses of which an entity must have one."""

    selectors: tuple[Selector, ...] = (Selector(),)
    q: Node | None = None
    geo: GeoQuery | None = None
    scope: selection.Tree | None = None
    attributes: frozenset[str] | None = None
    datasets: frozenset[str] | None = None
    names: Names = CORE

    def matches(self, entity: Entity) -> bool:
        """Whether an entity answers, its type and id included."""
        expand = self.names.expand
        return any(s.matches(entity, expand) for s in self.selectors) and self.fits(entity)

    def fits(self, entity: Entity) -> bool:
        """Whether an entity answers all but type and id."""
        if self.attributes is not None and self.attributes.isdisjoint(entity.attributes):
            return False
        if self.scope is not None and not selection.scoped(self.scope, entity.scope):
            return False
        if self.datasets is not None and not _in_datasets(entity, self.datasets):
            return False
        if self.geo is not None:
            instances = entity.attributes.get(self.geo.attribute, ())
            if not any(i["type"] == "GeoProperty" and self.geo.matches(i["value"]) for i in instances):
                return False
        return self.q is None or matching.matches(self.q, entity, self.names.expand)

    @cached_property
    def plain(self) -> list[str] | None:
        """The types, where nothing but type decides and types are just listed; None otherwise."""
        if len(self.selectors) > 1 or any((self.q, self.geo, self.scope, self.attributes, self.datasets)):
            return None
        only = self.selectors[0]
        if only.ids is not None or only.pattern is not None:
            return None
        return self._listed(only.types)

    @property
    def ids(self) -> list[str] | None:
        """The ids that are listed, once each; None where any id will do."""
        if any(selector.ids is None for selector in self.selectors):
            return None
        return list(dict.fromkeys(id_ for selector in self.selectors for id_ in selector.ids or ()))

    @property
    def types(self) -> list[str] | None:
        """The addresses of all types that are named; None where any type will do."""
        words: list[str] = []
        for selector in self.selectors:
            if selector.types is None:
                return None
            words += selection.leaves(selector.types)
        return None if "*" in words else list(dict.fromkeys(map(self.names.expand, words)))

    def _listed(self, tree: selection.Tree | None) -> list[str] | None:
        if isinstance(tree, selection.Leaf) and tree.text != "*":
            return [self.names.expand(tree.text)]
        return None


def _in_datasets(entity: Entity, wanted: frozenset[str]) -> bool:
    return any((dataset(i) or "@none") in wanted for instances in entity.attributes.values() for i in instances)
