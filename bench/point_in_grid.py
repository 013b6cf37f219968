"""Points a second to the grid that holds them: five million points, twenty thousand grids, against three engines."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import shapely
from numpy.typing import NDArray

from mumian.foundation.grids.locating.index import PolygonIndex
from mumian.foundation.storage.lake.extensions import connect

POINTS = int(os.environ.get("MUMIAN_BENCH_POINTS", "5000000"))
GRIDS = int(os.environ.get("MUMIAN_BENCH_GRIDS", "20000"))
PEER_POINTS = 1_000_000
POSTGRESQL = os.environ.get("MUMIAN_TEST_POSTGRESQL", "")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def run(data: Path | None) -> list[dict[str, Any]]:
    """Voronoi cells of a square degree, the points even over it; a million of them for the peers, whose answers must be ours."""
    rng = np.random.default_rng(7)
    box = shapely.box(113, 23, 114, 24)
    seeds = np.c_[113 + rng.random(GRIDS), 23 + rng.random(GRIDS)]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=box))
    polygons = list(shapely.intersection(cells, box))
    x, y = 113 + rng.random(POINTS), 23 + rng.random(POINTS)
    began = time.perf_counter()
    index = PolygonIndex(polygons)
    built = time.perf_counter() - began
    began = time.perf_counter()
    found = index.locate(x, y)
    rate = round(POINTS / (time.perf_counter() - began))
    size = f"{POINTS} points, {len(polygons)} grids, {os.cpu_count()} cores; index made in {built:.1f} s"
    figures = []
    for name, peer in _peers():
        count = min(PEER_POINTS, POINTS)
        told, seconds = peer(polygons, x[:count], y[:count])
        if not np.array_equal(told, found[:count]):
            raise RuntimeError(f"{name} answers otherwise for {(told != found[:count]).sum()} of {count} points")
        figure = {"name": "point-in-grid", "value": rate, "unit": "points/s", "size": size}
        figures.append(figure | {"peer": f"{name}, {count} points", "peer_value": round(count / seconds)})
    return figures


def _peers() -> list[tuple[str, Callable[[list[Any], Floats, Floats], tuple[Ints, float]]]]:
    peers: list[tuple[str, Callable[[list[Any], Floats, Floats], tuple[Ints, float]]]] = []
    peers += [("shapely STRtree", _shapely), (f"DuckDB {duckdb.__version__} spatial join", _duckdb)]
    return peers + ([("PostGIS", _postgis)] if POSTGRESQL else [])


def _first(count: int, points: Ints, polygons: Ints) -> Ints:
    """Of several polygons that cover a point the first, -1 where there is none."""
    found = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(found, points, polygons)
    found[found == np.iinfo(np.int64).max] = -1
    return found


def _shapely(polygons: list[Any], x: Floats, y: Floats) -> tuple[Ints, float]:
    tree = shapely.STRtree(polygons)
    shapely.prepare(polygons)
    began = time.perf_counter()
    points, hits = tree.query(shapely.points(x, y), predicate="intersects")
    return _first(len(x), points, hits), time.perf_counter() - began


def _duckdb(polygons: list[Any], x: Floats, y: Floats) -> tuple[Ints, float]:
    connection = connect(Path("unused"), "spatial")
    offered = {"id": np.arange(len(x)), "x": x, "y": y}
    shapes = {"id": np.arange(len(polygons)), "wkb": np.array([shapely.to_wkb(p) for p in polygons], dtype=object)}
    connection.register("offered", offered)
    connection.register("shapes", shapes)
    connection.execute("CREATE TABLE point AS SELECT id, ST_Point(x, y) AS g FROM offered")
    connection.execute("CREATE TABLE grid AS SELECT id, ST_GeomFromWKB(wkb) AS g FROM shapes")
    began = time.perf_counter()
    found = connection.execute("SELECT p.id AS p, z.id AS z FROM point p JOIN grid z ON ST_Intersects(z.g, p.g)").fetchnumpy()
    seconds = time.perf_counter() - began
    connection.close()
    return _first(len(x), np.asarray(found["p"]), np.asarray(found["z"])), seconds


def _postgis(polygons: list[Any], x: Floats, y: Floats) -> tuple[Ints, float]:
    import psycopg

    with psycopg.connect(POSTGRESQL) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        cursor.execute("CREATE TEMP TABLE bench_point (id INT, g GEOMETRY(Point, 4326))")
        cursor.execute("CREATE TEMP TABLE bench_raw (id INT, x FLOAT8, y FLOAT8)")
        with cursor.copy("COPY bench_raw FROM STDIN") as copy:
            for row in zip(range(len(x)), x.tolist(), y.tolist(), strict=True):
                copy.write_row(row)
        cursor.execute("INSERT INTO bench_point SELECT id, ST_SetSRID(ST_MakePoint(x, y), 4326) FROM bench_raw")
        cursor.execute("CREATE TEMP TABLE bench_grid (id INT, g GEOMETRY(Polygon, 4326))")
        shapes = [(i, shapely.to_wkb(polygon, hex=True)) for i, polygon in enumerate(polygons)]
        cursor.executemany("INSERT INTO bench_grid VALUES (%s, ST_SetSRID(ST_GeomFromWKB(decode(%s, 'hex')), 4326))", shapes)
        cursor.execute("CREATE INDEX ON bench_grid USING gist (g)")
        cursor.execute("ANALYZE bench_grid; ANALYZE bench_point")
        began = time.perf_counter()
        cursor.execute("SELECT p.id, z.id FROM bench_point p JOIN bench_grid z ON ST_Intersects(z.g, p.g)")
        rows = np.array(cursor.fetchall(), np.int64)
        seconds = time.perf_counter() - began
    return _first(len(x), rows[:, 0], rows[:, 1]), seconds
