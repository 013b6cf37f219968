"""The NGSI-LD application: raw ASGI, so that a query costs little more than its own bytes."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from mumian.foundation.context.api import Context
from mumian.foundation.context.errors import BadRequestData, NotAllowed, NoTenants
from mumian.foundation.context.ngsild import attributes, batch, discovery, documents, entities, subscriptions, temporal
from mumian.foundation.context.ngsild.refusing import refusal
from mumian.foundation.context.ngsild.request import PREFIX, Answer, Request, read_body
from mumian.foundation.identity.api import authenticate, require
from mumian.kernel.errors import MumianError, NotFound
from mumian.kernel.platform import Platform

Handler = Callable[[Request], Awaitable[Answer]]
_READ, _WRITE = "entity:read", "entity:write"
_log = logging.getLogger("mumian.context")
_BODIES = frozenset({"POST", "PATCH", "PUT"})


class NoRoute(NotFound):
    """There is nothing at that address; values: `path`."""

    key = "error.no_route"


class NgsiLd:
    """Serves `/ngsi-ld/v1`; every answer but a good one is an RFC 9457 problem in the reader's language."""

    actions = (_READ, _WRITE, "subscription:read", "subscription:write")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._context = platform.get(Context)
        self._queries = entities.Queries()
        self._table = self._routes()

    def _routes(self) -> dict[tuple[str, ...], dict[str, tuple[Handler, str]]]:
        """By path (`*` is any one part) and method: the handler, and the action that it needs."""
        read, write = partial(_doing, _READ), partial(_doing, _WRITE)
        heard, listen = partial(_doing, "subscription:read"), partial(_doing, "subscription:write")
        operations = {name: getattr(batch, name) for name in ("create", "upsert", "update", "merge", "delete")}
        one = {"GET": read(entities.retrieve), "PUT": write(entities.replace)}
        past = ("temporal", "entities")
        return {
            ("entities",): {"GET": read(self._queries.get), "POST": write(entities.create), "DELETE": write(entities.purge)}
            | {"PATCH": write(entities.nameless), "PUT": write(entities.nameless)},
            ("info", "*"): {"GET": read(discovery.source)},
            ("entities", "*"): {**one, "PATCH": write(entities.merge), "DELETE": write(entities.delete)},
            ("entities", "*", "attrs"): {"POST": write(attributes.append), "PATCH": write(attributes.update)},
            ("entities", "*", "attrs", "*"): {
                "PATCH": write(attributes.partial_update),
                "PUT": write(attributes.replace),
                "DELETE": write(attributes.delete),
            },
            **{("entityOperations", name): {"POST": write(handler)} for name, handler in operations.items()},
            ("entityOperations", "query"): {"POST": read(self._queries.post)},
            past: {"GET": read(temporal.query), "POST": write(temporal.create)},
            (*past, "*"): {"GET": read(temporal.retrieve), "DELETE": write(temporal.forget)},
            (*past, "*", "attrs"): {"POST": write(temporal.add)},
            (*past, "*", "attrs", "*"): {"DELETE": write(temporal.forget)},
            (*past, "*", "attrs", "*", "*"): {"DELETE": write(temporal.forget)},
            ("temporal", "entityOperations", "query"): {"POST": read(temporal.post)},
            ("types",): {"GET": read(discovery.types)},
            ("types", "*"): {"GET": read(discovery.one_type)},
            ("attributes",): {"GET": read(discovery.attributes)},
            ("attributes", "*"): {"GET": read(discovery.one_attribute)},
            ("subscriptions",): {"GET": heard(subscriptions.several), "POST": listen(subscriptions.create)},
            ("subscriptions", "*"): {
                "GET": heard(subscriptions.one),
                "PATCH": listen(subscriptions.change),
                "DELETE": listen(subscriptions.delete),
            },
            ("jsonldContexts",): {"GET": read(documents.several), "POST": write(documents.add)},
            ("jsonldContexts", "*"): {"GET": read(documents.one), "DELETE": write(documents.delete)},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        try:
            answer = await self._answer(scope, headers, receive)
        except MumianError as error:
            answer = refusal(error, headers)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            answer = refusal(MumianError(), headers)
        body = answer.body
        sent = [*answer.headers, (b"content-length", b"%d" % len(body))]
        if body:
            sent.append((b"content-type", answer.media.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        segments, template = self._path(scope)
        handlers = self._table.get(template)
        if handlers is None:
            raise NoRoute(path=scope["path"][:200])
        chosen = handlers.get(method)
        if chosen is None:
            raise NotAllowed(path=scope["path"][:200], method=method)
        handler, action = chosen
        caller = await authenticate(self._platform, scope["headers"], method)
        require(caller, action)
        if b"ngsild-tenant" in headers:
            raise NoTenants
        if len(headers) < len(scope["headers"]) and _repeated(scope):
            raise BadRequestData.field("Link", "context.parameter_twice")
        request = Request(scope, method, segments, headers, caller, self._context)
        if method in _BODIES:
            request.body = await read_body(receive, headers, self._context.settings.body_bytes)
        return await handler(request)

    @staticmethod
    def _path(scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The parts of the path below the root, and the same with identifiers made `*`."""
        path = scope["path"]
        if path == _ENTITIES:
            return ("entities",), ("entities",)
        raw = (scope.get("raw_path") or path.encode()).partition(b"?")[0].decode("latin-1")
        below = raw[raw.find(PREFIX) + len(PREFIX) :].strip("/")
        segments = tuple(unquote(part) for part in below.split("/"))
        if segments[0] == "temporal":
            return segments, tuple(
                p if i < 2 or (i == 3 and p == "attrs") or p == "query" else "*" for i, p in enumerate(segments)
            )
        if segments[0] == "entityOperations":
            return segments, segments
        return segments, tuple(part if i == 0 or (i == 2 and part == "attrs") else "*" for i, part in enumerate(segments))


_ENTITIES = f"{PREFIX}/entities"


def _doing(action: str, handler: Handler) -> tuple[Handler, str]:
    return handler, action


def _repeated(scope: Scope) -> bool:
    """Whether the Link header comes twice with an @context."""
    return len([1 for name, value in scope["headers"] if name == b"link" and b"json-ld#context" in value]) > 1
