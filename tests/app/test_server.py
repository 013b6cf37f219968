"""A server answers even what is no request with a problem document, and goes on serving."""

import asyncio
import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from mumian.app.platform import create_platform
from mumian.app.server import serving
from mumian.kernel.settings import Settings


@pytest.mark.parametrize(
    "sent",
    [b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"],
    ids=["long", "nonsense", "header"],
)
async def test_what_is_no_request_is_refused_with_a_problem(settings: Settings, sent: bytes) -> None:
    async with serving(create_platform(settings), "127.0.0.1", 0) as address:
        parts = urlsplit(address)

        def ask() -> bytes:
            with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 10) as connection:
                connection.sendall(sent)
                return b"".join(iter(lambda: connection.recv(4096), b""))

        head, _, body = (await asyncio.to_thread(ask)).partition(b"\r\n\r\n")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{address}/healthz")).status_code == 200
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    told = json.loads(body)
    assert (told["status"], told["key"]) == (400, "error.not_http")
