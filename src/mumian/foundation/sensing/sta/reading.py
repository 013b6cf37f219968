"""Reading: what a GET asks for — the root, a set, an entity, one of its properties — found, ordered, paged and expanded."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.sta import formats, rendering
from mumian.foundation.sensing.sta.asking import Asking, feature_of
from mumian.foundation.sensing.sta.conformance import server_settings
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.expanding import Expanding, last_keys
from mumian.foundation.sensing.sta.model import EntitySet
from mumian.foundation.sensing.sta.observed import columns_of
from mumian.foundation.sensing.sta.options import Options, parse_query
from mumian.foundation.sensing.sta.paths import SETS, Path
from mumian.foundation.sensing.sta.records import Owners, Page
from mumian.foundation.sensing.sta.rendering import Entity
from mumian.kernel.errors import Invalid, NotFound

JSON, TEXT = b"application/json", b"text/plain; charset=utf-8"
_PREFIX = "/sta/v1.1"


@dataclass(frozen=True)
class Reply:
    """An answer: status, body and its media type; `chunks` where the body comes in parts."""

    body: bytes
    media: bytes = JSON
    status: int = 200
    chunks: AsyncIterator[bytes] | None = None


@dataclass(frozen=True)
class Place:
    """Where a path ends: a set, of which entities it is, the id if one is meant, and the ids if only some may be seen."""

    set: EntitySet
    owners: Owners | None
    number: int | None
    among: Sequence[int] | None = None


async def read(sensing: Sensing, path: Path, query: bytes, base: str) -> Any:
    """Answer a GET with plain values; raises NotFound, Invalid."""
    found = await reply(sensing, path, query, base)
    if found.chunks is not None or found.media != JSON:
        return b"".join([part async for part in found.chunks]).decode() if found.chunks else found.body.decode()
    return msgspec.json.decode(found.body) if found.body else None


async def reply(sensing: Sensing, path: Path, query: bytes, base: str, own: Sequence[int] | None = None) -> Reply:
    """Answer a GET, with `own` for one who sees only these tasking capabilities and their tasks; raises NotFound, Invalid."""
    options = parse_query(query)
    if not path.names:
        return Reply(msgspec.json.encode(_root(sensing, base)))
    return await Reader(sensing, base, own).reply(path, options)


def observation_entities(rows: Observations, base: str) -> list[Entity]:
    """Observations as entities."""
    return [rendering.observation(row, base) for row in columns_of(rows)]


class Reader:
    """Reads one path."""

    def __init__(self, sensing: Sensing, base: str, own: Sequence[int] | None = None) -> None:
        self._base = base
        self._own = own
        self._asking = Asking(sensing)
        self._expanding = Expanding(self._asking, base)

    async def reply(self, path: Path, options: Options) -> Reply:
        """What the path leads to."""
        place = await self._walk(path)
        if path.one:
            return await self._one(place, path, options)
        if path.reference:
            options = replace(options, select=(("selfLink",),), expand={}, format="json")
        if options.format == "CSV":
            rows = formats.csv_rows(place.set, options)
            return Reply(b"", formats.CSV, chunks=rows.stream(lambda asked: self._fetch(place, asked)))
        page = await self._asking.page(place.set, options, place.owners, among=place.among)
        return Reply(await self._page(place.set, page, path, options))

    async def _fetch(self, place: Place, options: Options) -> tuple[list[Entity], list[Any] | None]:
        """A page's entities and the sort keys of its last, if there are more."""
        page = await self._asking.page(place.set, options, place.owners, among=place.among)
        rows = page.rows.get(0, [])
        items = await Expanding(self._asking, self._base).items(place.set, rows, options)
        return items, last_keys(place.set.name, rows[-1]) if page.more and rows else None

    async def _page(self, entities: EntitySet, page: Page, path: Path, options: Options) -> bytes:
        rows = page.rows.get(0, [])
        found: Entity = {"@iot.count": page.counts.get(0, 0)} if options.count else {}
        if page.more and rows:
            keys = last_keys(entities.name, rows[-1])
            found["@iot.nextLink"] = f"{self._base}{path.text.removeprefix(_PREFIX)}?{options.next_query(keys)}"
        if entities.name == "Observations" and not options.expand and options.format == "json":
            plain = None if self._asking.any_multi(rows) else rendering.plain_observations(rows, self._base, options.select)
            if plain is not None:
                return msgspec.json.encode({**found, "value": msgspec.Raw(plain)})
        items = await self._expanding.items(entities, rows, options)
        if options.format == "dataArray":
            items = formats.data_arrays(entities, rows, items, options, self._base, self._asking.is_multi)
        return msgspec.json.encode({**found, "value": items})

    async def _one(self, place: Place, path: Path, options: Options) -> Reply:
        if options.given and (path.attribute is not None or path.reference):
            raise Invalid.field(options.given[0][0], "sensing.query.no_options")
        first = replace(options, top=1, skip=0, after=None, count=False)
        page = await self._asking.page(place.set, first, place.owners, place.number, among=place.among)
        rows = page.rows.get(0, [])
        if not rows:
            raise NotFound(kind="entity", name=path.text)
        items = await self._expanding.items(place.set, rows[:1], options)
        if path.reference:
            return Reply(msgspec.json.encode({"@iot.selfLink": items[0]["@iot.selfLink"]}))
        if path.attribute is None:
            return Reply(msgspec.json.encode(items[0]))
        return _attribute(place.set, items[0], path)

    async def _walk(self, path: Path) -> Place:
        """Follow the path to its last set; raises NotFound where an entity on the way is not there."""
        place = self._first(path.names[0], path.ids[0])
        for link, name, number in zip(path.links[1:], path.names[1:], path.ids[1:], strict=True):
            place = await self._step(place, link, MODEL[name], number, path)
        return place

    def _first(self, name: str, number: int | None) -> Place:
        if self._own is not None and name == "Tasks":
            return Place(MODEL[name], Owners(MODEL["TaskingCapabilities"], "Tasks", self._own), number)
        return Place(MODEL[name], None, number, self._own)

    async def _step(self, place: Place, link: str, target: EntitySet, number: int | None, path: Path) -> Place:
        page = await self._asking.page(place.set, Options(top=1), place.owners, place.number, among=place.among)
        rows = page.rows.get(0, [])
        if not rows:
            raise NotFound(kind="entity", name=path.text)
        if place.set.name != "Observations":
            return Place(target, Owners(place.set, link, [int(rows[0]["id"])]), number)
        stream = rows[0][1]
        if target.name != "FeaturesOfInterest":
            return Place(target, None, stream)
        own = await self._asking.features({stream})
        return Place(target, None, feature_of(rows[0][6], own.get(stream)) or 0)


def _attribute(entities: EntitySet, item: Entity, path: Path) -> Reply:
    """A property of an entity, or what is inside of it; with `$value` bare. Nothing there: 204."""
    name = str(path.attribute)
    name = "@iot.id" if name == "id" else name
    if name not in item and name not in rendering.TOP_NAMES[entities.name]:
        raise NotFound(kind="property", name="/".join(map(str, (name, *path.inside))))
    value: Any = item.get(name)
    for step in path.inside:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            raise NotFound(kind="property", name="/".join(map(str, (name, *path.inside)))) from None
    if value is None:
        return Reply(b"", status=204)
    if not path.value:
        return Reply(msgspec.json.encode({str(path.inside[-1] if path.inside else path.attribute): value}))
    if isinstance(value, dict | list):
        return Reply(msgspec.json.encode(value))
    return Reply(value.encode() if isinstance(value, str) else msgspec.json.encode(value), TEXT)


def _root(sensing: Sensing, base: str) -> Entity:
    return {
        "value": [{"name": name, "url": f"{base}/{name}"} for name in SETS],
        "serverSettings": server_settings(sensing.platform),
    }
