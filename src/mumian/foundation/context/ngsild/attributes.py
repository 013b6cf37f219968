"""Attributes over HTTP: append, update, partial update, replace, delete (6.6, 6.7)."""

from typing import Any

from mumian.foundation.context.errors import BadRequestData, ResourceNotFound
from mumian.foundation.context.ngsild.entities import of_type
from mumian.foundation.context.ngsild.request import JSON, LD, MERGE, Answer, Request, encode, payload, reading_names
from mumian.foundation.context.rules import merging, parameters, texts
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset
from mumian.foundation.context.rules.merging import Outcome
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.shape import Reader
from mumian.kernel.i18n import preferred, text

Merge = Any


async def append(request: Request) -> Answer:
    """Add attributes, replacing those that are there unless `options=noOverwrite` (5.6.3)."""
    overwrite = "noOverwrite" not in parameters.options(request.query)

    def merge(entity: Entity, attributes: Attributes, now: str) -> Outcome:
        return merging.append(entity, attributes, now, overwrite)

    return await _several(request, merge, nulls=False)


async def update(request: Request) -> Answer:
    """Update attributes that are there (5.6.2)."""
    return await _several(request, merging.update, nulls=True)


async def _several(request: Request, merge: Merge, nulls: bool) -> Answer:
    id_ = texts.uri(request.segments[1], "id")
    document, names = await payload(request, (JSON, LD, MERGE) if request.method == "PATCH" else (JSON, LD))
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    changing = request.context.changing
    held = changing.view(id_)
    if held is None or not of_type(request, held, names):
        raise ResourceNotFound(kind="entity", name=id_)
    reader = Reader(names, changing.now(), nulls=nulls)
    scope = texts.scopes(document["scope"]) if "scope" in document else None
    if held.scope and "noOverwrite" in parameters.options(request.query):
        scope = None
    attributes = reader.attributes(document)
    types = reader.types(document)
    if not attributes and scope is None and not types:
        raise BadRequestData.field("", "context.empty_fragment")
    changes, rows, outcome = changing.prepare_merge(id_, attributes, merge, types, scope)
    await changing.apply(changes, rows, request.caller.actor)
    if outcome.left:
        return Answer(207, encode(_result(request, outcome, names)))
    return Answer(204)


def _result(request: Request, outcome: Outcome, names: Names) -> dict[str, Any]:
    """An UpdateResult (5.2.18)."""
    language = preferred(request.text(b"accept-language"))
    left = [
        {"attributeName": names.compact(name), "reason": text(key, language, name=names.compact(name))}
        for name, key in outcome.left.items()
    ]
    return {"updated": [names.compact(name) for name in [*outcome.updated, *outcome.deleted]], "notUpdated": left}


def _address(request: Request, names: Names) -> tuple[str, str, Entity, list[Instance]]:
    id_ = texts.uri(request.segments[1], "id")
    name = names.expand(texts.name(request.segments[3], "attrId"))
    if request.segments[3] == "scope":
        raise BadRequestData.field("attrId", "context.no_attribute", name="scope")
    entity = request.context.changing.view(id_)
    if entity is None or not of_type(request, entity, names):
        raise ResourceNotFound(kind="entity", name=id_)
    instances = entity.attributes.get(name)
    if not instances:
        raise ResourceNotFound(kind="attribute", name=request.segments[3])
    return id_, name, entity, instances


async def partial_update(request: Request) -> Answer:
    """Change members of one instance of an attribute (5.6.4)."""
    document, names = await payload(request, (JSON, LD, MERGE))
    id_, name, _, instances = _address(request, names)
    field = request.segments[3]
    fragment = _fragment(document, names)
    wanted = fragment.get("datasetId") if isinstance(fragment, dict) else None
    held = next((instance for instance in instances if dataset(instance) == wanted), None)
    if held is None:
        raise ResourceNotFound(kind="attribute", name=f"{field} {wanted or ''}".strip())
    reader = Reader(names, request.context.changing.now(), nulls=True, held={name: [held]})
    patch = reader.fragment(fragment, held, field)
    if merging.is_null(patch):
        await request.context.changing.delete_attribute(id_, name, wanted, False, request.caller.actor)
        return Answer(204)

    def merge(entity: Entity, attributes: Attributes, now: str) -> Outcome:
        if name not in attributes:
            return Outcome(entity)
        put = [merging.partial(i, patch) if dataset(i) == wanted else i for i in entity.attributes[name]]
        return Outcome(entity.changed(now, attributes={**entity.attributes, name: put}), [name])

    changing = request.context.changing
    changes, rows, _ = changing.prepare_merge(id_, {name: [merging.partial(held, patch)]}, merge)
    await changing.apply(changes, rows, request.caller.actor)
    return Answer(204)


def _fragment(document: Any, names: Names) -> Any:
    if isinstance(document, dict):
        return {key: value for key, value in document.items() if key != "@context"}
    return document


async def replace(request: Request) -> Answer:
    """A new attribute in the place of the one of the same dataset (5.6.19)."""
    document, names = await payload(request)
    id_, name, _, _ = _address(request, names)
    reader = Reader(names, request.context.changing.now())
    given = reader.instances(_fragment(document, names), request.segments[3])

    def merge(entity: Entity, attributes: Attributes, now: str) -> Outcome:
        if name not in attributes:
            return Outcome(entity)
        return merging.append(entity, attributes, now)

    changing = request.context.changing
    changes, rows, _ = changing.prepare_merge(id_, {name: given}, merge)
    await changing.apply(changes, rows, request.caller.actor)
    return Answer(204)


async def delete(request: Request) -> Answer:
    """Delete an attribute: its default instance, that of `datasetId`, or with `deleteAll=true` all (5.6.5)."""
    names = await reading_names(request)
    parameters.known(request.query, {"datasetId", "deleteAll", "type", "local", "options"})
    id_ = texts.uri(request.segments[1], "id")
    held = request.context.changing.view(id_)
    if held is None or not of_type(request, held, names):
        raise ResourceNotFound(kind="entity", name=id_)
    if request.segments[3] == "scope":
        await request.context.changing.change(id_, lambda held: held.changed(request.context.changing.now(), scope=()),
                                              request.caller.actor)  # fmt: skip
        return Answer(204)
    name = names.expand(texts.name(request.segments[3], "attrId"))
    wanted = request.query.get("datasetId")
    if wanted is not None and wanted != "@none":
        texts.uri(wanted, "datasetId")
    everything = parameters.truth(request.query, "deleteAll")
    chosen = None if wanted == "@none" else wanted
    await request.context.changing.delete_attribute(id_, name, chosen, everything, request.caller.actor)
    return Answer(204)
