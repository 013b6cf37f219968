"""Expanding: entities with what their links lead to, one question for each link of a level, however many entities there are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mumian.foundation.sensing.sta import rendering
from mumian.foundation.sensing.sta.asking import Asking, feature_of
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.records import Owners, Page
from mumian.foundation.sensing.sta.rendering import Entity
from mumian.kernel.errors import Invalid

MOST_ENTITIES = 100_000


@dataclass(frozen=True)
class Found:
    """An entity with the row that it was made of."""

    row: Any
    item: Entity

    @property
    def id(self) -> int:
        """Its id."""
        return int(self.item["@iot.id"])


class Expanding:
    """Renders pages and expands their entities; counts all entities of an answer, which are bounded."""

    def __init__(self, asking: Asking, base: str) -> None:
        self._asking = asking
        self._base = base
        self._entities = 0

    async def items(self, entities: EntitySet, rows: Sequence[Any], options: Options) -> list[Entity]:
        """Rows of a set as entities, expanded and selected."""
        self._entities += len(rows)
        if self._entities > MOST_ENTITIES:
            raise Invalid.field(options.name("$expand"), "sensing.query.large", limit=MOST_ENTITIES)
        found = [Found(row, item) for row, item in zip(rows, self._rendered(entities, rows), strict=True)]
        for link, inner in options.expand.items():
            if link not in entities.links:
                expected = ", ".join(entities.links)
                name = options.name("$expand")
                raise Invalid.field(name, "sensing.property", entity=entities.name, name=link[:100], expected=expected)
            if found:
                await self._expand(entities, link, inner, found)
        select, option = options.select, options.name("$select")
        return [rendering.selected(entities, one.item, select, options.expand, option) for one in found]

    def _rendered(self, entities: EntitySet, rows: Sequence[Any]) -> list[Entity]:
        base = self._base
        if entities.name == "Observations":
            multi = {stream: self._asking.is_multi(stream) for stream in {row[1] for row in rows}}
            return [rendering.observation(row, base, multi[row[1]]) for row in rows]
        if entities.rows != "sensing_stream":
            return [rendering.entity(entities, row, base) for row in rows]
        spans = self._asking.spans([row["id"] for row in rows])
        return [rendering.entity(entities, row, base, spans.get(row["id"], (None, None))) for row in rows]

    async def _expand(self, entities: EntitySet, link: str, inner: Options, found: list[Found]) -> None:
        target = entities.links[link]
        if entities.name == "Observations":
            await self._expand_observations(link, MODEL[target.target], inner, found)
            return
        owners = Owners(entities, link, [one.id for one in found])
        asked = inner if target.many else replace(inner, top=1, skip=0, count=False)
        page = await self._asking.page(MODEL[target.target], asked, owners, each=True)
        reached = await self._flat(MODEL[target.target], page, inner)
        for one in found:
            items = reached.get(one.id, [])
            one.item.pop(f"{link}{rendering.LINK}", None)
            if not target.many:
                one.item.update({link: items[0]} if items else {})
                continue
            if inner.count:
                one.item[f"{link}@iot.count"] = page.counts.get(one.id, 0)
            one.item[link] = items
            if one.id in page.more:
                one.item[f"{link}@iot.nextLink"] = self._next(
                    f"{entities.name}({one.id})/{link}", target.target, page, one.id, inner
                )

    async def _flat(self, target: EntitySet, page: Page, inner: Options) -> dict[int, list[Entity]]:
        """All rows of a page as entities, by their owner; expanded together, so that each level is asked for once."""
        owners = [owner for owner, rows in page.rows.items() for _ in rows]
        rows = [row for rows in page.rows.values() for row in rows]
        reached: dict[int, list[Entity]] = defaultdict(list)
        for owner, item in zip(owners, await self.items(target, rows, inner), strict=True):
            reached[owner].append(item)
        return reached

    def _next(self, address: str, target: str, page: Page, owner: int, options: Options) -> str:
        rows = page.rows.get(owner)
        keys = last_keys(target, rows[-1]) if rows else []
        return f"{self._base}/{address}?{options.next_query(keys)}"

    async def _expand_observations(self, link: str, target: EntitySet, inner: Options, found: list[Found]) -> None:
        """From observations to their streams and features, which the records keep."""
        ids = {one.id: one.row[1] for one in found}
        if target.name == "FeaturesOfInterest":
            own = await self._asking.features(set(ids.values()))
            ids = {one.id: feature_of(one.row[6], own.get(one.row[1])) for one in found}
        wanted = sorted({number for number in ids.values() if number})
        options = replace(inner, top=len(wanted), skip=0, count=False, orderby=())
        page = await self._asking.page(target, options, among=wanted)
        rows = page.rows.get(0, [])
        items = dict(zip([row["id"] for row in rows], await self.items(target, rows, inner), strict=True))
        for one in found:
            number = ids[one.id]
            if number in items:
                one.item.pop(f"{link}{rendering.LINK}", None)
                one.item[link] = items[number]


def last_keys(target: str, row: Any) -> list[Any]:
    """The sort keys of a row."""
    if target == "Observations":
        return list(row[7:])
    keys, place = [], 0
    while f"k{place}_" in row:
        keys.append(row[f"k{place}_"])
        place += 1
    return keys
