"""Tables of the cache: how a layer's base is laid out, how edits are laid over it, and what is known of the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.spatial.contracts import Bounds, Property
from mumian.foundation.spatial.features.engine import Engine, quoted
from mumian.foundation.spatial.rules.schema import SQL_TYPES, decode_schema, encode_schema
from mumian.foundation.spatial.store.features import EditRow

_PROJECTED = "ST_Transform(geom, 'EPSG:4326', 'EPSG:3857', always_xy := true)"
_MERCATOR = f"CASE WHEN north <= 85.06 AND south >= -85.06 THEN {_PROJECTED} END AS merc"
_BOX = "ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north"


@dataclass(frozen=True)
class Table:
    """A layer in the cache: `columns` maps each property to its column and type; `points` says that bounds are geometries."""

    layer: str
    name: str
    base: str
    version: int
    properties: tuple[Property, ...]
    count: int = 0
    bounds: Bounds | None = None
    points: bool = False
    next_seq: int = 1
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Rows of a base: a relation with fid, ver, geometry (WKB), properties (JSON) and, where they are kept in order, seq."""

    relation: str
    arrays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ordered: bool = False


def source_of(fids: Sequence[str], versions: Sequence[int], wkb: Sequence[bytes | None], properties: Sequence[str]) -> Source:
    """Rows that are in memory."""
    arrays = {
        "fid": _objects(fids),
        "ver": np.asarray(versions, np.int64),
        "geometry": _objects(wkb),
        "properties": _objects(properties),
    }
    if not len(fids):
        return Source("(SELECT '' AS fid, 0 AS ver, NULL::BLOB AS geometry, '' AS properties WHERE false)")
    return Source("incoming", {"incoming": arrays})


def _objects(values: Sequence[Any]) -> Any:
    made = np.empty(len(values), object)
    made[:] = values
    return made


def columns_of(properties: Sequence[Property]) -> dict[str, tuple[str, str]]:
    """Each property's column in the cache, and its type."""
    return {p.name: (f"p{index}", p.type) for index, p in enumerate(properties)}


def _typed(properties: Sequence[Property], start: int = 0) -> str:
    return "".join(f", {_value(p)} AS p{index}" for index, p in enumerate(properties) if index >= start)


def _value(property_: Property) -> str:
    """A property's value in its column's type, from the JSON text `props`; what does not fit is NULL."""
    pointer = quoted("/" + property_.name.replace("~", "~0").replace("/", "~1"))
    text = f"json_extract_string(props, {pointer})"
    if property_.type == "string":
        return text
    if property_.type == "json":
        return f"CAST(nullif(json_extract(props, {pointer}), 'null') AS VARCHAR)"
    if property_.type == "datetime":
        return f"TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    return f"TRY_CAST({text} AS {SQL_TYPES[property_.type]})"


def build(engine: Engine, table: Table, source: Source) -> Table:
    """Fill a fresh table from a base, along a Hilbert curve unless it has an order already; returns what is known of it."""
    read = "fid, ver, ST_GeomFromWKB(geometry) AS geom, properties AS props"
    boxed = f"SELECT *, {_BOX} FROM (SELECT {'seq, ' if source.ordered else ''}{read} FROM {source.relation})"
    fixed = "fid, ver, geom, west, south, east, north, props"
    with engine.all_hands(), engine.transaction(source.arrays) as work:
        work.execute(f"CREATE TEMP TABLE staged AS {boxed}")
        if source.ordered:
            rows = f"SELECT seq, {fixed} FROM staged ORDER BY seq"
        else:
            found = work.execute("SELECT min(west), min(south), max(east), max(north) FROM staged").fetchone()
            rows = f"SELECT row_number() OVER () AS seq, * FROM (SELECT {fixed} FROM staged {_curve(found)})"
        work.execute(f"CREATE TABLE {table.name} AS SELECT *, {_MERCATOR}{_typed(table.properties)} FROM ({rows})")
        work.execute("DROP TABLE staged")
        work.execute(f"CREATE INDEX {table.name}_fid ON {table.name} (fid)")
        made = _measured(work, replace(table, columns=columns_of(table.properties)))
        _remember(work, made)
    return made


def arrange(engine: Engine, rows: str, path: str) -> int:
    """Write rows (fid, ver, geometry as WKB, properties) along a Hilbert curve, numbered by `seq`, to a Parquet file."""
    boxed = f"SELECT *, {_BOX} FROM (SELECT fid, ver, ST_GeomFromWKB(geometry) AS geom, properties FROM ({rows}))"
    with engine.all_hands(), engine.transaction() as work:
        work.execute(f"CREATE TEMP TABLE staged AS {boxed}")
        found = work.execute("SELECT min(west), min(south), max(east), max(north) FROM staged").fetchone()
        ordered = f"SELECT fid, ver, ST_AsWKB(geom) AS geometry, properties FROM staged {_curve(found)}"
        numbered = f"SELECT row_number() OVER () AS seq, * FROM ({ordered})"
        made = work.execute(f"COPY ({numbered}) TO {quoted(path)} (FORMAT parquet)").fetchone()
        work.execute("DROP TABLE staged")
    return int(made[0]) if made else 0


def _curve(found: tuple[Any, ...] | None) -> str:
    if found is None or any(value is None for value in found):
        return "ORDER BY fid"
    west, south, east, north = (float(value) for value in found)
    east, north = max(east, west + 1e-9), max(north, south + 1e-9)
    centre = "ST_Point((west + east) / 2, (south + north) / 2)"
    box = f"{{'min_x': {west!r}, 'min_y': {south!r}, 'max_x': {east!r}, 'max_y': {north!r}}}::BOX_2D"
    return f"ORDER BY CASE WHEN geom IS NULL THEN NULL ELSE ST_Hilbert({centre}, {box}) END, fid"


def _measured(work: Any, table: Table) -> Table:
    sql = "SELECT count(*), min(west), min(south), max(east), max(north), coalesce(max(seq), 0) + 1, "
    sql += f"coalesce(bool_and(west = east AND south = north), false) FROM {table.name}"
    count, west, south, east, north, next_seq, points = work.execute(sql).fetchone()
    bounds = None if west is None else (west, south, east, north)
    return replace(table, count=count, bounds=bounds, next_seq=next_seq, points=bool(points))


def overlay(engine: Engine, table: Table, edits: Sequence[EditRow], properties: tuple[Property, ...], version: int) -> Table:
    """Lay edits over a table: the newest of each feature counts; columns for new properties are added."""
    newest = {edit.feature: edit for edit in edits}
    kept = [edit for edit in newest.values() if edit.properties is not None]
    arrays = {"gone": {"fid": _objects(list(newest))}} if newest else {}
    if kept:
        arrays["fresh"] = {
            "fid": _objects([e.feature for e in kept]),
            "ver": np.asarray([e.version for e in kept], np.int64),
            "geometry": _objects([e.geometry for e in kept]),
            "props": _objects([e.properties for e in kept]),
        }
    fresh = replace(table, version=version, properties=properties, columns=columns_of(properties))
    with engine.transaction(arrays) as work:
        for index, property_ in enumerate(properties[len(table.properties) :], len(table.properties)):
            work.execute(f"ALTER TABLE {table.name} ADD COLUMN p{index} {SQL_TYPES[property_.type]}")
        if newest:
            _exchange(work, fresh, bool(kept))
            fresh = _measured(work, fresh)
        _remember(work, fresh)
    return fresh


def _exchange(work: Any, table: Table, any_kept: bool) -> None:
    """Put the fresh rows in the place of the old ones; a feature keeps its place in the order, a new one goes to the end."""
    old = f"SELECT fid, min(seq) AS seq FROM {table.name} WHERE fid IN (SELECT fid FROM gone) GROUP BY fid"
    work.execute(f"CREATE TEMP TABLE replaced AS {old}")
    work.execute(f"DELETE FROM {table.name} WHERE fid IN (SELECT fid FROM gone)")
    if any_kept:
        geom = "CASE WHEN f.geometry IS NULL THEN NULL ELSE ST_GeomFromGeoJSON(f.geometry) END AS geom"
        place = f"coalesce(r.seq, {table.next_seq} - 1 + row_number() OVER (ORDER BY f.ver)) AS seq"
        inner = f"SELECT {place}, f.fid, f.ver, {geom}, f.props FROM fresh f LEFT JOIN replaced r ON r.fid = f.fid"
        boxed = f"SELECT seq, fid, ver, geom, {_BOX}, props FROM ({inner})"
        work.execute(f"INSERT INTO {table.name} BY NAME SELECT *, {_MERCATOR}{_typed(table.properties)} FROM ({boxed})")
    work.execute("DROP TABLE replaced")


_STATE = "CREATE TABLE IF NOT EXISTS state (layer VARCHAR, body VARCHAR)"


def _remember(work: Any, table: Table) -> None:
    """Keep what is known beside the rows, in the same commit, so that the next start finds both."""
    work.execute("DELETE FROM state WHERE layer = $layer", {"layer": table.layer})
    body = [table.name, table.base, table.version, encode_schema(table.properties), table.count, table.bounds, table.points]
    text = msgspec.json.encode([*body, table.next_seq]).decode()
    work.execute("INSERT INTO state VALUES ($layer, $body)", {"layer": table.layer, "body": text})


def remembered(engine: Engine) -> dict[str, Table]:
    """The tables that an earlier run left; tables that nobody remembers are dropped."""
    with engine.transaction() as work:
        work.execute(_STATE)
        found = {
            layer: _table(layer, msgspec.json.decode(body)) for layer, body in work.execute("SELECT * FROM state").fetchall()
        }
        named = {table.name for table in found.values()}
        names = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'cache' AND table_name LIKE 'layer_%'"
        for (name,) in work.execute(names).fetchall():
            if name not in named:
                work.execute(f"DROP TABLE {name}")
    return found


def _table(layer: str, body: list[Any]) -> Table:
    name, base, version, schema, count, bounds, points, next_seq = body
    properties = decode_schema(schema)
    box = None if bounds is None else tuple(bounds)
    return Table(layer, name, base, version, properties, count, box, points, next_seq, columns_of(properties))


def drop(engine: Engine, table: Table) -> None:
    """Let go of a table that no reader asks for any more."""
    with engine.transaction() as work:
        work.execute(f"DROP TABLE IF EXISTS {table.name}")
