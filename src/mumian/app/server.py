"""The server: one process that serves a platform over HTTP until it is told to stop."""

import asyncio
import gc
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mumian.app.web import create_asgi
from mumian.kernel.errors import Malformed, Unavailable
from mumian.kernel.platform import Platform
from mumian.kernel.web.problems import problem


@asynccontextmanager
async def serving(platform: Platform, host: str, port: int) -> AsyncIterator[str]:
    """Start `platform` and serve it on `host:port` (0: a free one); yields the address; stops both at the end."""
    listener = _listen(host, port)
    address = f"http://{host if ':' not in host else f'[{host}]'}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        create_asgi(platform),
        http=_Protocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        server_header=False,
    )
    server = _Server(config)
    await platform.start()
    _collect_seldom()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield address
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        await platform.stop()


async def until_told_to_stop() -> None:
    """Return at the first SIGINT or SIGTERM."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    await told.wait()


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 whose parser refuses, too, with a problem document: a request line over 64 kB, a broken header."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, and close the connection."""
        body = json.dumps(problem(Unreadable(), "en"), ensure_ascii=False).encode()
        head = f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode() + body)
        self.transport.close()


class Unreadable(Malformed):
    """What came is no HTTP/1.1 request, or its address or headers are longer than 64 kB."""

    key = "error.not_http"


class _Server(uvicorn.Server):
    """A server that says when it listens, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers."""
        yield


def _collect_seldom() -> None:
    """Leave what a started platform holds out of garbage collection: many small objects that live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(reason=f"{host}:{port} cannot be opened ({error.strerror}); choose another with --port") from error
    return listener


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Write the log as plain lines to standard error."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
