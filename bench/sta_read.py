"""Reads over SensorThings at 32 connections: the latest 1,000 of a stream, and things with streams and newest observations."""

import asyncio
import json
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

from bench.load import busy, child, get, load

CONNECTIONS = 32
STREAMS, EACH = 1_000, 10_000
THINGS = 100
START = 1_704_067_200
LATEST, EXPANDED = 3_000, 600
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
        server = _process("serve", folder, str(streams), str(each))
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            latest = _load(address, token, "latest", LATEST, streams, server.pid)
            expanded = _load(address, token, "expanded", EXPANDED, streams, server.pid)
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
        figures[0] |= {f"peer_{name}": peer[name] for name in ("p50_ms", "p99_ms", "cpu_ms")}
    return figures


def _process(*arguments: str) -> "subprocess.Popen[str]":
    return child("bench.sta_read", *arguments)


def _load(address: str, token: str, what: str, count: int, streams: int, server: int) -> dict[str, Any]:
    before = busy(server)
    asking = _process("load", address, token, what, str(count), str(streams))
    found: dict[str, Any] = json.loads(asking.communicate(timeout=900)[0])
    return found | {"cpu_ms": round((busy(server) - before) / count * 1000, 3)}


async def _asked(address: str, targets: list[str], headers: str, check: Callable[[bytes], bool]) -> dict[str, Any]:
    host = address.removeprefix("http://")
    requests = [[get(host, target, headers) for target in targets[own::CONNECTIONS]] for own in range(CONNECTIONS)]
    return (await load(address, requests, check=check)).figures


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
            before = busy(peer.pid)
            asking = _process("influx", address, str(LATEST), str(streams))
            found: dict[str, Any] = json.loads(asking.communicate(timeout=900)[0])
            return found | {"cpu_ms": round((busy(peer.pid) - before) / LATEST * 1000, 3)}
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
