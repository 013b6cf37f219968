"""The SensorThings application: raw ASGI, so that a batch of observations costs little more than its own bytes."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from mumian.foundation.identity.api import authenticate, require
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.sta import batching
from mumian.foundation.sensing.sta.handling import ACTIONS, PREFIX, Answer, MethodNotAllowed, Request, handler_of
from mumian.foundation.sensing.sta.paths import Path, parse_path
from mumian.kernel.errors import MumianError, TooLarge
from mumian.kernel.i18n import preferred, text
from mumian.kernel.platform import Platform
from mumian.kernel.web.problems import problem, status_of

_PROBLEM = [(b"content-type", b"application/problem+json"), (b"vary", b"Accept-Language")]
_log = logging.getLogger("mumian.sensing")

__all__ = ["PREFIX", "SensorThings"]


class SensorThings:
    """Serves `/sta/v1.1`; every answer but a good one is an RFC 9457 problem in the reader's language."""

    actions = ACTIONS

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sensing = platform.get(Sensing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        try:
            answer = await self._answer(scope, headers, receive)
        except MumianError as error:
            answer = _refusal(error, headers)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            answer = _refusal(MumianError(), headers)
        if answer.chunks is not None:
            await _stream(answer, answer.chunks, scope["method"], send)
            return
        kind = [(b"content-type", answer.media)] if answer.status < 400 else _PROBLEM
        length = (b"content-length", b"%d" % len(answer.body))
        await send({"type": "http.response.start", "status": answer.status, "headers": [*kind, length, *answer.headers]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        method, resource = scope["method"], scope["path"].removeprefix(PREFIX)
        if resource.rstrip("/") == "/$batch":
            return await self._batch(scope, headers, receive)
        path = parse_path(resource, scope["path"])
        handler, action = handler_of(method, path)
        caller = await authenticate(self._platform, scope["headers"], method)
        require(caller, action)
        body = b"" if method in ("GET", "HEAD") else await _body(receive, headers, self._sensing.settings.body_bytes)
        query, scheme = scope.get("query_string", b""), scope.get("scheme", "http")
        return await handler(self._sensing, Request(method, path, caller, body, query, headers, scheme))

    async def _batch(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        """Each request within is held to what its caller may do; the batch itself needs nothing but a caller."""
        path = Path(scope["path"], (), (), one=False)
        if scope["method"] != "POST":
            raise MethodNotAllowed(path=path.text, method=scope["method"])
        caller = await authenticate(self._platform, scope["headers"], "POST")
        body = await _body(receive, headers, self._sensing.settings.body_bytes)
        language = preferred(headers.get(b"accept-language", b"").decode("latin-1"))
        outer = Request("POST", path, caller, body, b"", headers, scope.get("scheme", "http"))
        return await batching.answer(self._sensing, outer, language)


async def _stream(answer: Answer, chunks: AsyncIterator[bytes], method: str, send: Send) -> None:
    """Send an answer in parts; one that fails midway ends without its last part, which tells the client."""
    headers = [(b"content-type", answer.media), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for part in chunks if method != "HEAD" else _nothing():
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for part in nothing:
        yield part


async def _body(receive: Receive, headers: dict[bytes, bytes], most: int) -> bytes:
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > most:
        raise TooLarge(limit=f"{most} bytes")
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise TooLarge(limit=f"{most} bytes")
    return b"".join(parts)


def _refusal(error: MumianError, headers: dict[bytes, bytes]) -> Answer:
    language = preferred(headers.get(b"accept-language", b"").decode("latin-1"))
    body: dict[str, Any] = problem(error, language)
    if isinstance(error, MethodNotAllowed):
        body |= {"status": 405, "title": "method-not-allowed", "type": "/problems/method-not-allowed"}
        body["detail"] = text(error.key, language, **error.values)
    extra = [(b"content-language", language.encode())]
    if status_of(error) == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    return Answer(int(body["status"]), msgspec.json.encode(body), tuple(extra))
