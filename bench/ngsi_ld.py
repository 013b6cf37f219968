"""NGSI-LD on 100,000 entities: queries of 20, durable creates one at a time and in batches of 20, per second.

`per_core` divides by the processor time of the server alone; the figures published for coraine are per core.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENTITIES = 100_000
TYPES = 50
QUERIES = 40_000
CREATES = 24_000
BATCHES = 4_000
_ROOT = Path(__file__).resolve().parent.parent
# Figures that the makers of coraine, an NGSI-LD broker in C with its store on disk, publish per core; not measured here.
_PEER = "coraine, per core, published by its makers"
_PUBLISHED = {"query": 12_577, "create": 54_707, "batch": 117_460}


def run(data: Path | None) -> list[dict[str, Any]]:
    """Serve a city with entities in a process of its own, and load it from another."""
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = _child("serve", folder)
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            load = _child("load", address, token, str(server.pid))
            measured: dict[str, Any] = json.loads(load.communicate(timeout=600)[0])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        kept = _kept(Path(folder))
    if kept != measured["entities"]:
        raise RuntimeError(f"{measured['entities']} entities were acknowledged, {kept} are there")
    return [
        _figure("ngsi-ld-query", measured["query"], "queries/s", f"20 of {ENTITIES} entities each, 8 connections", "query", 1),
        _figure("ngsi-ld-create-8", measured["create-8"], "creates/s", f"{CREATES} one at a time, 8 connections", "create", 1),
        _figure("ngsi-ld-create-32", measured["create-32"], "creates/s", f"{CREATES} one at a time, 32 connections", "create", 1),
        _figure(
            "ngsi-ld-batch-20", measured["batch"], "creates/s", f"{BATCHES * 20} in batches of 20, 8 connections", "batch", 20
        ),
    ]


def _figure(name: str, measured: dict[str, float], unit: str, size: str, peer: str, each: int) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(measured["rate"] * each),
        "unit": unit,
        "size": size,
        "peer": _PEER,
        "peer_value": _PUBLISHED[peer],
        "ratio": round(measured["rate"] * each / _PUBLISHED[peer], 4),
        "p50_ms": measured["p50_ms"],
        "p99_ms": measured["p99_ms"],
        "per_core": float(f"{measured['per_core'] * each:.4g}"),
    }


def _child(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    command = [sys.executable, "-m", "bench.ngsi_ld", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT)


def _kept(home: Path) -> int:
    import sqlite3

    with sqlite3.connect(home / "records" / "city.sqlite") as connection:
        return int(connection.execute("SELECT COUNT(*) FROM context_entity").fetchone()[0])


def _entity(number: int, series: str) -> dict[str, Any]:
    """Five attributes, about 550 bytes, as in the published measurement."""
    return {
        "id": f"urn:ngsi-ld:Vehicle:{series}{number:07}",
        "type": f"Vehicle{number % TYPES}",
        "brand": {"type": "Property", "value": ("Kia", "BYD", "GAC")[number % 3]},
        "speed": {"type": "Property", "value": number % 120, "unitCode": "KMH", "observedAt": "2026-01-01T00:00:00Z"},
        "fuel": {"type": "Property", "value": number % 100 / 100},
        "parked": {"type": "Relationship", "object": f"urn:ngsi-ld:OffStreetParking:{number % 97:03}"},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [113 + number % 997 / 997, 23 + number % 991 / 991]},
        },
    }


class _Client(asyncio.Protocol):
    """Sends its requests one after another, each when the one before is answered."""

    def __init__(self, requests: list[bytes], good: bytes, done: "asyncio.Future[None]") -> None:
        self._requests = iter(requests)
        self._good = good
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
        if not gap or len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
            return
        if self._good not in head[:20]:
            self._done.set_exception(RuntimeError(self._buffer[:2000].decode()))
            return
        self.latencies.append(time.perf_counter() - self._sent)
        self._buffer = b""
        self.send()


def _busy(process: int) -> float:
    """Seconds of processor time that a process has used, all threads together."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _drive(address: str, requests: list[bytes], good: bytes, connections: int, process: int) -> dict[str, float]:
    host, port = address.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    clients, ends = [], []
    for connection in range(connections):
        end = loop.create_future()
        own = requests[connection::connections]
        _, client = await loop.create_connection(lambda own=own, end=end: _Client(own, good, end), host, int(port))  # type: ignore[misc]
        clients.append(client)
        ends.append(end)
    started, busy = time.perf_counter(), _busy(process)
    for client in clients:
        client.send()
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - started
    busy = _busy(process) - busy
    latencies = sorted(latency for client in clients for latency in client.latencies)
    return {
        "rate": len(latencies) / seconds,
        "per_core": len(latencies) / max(busy, 0.01),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 3),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 3),
    }


def _get(path: str, token: str) -> bytes:
    return f"GET /ngsi-ld/v1{path} HTTP/1.1\r\nHost: city\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _post(path: str, body: bytes, token: str) -> bytes:
    head = f"POST /ngsi-ld/v1{path} HTTP/1.1\r\nHost: city\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _load(address: str, token: str, process: int) -> dict[str, Any]:
    def batches(series: str, count: int, each: int) -> list[bytes]:
        bodies = (json.dumps([_entity(n * each + i, series) for i in range(each)]).encode() for n in range(count))
        return [_post("/entityOperations/create", body, token) for body in bodies]

    await _drive(address, batches("a", ENTITIES // 1000, 1000), b" 201 ", 2, process)
    chance = random.Random(1)
    page = ENTITIES // TYPES - 20
    places = [(chance.randrange(TYPES), chance.randrange(0, page, 20)) for _ in range(QUERIES)]
    queries = [_get(f"/entities?type=Vehicle{kind}&limit=20&offset={offset}", token) for kind, offset in places]
    measured: dict[str, Any] = {"query": await _drive(address, queries, b" 200 ", 8, process)}
    for connections in (8, 32):
        ones = [_post("/entities", json.dumps(_entity(n, f"c{connections}-")).encode(), token) for n in range(CREATES)]
        measured[f"create-{connections}"] = await _drive(address, ones, b" 201 ", connections, process)
    measured["batch"] = await _drive(address, batches("b", BATCHES, 20), b" 201 ", 8, process)
    measured["entities"] = ENTITIES + 2 * CREATES + 20 * BATCHES
    return measured


async def _serve(home: Path) -> None:
    from mumian.app.platform import create_platform
    from mumian.app.server import serving, until_told_to_stop
    from mumian.foundation.identity.api import Identity, PersonDraft
    from mumian.kernel.settings import Settings

    def build() -> tuple[Any, str]:
        platform = create_platform(Settings(home=home))
        accounts = platform.get(Identity).accounts
        draft = PersonDraft("gateway", {"zh": "网关", "en": "Gateway"}, None, ("administrator",))
        person, _ = accounts.create_person_now(draft)
        return platform, accounts.create_token_now(person.id, "bench", ["entity:*"])[1]

    platform, token = await asyncio.to_thread(build)
    async with serving(platform, "127.0.0.1", 0) as address:
        print(json.dumps([address, token]), flush=True)
        await until_told_to_stop()


def _main(arguments: list[str]) -> None:
    import uvloop

    if arguments[0] == "serve":
        uvloop.run(_serve(Path(arguments[1])))
    else:
        print(json.dumps(uvloop.run(_load(arguments[1], arguments[2], int(arguments[3])))))


if __name__ == "__main__":
    _main(sys.argv[1:])
