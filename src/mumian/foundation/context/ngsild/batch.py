"""Batches: many entities in one request, each with its own result, all that succeed in one commit (6.14–6.17, 6.31)."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

from mumian.foundation.context.errors import BadRequestData, ResourceNotFound, TooComplexQuery
from mumian.foundation.context.ngsild.refusing import details
from mumian.foundation.context.ngsild.request import JSON, LD, Answer, Request, decoded, encode, link_context, media_type
from mumian.foundation.context.rules import merging, parameters, texts
from mumian.foundation.context.rules.entity import Entity
from mumian.foundation.context.rules.names import CORE, Names
from mumian.foundation.context.rules.shape import Reader
from mumian.foundation.context.service.changing import Rows
from mumian.foundation.context.service.writing import Change
from mumian.kernel.errors import Fault, MumianError
from mumian.kernel.i18n import preferred


class Batch:
    """One batch under way: what succeeded, what did not, and the changes and rows that come of it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.changing = request.context.changing
        self.changes: list[Change] = []
        self.rows: Rows = []
        self.success: list[str] = []
        self.created: list[str] = []
        self.errors: list[dict[str, Any]] = []
        self._language = preferred(request.text(b"accept-language"))

    def run(self, documents: list[Any], names: list[Names | MumianError], work: Callable[["Batch", Any, Names], str]) -> None:
        """Do `work` for each document; those that fail are listed, among them those without names to read them by."""
        for document, own in zip(documents, names, strict=True):
            try:
                if isinstance(own, MumianError):
                    raise own
                self.success.append(work(self, document, own))
            except MumianError as error:
                self.errors.append({"entityId": _id(document), "error": details(error, self._language)})

    async def finish(self) -> None:
        """Wait for the disk."""
        await self.changing.apply(self.changes, self.rows, self.request.caller.actor)

    def result(self) -> Answer:
        """A BatchOperationResult (5.2.16)."""
        return Answer(207, encode({"success": self.success, "errors": self.errors}))


def _id(document: Any) -> str:
    found = document.get("id", "") if isinstance(document, dict) else document
    return found if isinstance(found, str) else ""


async def _documents(request: Request) -> tuple[list[Any], list[Names | MumianError]]:
    media = media_type(request, (JSON, LD))
    found = decoded(request.body)
    if not isinstance(found, list) or not found or None in found:
        raise BadRequestData.field("", "context.empty_batch")
    if len(found) > request.context.settings.batch_entities:
        raise TooComplexQuery(limit=request.context.settings.batch_entities)
    contexts = request.context.contexts
    link = link_context(request)
    if media == JSON:
        own = await contexts.names(link)
        wrong = BadRequestData.field("@context", "context.context_in_json")
        return found, [wrong if isinstance(item, dict) and "@context" in item else own for item in found]
    if link is not None:
        raise BadRequestData.field("Link", "context.link_in_ld")
    names: list[Names | MumianError] = []
    for item in found:
        try:
            if isinstance(item, dict) and "@context" not in item:
                raise BadRequestData.field("@context", "field.missing")
            names.append(await contexts.names(item["@context"]) if isinstance(item, dict) else CORE)
        except MumianError as error:
            names.append(error)
    return found, names


async def create(request: Request) -> Answer:
    """Create entities: 201 with their ids, or 207."""

    def work(batch: Batch, document: Any, names: Names) -> str:
        entity = Reader(names, now).entity(document)
        batch.changes.append(batch.changing.prepare_create(entity))
        return entity.id

    documents, all_names = await _documents(request)
    batch, now = Batch(request), request.context.changing.now()
    batch.changing.things.refresh()
    batch.run(documents, all_names, work)
    await batch.finish()
    return batch.result() if batch.errors else Answer(201, encode(batch.success))


async def upsert(request: Request) -> Answer:
    """Create entities or replace (`options=update`: update) those that are there: 201 with the created ids, 204 or 207."""
    updating = "update" in parameters.options(request.query)

    def work(batch: Batch, document: Any, names: Names) -> str:
        reader = Reader(names, now)
        id_ = _entity_id(document)
        held = batch.changing.view(id_)
        if held is None:
            entity = reader.entity(document)
            batch.changes.append(batch.changing.prepare_create(entity))
            batch.created.append(entity.id)
        elif updating or batch.changing.things.find(id_) is not None:
            _merge(batch, document, reader, merging.append)
        else:
            batch.changes.append(batch.changing.prepare_replace(reader.entity({"type": list(held.types), **document})))
        return id_

    documents, all_names = await _documents(request)
    batch, now = Batch(request), request.context.changing.now()
    batch.run(documents, all_names, work)
    await batch.finish()
    if batch.errors:
        return batch.result()
    return Answer(201, encode(batch.created)) if batch.created else Answer(204)


def _entity_id(document: Any) -> str:
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    if "id" not in document:
        raise BadRequestData.field("id", "field.missing")
    return texts.uri(document["id"], "id")


def _merge(batch: Batch, document: Any, reader: Reader, rule: Any) -> str:
    id_ = _entity_id(document)
    scope = texts.scopes(document["scope"]) if "scope" in document else None
    attributes = reader.attributes(document)
    changes, rows, outcome = batch.changing.prepare_merge(id_, attributes, rule, reader.types(document), scope)
    batch.changes += changes
    batch.rows += rows
    if outcome.left:
        raise BadRequestData(*(Fault(name, key, {"name": name}) for name, key in outcome.left.items()))
    return id_


async def update(request: Request) -> Answer:
    """Append or update attributes of entities that are there; `options=noOverwrite` leaves what is there (5.6.9)."""
    overwrite = "noOverwrite" not in parameters.options(request.query)

    def rule(entity: Entity, attributes: Any, now: str) -> merging.Outcome:
        return merging.append(entity, attributes, now, overwrite)

    return await _merged(request, rule, nulls=False)


async def merge(request: Request) -> Answer:
    """Merge-patch into entities that are there (5.6.20)."""
    return await _merged(request, merging.merge, nulls=True)


async def _merged(request: Request, rule: Any, nulls: bool) -> Answer:
    def work(batch: Batch, document: Any, names: Names) -> str:
        id_ = _entity_id(document)
        held = batch.changing.view(id_)
        if held is None:
            Reader(names, now, nulls=nulls).attributes(document)
            raise ResourceNotFound(kind="entity", name=id_)
        reader = Reader(names, now, nulls=nulls, held=held.attributes if nulls else None)
        return _merge(batch, document, reader, rule)

    documents, all_names = await _documents(request)
    batch, now = Batch(request), request.context.changing.now()
    batch.run(documents, all_names, work)
    await batch.finish()
    return batch.result() if batch.errors else Answer(204)


async def delete(request: Request) -> Answer:
    """Delete entities by a list of ids (5.6.10)."""
    media_type(request, (JSON, LD))
    found = decoded(request.body)
    if not isinstance(found, list) or not found:
        raise BadRequestData.field("", "context.empty_batch")
    if len(found) > request.context.settings.batch_entities:
        raise TooComplexQuery(limit=request.context.settings.batch_entities)

    def work(batch: Batch, document: Any, names: Names) -> str:
        id_ = texts.uri(document, "id")
        batch.changes.append(batch.changing.prepare_delete(id_))
        return id_

    batch = Batch(request)
    batch.run(found, list(repeat(CORE, len(found))), work)
    await batch.finish()
    return batch.result() if batch.errors else Answer(204)
