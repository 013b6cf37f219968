"""Limits and headers that hold for every request: body size, and what a browser may do with an answer."""

import contextlib

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
        request = _Counted(receive, send, self._most)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > self._most:
            request.exceeded = True
        else:
            with contextlib.suppress(_Exceeded):
                await self._app(scope, request.receive, request.send)
        if request.exceeded and not request.started:
            refused = problem_response(TooLarge(limit=f"{self._most} bytes"), Headers(scope=scope).get("accept-language"))
            request.exceeded = False
            await refused(scope, receive, request.send)


class _Counted:
    """One request: counts what is read; once it is too much, whatever the application answers is left unsent."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._left = most
        self.exceeded = False
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.exceeded = True
            raise _Exceeded
        return message

    async def send(self, message: Message) -> None:
        if self.exceeded and not self.started:
            return
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)
