"""Subscriptions over HTTP: create, list, retrieve, change, delete (6.10, 6.11)."""

from typing import Any
from urllib.parse import quote, urlencode

from mumian.foundation.context.errors import BadRequestData, InvalidRequest
from mumian.foundation.context.ngsild.request import (
    PREFIX,
    Answer,
    Request,
    accepted,
    link_context,
    payload,
    reading_names,
    shown,
)
from mumian.foundation.context.rules import parameters, texts
from mumian.foundation.context.rules import subscription as rules
from mumian.foundation.context.service.subscriptions import Subscription
from mumian.foundation.context.service.targets import check_literal


async def create(request: Request) -> Answer:
    """Make a subscription: 201 and its address."""
    parameters.known(request.query, {"options", "local"})
    document, _ = await payload(request)
    if document == {}:
        raise InvalidRequest.field("type", "field.missing")
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    if "id" in document:
        texts.uri(document["id"], "id")
    context = await _context(request, document)
    body = {name: value for name, value in document.items() if name != "@context" and name not in rules.GENERATED}
    rules.check(body, request.context.subscriptions.now())
    check_literal(rules.endpoint(body["notification"]).uri, request.context.settings.targets)
    made = await request.context.subscriptions.create(body, context, request.caller.actor)
    return Answer(201, headers=((b"location", f"{PREFIX}/subscriptions/{quote(made.id, safe=':')}".encode()),))


async def _context(request: Request, document: dict[str, Any]) -> Any:
    """The @context of a subscription; one that is written out is kept, so that notifications can refer to it (5.8.1)."""
    context = document.get("@context", link_context(request))
    if isinstance(context, list) and len(context) == 1:
        context = context[0]
    if context is None or isinstance(context, str):
        return context
    contexts = request.context.contexts
    await contexts.check({"@context": context})
    kept = await contexts.keep("ImplicitlyCreated", {"@context": context}, request.caller.actor, base=request.base)
    return kept.address


async def several(request: Request) -> Answer:
    """A page of subscriptions."""
    parameters.known(request.query, {"limit", "offset", "count", "options"})
    media, names = accepted(request), await reading_names(request)
    page = parameters.page(request.query, request.context.settings.page_entities)
    known = list(request.context.subscriptions.all.values())
    system = "sysAttrs" in parameters.options(request.query)
    found = [view(request, item, system) for item in known[page.offset : page.offset + page.limit]]
    headers = [(b"ngsild-results-count", b"%d" % len(known))] if page.count else []
    for rel, offset in (("next", page.offset + page.limit), ("prev", max(page.offset - page.limit, 0))):
        if page.limit and ((rel == "next" and offset < len(known)) or (rel == "prev" and page.offset)):
            where = f"{PREFIX}/subscriptions?{urlencode({**request.query, 'limit': page.limit, 'offset': offset})}"
            headers.append((b"link", f'<{where}>;rel="{rel}";type="{media}"'.encode()))
    return shown(found, names, media, headers=headers)


async def one(request: Request) -> Answer:
    """A subscription, and what became of its notifications."""
    parameters.known(request.query, {"options"})
    media, names = accepted(request), await reading_names(request)
    item = request.context.subscriptions.find(texts.uri(request.segments[1], "id"))
    return shown(view(request, item, "sysAttrs" in parameters.options(request.query)), names, media)


def view(request: Request, item: Subscription, system: bool) -> dict[str, Any]:
    """A subscription as its owner sees it."""
    body = dict(item.body)
    status = rules.status(body, request.context.subscriptions.now())
    body["isActive"] = body.get("isActive", True)
    body["status"] = status
    body["notification"] = {**body["notification"], **{k: v for k, v in item.state.items() if k != "status"}}
    if "status" in item.state:
        body["notification"]["status"] = item.state["status"]
    if "jsonldContext" not in body and item.names.address is not None:
        body["jsonldContext"] = item.names.address
    if system:
        body |= {"createdAt": item.created, "modifiedAt": item.modified}
    return body


async def change(request: Request) -> Answer:
    """Merge a fragment into a subscription."""
    id_ = texts.uri(request.segments[1], "id")
    document, _ = await payload(request, ("application/json", "application/ld+json", "application/merge-patch+json"))
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    held = request.context.subscriptions.find(id_)
    if document.get("id", id_) != id_:
        raise BadRequestData.field("id", "context.other_id", expected=id_)
    patch = {name: value for name, value in document.items() if name not in ("@context", *rules.GENERATED)}
    if not patch:
        raise BadRequestData.field("", "context.empty_fragment")
    context = await _context(request, document)
    body = rules.merged(held.body, patch)
    if isinstance(body.get("notification"), dict):
        check_literal(rules.endpoint(body["notification"]).uri, request.context.settings.targets)
    await request.context.subscriptions.change(id_, patch, context, request.caller.actor)
    return Answer(204)


async def delete(request: Request) -> Answer:
    """Drop a subscription."""
    id_ = texts.uri(request.segments[1], "id")
    await request.context.subscriptions.delete(id_, request.caller.actor)
    return Answer(204)
