"""Vector tiles per second from 500,000 points at zooms 9, 11 and 14, nothing cached; beside PostGIS where one is named."""

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = 500_000
TILES = {9: 12, 11: 40, 14: 300}
WEST, SOUTH, EAST, NORTH = 113.0, 22.5, 114.0, 23.9
_PEER = """
WITH b AS (SELECT ST_TileEnvelope(%s, %s, %s) AS box)
SELECT ST_AsMVT(r, 'points', 4096, 'g') FROM (
  SELECT ST_AsMVTGeom(geom, box, 4096, 64, true) AS g, id, n, s FROM bench_mvt, b WHERE geom && box) r
"""


def run(data: Path | None) -> list[dict[str, Any]]:
    """Time the same random tiles here, with and without the bound on features in a tile, and in PostGIS."""
    from mumian.foundation.spatial.tiles import mvt

    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        engine, table = _filled(Path(folder))
        try:
            bounded = _timed(lambda tile: mvt.encode(engine, table, tile))
            mvt.MOST_FEATURES = POINTS + 1
            whole = _timed(lambda tile: mvt.encode(engine, table, tile))
        finally:
            engine.close()
    peer = _postgis()
    results = []
    for z, rate in whole.items():
        size = f"{POINTS} points, {TILES[z]} tiles of zoom {z}, every point in its tile"
        entry: dict[str, Any] = {"name": f"mvt-z{z}", "value": rate, "unit": "tiles/s", "size": size}
        if peer is not None:
            entry |= {"peer": "PostGIS ST_AsMVT", "peer_value": peer[z], "ratio": round(rate / peer[z], 2)}
        results.append(entry)
    for z, rate in bounded.items():
        size = f"{POINTS} points, {TILES[z]} tiles of zoom {z}, crowded tiles gathered as served"
        results.append({"name": f"mvt-served-z{z}", "value": rate, "unit": "tiles/s", "size": size})
    return results


def _rows() -> str:
    place = f"{WEST} + random() * {EAST - WEST}, {SOUTH} + random() * {NORTH - SOUTH}"
    properties = """'{"n":' || (i % 100) || ',"s":"kind' || (i % 10) || '"}'"""
    point = f"ST_AsWKB(ST_Point({place}))"
    return (
        f"(SELECT 'p' || i AS fid, 1::BIGINT AS ver, {point} AS geometry, {properties} AS properties FROM range({POINTS}) r(i))"
    )


def _filled(folder: Path) -> tuple[Any, Any]:
    from mumian.foundation.spatial.contracts import Property
    from mumian.foundation.spatial.features.engine import Engine
    from mumian.foundation.spatial.features.tables import Source, Table, build, remembered

    engine = Engine(folder)
    remembered(engine)
    schema = (Property("n", "integer"), Property("s", "string"))
    return engine, build(engine, Table("points", "layer_1", "bench:1", 1, schema), Source(_rows()))


def _timed(encode: Callable[[Any], bytes]) -> dict[int, float]:
    from mumian.foundation.spatial.rules.tiles import tile_of

    dice = random.Random(7)
    rates = {}
    for z, count in TILES.items():
        tiles = [tile_of(dice.uniform(WEST, EAST), dice.uniform(SOUTH, NORTH), z) for _ in range(count)]
        encode(tiles[0])
        started = time.perf_counter()
        for tile in tiles:
            if not encode(tile):
                raise RuntimeError(f"{tile} is empty")
        rates[z] = round(count / (time.perf_counter() - started), 1)
    return rates


def _postgis() -> dict[int, float] | None:
    url = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not url:
        return None
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("DROP TABLE IF EXISTS bench_mvt")
        place = f"{WEST} + random() * {EAST - WEST}, {SOUTH} + random() * {NORTH - SOUTH}"
        point = f"ST_Transform(ST_SetSRID(ST_MakePoint({place}), 4326), 3857)"
        rows = (
            f"SELECT 'p' || i AS id, i %% 100 AS n, 'kind' || (i %% 10) AS s, {point} AS geom FROM generate_series(1, {POINTS}) i"
        )
        connection.execute(f"CREATE TABLE bench_mvt AS {rows.replace('%%', '%')}".encode())
        connection.execute("CREATE INDEX ON bench_mvt USING gist (geom)")
        connection.execute("VACUUM ANALYZE bench_mvt")

        def encode(tile: Any) -> bytes:
            found = connection.execute(_PEER, (tile.z, tile.x, tile.y)).fetchone()
            return bytes(found[0]) if found else b""

        rates = _timed(encode)
        connection.execute("DROP TABLE bench_mvt")
    return rates
