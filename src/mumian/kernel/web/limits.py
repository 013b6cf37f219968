"""Limits and headers that hold for every request: body size, and what a browser may do with an answer."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mumian.kernel.errors import TooLarge
from mumian.kernel.web.problems import problem_response

_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
}


class _Exceeded(Exception):
    """The body grew past the limit while it was read."""


class Limits:
    """ASGI middleware: refuses bodies larger than `most` bytes and adds the security headers."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        seen, started = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _Exceeded
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        length = headers.get("content-length", "0")
        try:
            if length.isdigit() and int(length) > self._most:
                raise _Exceeded
            await self._app(scope, counted, guarded)
        except _Exceeded:
            if not started:
                refused = problem_response(TooLarge(limit=f"{self._most} bytes"), headers.get("accept-language"))
                await refused(scope, receive, guarded)
