"""NGSI-LD on 100,000 entities: queries of 20, durable creates one at a time and in batches of 20, per second.

`per_core` divides by the processor time of the server alone; the figures published for coraine are per core.
"""

import asyncio
import json
import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.load import busy, child, get, load, post

ENTITIES = 100_000
TYPES = 50
QUERIES = 40_000
CREATES = 24_000
BATCHES = 4_000
# Figures that the makers of coraine, an NGSI-LD broker in C with its store on disk, publish per core; not measured here.
_PEER = "coraine, per core, published by its makers"
_PUBLISHED = {"query": 12_577, "create": 54_707, "batch": 117_460}


def run(data: Path | None) -> list[dict[str, Any]]:
    """Serve a city with entities in a process of its own, and load it from another."""
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = child("bench.ngsi_ld", "serve", folder)
        try:
            assert server.stdout is not None
            address, token = json.loads(server.stdout.readline())
            asking = child("bench.ngsi_ld", "load", address, token, str(server.pid))
            measured: dict[str, Any] = json.loads(asking.communicate(timeout=600)[0])
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


async def _drive(address: str, requests: list[bytes], status: int, connections: int, process: int) -> dict[str, float]:
    before = busy(process)
    found = await load(address, [requests[own::connections] for own in range(connections)], status)
    used = max(busy(process) - before, 0.01)
    count = len(found.latencies)
    return {"rate": count / found.seconds, "per_core": count / used, **found.percentiles}


def _get(path: str, token: str) -> bytes:
    return get("city", f"/ngsi-ld/v1{path}", f"Authorization: Bearer {token}\r\n")


def _post(path: str, body: bytes, token: str) -> bytes:
    return post("city", f"/ngsi-ld/v1{path}", body, f"Authorization: Bearer {token}\r\n")


async def _load(address: str, token: str, process: int) -> dict[str, Any]:
    def batches(series: str, count: int, each: int) -> list[bytes]:
        bodies = (json.dumps([_entity(n * each + i, series) for i in range(each)]).encode() for n in range(count))
        return [_post("/entityOperations/create", body, token) for body in bodies]

    await _drive(address, batches("a", ENTITIES // 1000, 1000), 201, 2, process)
    chance = random.Random(1)
    page = ENTITIES // TYPES - 20
    places = [(chance.randrange(TYPES), chance.randrange(0, page, 20)) for _ in range(QUERIES)]
    queries = [_get(f"/entities?type=Vehicle{kind}&limit=20&offset={offset}", token) for kind, offset in places]
    measured: dict[str, Any] = {"query": await _drive(address, queries, 200, 8, process)}
    for connections in (8, 32):
        ones = [_post("/entities", json.dumps(_entity(n, f"c{connections}-")).encode(), token) for n in range(CREATES)]
        measured[f"create-{connections}"] = await _drive(address, ones, 201, connections, process)
    measured["batch"] = await _drive(address, batches("b", BATCHES, 20), 201, 8, process)
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
