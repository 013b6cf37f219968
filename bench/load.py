"""Load over HTTP: connections that send prepared requests one after another, at little cost to the machine that is measured."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Load:
    """What a load found: seconds in all, latencies of the answers in seconds, sorted, and each connection's last answer."""

    seconds: float
    latencies: list[float]
    last: list[bytes]

    @property
    def figures(self) -> dict[str, Any]:
        """Answers a second, with the median and the 99th percentile of their latencies."""
        return {"value": round(len(self.latencies) / self.seconds, 1), **self.percentiles}

    @property
    def percentiles(self) -> dict[str, float]:
        """The median and the 99th percentile of the latencies."""
        count = len(self.latencies)
        p50, p99 = self.latencies[count // 2], self.latencies[count * 99 // 100]
        return {"p50_ms": round(p50 * 1000, 3), "p99_ms": round(p99 * 1000, 3)}


class Client(asyncio.Protocol):
    """Sends its requests one after another, each when the one before is answered; an answer of another status is an error."""

    def __init__(self, requests: Sequence[bytes], done: "asyncio.Future[None]", status: int = 200) -> None:
        self._requests = iter(requests)
        self._done = done
        self._status = b" %d " % status
        self._parts: list[bytes] = []
        self._missing: int | None = None
        self._sent = 0.0
        self.latencies: list[float] = []
        self.last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection."""
        self._transport: Any = transport

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that ends early is an error."""
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server closed the connection"))

    def send(self) -> None:
        """Send the next request, if there is one."""
        request = next(self._requests, None)
        if request is None:
            self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Gather an answer; when it is whole and good, go on."""
        self._parts.append(data)
        if self._missing is None:
            self._begin()
        else:
            self._missing -= len(data)
        if self._missing is None or self._missing > 0:
            return
        if self._missing < 0 and not b"".join(self._parts[-2:]).endswith(b"0\r\n\r\n"):
            return
        self.latencies.append(time.perf_counter() - self._sent)
        self.last = b"".join(self._parts).partition(b"\r\n\r\n")[2]
        self._parts, self._missing = [], None
        self.send()

    def _begin(self) -> None:
        """Read the head once it is there: how much is to come (always less than nothing where the answer comes in chunks)."""
        head, gap, body = b"".join(self._parts).partition(b"\r\n\r\n")
        if not gap:
            return
        if self._status not in head[:20]:
            self._done.set_exception(RuntimeError(b"".join(self._parts)[:2000].decode(errors="replace")))
            self._transport.abort()
            return
        _, told, length = head.lower().partition(b"content-length: ")
        self._missing = int(length.split(b"\r\n")[0]) - len(body) if told else -1


async def load(
    address: str, requests: Sequence[Sequence[bytes]], status: int = 200, check: Callable[[bytes], bool] | None = None
) -> Load:
    """Send the requests of each connection over one of its own, all connections at once; `check` judges the last answers."""
    host, port = address.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    ends: list[asyncio.Future[None]] = []
    for own in requests:
        end: asyncio.Future[None] = loop.create_future()
        client = Client(own, end, status)
        await loop.create_connection(lambda client=client: client, host, int(port))  # type: ignore[misc]
        clients.append(client)
        ends.append(end)
    started = time.perf_counter()
    for client in clients:
        client.send()
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - started
    wrong = [client.last for client in clients if check is not None and not check(client.last)]
    if wrong:
        raise RuntimeError(f"an answer is not what was asked for: {wrong[0][:500]!r}")
    return Load(
        seconds, sorted(latency for client in clients for latency in client.latencies), [client.last for client in clients]
    )


def get(host: str, target: str, headers: str = "") -> bytes:
    """A GET request; `headers` are whole lines."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()


def post(host: str, target: str, body: bytes, headers: str = "", kind: str = "application/json") -> bytes:
    """A POST request; `headers` are whole lines."""
    head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def child(module: str, *arguments: str) -> "subprocess.Popen[str]":
    """A benchmark's module (`bench.name`) in a process of its own, whose output can be read."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


def busy(process: int) -> float:
    """Seconds of processor time that a process has used, all threads together."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
