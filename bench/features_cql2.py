"""Searches by box and attribute among a million features over OGC API Features at 8 connections, beside PostGIS."""

import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

FEATURES = 1_000_000
CONNECTIONS = 8
REQUESTS = 100
WEST, SOUTH, EAST, NORTH = 113.0, 22.5, 114.0, 23.9
_ROOT = Path(__file__).resolve().parent.parent
_PEER = """
SELECT ST_AsGeoJSON(geom), id, n, kind, count(*) OVER () FROM bench_features
WHERE geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326) AND n > 50 AND kind = 'k3' ORDER BY id LIMIT 10
"""


def run(data: Path | None) -> list[dict[str, Any]]:
    """Bring a million points in, serve them from a process of its own, and search them from another."""
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = _child("serve", folder)
        try:
            assert server.stdout is not None
            address, seconds = json.loads(server.stdout.readline())
            load = _child("load", address)
            figures: dict[str, Any] = json.loads(load.communicate(timeout=300)[0])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    size = (
        f"{FEATURES} points, boxes of 0.03°, n > 50 AND kind = 'k3', 10 of them and how many there are, {CONNECTIONS} connections"
    )
    search: dict[str, Any] = {"name": "features-cql2", "unit": "searches/s", "size": size, **figures}
    peer = _postgis()
    if peer is not None:
        search |= {"peer": "PostGIS 8 connections, SQL without HTTP", "peer_value": peer}
        search["ratio"] = round(search["value"] / peer, 2)
    size = f"{FEATURES} points from CSV, checked, into the lake and the cache"
    return [search, {"name": "features-import", "value": round(FEATURES / seconds), "unit": "features/s", "size": size}]


def _child(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    command = [sys.executable, "-m", "bench.features_cql2", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT)


def _boxes(seed: int) -> list[tuple[float, float, float, float]]:
    dice = random.Random(seed)
    corners = [(dice.uniform(WEST, EAST - 0.03), dice.uniform(SOUTH, NORTH - 0.03)) for _ in range(REQUESTS)]
    return [(x, y, x + 0.03, y + 0.03) for x, y in corners]


async def _load(address: str) -> dict[str, Any]:
    import httpx

    async def one(seed: int) -> list[float]:
        latencies = []
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            for box in _boxes(seed):
                query = {"bbox": ",".join(map(str, box)), "filter": "n > 50 AND kind = 'k3'"}
                started = time.perf_counter()
                answer = await client.get("/ogc/collections/points/items", params=query)
                latencies.append(time.perf_counter() - started)
                if answer.status_code != 200:
                    raise RuntimeError(answer.text[:500])
        return latencies

    started = time.perf_counter()
    rounds = await asyncio.gather(*(one(seed) for seed in range(CONNECTIONS)))
    found = sorted(latency for latencies in rounds for latency in latencies)
    seconds = time.perf_counter() - started
    p50, p99 = (round(found[int(len(found) * share)] * 1000, 2) for share in (0.5, 0.99))
    return {"value": round(len(found) / seconds, 1), "p50_ms": p50, "p99_ms": p99}


async def _serve(home: Path) -> None:
    from mumian.app.platform import create_platform
    from mumian.app.server import serving, until_told_to_stop
    from mumian.foundation.spatial.api import Spatial
    from mumian.foundation.spatial.features.bulk import Options
    from mumian.kernel.declarations.documents import Document
    from mumian.kernel.settings import Settings
    from mumian.kernel.unit_of_work import SYSTEM

    platform = await asyncio.to_thread(create_platform, Settings(home=home / "home"))
    layer = Document("Layer", "points", {"zh": "点", "en": "Points"}, {"editable": True})
    await platform.declarations.apply([layer], "bench")
    file = home / "points.csv"
    await asyncio.to_thread(_write, file)
    async with serving(platform, "127.0.0.1", 0) as address:
        spatial = platform.get(Spatial)
        started = time.perf_counter()
        await spatial.bulk.bring_in("points", file, file.name, Options(), SYSTEM)
        await asyncio.to_thread(spatial.info, "points")
        print(json.dumps([address, time.perf_counter() - started]), flush=True)
        await until_told_to_stop()


def _write(file: Path) -> None:
    dice = random.Random(7)
    with file.open("w", encoding="utf-8") as stream:
        stream.write("lon,lat,n,kind\n")
        for i in range(FEATURES):
            stream.write(f"{dice.uniform(WEST, EAST):.7f},{dice.uniform(SOUTH, NORTH):.7f},{i % 100},k{i % 7}\n")


def _postgis() -> float | None:
    """The same searches per second in PostGIS, each connection in a thread of its own; the median of three rounds."""
    url = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not url:
        return None
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("DROP TABLE IF EXISTS bench_features")
        place = f"{WEST} + random() * {EAST - WEST}, {SOUTH} + random() * {NORTH - SOUTH}"
        rows = f"SELECT i AS id, i % 100 AS n, 'k' || (i % 7) AS kind, ST_SetSRID(ST_MakePoint({place}), 4326) AS geom"
        connection.execute(f"CREATE TABLE bench_features AS {rows} FROM generate_series(1, {FEATURES}) i".encode())
        connection.execute("CREATE INDEX ON bench_features USING gist (geom)")
        connection.execute("VACUUM ANALYZE bench_features")

        def search(seed: int) -> None:
            with psycopg.connect(url) as own:
                for box in _boxes(seed):
                    own.execute(_PEER, box).fetchall()

        rates = []
        for _ in range(3):
            threads = [threading.Thread(target=search, args=(seed,)) for seed in range(CONNECTIONS)]
            started = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            rates.append(CONNECTIONS * REQUESTS / (time.perf_counter() - started))
        connection.execute("DROP TABLE bench_features")
    return round(statistics.median(rates), 1)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(_serve(Path(sys.argv[2])))
    else:
        print(json.dumps(asyncio.run(_load(sys.argv[2]))))
