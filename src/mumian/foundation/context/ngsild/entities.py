"""Entities over HTTP: create, query, retrieve, replace, merge, delete and purge (6.4, 6.5)."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from mumian.foundation.context.errors import BadRequestData, InvalidRequest, ResourceNotFound
from mumian.foundation.context.ngsild.request import (
    GEO,
    JSON,
    LD,
    MERGE,
    PREFIX,
    Answer,
    Header,
    Request,
    accepted,
    context_value,
    encode,
    link_context,
    link_header,
    payload,
    reading_names,
    shown,
)
from mumian.foundation.context.rules import merging, parameters, selection, texts
from mumian.foundation.context.rules.asks import Ask
from mumian.foundation.context.rules.core import LOCATION
from mumian.foundation.context.rules.entity import Entity
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.rendering import Form, geojson, render
from mumian.foundation.context.rules.shape import Reader
from mumian.foundation.context.service.asking import Found
from mumian.foundation.context.service.memory import Held

_REMEMBERED = 4000
_SHOWN = (JSON, LD, GEO)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A query that was read once: what is asked, how it is shown, and where the page lies."""

    ask: Ask
    form: Form
    form_number: int
    page: parameters.Page
    names: Names
    media: str
    geometry: str
    rest: str


async def create(request: Request) -> Answer:
    """Create an entity: 201 and its address."""
    parameters.known(request.query, {"options", "local", "type"})
    document, names = await payload(request)
    if document == {}:
        raise InvalidRequest.field("id", "field.missing")
    changing = request.context.changing
    entity = Reader(names, changing.now()).entity(document)
    await request.context.writer.submit([changing.prepare_create(entity)], request.caller.actor)
    return Answer(201, headers=((b"location", f"{PREFIX}/entities/{quote(entity.id, safe=':')}".encode()),))


class Queries:
    """Answers queries; those that were read before are known by their text."""

    def __init__(self) -> None:
        self._plans: dict[tuple[Any, ...], Plan] = {}

    async def get(self, request: Request) -> Answer:
        """One page of entities."""
        headers = request.headers
        query = request.scope.get("query_string", b"")
        contexts = request.context.contexts
        key = (query, headers.get(b"link"), headers.get(b"accept"), contexts.version, request.context.memory.generation)
        plan = self._plans.get(key)
        if plan is None:
            parameters.known(request.query, parameters.ASKING)
            plan = await self._plan(request, request.query, None)
            if len(self._plans) >= _REMEMBERED:
                self._plans.clear()
            self._plans[key] = plan
        else:
            await contexts.names(link_context(request))
        return await self._answer(request, plan)

    async def post(self, request: Request) -> Answer:
        """A query in a body (6.23)."""
        document, names = await payload(request)
        query, entities = parameters.flattened(document)
        query |= {name: value for name, value in request.query.items() if name not in query}
        parameters.known(request.query, parameters.ASKING)
        plan = await self._plan(request, query, (names, entities))
        return await self._answer(request, plan)

    async def _plan(self, request: Request, query: dict[str, str], body: tuple[Names, list[Any]] | None) -> Plan:
        media = accepted(request, _SHOWN)
        names = body[0] if body else await reading_names(request)
        most = request.context.settings.page_entities
        asked = {**query, "local": "true"} if body and body[1] else query
        ask = parameters.ask(asked, names)
        if body and body[1]:
            ask = Ask(parameters.selectors(body[1]), ask.q, ask.geo, ask.scope, ask.attributes, ask.datasets, names)
        form = parameters.form(query, names)
        geometry = query.get("geometryProperty")
        if geometry is not None and media != GEO:
            raise BadRequestData.field("geometryProperty", "context.geometry_only")
        where = names.expand(texts.name(geometry, "geometryProperty")) if geometry else LOCATION
        number = request.context.memory.form_number(names, form)
        rest = urlencode({name: value for name, value in request.query.items() if name not in ("limit", "offset")})
        return Plan(ask, form, number, parameters.page(query, most), names, media, where, rest)

    async def _answer(self, request: Request, plan: Plan) -> Answer:
        page = plan.page
        found = await request.context.asking.find(plan.ask, page.offset, page.limit, page.count)
        headers: list[Header] = []
        if page.count:
            headers.append((b"ngsild-results-count", b"%d" % (found.total or 0)))
        if page.limit and (found.more or page.offset):
            headers += _pages(request, found, plan)
        if plan.media == JSON:
            body = _joined(request, found, plan)
            return Answer(200, body, JSON, (link_header(plan.names.address), *headers))
        entities = [item.entity if isinstance(item, Held) else item for item in found.page]
        if plan.media == GEO:
            return _collection(request, entities, plan, headers)
        return shown([render(entity, plan.names, plan.form) for entity in entities], plan.names, LD, headers=headers)


def _joined(request: Request, found: Found, plan: Plan) -> bytes:
    memory, names, form, number = request.context.memory, plan.names, plan.form, plan.form_number
    parts = []
    for item in found.page:
        if isinstance(item, Held):
            parts.append(item.written.get(number) or memory.written(item, number, names, form))
        else:
            parts.append(encode(render(item, names, form)))
    return b"[" + b",".join(parts) + b"]"


def _pages(request: Request, found: Found, plan: Plan) -> list[Header]:
    """Where the next and the previous page are (6.3.10)."""
    links = []
    page = plan.page
    path = f"{PREFIX}/{'/'.join(request.segments)}?{plan.rest}{'&' if plan.rest else ''}limit={page.limit}"
    for rel, offset in (("next", page.offset + page.limit), ("prev", max(page.offset - page.limit, 0))):
        if (rel == "next" and found.more) or (rel == "prev" and page.offset):
            links.append((b"link", f'<{path}&offset={offset}>;rel="{rel}";type="{plan.media}"'.encode()))
    return links


def _collection(request: Request, entities: list[Entity], plan: Plan, headers: list[Header]) -> Answer:
    features = [geojson(entity, plan.names, plan.form, plan.geometry) for entity in entities]
    return _geo({"type": "FeatureCollection", "features": features}, request, plan.names, headers)


def _geo(value: dict[str, Any], request: Request, names: Names, headers: list[Header] | None = None) -> Answer:
    """GeoJSON; `Prefer: body=json` leaves the @context to the Link header (6.3.6)."""
    link = link_header(names.address)
    if request.text(b"prefer").replace(" ", "") != "body=json":
        value = {**value, "@context": context_value(names)}
    return Answer(200, encode(value), GEO, (link, *(headers or ())))


async def retrieve(request: Request) -> Answer:
    """One entity."""
    id_ = texts.uri(request.segments[1], "id")
    parameters.known(request.query, parameters.RETRIEVING)
    media = accepted(request, _SHOWN)
    names = await reading_names(request)
    form = parameters.form(request.query, names)
    if "geometryProperty" in request.query and media != GEO:
        raise BadRequestData.field("geometryProperty", "context.geometry_only")
    entity = request.context.changing.view(id_) if request.context.memory.get(id_) is None else None
    held = request.context.memory.held.get(id_)
    if held is not None and not (len(request.context.things) and request.context.things.find(id_)):
        entity = held.entity
    elif entity is None:
        entity = request.context.changing.view(id_)
    if entity is None or not of_type(request, entity, names):
        raise ResourceNotFound(kind="entity", name=id_)
    _has_something(entity, form, id_)
    if media == GEO:
        geometry = request.query.get("geometryProperty")
        where = names.expand(texts.name(geometry, "geometryProperty")) if geometry else LOCATION
        return _geo(geojson(entity, names, form, where), request, names)
    if media == JSON and held is not None and held.entity is entity:
        memory = request.context.memory
        body = memory.written(held, memory.form_number(names, form), names, form)
        return Answer(200, body, JSON, (link_header(names.address),))
    return shown(render(entity, names, form), names, media)


def of_type(request: Request, entity: Entity, names: Names) -> bool:
    """Whether an entity is of the types that the request selects."""
    wanted = request.query.get("type")
    return wanted is None or selection.typed(selection.parse(wanted, "type"), entity.types, names.expand)


def _has_something(entity: Entity, form: Form, id_: str) -> None:
    """An entity that has nothing of what was asked for is not there (5.7.1.4)."""
    if form.pick is None and form.datasets is None and not form.omit:
        return
    attributes = [name for name in entity.attributes if form.shows(name)]
    members = ({"id", "type", "scope"} & form.pick if form.pick is not None else {"id", "type"}) - form.omit
    by_attrs = form.pick is not None and {"id", "type", "scope"} <= form.pick
    if not attributes and (by_attrs or not members):
        raise ResourceNotFound(kind="entity", name=id_)


async def nameless(request: Request) -> Answer:
    """An entity is to be changed, and the address does not say which."""
    raise BadRequestData.field("id", "field.missing")


async def replace(request: Request) -> Answer:
    """A new entity in the place of the old one."""
    id_ = texts.uri(request.segments[1], "id")
    document, names = await payload(request)
    if not isinstance(document, dict) or document.get("id", id_) != id_:
        raise BadRequestData.field("id", "context.other_id", expected=id_)
    context = request.context
    entity = Reader(names, context.changing.now()).entity({**document, "id": id_})
    await context.writer.submit([context.changing.prepare_replace(entity)], request.caller.actor)
    return Answer(204)


async def merge(request: Request) -> Answer:
    """Merge-patch into an entity (5.6.17)."""
    id_ = texts.uri(request.segments[1], "id")
    document, names = await payload(request, (JSON, LD, MERGE))
    await merge_into(request, id_, document, names)
    return Answer(204)


async def merge_into(request: Request, id_: str, document: Any, names: Names) -> None:
    """Merge a fragment into an entity and wait for the disk."""
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    if document.get("id", id_) != id_:
        raise BadRequestData.field("id", "context.other_id", expected=id_)
    changing = request.context.changing
    held = changing.view(id_)
    if held is None:
        raise ResourceNotFound(kind="entity", name=id_)
    reader = Reader(names, changing.now(), nulls=True, held=held.attributes)
    scope = texts.scopes(document["scope"]) if "scope" in document else None
    attributes = reader.attributes(document)
    changes, rows, _ = changing.prepare_merge(id_, attributes, merging.merge, reader.types(document), scope)
    await changing.apply(changes, rows, request.caller.actor)


async def delete(request: Request) -> Answer:
    """Delete an entity."""
    id_ = texts.uri(request.segments[1], "id")
    context = request.context
    held = context.changing.view(id_)
    if held is not None and not of_type(request, held, await reading_names(request)):
        raise ResourceNotFound(kind="entity", name=id_)
    await context.writer.submit([context.changing.prepare_delete(id_)], request.caller.actor)
    return Answer(204)


async def purge(request: Request) -> Answer:
    """Delete all entities that a query finds, or with `drop` and `keep` some of their attributes (5.6.21)."""
    parameters.known(request.query, {*parameters.ASKING, "drop", "keep"})
    names = await reading_names(request)
    query = dict(request.query)
    drop, keep = query.pop("drop", None), query.pop("keep", None)
    if drop is not None and keep is not None:
        raise BadRequestData.field("keep", "context.keep_and_drop")
    ask = parameters.ask(query, names)
    context = request.context
    found = await context.asking.find(ask, 0, context.settings.scan_entities, count=False)
    own = [item.entity.id for item in found.page if isinstance(item, Held)]
    now = context.changing.now()
    if drop is None and keep is None:
        changes = [context.changing.prepare_delete(id_) for id_ in own]
    else:
        listed = {names.expand(word) for word in parameters.names_list(drop or keep or "", "drop" if drop else "keep")}
        stays = partial(_stays, listed, keep is not None)
        changes = []
        for id_ in own:
            held = context.writer.current(id_)
            if held is not None:
                left = {name: value for name, value in held.attributes.items() if stays(name)}
                changes.append(context.writer.prepare(id_, held.changed(now, attributes=left), now))
    await context.writer.submit(changes, request.caller.actor)
    return Answer(204)


def _stays(listed: set[str], keeping: bool, name: str) -> bool:
    return (name in listed) == keeping
