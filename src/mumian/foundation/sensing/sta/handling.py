"""Handling: one request to its answer, whether it came by itself or within a batch, and what its caller must be allowed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import unquote_plus

import msgspec
import numpy as np

from mumian.foundation.identity.api import Caller, require
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Receipt
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.sensing.sta import ingest, reading, rendering, tasking
from mumian.foundation.sensing.sta.observed import columns_of
from mumian.foundation.sensing.sta.paths import Path, parse_path
from mumian.foundation.sensing.sta.writing import observing, requests
from mumian.foundation.sensing.sta.writing.model import TYPES
from mumian.kernel.errors import Fault, Invalid, MumianError

PREFIX = "/sta/v1.1"
ACTIONS = (
    "sensing:write",
    "sensing:register",
    "sensing:amend",
    "sensing:delete",
    "stream:read",
    "observation:read",
    "task:read",
    "task:create",
    "task:register",
)
_OWNERS = ("Datastreams", "MultiDatastreams")
_JSON_PATCH = b"application/json-patch+json"
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Request:
    """What a handler needs of a request; `headers` are in lower case."""

    method: str
    path: Path
    caller: Caller
    body: bytes = b""
    query: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    scheme: str = "http"

    @property
    def base(self) -> str:
        """The address of the service's root."""
        return base_of(self.headers, self.scheme)


@dataclass(frozen=True)
class Answer:
    """An answer: status, bytes (JSON if `media` says nothing else) and further headers; `chunks` where it comes in parts."""

    status: int
    body: bytes
    headers: Headers = ()
    media: bytes = b"application/json"
    chunks: AsyncIterator[bytes] | None = None


class MethodNotAllowed(MumianError):
    """The resource is there, and does not do this; values: `path`, `method`."""

    key = "error.method"


Handler = Callable[[Sensing, Request], Awaitable[Answer]]


def base_of(headers: dict[bytes, bytes], scheme: str) -> str:
    """The address of the service's root, as the caller knows it."""
    host = headers.get(b"host", b"localhost").decode("latin-1")
    forwarded = headers.get(b"x-forwarded-proto", b"").decode("latin-1")
    return f"{forwarded if forwarded in ('http', 'https') else scheme}://{host}{PREFIX}"


def handler_of(method: str, path: Path) -> tuple[Handler, str]:
    """What answers a request, and the action that the caller must be allowed; raises MethodNotAllowed."""
    found: tuple[Handler, str] | None = None
    if path.names == ("CreateObservations",):
        found = (_create_observations, "sensing:write") if method == "POST" else None
    elif method in ("GET", "HEAD"):
        if "Observations" in path.names:
            return _read, "observation:read"
        return _read, tasking.READ if tasking.reaches(path) else "stream:read"
    elif path.attribute is None and path.names:
        found = _referring(method, path) if path.reference else _writing(method, path)
    if found is None:
        raise MethodNotAllowed(path=path.text, method=method)
    return found


def _writing(method: str, path: Path) -> tuple[Handler, str] | None:
    if path.last == "Observations":
        if method == "POST" and not path.one and (len(path.names) == 1 or path.names[-2] in _OWNERS):
            return _create_observation, "sensing:write"
        if method in ("PATCH", "PUT", "DELETE") and path.id is not None:
            return (_delete if method == "DELETE" else _change), "sensing:amend"
    elif path.last in TYPES:
        if method == "POST" and not path.one:
            return _create_entity, tasking.write_action(path.last)
        if method in ("PATCH", "PUT") and path.one:
            return _change, tasking.write_action(path.last)
        if method == "DELETE" and path.one:
            return _delete, "sensing:delete"
    return None


def _referring(method: str, path: Path) -> tuple[Handler, str] | None:
    fits = (method == "POST" and not path.one) or (method == "PUT" and path.one) or (method == "DELETE" and path.one)
    return (_refer, tasking.write_action(path.last)) if fits and len(path.names) > 1 and path.last in TYPES else None


async def _create_observations(sensing: Sensing, request: Request) -> Answer:
    parsed = ingest.parse_many(request.body, sensing.settings.batch_rows)
    if parsed.features is None:
        receipt = await _record(sensing, request, parsed)
    else:
        key, digest = idempotency(request)
        receipt, _ = await observing.record(sensing, parsed, request.caller, False, key, digest)
    start = msgspec.json.encode(f"{request.base}/Observations(").decode()[:-1]
    links = (')",' + start).join(map(str, receipt.ids.tolist()))
    body = f'[{start}{links})"]' if len(receipt.ids) else "[]"
    return Answer(201, body.encode(), _replayed(receipt))


async def _record(sensing: Sensing, request: Request, parsed: ingest.Parsed) -> Receipt:
    key, digest = idempotency(request)
    sensing.admit(request.caller, parsed.batch.streams)
    try:
        return await sensing.recorder.record(parsed.batch, key, digest)
    except BadRows as error:
        raise ingest.placed(error, parsed, single=False) from None


async def _create_observation(sensing: Sensing, request: Request) -> Answer:
    owner = request.path.owner_id
    parsed = ingest.parse_one(request.body, owner, microseconds(sensing.platform.clock.now()))
    key, digest = idempotency(request)
    receipt, batch = await observing.record(sensing, parsed, request.caller, True, key, digest)
    shown = sensing.amendments.renumbered(batch.numbered(np.asarray(receipt.ids)))
    info = sensing.registry.numbered(int(batch.streams[0]))
    row = columns_of(shown)[0]
    entity = rendering.observation(row, request.base, multi=info is not None and info.multi)
    location = (b"location", f"{request.base}/Observations({int(shown.ids[0])})".encode())
    return Answer(201, msgspec.json.encode(entity), (location, *_replayed(receipt)))


async def _create_entity(sensing: Sensing, request: Request) -> Answer:
    name, number = await requests.create(sensing, request.path, request.body, request.caller)
    return await made(sensing, name, number, request.base)


async def made(sensing: Sensing, name: str, number: int, base: str) -> Answer:
    """The answer that tells of a new entity, with where it is."""
    found = await _shown(sensing, name, number, base)
    return Answer(201, found, ((b"location", f"{base}/{name}({number})".encode()),))


async def _shown(sensing: Sensing, name: str, number: int, base: str) -> bytes:
    text = f"{PREFIX}/{name}({number})"
    return (await reading.reply(sensing, parse_path(f"/{name}({number})", text), b"", base)).body


async def _change(sensing: Sensing, request: Request) -> Answer:
    kind = request.headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    whole = request.method == "PUT"
    number = await requests.patch(sensing, request.path, request.body, request.caller, kind == _JSON_PATCH and not whole, whole)
    return Answer(200, await _shown(sensing, request.path.last, number, request.base))


async def _delete(sensing: Sensing, request: Request) -> Answer:
    await requests.delete(sensing, request.path, request.caller)
    return Answer(200, b"")


async def _refer(sensing: Sensing, request: Request) -> Answer:
    await requests.refer(sensing, request.method, request.path, request.body, request.caller)
    return Answer(204 if request.method != "DELETE" else 200, b"")


async def _read(sensing: Sensing, request: Request) -> Answer:
    query, own = unquote_plus(request.query.decode("latin-1")), None
    if "Observations" in query:  # a filter or an expansion may reach them from any set
        require(request.caller, "observation:read")
    if tasking.reaches(request.path, query):
        require(request.caller, tasking.READ)
        own = await tasking.bound(sensing, request.caller, request.path, query)
    found = await reading.reply(sensing, request.path, request.query, request.base, own)
    return Answer(found.status, found.body, media=found.media, chunks=found.chunks)


def idempotency(request: Request) -> tuple[str | None, str]:
    """The key of a request that shall be done once, one for each caller, and the digest of what it asks."""
    given = request.headers.get(b"idempotency-key")
    if given is None:
        return None, ""
    if not 1 <= len(given) <= 200:
        raise Invalid(Fault("Idempotency-Key", "field.length", {"expected": "1…200"}))
    key = sha256(request.caller.actor.id.encode() + b"\n" + given).hexdigest()[:32]
    return key, sha256(request.path.text.encode() + b"\n" + request.body).hexdigest()


def _replayed(receipt: Receipt) -> Headers:
    return ((b"idempotency-replayed", b"true"),) if receipt.replayed else ()
