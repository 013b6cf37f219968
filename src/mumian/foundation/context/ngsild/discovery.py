"""Discovery: which types of entities and which attributes there are (6.25–6.28)."""

from typing import Any

from mumian.foundation.context.errors import ResourceNotFound
from mumian.foundation.context.ngsild.request import Answer, Request, accepted, reading_names, shown
from mumian.foundation.context.rules import parameters, texts
from mumian.foundation.context.rules.entity import Entity
from mumian.foundation.context.rules.names import Names
from mumian.kernel.clock import iso
from mumian.kernel.ids import new_id

_MOST = 200_000


def _entities(request: Request) -> list[Entity]:
    """All entities that are looked at: own ones, then things."""
    context = request.context
    context.things.refresh()
    own = [entity for entity in context.memory.entities() if context.things.find(entity.id) is None][:_MOST]
    things = [t for t in map(context.things.find, list(context.things.ids(None))[: _MOST - len(own)]) if t is not None]
    added = {thing.id: context.memory.get(thing.id) for thing in things}
    return own + context.things.entities(things, {id_: entity for id_, entity in added.items() if entity is not None})


def _urn(kind: str) -> str:
    return f"urn:ngsi-ld:{kind}:{new_id().lower()}"


async def types(request: Request) -> Answer:
    """All types; with `details=true` the attributes of each."""
    parameters.known(request.query, {"details", "local", "limit", "offset", "count"})
    media, names = accepted(request), await reading_names(request)
    context = request.context
    context.things.refresh()
    if not parameters.truth(request.query, "details"):
        found = sorted({names.compact(t) for t in (*context.memory.by_type, *context.things.types())})
        return shown({"id": _urn("EntityTypeList"), "type": "EntityTypeList", "typeList": found}, names, media)
    attributes: dict[str, set[str]] = {}
    for entity in _entities(request):
        for type_ in entity.types:
            attributes.setdefault(type_, set()).update(entity.attributes)
    details = [
        {
            "id": type_,
            "type": "EntityType",
            "typeName": names.compact(type_),
            "attributeNames": sorted(names.compact(name) for name in held),
        }
        for type_, held in sorted(attributes.items())
    ]
    return shown(details, names, media)


async def one_type(request: Request) -> Answer:
    """How many entities a type has, and their attributes with their kinds."""
    parameters.known(request.query, {"local"})
    media, names = accepted(request), await reading_names(request)
    type_ = names.expand(texts.name(request.segments[1], "type"))
    entities = [entity for entity in _entities(request) if type_ in entity.types]
    if not entities:
        raise ResourceNotFound(kind="type", name=request.segments[1])
    kinds: dict[str, set[str]] = {}
    for entity in entities:
        for name, instances in entity.attributes.items():
            kinds.setdefault(name, set()).update(instance["type"] for instance in instances)
    details = [
        {"id": name, "type": "Attribute", "attributeName": names.compact(name), "attributeTypes": sorted(held)}
        for name, held in sorted(kinds.items())
    ]
    info = {"id": type_, "type": "EntityTypeInfo", "typeName": names.compact(type_), "entityCount": len(entities)}
    return shown({**info, "attributeDetails": details}, names, media)


async def attributes(request: Request) -> Answer:
    """All attributes; with `details=true` the types that have each."""
    parameters.known(request.query, {"details", "local", "limit", "offset", "count"})
    media, names = accepted(request), await reading_names(request)
    held: dict[str, set[str]] = {}
    for entity in _entities(request):
        for name in entity.attributes:
            held.setdefault(name, set()).update(entity.types)
    if not parameters.truth(request.query, "details"):
        found = sorted(names.compact(name) for name in held)
        return shown({"id": _urn("AttributeList"), "type": "AttributeList", "attributeList": found}, names, media)
    details = [
        {
            "id": name,
            "type": "Attribute",
            "attributeName": names.compact(name),
            "typeNames": sorted(names.compact(type_) for type_ in types_),
        }
        for name, types_ in sorted(held.items())
    ]
    return shown(details, names, media)


async def one_attribute(request: Request) -> Answer:
    """How often an attribute is there, in which kinds, and in entities of which types."""
    parameters.known(request.query, {"local"})
    media, names = accepted(request), await reading_names(request)
    name = names.expand(texts.name(request.segments[1], "attrId"))
    count, kinds, types_ = 0, set(), set()
    for entity in _entities(request):
        instances = entity.attributes.get(name)
        if instances:
            count += 1
            kinds |= {instance["type"] for instance in instances}
            types_ |= set(entity.types)
    if not count:
        raise ResourceNotFound(kind="attribute", name=request.segments[1])
    return shown(_attribute(name, names, count, kinds, types_), names, media)


async def source(request: Request) -> Answer:
    """Who answers here, and since when (6.33)."""
    if request.segments[1] != "sourceIdentity":
        raise ResourceNotFound(kind="info", name=request.segments[1][:100])
    media, names = accepted(request), await reading_names(request)
    now = request.context.platform.clock.now()
    seconds = max(int((now - request.context.since).total_seconds()), 0)
    told = {"id": request.context.identity, "type": "ContextSourceIdentity", "contextSourceAlias": "mumian"}
    told |= {"contextSourceUptime": f"PT{seconds}S", "contextSourceTimeAt": iso(now)}
    return shown(told, names, media)


def _attribute(name: str, names: Names, count: int, kinds: set[str], types_: set[str]) -> dict[str, Any]:
    return {
        "id": name,
        "type": "Attribute",
        "attributeName": names.compact(name),
        "attributeCount": count,
        "attributeTypes": sorted(kinds),
        "typeNames": sorted(names.compact(type_) for type_ in types_),
    }
