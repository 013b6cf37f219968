"""Ten thousand devices at one observation a second, with memory at start and end; then a ledger of a million streams."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.load import busy

DEVICES = 10_000
SECONDS = 60
STREAMS = 1_000_000
LOOKUPS = 400
_PAGE = 100
_ROOT = Path(__file__).resolve().parent.parent
_GATEWAYS = 10


def run(data: Path | None) -> list[dict[str, Any]]:
    """A steady run of the devices, then lists and lookups in a ledger of a million streams."""
    return [*_steady(), *_ledger()]


def _steady() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = _child("serve", folder, str(DEVICES))
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            load = _child("load", address, token, str(server.pid))
            figures: dict[str, Any] = json.loads(load.communicate(timeout=SECONDS * 4 + 120)[0])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)
    size = f"{DEVICES} devices at 1 Hz for {SECONDS} s through {_GATEWAYS} gateways"
    latency = {"p50_ms": figures["p50_ms"], "p99_ms": figures["p99_ms"]}
    return [
        {"name": "devices-steady", "value": figures["rate"], "unit": "observations/s", "size": size, **latency},
        {"name": "devices-steady-memory-start", "value": figures["start_mib"], "unit": "MiB", "size": size},
        {"name": "devices-steady-memory-end", "value": figures["end_mib"], "unit": "MiB", "size": size},
    ]


def _ledger() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        subprocess.run(_command("fill", folder, str(STREAMS)), check=True, env=_environment(), cwd=_ROOT, timeout=1200)
        started = time.perf_counter()
        server = _child("serve", folder, "0")
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            seconds = time.perf_counter() - started
            memory = _resident(server.pid)
            ask = _child("ask", address, token, str(server.pid))
            figures = json.loads(ask.communicate(timeout=600)[0])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)
    size = f"{STREAMS} streams"
    found = [
        {"name": "streams-1m-start", "value": round(seconds, 2), "unit": "s until it serves", "size": size},
        {"name": "streams-1m-memory", "value": memory, "unit": "MiB", "size": size},
    ]
    for name, (times, used) in figures.items():
        p50, p99 = statistics.median(times), sorted(times)[len(times) * 99 // 100]
        latency = {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "cpu_ms": round(used / len(times) * 1000, 2)}
        found.append({"name": f"streams-1m-{name}", "value": round(p99, 2), "unit": "ms p99", "size": size, **latency})
    return found


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bench.devices_steady", *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}


def _child(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(_command(*arguments), stdout=subprocess.PIPE, text=True, env=_environment(), cwd=_ROOT)


def _resident(process: int) -> float:
    """The memory that a process holds, in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


async def _load(address: str, token: str, process: int) -> dict[str, Any]:
    """Each second a batch from every gateway: one observation of each of its devices."""
    import httpx

    each = DEVICES // _GATEWAYS
    latencies: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as http:

        async def gateway(number: int, second: int) -> None:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_704_067_200 + second))
            first = number * each + 1
            entries = (
                f'{{"Datastream":{{"@iot.id":{first + device}}},"components":["phenomenonTime","result"],'
                f'"dataArray":[["{moment}",{(device + second) % 500 / 10}]]}}'
                for device in range(each)
            )
            started = time.perf_counter()
            answer = await http.post("/sta/v1.1/CreateObservations", content=f"[{','.join(entries)}]")
            if answer.status_code != 201:
                raise RuntimeError(answer.text[:500])
            latencies.append((time.perf_counter() - started) * 1000)

        start_mib, began = 0.0, time.perf_counter()
        for second in range(SECONDS):
            if second == SECONDS // 6:
                start_mib = _resident(process)  # what is allocated once is there by now
            await asyncio.gather(*(gateway(number, second) for number in range(_GATEWAYS)))
            await asyncio.sleep(max(0.0, began + second + 1 - time.perf_counter()))
        seconds = time.perf_counter() - began
    return {
        "rate": round(len(latencies) * each / seconds),
        "p50_ms": round(statistics.median(latencies), 2),
        "p99_ms": round(sorted(latencies)[len(latencies) * 99 // 100], 2),
        "start_mib": start_mib,
        "end_mib": _resident(process),
    }


async def _ask(address: str, token: str, process: int) -> dict[str, tuple[list[float], float]]:
    """How long it takes to list a page and to look up one, wherever in the ledger: latencies in ms, seconds of the server."""
    import random

    import httpx

    chance = random.Random(1)
    questions: dict[str, Callable[[], str]] = {
        "list": lambda: f"/sta/v1.1/Datastreams?$top={_PAGE}&$filter=id gt {chance.randrange(STREAMS)}&$orderby=id",
        "list-own-api": lambda: f"/api/v1/foundation/sensing/streams?limit={_PAGE}",
        "lookup": lambda: f"/sta/v1.1/Datastreams({chance.randrange(1, STREAMS)})",
        "lookup-by-name": lambda: f"/sta/v1.1/Datastreams?$filter=name eq 'stream {chance.randrange(1, STREAMS)}'",
    }
    found: dict[str, tuple[list[float], float]] = {}
    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        for name, question in questions.items():
            times, before = [], busy(process)
            for _ in range(LOOKUPS):
                path = question()
                started = time.perf_counter()
                answer = await http.get(path)
                times.append((time.perf_counter() - started) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(answer.text[:500])
            found[name] = (times, busy(process) - before)
    return found


def _fill(home: Path, count: int) -> None:
    """A ledger of `count` streams: one is registered, the others are like it, and ten of them share a thing."""
    from mumian.app.platform import create_platform
    from mumian.foundation.sensing.api import Sensing
    from mumian.kernel.settings import Settings

    platform = create_platform(Settings(home=home))
    store = platform.get(Sensing).things

    def work(tx: Any) -> None:
        sensor, observed = store.sensor_named(tx, "sensor"), store.property_named(tx, "pm25")
        thing = store.add_thing(tx, {"name": "thing 1", "description": "", "properties": {}, "origin": "sensorthings"})
        title = {"zh": "stream 1", "en": "stream 1"}
        store.register(tx, store.StreamDraft("", title, "", thing, sensor, observed, "ug/m3", "sensorthings"))
        _multiply(tx, "sensing_thing", {"id": "i", "name": "'thing ' || i"}, count // 10)
        own = {"id": "i", "name": "'sta-' || i", "title_zh": "'stream ' || i", "title_en": "'stream ' || i"}
        _multiply(tx, "sensing_stream", {**own, "thing": "1 + (i - 1) / 10"}, count)

    platform.records.write_now(work)
    platform.records.close()
    for close in platform.closers:
        close()


def _multiply(tx: Any, table: str, own: dict[str, str], count: int) -> None:
    """Rows like the first of a table, with ids up to `count` and these columns of their own."""
    columns = list(tx.session.row(f"SELECT * FROM {table}"))
    values = ", ".join(own.get(name, f"t.{name}") for name in columns)
    tx.session.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f"SELECT {values} FROM n, {table} t WHERE t.id = 1"
    )
    name = table.replace("_", ".")
    tx.session.execute("UPDATE kernel_sequence SET value = :count WHERE name = :name", count=count, name=name)


async def _serve(home: Path, devices: int) -> None:
    from mumian.app.platform import create_platform
    from mumian.app.server import serving, until_told_to_stop
    from mumian.foundation.identity.api import Identity, PersonDraft
    from mumian.kernel.declarations.documents import Document
    from mumian.kernel.settings import Settings

    spec = {"thing": "bench", "observed_property": "pm25", "unit": "ug/m3"}
    names = [(f"bench-{n}", {"zh": f"测试 {n}", "en": f"Bench {n}"}) for n in range(devices)]

    def build() -> tuple[Any, str]:
        platform = create_platform(Settings(home=home))
        if names:
            platform.declarations.apply_now([Document("Stream", name, title, spec) for name, title in names], "bench")
        accounts = platform.get(Identity).accounts
        person, _ = accounts.create_person_now(PersonDraft("gateway", {"zh": "网关", "en": "Gateway"}, None, ("device",)))
        return platform, accounts.create_token_now(person.id, "bench", ["sensing:*", "stream:read", "observation:read"])[1]

    platform, token = await asyncio.to_thread(build)
    async with serving(platform, "127.0.0.1", 0) as address:
        print(json.dumps([address, token]), flush=True)
        await until_told_to_stop()


def _main(arguments: list[str]) -> None:
    import uvloop

    if arguments[0] == "serve":
        uvloop.run(_serve(Path(arguments[1]), int(arguments[2])))
    elif arguments[0] == "fill":
        _fill(Path(arguments[1]), int(arguments[2]))
    elif arguments[0] == "load":
        print(json.dumps(uvloop.run(_load(arguments[1], arguments[2], int(arguments[3])))))
    else:
        print(json.dumps(uvloop.run(_ask(arguments[1], arguments[2], int(arguments[3])))))


if __name__ == "__main__":
    _main(sys.argv[1:])
