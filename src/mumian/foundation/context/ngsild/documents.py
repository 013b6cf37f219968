"""JSON-LD contexts over HTTP: add, list, serve and delete (6.29, 6.30)."""

from typing import Any

from mumian.foundation.context.errors import BadRequestData, InvalidRequest, OperationNotSupported, ResourceNotFound
from mumian.foundation.context.ngsild.request import JSON, LD, Answer, Request, decoded, encode, media_type
from mumian.foundation.context.rules import core, parameters
from mumian.foundation.context.service.contexts import KINDS, StoredContext, core_address, core_document


async def add(request: Request) -> Answer:
    """Keep a context that others may refer to: 201 and its address."""
    media_type(request, (JSON, LD))
    document = decoded(request.body)
    contexts = request.context.contexts
    if document == {}:
        raise InvalidRequest.field("@context", "field.missing")
    await contexts.check(document)
    kept = await contexts.keep("Hosted", {"@context": document["@context"]}, request.caller.actor, base=request.base)
    location = (b"location", f"/ngsi-ld/v1/jsonldContexts/{kept.id}".encode())
    return Answer(201, headers=(location,))


def _info(kept: StoredContext) -> dict[str, Any]:
    info = {"URL": kept.address, "localId": kept.id, "kind": kept.kind, "createdAt": kept.created, "numberOfHits": kept.hits}
    return info if kept.used is None else {**info, "lastUsage": kept.used}


async def several(request: Request) -> Answer:
    """The addresses of all kept contexts, or with `details=true` what is known of each."""
    parameters.known(request.query, {"details", "kind"})
    kind = request.query.get("kind")
    if kind is not None and kind not in KINDS:
        raise BadRequestData.field("kind", "field.choice", expected=", ".join(KINDS))
    kept = [known for known in request.context.contexts.all() if kind in (None, known.kind)]
    if parameters.truth(request.query, "details"):
        core_info = {"URL": core.CORE_ADDRESS, "localId": core.CORE_ADDRESS, "kind": "Cached"}
        first = [core_info] if kind in (None, "Cached") else []
        return Answer(200, encode([*first, *map(_info, kept)]))
    first_address = [core.CORE_ADDRESS] if kind in (None, "Cached") else []
    return Answer(200, encode([*first_address, *(known.address for known in kept)]))


async def one(request: Request) -> Answer:
    """A context itself, or with `details=true` what is known of it."""
    parameters.known(request.query, {"details"})
    details = parameters.truth(request.query, "details")
    id_ = request.segments[1]
    if core_address(id_):
        return Answer(200, encode(core_document()))
    kept = request.context.contexts.find(id_)
    if kept is None:
        raise ResourceNotFound(kind="@context", name=id_)
    if details:
        return Answer(200, encode(_info(kept)))
    if kept.kind == "Cached":
        raise OperationNotSupported(reason="Cached @context")
    return Answer(200, encode(kept.body))


async def delete(request: Request) -> Answer:
    """Drop a context; `reload=true` fetches a cached one again."""
    parameters.known(request.query, {"reload"})
    id_ = request.segments[1]
    if core_address(id_):
        raise BadRequestData.field("contextId", "context.core")
    await request.context.contexts.delete(id_, request.caller.actor, parameters.truth(request.query, "reload"))
    return Answer(204)
