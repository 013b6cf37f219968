"""Idempotency-Key: a repeated unsafe request gets the first answer again instead of a second effect."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from mumian.kernel.clock import iso
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction
from mumian.kernel.web.problems import problem_response

KEPT = timedelta(hours=24)
_locks: dict[str, asyncio.Lock] = {}


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class KeyReused(Invalid):
    """The same key came with a different request."""

    key = "error.idempotency"


async def once(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Middleware: answers a repeated POST, PUT, PATCH or DELETE with the same `Idempotency-Key` from what was kept for 24 h.

    An answer marked `Cache-Control: no-store` may hold a secret and is not kept.
    """
    key = request.headers.get("idempotency-key")
    if key is None or request.method not in ("POST", "PUT", "PATCH", "DELETE") or not request.url.path.startswith("/api/"):
        return await call_next(request)
    if not 1 <= len(key) <= 200:
        fault = Fault("Idempotency-Key", "field.length", {"expected": "1…200"})
        return problem_response(Invalid(fault), request.headers.get("accept-language"))
    platform: Platform = request.app.state.platform
    who = request.headers.get("authorization") or request.cookies.get("mumian_session") or ""
    identity = sha256(f"{who}\n{key}".encode()).hexdigest()
    digest = sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()).hexdigest()
    lock = _locks.setdefault(identity, asyncio.Lock())
    try:
        async with lock:
            return await _answer(platform, request, call_next, identity, digest)
    finally:
        if not lock.locked():
            _locks.pop(identity, None)


async def _answer(
    platform: Platform, request: Request, call_next: Callable[[Request], Awaitable[Response]], identity: str, digest: str
) -> Response:
    kept = await platform.records.read(lambda session: _kept(session, identity))
    if kept is not None:
        if kept["digest"] != digest:
            return problem_response(KeyReused(), request.headers.get("accept-language"))
        return _replay(kept)
    response = await call_next(request)
    body = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[attr-defined]
    answer = _Answer(response.status_code, list(response.headers.items()), body)
    if response.status_code < 500 and "no-store" not in response.headers.get("cache-control", ""):
        await platform.records.write(lambda tx: _keep(tx, identity, digest, answer))
    return _response(answer)


def _kept(session: Session, identity: str) -> Row | None:
    return session.row("SELECT digest, status, headers, body FROM kernel_idempotency WHERE key = :key", key=identity)


def _keep(tx: Transaction, identity: str, digest: str, answer: _Answer) -> None:
    tx.session.execute("DELETE FROM kernel_idempotency WHERE time < :limit", limit=iso(tx.now - KEPT))
    tx.session.execute(
        "INSERT INTO kernel_idempotency (key, digest, status, headers, body, time) "
        "VALUES (:key, :digest, :status, :headers, :body, :time) ON CONFLICT (key) DO NOTHING",
        key=identity,
        digest=digest,
        status=answer.status,
        headers=json.dumps([h for h in answer.headers if h[0].lower() not in ("set-cookie", "content-length")]),
        body=base64.b64encode(answer.body).decode(),
        time=tx.now_text,
    )


def _replay(kept: Row) -> Response:
    headers = [(name, value) for name, value in json.loads(kept["headers"])]
    return _response(_Answer(kept["status"], [*headers, ("idempotency-replayed", "true")], base64.b64decode(kept["body"])))


def _response(answer: _Answer) -> Response:
    response = Response(answer.body, answer.status)
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            response.headers.append(name, value)
        elif name.lower() != "content-length":
            response.headers[name] = value
    return response
