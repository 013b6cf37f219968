"""The application: routes of the face, each with the action that it needs, and every fault as a problem document."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from mumian.foundation.identity.api import authenticate, require
from mumian.foundation.spatial.ogc import changes, documents, imports, items, overlays, tiling
from mumian.foundation.spatial.ogc.request import PREFIX, Ask
from mumian.kernel.errors import Invalid, MumianError, NotFound
from mumian.kernel.i18n import preferred, text
from mumian.kernel.platform import Platform
from mumian.kernel.web.problems import problem_response

_log = logging.getLogger("mumian.spatial")
Handler = Callable[[Ask], Awaitable[Response]]
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_C = "/collections/{collection}"
_T = _C + "/tiles/WebMercatorQuad"
_GET: dict[str, tuple[Handler, str]] = {
    "": (documents.landing, "layer:read"),
    "/": (documents.landing, "layer:read"),
    "/conformance": (documents.conformance, "layer:read"),
    "/api": (documents.definition, "layer:read"),
    "/collections": (documents.collections, "layer:read"),
    _C: (documents.collection, "layer:read"),
    _C + "/queryables": (documents.queryables, "layer:read"),
    _C + "/schema": (documents.schema, "layer:read"),
    _C + "/items": (items.features, "layer:read"),
    _C + "/items/{feature}": (items.feature, "layer:read"),
    _C + "/items/{feature}/history": (changes.history, "layer:history"),
    _C + "/imports": (imports.listed, "layer:history"),
    _C + "/tiles": (tiling.tilesets, "layer:read"),
    _T: (tiling.tileset, "layer:read"),
    _T + "/tilejson": (tiling.tilejson, "layer:read"),
    _T + "/{z}/{y}/{x}": (tiling.tile, "layer:read"),
    _C + "/style": (tiling.style, "layer:read"),
    _C + "/live": (overlays.live, "layer:read"),
    "/tileMatrixSets": (tiling.matrix_sets, "layer:read"),
    "/tileMatrixSets/WebMercatorQuad": (tiling.matrix_set, "layer:read"),
}
_CHANGE: dict[tuple[str, str], Handler] = {
    ("POST", _C + "/items"): changes.create,
    ("POST", _C + "/imports"): imports.bring_in,
    ("PUT", _C + "/items/{feature}"): changes.replace,
    ("PATCH", _C + "/items/{feature}"): changes.update,
    ("DELETE", _C + "/items/{feature}"): changes.delete,
}


class MethodNotAllowed(MumianError):
    """The resource is there, and does not do this; values: `path`, `method`."""

    key = "error.method"


class OgcApi:
    """Serves `/ogc`."""

    actions = ("layer:read", "layer:write", "layer:history")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._routes: list[tuple[Route, Handler, str]] = []
        for path, (handler, action) in _GET.items():
            self._add(path, ["GET"], handler, action)
        for (method, path), handler in _CHANGE.items():
            self._add(path, [method], handler, "layer:write")

    def _add(self, path: str, methods: list[str], handler: Handler, action: str) -> None:
        self._routes.append((Route(PREFIX + path, _nothing, methods=methods), handler, action))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request, scope)
        except MumianError as error:
            response = _refusal(error, request)
        except Exception:
            _log.exception("%s %s failed", request.method, request.url.path)
            response = _refusal(MumianError(), request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _answer(self, request: Request, scope: Scope) -> Response:
        allowed: set[str] = set()
        for route, handler, action in self._routes:
            match, found = route.matches(scope)
            if match is Match.NONE:
                continue
            allowed |= set(route.methods or ())
            if match is Match.FULL:
                scope.update(found)
                caller = await authenticate(self._platform, scope["headers"], request.method)
                require(caller, action)
                return await handler(Ask(request, self._platform, caller))
        if not allowed:
            raise NotFound(kind="page", name=request.url.path[:200])
        if request.method == "OPTIONS":
            return Response(None, 200, {"Allow": ", ".join(sorted(allowed | {"OPTIONS"}))})
        raise MethodNotAllowed(path=request.url.path, method=request.method)


async def _nothing(_: Request) -> Response:
    raise NotImplementedError


def _refusal(error: MumianError, request: Request) -> Response:
    """A problem; parameters that cannot be understood are 400 here, as the standard asks."""
    language = request.headers.get("accept-language")
    response = problem_response(error, language)
    if isinstance(error, MethodNotAllowed):
        return _with_status(response, 405, text(error.key, preferred(language), **error.values))
    if isinstance(error, Invalid) and request.method in ("GET", "HEAD"):
        return _with_status(response, 400, None)
    return response


def _with_status(response: Response, status: int, detail: str | None) -> Response:
    import msgspec

    body = msgspec.json.decode(bytes(response.body))
    body["status"] = status
    if status == 405:
        body |= {"title": "method-not-allowed", "type": "/problems/method-not-allowed", "detail": detail}
    headers = {k: v for k, v in response.headers.items() if k not in ("content-length", "content-type")}
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")
