"""Reading: what a GET asks for — the root, a set, an entity, one of its properties — found, ordered, paged and expanded."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.service.finder import columns_of
from mumian.foundation.sensing.sta import entities
from mumian.foundation.sensing.sta.entities import SETS, Entity
from mumian.foundation.sensing.sta.filters import Compiler
from mumian.foundation.sensing.sta.options import Options, parse_query
from mumian.foundation.sensing.sta.paths import NAVIGATION, SINGULAR, Path
from mumian.foundation.sensing.sta.paths import SETS as SET_NAMES
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import Invalid, NotFound

_SPEC = "http://www.opengis.net/spec/iot_sensing/1.1"
CONFORMANCE = [
    f"{_SPEC}/req/datamodel",
    f"{_SPEC}/req/resource-path/resource-path-to-entities",
    f"{_SPEC}/req/request-data/top",
    f"{_SPEC}/req/request-data/skip",
    f"{_SPEC}/req/request-data/count",
    f"{_SPEC}/req/request-data/orderby",
    f"{_SPEC}/req/request-data/select",
    f"{_SPEC}/req/data-array/data-array",
]
# From a set over a navigation link: the column of the target that holds the id we came from, or (own) where to look it up.
_TOWARDS = {
    ("Things", "Datastreams"): "thing",
    ("Things", "Locations"): "id",
    ("Locations", "Things"): "id",
    ("Sensors", "Datastreams"): "sensor",
    ("ObservedProperties", "Datastreams"): "property",
    ("Datastreams", "Observations"): "stream",
    ("FeaturesOfInterest", "Observations"): "stream",
}
_OWN = {"Thing": "thing", "Sensor": "sensor", "ObservedProperty": "property"}
Where = tuple[str, int] | None


async def read(sensing: Sensing, path: Path, query: bytes, base: str) -> Any:
    """Answer a GET; raises NotFound, Invalid."""
    options = parse_query(query)
    if not path.names:
        return _root(base)
    reader = Reader(sensing, base)
    where = await reader.walk(path)
    if not path.one:
        return await reader.page(path.last, where, options, path.text, base, path.reference)
    found = await reader.only(path.last, where, path.text)
    if path.reference:
        return {"@iot.selfLink": found["@iot.selfLink"]}
    if path.attribute is not None:
        if path.attribute not in found:
            raise NotFound(kind="property", name=path.attribute)
        return found[path.attribute] if path.value else {path.attribute: found[path.attribute]}
    await reader.expand(path.last, found, options)
    return _selected(path.last, found, options)


def observation_entities(rows: Observations, base: str) -> list[Entity]:
    """Observations as entities."""
    columns = (rows.ids, rows.streams, rows.times, rows.results, rows.result_times)
    return [entities.observation(row, base) for row in zip(*(column.tolist() for column in columns), strict=True)]


class Reader:
    """Finds entities in the records, and observations in the lake and in what waits for it."""

    def __init__(self, sensing: Sensing, base: str) -> None:
        self._sensing = sensing
        self._base = base

    async def walk(self, path: Path) -> Where:
        """Follow the path; returns the condition (column, value) on its last set."""
        where: Where = None
        for position, (name, number) in enumerate(zip(path.names, path.ids, strict=True)):
            if position:
                where = await self._towards(path.names[position - 1], where, name, path.text)
            if number is not None:
                if where is not None and where != ("id", number):
                    await self._belongs(name, number, where, path.text)
                where = ("id", number)
        return where

    async def only(self, name: str, where: Where, text: str) -> Entity:
        """The one entity that fulfils the condition; raises NotFound."""
        found, _ = await self._find(name, where, Options(top=1))
        if not found:
            raise NotFound(kind="entity", name=text)
        return found[0]

    async def page(self, name: str, where: Where, options: Options, text: str, base: str, reference: bool = False) -> Entity:
        """A page of a set, with the link to the next."""
        found, total = await self._find(name, where, replace(options, top=options.top + 1))
        page: Entity = {"@iot.count": total} if options.count else {}
        more = len(found) > options.top
        if more and options.top == 0:
            found = []
        elif more:
            found = found[: options.top]
            page["@iot.nextLink"] = f"{base}{text.removeprefix('/sta/v1.1')}?{options.next_query()}"
        for item in found:
            await self.expand(name, item, options)
        if reference:
            return {**page, "value": [{"@iot.selfLink": item["@iot.selfLink"]} for item in found]}
        return {**page, "value": [_selected(name, item, options) for item in found]}

    async def expand(self, name: str, item: Entity, options: Options) -> None:
        """Put what `$expand` names in the place of its navigation links."""
        for link, inner in options.expand.items():
            if link not in NAVIGATION[name]:
                expected = ", ".join(NAVIGATION[name])
                raise Invalid.field("$expand", "sensing.property", entity=name, name=link[:100], expected=expected)
            where = await self._towards(name, ("id", item["@iot.id"]), SINGULAR.get(link, link), item["@iot.selfLink"])
            if link in SINGULAR:
                item[link] = _selected(SINGULAR[link], await self.only(SINGULAR[link], where, link), inner)
            else:
                text = f"/sta/v1.1/{name}({item['@iot.id']})/{link}"
                page = await self.page(link, where, inner, text, self._base)
                item[link] = page["value"]
                item |= {f"{link}@iot.{key}": page[f"@iot.{key}"] for key in ("count", "nextLink") if f"@iot.{key}" in page}
            item.pop(f"{link}@iot.navigationLink", None)

    async def _belongs(self, name: str, number: int, where: tuple[str, int], text: str) -> None:
        """Check that an entity named by id inside a path is one of those that the path leads to."""
        found, _ = await self._find(name, where, Options(top=1, filter=f"id eq {number}"))
        if not found:
            raise NotFound(kind="entity", name=text)

    async def _towards(self, name: str, where: Where, target: str, text: str) -> Where:
        """The condition on `target` when coming from the entity of set `name` that fulfils `where`."""
        column = _TOWARDS.get((name, target))
        number = where[1] if where is not None and where[0] == "id" else None
        if number is None or name == "Observations":
            found = await self.only(name, where, text)
            number = found["@iot.id"]
        if name == "Observations":
            rows = await self._observations(("id", number), Options(top=1))
            return ("id", int(rows[0].streams[0]))
        if column is not None:
            await self.only(name, ("id", number), text)
            return (column, number)
        singular = next(s for s, plural in SINGULAR.items() if plural == target)
        sql = f"SELECT {_OWN[singular]} FROM sensing_stream WHERE id = :id"
        own = await self._sensing.platform.records.read(lambda s: s.value(sql, id=number))
        if own is None:
            raise NotFound(kind="entity", name=text)
        return ("id", int(own))

    async def _find(self, name: str, where: Where, options: Options) -> tuple[list[Entity], int]:
        """Entities that fulfil a condition, and how many there are if `$count` is asked."""
        if name == "Observations":
            rows, total = await self._observations(where, options)
            return observation_entities(rows, self._base), total
        sets = SETS[name]
        conditions, params = _conditions(name, where, options, sets.columns, ":")
        order = _order(name, options, sets.columns)
        table = f"FROM {sets.rows} e WHERE {conditions}"

        def work(session: Any) -> tuple[list[Any], int]:
            page = f"SELECT e.* {table} ORDER BY {order} LIMIT :top OFFSET :skip"
            found = session.rows(page, **params, top=options.top, skip=options.skip)
            return found, int(session.value(f"SELECT count(*) {table}", **params)) if options.count else 0

        found, total = await self._sensing.platform.records.read(work)
        return [entities.entity(name, row["id"], sets.properties(row), self._base) for row in found], total

    async def _observations(self, where: Where, options: Options) -> tuple[Observations, int]:
        conditions, params = _conditions("Observations", where, options, entities.OBSERVATION_COLUMNS, "$")
        order = _order("Observations", options, entities.OBSERVATION_COLUMNS)
        while True:
            recorder = self._sensing.recorder
            before = (recorder.folded, recorder.tail.generation)
            waiting = recorder.tail.rows(recorder.folded)
            found = await asyncio.to_thread(self._ask, waiting, conditions, params, order, options)
            # A fold in between would show rows twice or not at all: look again.
            if before == (recorder.folded, recorder.tail.generation):
                return found

    def _ask(
        self, waiting: Observations, conditions: str, params: dict[str, Any], order: str, options: Options
    ) -> tuple[Observations, int]:
        lake = self._sensing.platform.get(Lake)  # type: ignore[type-abstract]
        names = "id, stream, time, result, result_time"
        source = f"(SELECT {names} FROM observation UNION ALL SELECT {names} FROM waiting) e WHERE {conditions}"
        arrays = {"waiting": columns_of(waiting)}
        page = f"SELECT {names} FROM {source} ORDER BY {order} LIMIT $top OFFSET $skip"
        found = lake.columns(page, arrays, **params, top=options.top, skip=options.skip)
        total = int(lake.columns(f"SELECT count(*) AS n FROM {source}", arrays, **params)["n"][0]) if options.count else 0
        results = found["result"].astype(np.float64)
        return Observations(found["stream"], found["time"], results, found["id"], found["result_time"]), total


def _conditions(name: str, where: Where, options: Options, columns: Any, mark: str) -> tuple[str, dict[str, Any]]:
    conditions, params = ["1 = 1"], {}
    if where is not None:
        conditions.append(f"e.{where[0]} = {mark}own")
        params["own"] = where[1]
    if options.filter:
        compiler = Compiler(options.filter, name, columns, mark)
        conditions.append(compiler.compile())
        params |= compiler.params
    return " AND ".join(conditions), params


def _order(name: str, options: Options, columns: Any) -> str:
    parts = []
    for column, descending in options.orderby:
        if column not in columns:
            raise Invalid.field("$orderby", "sensing.property", entity=name, name=column[:100], expected=", ".join(columns))
        parts.append(f"{columns[column][0]} {'DESC' if descending else 'ASC'}")
    return ", ".join([*parts, "e.id ASC"])


def _selected(name: str, item: Entity, options: Options) -> Entity:
    """Only what `$select` names, if it names anything."""
    if not options.select:
        return item
    known = {key.removesuffix("@iot.navigationLink"): key for key in item} | {"id": "@iot.id"}
    for wanted in options.select:
        if wanted not in known:
            expected = ", ".join(known)
            raise Invalid.field("$select", "sensing.property", entity=name, name=wanted[:100], expected=expected)
    keep = {known[wanted] for wanted in options.select} | set(options.expand)
    return {key: value for key, value in item.items() if key in keep}


def _root(base: str) -> Entity:
    return {
        "value": [{"name": name, "url": f"{base}/{name}"} for name in SET_NAMES],
        "serverSettings": {"conformance": CONFORMANCE},
    }
