"""Durable acknowledged observations per second over SensorThings HTTP, 8 connections, batches of 100 and of 1,000."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CONNECTIONS = 8
STREAMS_PER_REQUEST = 10
OBSERVATIONS = {100: 600_000, 1000: 3_000_000}
_ROOT = Path(__file__).resolve().parent.parent


def run(data: Path | None) -> list[dict[str, Any]]:
    """Serve an empty city in a process of its own, load it from another, then count what came to rest."""
    return [_measure(size, OBSERVATIONS[size]) for size in (100, 1000)]


def _measure(batch: int, total: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = _child("serve", folder)
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            load = _child("load", address, token, str(batch), str(total))
            figures: dict[str, Any] = json.loads(load.communicate(timeout=300)[0])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        kept = _kept(Path(folder))
        if kept != figures["acknowledged"]:
            raise RuntimeError(f"{figures['acknowledged']} observations were acknowledged, {kept} are there")
    return {
        "name": f"observations-http-{batch}",
        "value": round(figures["acknowledged"] / figures["seconds"]),
        "unit": "observations/s",
        "size": f"{total} observations, {batch} a request over {STREAMS_PER_REQUEST} streams, {CONNECTIONS} connections",
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
    }


def _child(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    command = [sys.executable, "-m", "bench.observations_http", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT)


def _kept(home: Path) -> int:
    from mumian.foundation.storage.lake.opening import open_lake

    lake = open_lake("local", home)
    count, different = lake.rows("SELECT count(*), count(DISTINCT id) FROM observation")[0]
    lake.close()
    return int(count) if count == different else -1


def _bodies(connection: int, batch: int, count: int) -> list[bytes]:
    """Requests of one connection, each with observations that no other request has."""
    steps = batch // STREAMS_PER_REQUEST
    first = connection * STREAMS_PER_REQUEST + 1
    bodies = []
    for number in range(count):
        start = 1_704_067_200 + number * steps
        times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + step)) for step in range(steps)]
        rows = ",".join(f'["{moment}",{(number * 7 + step) % 500 / 10}]' for step, moment in enumerate(times))
        entries = (
            f'{{"Datastream":{{"@iot.id":{first + offset}}},"components":["phenomenonTime","result"],"dataArray":[{rows}]}}'
            for offset in range(STREAMS_PER_REQUEST)
        )
        bodies.append(f"[{','.join(entries)}]".encode())
    return bodies


class _Client(asyncio.Protocol):
    """Sends its requests one after another, each when the one before is answered."""

    def __init__(self, requests: list[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = iter(requests)
        self._done = done
        self._buffer = b""
        self._sent = 0.0
        self.latencies: list[float] = []

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
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length:
            return
        if b" 201 " not in head[:20]:
            self._done.set_exception(RuntimeError(self._buffer[:2000].decode()))
            return
        self.latencies.append(time.perf_counter() - self._sent)
        self._buffer = b""
        self.send()


async def _load(address: str, token: str, batch: int, total: int) -> dict[str, Any]:
    host, port = address.removeprefix("http://").split(":")
    each = total // batch // CONNECTIONS
    loop = asyncio.get_running_loop()
    clients, ends = [], []
    for connection in range(CONNECTIONS):
        requests = [
            f"POST /sta/v1.1/CreateObservations HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
            for body in _bodies(connection, batch, each)
        ]
        end = loop.create_future()
        _, client = await loop.create_connection(lambda requests=requests, end=end: _Client(requests, end), host, int(port))  # type: ignore[misc]
        clients.append(client)
        ends.append(end)
    started = time.perf_counter()
    for client in clients:
        client.send()
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - started
    latencies = sorted(latency for client in clients for latency in client.latencies)
    return {
        "acknowledged": len(latencies) * batch,
        "seconds": seconds,
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
    }


async def _serve(home: Path) -> None:
    from mumian.app.platform import create_platform
    from mumian.app.server import serving, until_told_to_stop
    from mumian.foundation.identity.api import Identity, PersonDraft
    from mumian.kernel.declarations.documents import Document
    from mumian.kernel.settings import Settings

    spec = {"thing": "bench", "observed_property": "pm25", "unit": "ug/m3"}
    streams = [
        Document("Stream", f"bench-{n}", {"zh": f"测试 {n}", "en": f"Bench {n}"}, spec)
        for n in range(CONNECTIONS * STREAMS_PER_REQUEST)
    ]

    def build() -> tuple[Any, str]:
        platform = create_platform(Settings(home=home))
        platform.declarations.apply_now(streams, "bench")
        accounts = platform.get(Identity).accounts
        person, _ = accounts.create_person_now(PersonDraft("gateway", {"zh": "网关", "en": "Gateway"}, None, ("device",)))
        return platform, accounts.create_token_now(person.id, "bench", ["sensing:*"])[1]

    platform, token = await asyncio.to_thread(build)
    async with serving(platform, "127.0.0.1", 0) as address:
        print(json.dumps([address, token]), flush=True)
        await until_told_to_stop()


def _main(arguments: list[str]) -> None:
    import uvloop

    if arguments[0] == "serve":
        uvloop.run(_serve(Path(arguments[1])))
    else:
        address, token, batch, total = arguments[1:]
        print(json.dumps(uvloop.run(_load(address, token, int(batch), int(total)))))


if __name__ == "__main__":
    _main(sys.argv[1:])
