"""Durable acknowledged observations per second over SensorThings HTTP, 8 connections, batches of 100 and of 1,000."""

import asyncio
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.load import child, load, post

CONNECTIONS = 8
STREAMS_PER_REQUEST = 10
OBSERVATIONS = {100: 600_000, 1000: 3_000_000}


def run(data: Path | None) -> list[dict[str, Any]]:
    """Serve an empty city in a process of its own, load it from another, then count what came to rest."""
    return [_measure(size, OBSERVATIONS[size]) for size in (100, 1000)]


def _measure(batch: int, total: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = child("bench.observations_http", "serve", folder)
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            asking = child("bench.observations_http", "load", address, token, str(batch), str(total))
            figures: dict[str, Any] = json.loads(asking.communicate(timeout=300)[0])
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


async def _load(address: str, token: str, batch: int, total: int) -> dict[str, Any]:
    host, each = address.removeprefix("http://"), total // batch // CONNECTIONS
    headers = f"Authorization: Bearer {token}\r\n"
    target = "/sta/v1.1/CreateObservations"
    requests = [
        [post(host, target, body, headers) for body in _bodies(connection, batch, each)] for connection in range(CONNECTIONS)
    ]
    found = await load(address, requests, status=201)
    return {"acknowledged": len(found.latencies) * batch, "seconds": found.seconds, **found.percentiles}


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
