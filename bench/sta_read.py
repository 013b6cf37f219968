"""Reads over SensorThings at 32 connections: the latest 1,000 of a stream, and things with streams and newest observations."""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONNECTIONS = 32
STREAMS, EACH = 1_000, 10_000
THINGS = 100
START = 1_704_067_200
LATEST, EXPANDED = 3_000, 600
_ROOT = Path(__file__).resolve().parent.parent
_STEP = 60
_LATEST = "/sta/v1.1/Datastreams({stream})/Observations?$orderby=phenomenonTime%20desc&$top=1000&$select=phenomenonTime,result"
_EXPANDED = (
    "/sta/v1.1/Things?$top=10&$skip={skip}&$expand="
    "Datastreams($top=10;$expand=Observations($top=1;$orderby=phenomenonTime%20desc))"
)


def run(data: Path | None) -> list[dict[str, Any]]:
    """Fill a city with 10 M observations in 1,000 streams, serve it, and ask; then ask InfluxDB for the same latest 1,000."""
    streams, each = (STREAMS, EACH) if data is None else tuple(map(int, str(data).split("x")))
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = _child("serve", folder, str(streams), str(each))
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            latest = _load(address, token, "latest", LATEST, streams)
            expanded = _load(address, token, "expanded", EXPANDED, streams)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)
    size = f"{streams * each} observations in {streams} streams, {CONNECTIONS} connections"
    figures = [
        {"name": "sta-read-latest-1000", **latest, "unit": "requests/s", "size": size},
        {"name": "sta-read-nested-expand", **expanded, "unit": "requests/s", "size": size},
    ]
    peer = _influx(streams, each)
    if peer is not None:
        figures[0] |= {"peer": "InfluxDB 1.6 (Debian), same query over HTTP", "peer_value": peer["value"]}
        figures[0] |= {"peer_p50_ms": peer["p50_ms"], "peer_p99_ms": peer["p99_ms"]}
    return figures


def _child(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    command = [sys.executable, "-m", "bench.sta_read", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT)


def _load(address: str, token: str, what: str, count: int, streams: int) -> dict[str, Any]:
    load = _child("load", address, token, what, str(count), str(streams))
    found: dict[str, Any] = json.loads(load.communicate(timeout=900)[0])
    return found


class _Client(asyncio.Protocol):
    """Sends its requests one after another, each when the one before is answered."""

    def __init__(self, requests: list[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = iter(requests)
        self._done = done
        self._buffer = b""
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
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap:
            return
        lower = head.lower()
        if b"content-length: " in lower:
            whole = len(body) >= int(lower.split(b"content-length: ")[1].split(b"\r\n")[0])
        else:
            whole = body.endswith(b"0\r\n\r\n")
        if not whole:
            return
        if b" 200 " not in head[:20]:
            self._done.set_exception(RuntimeError(self._buffer[:2000].decode()))
            return
        self.latencies.append(time.perf_counter() - self._sent)
        self.last, self._buffer = body, b""
        self.send()


async def _asked(address: str, targets: list[str], headers: str, check: Callable[[bytes], bool]) -> dict[str, Any]:
    host, port = address.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    clients, ends = [], []
    for connection in range(CONNECTIONS):
        requests = [
            f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode() for target in targets[connection::CONNECTIONS]
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
    if not all(check(client.last) for client in clients):
        raise RuntimeError(f"an answer is not what was asked for: {clients[0].last[:500]!r}")
    latencies = sorted(latency for client in clients for latency in client.latencies)
    return {
        "value": round(len(latencies) / seconds, 1),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
    }


def _targets(what: str, count: int, streams: int) -> list[str]:
    chance = random.Random(1)
    if what == "latest":
        return [_LATEST.format(stream=chance.randint(1, streams)) for _ in range(count)]
    return [_EXPANDED.format(skip=chance.randrange(max(1, min(THINGS, streams) - 9))) for _ in range(count)]


def _right(what: str) -> Callable[[bytes], bool]:
    return (lambda body: body.count(b'"result":') == 1000) if what == "latest" else (lambda body: body.count(b'"result":') >= 10)


async def _serve(home: Path, streams: int, each: int) -> None:
    import numpy as np

    from mumian.app.platform import create_platform
    from mumian.app.server import serving, until_told_to_stop
    from mumian.foundation.identity.api import Identity, PersonDraft
    from mumian.foundation.sensing.api import Sensing
    from mumian.foundation.sensing.contracts import Observations
    from mumian.kernel.declarations.documents import Document
    from mumian.kernel.settings import Settings

    def build() -> tuple[Any, str]:
        documents = [
            Document(
                "Stream",
                f"bench-{n}",
                {"zh": f"测试 {n}", "en": f"Bench {n}"},
                {"thing": f"thing-{n % THINGS}", "observed_property": f"p{n % 10}", "unit": "ug/m3"},
            )
            for n in range(streams)
        ]
        platform = create_platform(Settings(home=home))
        platform.declarations.apply_now(documents, "bench")
        accounts = platform.get(Identity).accounts
        person, _ = accounts.create_person_now(PersonDraft("gateway", {"zh": "网关", "en": "Gateway"}, None, ("device",)))
        return platform, accounts.create_token_now(person.id, "bench", ["sensing:*"])[1]

    platform, token = await asyncio.to_thread(build)
    async with serving(platform, "127.0.0.1", 0) as address:
        sensing = platform.get(Sensing)
        at_once = 100
        for first in range(0, each, at_once):
            moments = (START + (first + np.arange(min(at_once, each - first))) * _STEP) * 1_000_000
            times = np.repeat(moments, streams)
            ids = np.tile(np.arange(1, streams + 1), len(moments))
            await sensing.record(Observations(ids, times, np.round(np.sin(ids + times / 3.6e9) * 50, 1)))
        await sensing.folding.fold()
        print(json.dumps([address, token]), flush=True)
        await until_told_to_stop()


def _influx(streams: int, each: int) -> dict[str, Any] | None:
    """The peer with the same data, on a port and in a folder of its own; None where it is not installed."""
    program = shutil.which("influxd")
    if program is None:
        print("influxd is not installed (apt-get install influxdb), so no peer was measured", file=sys.stderr)
        return None
    with tempfile.TemporaryDirectory(prefix="influx-bench-") as folder:
        port, inner = _free_port(), _free_port()
        conf = Path(folder) / "influx.conf"
        conf.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{inner}"\n'
            f'[meta]\n dir = "{folder}/meta"\n[data]\n dir = "{folder}/data"\n wal-dir = "{folder}/wal"\n'
            " query-log-enabled = false\n"
            f'[http]\n bind-address = "127.0.0.1:{port}"\n log-enabled = false\n[monitor]\n store-enabled = false\n',
            "utf-8",
        )
        with (Path(folder) / "log").open("w") as log:
            peer = subprocess.Popen([program, "-config", str(conf)], stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _fill_influx(address, streams, each)
            load = _child("influx", address, str(LATEST), str(streams))
            found: dict[str, Any] = json.loads(load.communicate(timeout=900)[0])
            return found
        finally:
            peer.terminate()
            peer.wait(60)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _fill_influx(address: str, streams: int, each: int) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/query", b"q=CREATE%20DATABASE%20bench").read()
            break
        except OSError:
            time.sleep(0.2)
    for stream in range(1, streams + 1):
        for first in range(0, each, 10_000):
            lines = (
                f"o,s={stream} v={(n * 7 + stream) % 500 / 10} {START + n * _STEP}"
                for n in range(first, min(each, first + 10_000))
            )
            request = urllib.request.Request(f"{address}/write?db=bench&precision=s", "\n".join(lines).encode(), method="POST")
            urllib.request.urlopen(request).read()


def _influx_targets(count: int, streams: int) -> list[str]:
    chance = random.Random(1)
    queries = (f"SELECT v FROM o WHERE s='{chance.randint(1, streams)}' ORDER BY time DESC LIMIT 1000" for _ in range(count))
    return [f"/query?db=bench&q={urllib.parse.quote(query)}" for query in queries]


def _main(arguments: list[str]) -> None:
    import uvloop

    if arguments[0] == "serve":
        uvloop.run(_serve(Path(arguments[1]), int(arguments[2]), int(arguments[3])))
        return
    if arguments[0] == "load":
        address, token, what, count, streams = arguments[1:]
        headers, targets, right = f"Authorization: Bearer {token}\r\n", _targets(what, int(count), int(streams)), _right(what)
    else:
        address, count, streams = arguments[1:]
        headers, targets = "", _influx_targets(int(count), int(streams))
        right = lambda body: body.count(b"],[") == 999  # noqa: E731
    print(json.dumps(uvloop.run(_asked(address, targets, headers, right))))


if __name__ == "__main__":
    _main(sys.argv[1:])
