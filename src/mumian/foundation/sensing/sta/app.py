"""The SensorThings application: raw ASGI, so that a batch of observations costs little more than its own bytes."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from mumian.foundation.identity.api import Caller, authenticate, require
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Receipt
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.sensing.sta import creating, ingest, reading
from mumian.foundation.sensing.sta.paths import Path, parse_path
from mumian.kernel.errors import Fault, Invalid, MumianError, TooLarge
from mumian.kernel.i18n import preferred, text
from mumian.kernel.platform import Platform
from mumian.kernel.web.problems import problem, status_of

PREFIX = "/sta/v1.1"
_PROBLEM = [(b"content-type", b"application/problem+json"), (b"vary", b"Accept-Language")]
_log = logging.getLogger("mumian.sensing")


@dataclass(frozen=True)
class Request:
    """What a handler needs of a request."""

    scope: Scope
    headers: dict[bytes, bytes]
    body: bytes
    path: Path
    caller: Caller

    @property
    def base(self) -> str:
        """The address of the service's root."""
        host = self.headers.get(b"host", b"localhost").decode("latin-1")
        forwarded = self.headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        scheme = forwarded if forwarded in ("http", "https") else self.scope.get("scheme", "http")
        return f"{scheme}://{host}{PREFIX}"


@dataclass(frozen=True)
class Answer:
    """An answer: status, bytes (JSON if `media` says nothing else) and further headers; `chunks` where it comes in parts."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media: bytes = b"application/json"
    chunks: AsyncIterator[bytes] | None = None


class SensorThings:
    """Serves `/sta/v1.1`; every answer but a good one is an RFC 9457 problem in the reader's language."""

    actions = ("sensing:write", "sensing:register", "stream:read", "observation:read")

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
        method = scope["method"]
        path = parse_path(scope["path"].removeprefix(PREFIX), scope["path"])
        handler, action = self._handler(method, path)
        caller = await authenticate(self._platform, scope["headers"], method)
        require(caller, action)
        body = b"" if method in ("GET", "HEAD") else await _body(receive, headers, self._sensing.settings.body_bytes)
        return await handler(Request(scope, headers, body, path, caller))

    def _handler(self, method: str, path: Path) -> tuple[Callable[[Request], Awaitable[Answer]], str]:
        if method == "POST":
            if path.names == ("CreateObservations",):
                return self._create_observations, "sensing:write"
            if path.last == "Observations" and path.names[:-1] in ((), ("Datastreams",)):
                return self._create_observation, "sensing:write"
            if path.last in creating.CREATABLE and path.id is None:
                return self._create_entity, "sensing:register"
        elif method in ("GET", "HEAD") and path.names != ("CreateObservations",):
            return self._read, "observation:read" if "Observations" in path.names else "stream:read"
        raise MethodNotAllowed(path=path.text, method=method)

    async def _create_observations(self, request: Request) -> Answer:
        parsed = ingest.parse_many(request.body, self._sensing.settings.batch_rows)
        receipt = await self._record(request, parsed, single=False)
        start = msgspec.json.encode(f"{request.base}/Observations(").decode()[:-1]
        links = (')",' + start).join(map(str, receipt.ids.tolist()))
        body = f'[{start}{links})"]' if len(receipt.ids) else "[]"
        return Answer(201, body.encode(), _replayed(receipt))

    async def _create_observation(self, request: Request) -> Answer:
        stream = request.path.owner_id
        now = microseconds(self._platform.clock.now())
        parsed = ingest.parse_one(request.body, stream, now)
        receipt = await self._record(request, parsed, single=True)
        batch = parsed.batch
        found = type(batch)(batch.streams, batch.times, batch.results, receipt.ids, batch.result_times)
        entity = reading.observation_entities(found, request.base)[0]
        location = (b"location", f"{request.base}/Observations({receipt.first_id})".encode())
        return Answer(201, msgspec.json.encode(entity), (location, *_replayed(receipt)))

    async def _record(self, request: Request, parsed: ingest.Parsed, single: bool) -> Receipt:
        key, digest = _idempotency(request)
        self._sensing.admit(request.caller, parsed.batch.streams)
        try:
            return await self._sensing.recorder.record(parsed.batch, key, digest)
        except BadRows as error:
            raise ingest.placed(error, parsed, single) from None

    async def _create_entity(self, request: Request) -> Answer:
        entity, new = await creating.create(self._sensing, request.path, request.body, request.caller)
        return Answer(201, b"", ((b"location", f"{request.base}/{entity}({new})".encode()),))

    async def _read(self, request: Request) -> Answer:
        query = request.scope.get("query_string", b"")
        found = await reading.reply(self._sensing, request.path, query, request.base)
        return Answer(found.status, found.body, media=found.media, chunks=found.chunks)


class MethodNotAllowed(MumianError):
    """The resource is there, and does not do this; values: `path`, `method`."""

    key = "error.method"


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


def _idempotency(request: Request) -> tuple[str | None, str]:
    given = request.headers.get(b"idempotency-key")
    if given is None:
        return None, ""
    if not 1 <= len(given) <= 200:
        raise Invalid(Fault("Idempotency-Key", "field.length", {"expected": "1…200"}))
    key = sha256(request.caller.actor.id.encode() + b"\n" + given).hexdigest()[:32]
    return key, sha256(request.path.text.encode() + b"\n" + request.body).hexdigest()


def _replayed(receipt: Receipt) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"idempotency-replayed", b"true"),) if receipt.replayed else ()


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
