"""Searches by box and attribute among a million features over OGC API Features at 8 connections, beside pygeoapi and PostGIS.

pygeoapi serves the same over HTTP from PostGIS; PostGIS by itself is asked in SQL, with no HTTP, JSON or rights between. It is
measured where `PYGEOAPI` names a Python that has pygeoapi, psycopg2, SQLAlchemy, GeoAlchemy2 and gunicorn.
"""

import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench.load import busy, child, get, load

FEATURES = 1_000_000
CONNECTIONS = 8
REQUESTS, PEER_REQUESTS = 100, 20
WEST, SOUTH, EAST, NORTH = 113.0, 22.5, 114.0, 23.9
_FILTER = "n > 50 AND kind = 'k3'"
_PEER = """
SELECT ST_AsGeoJSON(geom), id, n, kind, count(*) OVER () FROM bench_features
WHERE geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326) AND n > 50 AND kind = 'k3' ORDER BY id LIMIT 10
"""


def run(data: Path | None) -> list[dict[str, Any]]:
    """Bring a million points in, serve them from a process of its own, and search them from another."""
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        server = child("bench.features_cql2", "serve", folder)
        try:
            assert server.stdout is not None
            address, seconds = json.loads(server.stdout.readline())
            before = busy(server.pid)
            figures = _searched(address, "/ogc/collections/points/items")
            figures["cpu_ms"] = round((busy(server.pid) - before) / (CONNECTIONS * REQUESTS) * 1000, 2)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    size = (
        f"{FEATURES} points, boxes of 0.03°, n > 50 AND kind = 'k3', 10 of them and how many there are, {CONNECTIONS} connections"
    )
    search: dict[str, Any] = {"name": "features-cql2", "unit": "searches/s", "size": size, **figures}
    found = [search]
    url = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if url:
        with _filled(url):
            sql = _postgis(url)
            peer = _pygeoapi(url)
        if peer is None:
            search |= {"peer": "PostGIS, SQL without HTTP", "peer_value": sql}
        else:
            search |= {"peer": "pygeoapi on PostGIS, over HTTP", "peer_value": peer["value"]}
            search |= {"peer_p50_ms": peer["p50_ms"], "peer_p99_ms": peer["p99_ms"], "postgis_sql": sql}
    size = f"{FEATURES} points from CSV, checked, into the lake and the cache"
    return [*found, {"name": "features-import", "value": round(FEATURES / seconds), "unit": "features/s", "size": size}]


def _searched(address: str, path: str, count: int = REQUESTS) -> dict[str, Any]:
    asking = child("bench.features_cql2", "load", address, path, str(count))
    found: dict[str, Any] = json.loads(asking.communicate(timeout=900)[0])
    return found


def _boxes(seed: int) -> list[tuple[float, float, float, float]]:
    dice = random.Random(seed)
    corners = [(dice.uniform(WEST, EAST - 0.03), dice.uniform(SOUTH, NORTH - 0.03)) for _ in range(REQUESTS)]
    return [(x, y, x + 0.03, y + 0.03) for x, y in corners]


async def _load(address: str, path: str, count: str) -> dict[str, Any]:
    host = address.removeprefix("http://")

    def target(box: tuple[float, float, float, float]) -> str:
        return f"{path}?{urlencode({'bbox': ','.join(map(str, box)), 'filter': _FILTER, 'limit': 10, 'f': 'json'})}"

    requests = [[get(host, target(box)) for box in _boxes(seed)[: int(count)]] for seed in range(CONNECTIONS)]
    return (await load(address, requests, check=lambda body: b'"numberMatched"' in body)).figures


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


@contextmanager
def _filled(url: str) -> Iterator[None]:
    """The same number of points in PostGIS, with an index on their places."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("DROP TABLE IF EXISTS bench_features")
        place = f"{WEST} + random() * {EAST - WEST}, {SOUTH} + random() * {NORTH - SOUTH}"
        point = f"ST_SetSRID(ST_MakePoint({place}), 4326)::geometry(Point, 4326) AS geom"
        rows = f"SELECT i AS id, i % 100 AS n, 'k' || (i % 7) AS kind, {point}"
        connection.execute(f"CREATE TABLE bench_features AS {rows} FROM generate_series(1, {FEATURES}) i".encode())
        connection.execute("ALTER TABLE bench_features ADD PRIMARY KEY (id)")
        connection.execute("CREATE INDEX ON bench_features USING gist (geom)")
        connection.execute("VACUUM ANALYZE bench_features")
        try:
            yield
        finally:
            connection.execute("DROP TABLE bench_features")


def _postgis(url: str) -> float:
    """The same searches per second in SQL, each connection in a thread of its own; the median of three rounds."""
    import psycopg

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
    return round(statistics.median(rates), 1)


def _pygeoapi(url: str) -> dict[str, Any] | None:
    """The same searches over HTTP from pygeoapi with two workers; None where it is not there."""
    python = os.environ.get("PYGEOAPI")
    if not python:
        return None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="pygeoapi-bench-") as folder:
        config, openapi = f"{folder}/config.yml", f"{folder}/openapi.yml"
        Path(config).write_text(json.dumps(_configuration(url, address, port)), "utf-8")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        environment |= {"PYGEOAPI_CONFIG": config, "PYGEOAPI_OPENAPI": openapi}
        describe = [str(Path(python).with_name("pygeoapi")), "openapi", "generate", config, "--output-file", openapi]
        subprocess.run(describe, env=environment, check=True, stdout=subprocess.DEVNULL)
        workers = ["-w", "2", "-k", "gthread", "--threads", "4", "--keep-alive", "60"]
        command = [python, "-m", "gunicorn", *workers, "-b", f"127.0.0.1:{port}", "pygeoapi.flask_app:APP"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as peer:
            try:
                _until_there(f"{address}/collections/points/items?limit=1")
                return _searched(address, "/collections/points/items", PEER_REQUESTS)
            finally:
                peer.terminate()


def _configuration(url: str, address: str, port: int) -> dict[str, Any]:
    """What pygeoapi must be told to serve the points."""
    place = urlsplit(url)
    data = {"host": place.hostname, "port": place.port, "dbname": place.path[1:], "user": place.username}
    provider = {"type": "feature", "name": "PostgreSQL", "data": data | {"password": "", "search_path": ["public"]}}
    provider |= {"id_field": "id", "table": "bench_features", "geom_field": "geom"}
    named = {"title": "points", "description": "points", "keywords": ["points"]}
    extent = {"spatial": {"bbox": [WEST, SOUTH, EAST, NORTH], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}}
    linked = {"name": "bench", "url": address}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": address,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 10, "max_items": 100},
            "map": {"url": "", "attribution": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": named | {"terms_of_service": "", "url": address},
            "license": linked,
            "provider": linked,
            "contact": linked,
        },
        "resources": {"points": {"type": "collection", **named, "links": [], "extents": extent, "providers": [provider]}},
    }


def _until_there(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=30).read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


if __name__ == "__main__":
    import uvloop

    if sys.argv[1] == "serve":
        uvloop.run(_serve(Path(sys.argv[2])))
    else:
        print(json.dumps(uvloop.run(_load(*sys.argv[2:]))))
