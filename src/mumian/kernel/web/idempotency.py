"""Idempotency-Key: a repeated unsafe request gets the first answer again, and never has a second effect.

The key is claimed in a commit of its own before the request runs, and the answer is kept in another one after it. Where the
second never came (a kill, a full disk, an error that leaves the outcome open), the claim stays: a repetition is refused with
409 until the key expires, and whoever sent it has to look up what became of the first. Only 2xx answers are kept; a refusal
gives the key back. An answer marked `Cache-Control: no-store` may hold a secret: its claim stays, too, without the answer.
"""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from mumian.kernel.clock import SystemClock, iso
from mumian.kernel.errors import Conflict, Fault, Invalid, MumianError
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction
from mumian.kernel.web.problems import problem_response

KEPT = timedelta(hours=24)
_SWEEP = timedelta(hours=1)
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_CLAIMED = 0
_NOTHING_DONE = 507
_log = logging.getLogger("mumian.web")
_Next = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class CallerCheck:
    """The port behind which somebody says who sends a request: `keeper` gives the id of whom an answer may be kept for.

    It is None where nothing shall be kept: nobody is signed in, or the request may carry a secret. `keeper` raises what
    the endpoint would (Unauthenticated, Forbidden), so that nobody gets an answer again who could not ask any more.
    """

    keeper: Callable[[Request], Awaitable[str | None]]


class KeyReused(Invalid):
    """The same key came with a different request."""

    key = "error.idempotency"


class OutcomeOpen(Conflict):
    """The first request with this key was begun, and its answer is not there: what became of it must be looked up."""

    key = "error.idempotency_open"


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class _Keys:
    """What one application knows about the keys in use: whose turn it is, and when expired ones were last dropped."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self._turns: dict[str, _Turn] = {}
        self._swept: datetime | None = None

    @asynccontextmanager
    async def turn(self, identity: str) -> AsyncIterator[None]:
        """Wait until no other request with this key is under way."""
        turn = self._turns.setdefault(identity, _Turn())
        turn.waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                del self._turns[identity]

    def sweep_due(self, now: datetime) -> bool:
        """Whether expired keys should be dropped with the next write."""
        due = self._swept is None or now - self._swept >= _SWEEP
        self._swept = now if due else self._swept
        return due


async def once(request: Request, call_next: _Next) -> Response:
    """Middleware: answers a repeated POST, PUT, PATCH or DELETE with the same `Idempotency-Key` from what was kept for 24 h.

    Keys are counted for each caller; for those whom `CallerCheck` does not know, the header has no effect.
    """
    key = request.headers.get("idempotency-key")
    if key is None or request.method not in _UNSAFE or not request.url.path.startswith("/api/"):
        return await call_next(request)
    platform: Platform = request.app.state.platform
    try:
        if not 1 <= len(key) <= 200:
            raise Invalid.field("Idempotency-Key", "field.length", expected="1…200")
        who = await platform.get(CallerCheck).keeper(request)
    except MumianError as error:
        return _refusal(request, error)
    if who is None:
        return await call_next(request)
    identity = sha256(f"{who}\n{key}".encode()).hexdigest()
    asked = f"{identity}\n{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = sha256(asked + await request.body()).hexdigest()
    keys = _keys(request)
    async with keys.turn(identity):
        try:
            kept = await platform.records.write(lambda tx: _claim(tx.session, identity, digest, keys.clock.now()))
            if kept is not None:
                return _again(kept, digest)
        except MumianError as error:
            return _refusal(request, error)
        return await _first(request, call_next, keys, identity)


def _keys(request: Request) -> _Keys:
    state = request.app.state
    if not hasattr(state, "idempotency"):
        state.idempotency = _Keys()
    keys: _Keys = state.idempotency
    return keys


def _refusal(request: Request, error: MumianError) -> Response:
    return problem_response(error, request.headers.get("accept-language"))


def _claim(session: Session, identity: str, digest: str, now: datetime) -> Row | None:
    """Take the key; what is kept for it when it was taken before."""
    session.execute("DELETE FROM kernel_idempotency WHERE key = :key AND time < :limit", key=identity, limit=iso(now - KEPT))
    taken = session.execute(
        "INSERT INTO kernel_idempotency (key, digest, status, headers, body, time) "
        "VALUES (:key, :digest, :status, '[]', '', :time) ON CONFLICT (key) DO NOTHING",
        key=identity,
        digest=digest,
        status=_CLAIMED,
        time=iso(now),
    )
    found = "SELECT digest, status, headers, body FROM kernel_idempotency WHERE key = :key"
    return None if taken > 0 else session.row(found, key=identity)


def _again(kept: Row, digest: str) -> Response:
    if kept["digest"] != digest:
        raise KeyReused(Fault("Idempotency-Key", "error.idempotency", {}))
    if kept["status"] == _CLAIMED:
        raise OutcomeOpen
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in json.loads(kept["headers"])]
    return _response(kept["status"], [*headers, (b"idempotency-replayed", b"true")], base64.b64decode(kept["body"]))


async def _first(request: Request, call_next: _Next, keys: _Keys, identity: str) -> Response:
    """Let the request run; whatever becomes of keeping its answer, its effect stands and the answer goes out."""
    response = await call_next(request)
    body = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
    answer = _response(response.status_code, response.raw_headers, body)
    platform: Platform = request.app.state.platform
    try:
        await platform.records.write(lambda tx: _settle(tx, keys, identity, answer))
    except Exception:
        _log.exception("the answer to %s %s could not be kept; its key stays taken", request.method, request.url.path)
    return answer


def _settle(tx: Transaction, keys: _Keys, identity: str, answer: Response) -> None:
    now, status = keys.clock.now(), answer.status_code
    if 200 <= status < 300 and "no-store" not in answer.headers.get("cache-control", ""):
        _keep(tx.session, identity, answer)
    elif 300 <= status < 500 or status == _NOTHING_DONE:
        tx.session.execute("DELETE FROM kernel_idempotency WHERE key = :key", key=identity)
    if keys.sweep_due(now):
        tx.session.execute("DELETE FROM kernel_idempotency WHERE time < :limit", limit=iso(now - KEPT))


def _keep(session: Session, identity: str, answer: Response) -> None:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers]
    session.execute(
        "UPDATE kernel_idempotency SET status = :status, headers = :headers, body = :body WHERE key = :key",
        key=identity,
        status=answer.status_code,
        headers=json.dumps([header for header in headers if header[0].lower() != "set-cookie"]),
        body=base64.b64encode(bytes(answer.body)).decode(),
    )


def _response(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
    response = Response(body, status)
    response.raw_headers = headers
    return response
