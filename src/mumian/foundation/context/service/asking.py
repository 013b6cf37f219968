"""Asking: which entities answer a query, found by id, type or place first and looked at one by one where that is not enough."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mumian.foundation.context.errors import TooComplexQuery
from mumian.foundation.context.rules.asks import Ask
from mumian.foundation.context.rules.entity import Entity
from mumian.foundation.context.service.memory import Held, Memory
from mumian.foundation.context.service.things import Things

_AT_ONCE = 1000  # entities looked at before others get their turn


@dataclass(frozen=True, eq=False)
class Found:
    """One page: entities of the platform's own and sensed things, in order, and how many there are in all (if counted)."""

    page: list[Held | Entity]
    total: int | None
    more: bool


class Asking:
    """Answers queries over own entities and things; own ones come first."""

    def __init__(self, memory: Memory, things: Things, most: int) -> None:
        self._memory = memory
        self._things = things
        self._most = most

    async def find(self, ask: Ask, offset: int, limit: int, count: bool) -> Found:
        """One page of a query's answer."""
        self._things.refresh()
        plain = ask.plain
        if plain is not None and not len(self._things):
            return self._listed(plain[0], offset, limit)
        return await self._scanned(ask, offset, limit, count)

    def _listed(self, type_: str, offset: int, limit: int) -> Found:
        ids = self._memory.by_type.get(type_, {})
        page: list[Held | Entity] = list(self._memory.page(ids, offset, limit))
        return Found(page, len(ids), offset + limit < len(ids))

    async def _scanned(self, ask: Ask, offset: int, limit: int, count: bool) -> Found:
        own = self._candidates(ask)
        sensed = list(self._thing_ids(ask))
        if len(own) + len(sensed) > self._most:
            raise TooComplexQuery(limit=self._most)
        if ask.plain is not None:
            return self._counted(own, sensed, offset, limit)
        page: list[Held | Entity] = []
        seen, wanted = 0, offset + limit
        for start in range(0, len(own) + len(sensed), _AT_ONCE):
            if start:
                await asyncio.sleep(0)
            for item in self._some(own, sensed, start):
                entity = item.entity if isinstance(item, Held) else item
                if ask.matches(entity):
                    if offset <= seen < wanted:
                        page.append(item)
                    seen += 1
                    if seen > wanted and not count:
                        return Found(page, None, True)
        return Found(page, seen, seen > wanted)

    def _some(self, own: Sequence[str], sensed: Sequence[str], start: int) -> Iterable[Held | Entity]:
        end = start + _AT_ONCE
        mine = [self._memory.held.get(id_) for id_ in own[start:end]]
        yield from (held for held in mine if held is not None)
        first = max(start - len(own), 0)
        yield from self._entities(sensed[first : max(end - len(own), 0)])

    def _counted(self, own: Sequence[str], sensed: Sequence[str], offset: int, limit: int) -> Found:
        total = len(own) + len(sensed)
        page: list[Held | Entity] = [self._memory.held[id_] for id_ in own[offset : offset + limit]]
        first = max(offset - len(own), 0)
        page += self._entities(sensed[first : max(offset + limit - len(own), 0)])
        return Found(page, total, offset + limit < total)

    def _entities(self, ids: Sequence[str]) -> list[Entity]:
        things = [thing for thing in map(self._things.find, ids) if thing is not None]
        added = {thing.id: self._memory.get(thing.id) for thing in things}
        return self._things.entities(things, {id_: entity for id_, entity in added.items() if entity is not None})

    def _candidates(self, ask: Ask) -> list[str]:
        """Ids of own entities, without those that only add to a thing, few enough to be looked at."""
        memory = self._memory
        box = ask.geo.box() if ask.geo is not None else None
        ids: Iterable[str]
        listed = ask.ids
        if listed is not None:
            ids = [id_ for id_ in listed if id_ in memory.held]
        elif ask.geo is not None and box is not None:
            ids = memory.near(ask.geo.attribute, box)
        else:
            types = ask.types
            if types is None:
                ids = memory.held
            elif len(types) == 1:
                ids = memory.by_type.get(types[0], ())
            else:
                ids = sorted({id_ for t in types for id_ in memory.by_type.get(t, ())}, key=lambda id_: memory.held[id_].place)
        return [id_ for id_ in ids if self._things.find(id_) is None] if len(self._things) else list(ids)

    def _thing_ids(self, ask: Ask) -> Iterable[str]:
        listed = ask.ids
        if listed is not None:
            return [id_ for id_ in listed if self._things.find(id_) is not None]
        return list(self._things.ids(ask.types))
