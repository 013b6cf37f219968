"""Mapbox Vector Tiles: one statement makes one tile, and no tile holds more features than a screen can show."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mumian.foundation.spatial.features.engine import Engine, quoted
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.rules.tiles import BUFFER, EXTENT, MOST_ZOOM, Tile

MOST_FEATURES = 10_000
_CELLS = 128
_KEY = "__geometry"
LIVE = {"live_value": "DOUBLE", "live_unit": "VARCHAR", "live_time": "VARCHAR"}


@dataclass(frozen=True)
class Live:
    """Live values for a tile: `property` names what they are of, `look` finds (value, unit, time) for what it names."""

    property: str
    look: Callable[[Sequence[str]], dict[str, tuple[Any, ...]]]


def encode(engine: Engine, table: Table, tile: Tile, properties: Sequence[str] | None = None, live: Live | None = None) -> bytes:
    """A tile as MVT bytes, empty where nothing lies in it; its one layer has the layer's name.

    Every feature has the attribute `id`. Where more than 10,000 points lie in a tile they are gathered on a grid of
    128 × 128 cells: each cell gives one of its points (the first of the layer) with `point_count`. Of other geometries the
    10,000 largest are kept. Lines and areas are simplified by half a pixel, and left out when they are smaller than that.
    With `live` features carry `live_value`, `live_unit` and `live_time`, unless points are gathered.
    """
    where, params = _conditions(table, tile)
    if table.points and engine.rows(f"SELECT count(*) FROM {table.name} WHERE {where}", params)[0][0] > MOST_FEATURES:
        sql = _gathered(table, tile, where, properties)
    else:
        source, values = table.name, None if live is None else _lived(engine, table, where, params, live)
        if values is not None and live is not None:
            source, params = _joined(table, live), params | values
        sql = _all(table, source, tile, where, properties, () if values is None else LIVE)
    found = engine.rows(sql, params)[0][0]
    return bytes(found) if found is not None else b""


def _lived(engine: Engine, table: Table, where: str, params: dict[str, Any], live: Live) -> dict[str, Any] | None:
    """The live values of what lies in a tile as columns; None where the layer has no such property."""
    if live.property not in table.columns:
        return None
    column = table.columns[live.property][0]
    named = f"SELECT DISTINCT CAST({column} AS VARCHAR) FROM {table.name} WHERE {where} AND {column} IS NOT NULL"
    found = live.look([row[0] for row in engine.rows(f"{named} LIMIT {10 * MOST_FEATURES}", params)])
    columns = zip(*found.values(), strict=True) if found else ((), (), ())
    return {"live_key": list(found), **{name: list(values) for name, values in zip(LIVE, columns, strict=True)}}


def _joined(table: Table, live: Live) -> str:
    """The table with the columns of `_lived` beside it."""
    values = "".join(f", unnest(${name}::{type_}[]) AS {name}" for name, type_ in LIVE.items())
    keyed = f"(SELECT unnest($live_key::VARCHAR[]) AS live_key{values})"
    return f"(SELECT * FROM {table.name} LEFT JOIN {keyed} ON live_key = CAST({table.columns[live.property][0]} AS VARCHAR))"


def attributes(table: Table, properties: Sequence[str] | None) -> list[tuple[str, str, str]]:
    """The attributes of tiles: name, column and type; of names that differ in case alone, the first."""
    made: dict[str, tuple[str, str, str]] = {}
    for name, (column, type_) in table.columns.items():
        if (properties is None or name in properties) and name.lower() not in ("id", _KEY, "point_count", *LIVE):
            made.setdefault(name.lower(), (name, column, type_))
    return list(made.values())


def _conditions(table: Table, tile: Tile) -> tuple[str, dict[str, float]]:
    west, south, east, north = tile.degrees(BUFFER / EXTENT)
    params = {"w": west, "s": south, "e": east, "n": north}
    where = "west <= $e AND east >= $w AND south <= $n AND north >= $s AND merc IS NOT NULL"
    if not table.points and tile.z < MOST_ZOOM:
        least = (east - west) / 1024
        params["least"] = least
        where += " AND (east - west >= $least OR north - south >= $least OR (east = west AND south = north))"
    return where, params


def _attributes(table: Table, properties: Sequence[str] | None) -> str:
    made = []
    for name, column, type_ in attributes(table, properties):
        value = f"CAST({column} AS VARCHAR)" if type_ in ("date", "json") else column
        value = f"strftime({column}, '%Y-%m-%dT%H:%M:%SZ')" if type_ == "datetime" else value
        made.append(f", {quoted(name)}: {value}")
    return "".join(made)


def _box(tile: Tile) -> str:
    west, south, east, north = tile.metres
    return f"{{'min_x': {west!r}, 'min_y': {south!r}, 'max_x': {east!r}, 'max_y': {north!r}}}::BOX_2D"


def _placed(tile: Tile) -> str:
    """A point in the tile's own numbers; for points this is all that cutting is, and many times quicker."""
    west, _, _, north = tile.metres
    scale = EXTENT / tile.size
    return f"ST_Point(round((ST_X(merc) - {west!r}) * {scale!r}), round(({north!r} - ST_Y(merc)) * {scale!r}))"


def _all(table: Table, source: str, tile: Tile, where: str, properties: Sequence[str] | None, also: Iterable[str]) -> str:
    attributes = _attributes(table, properties) + "".join(f", '{name}': {name}" for name in also)
    if table.points:
        row = f"{{'{_KEY}': {_placed(tile)}, 'id': fid{attributes}}}"
        return _encoded(table, f"SELECT {row} AS r FROM {source} WHERE {where}")
    shape = "merc"
    if tile.z < MOST_ZOOM:
        shape = f"CASE WHEN east = west AND south = north THEN merc ELSE ST_Simplify(merc, {tile.tolerance!r}) END"
    order = f" ORDER BY (east - west) * (north - south) DESC, seq LIMIT {MOST_FEATURES}"
    cut = f"ST_AsMVTGeom({shape}, {_box(tile)}, {EXTENT}, {BUFFER}, true) AS cut"
    inner = f"SELECT *, {cut} FROM (SELECT * FROM {source} WHERE {where}{order})"
    row = f"{{'{_KEY}': cut, 'id': fid{attributes}}}"
    return _encoded(table, f"SELECT {row} AS r FROM ({inner}) WHERE cut IS NOT NULL AND NOT ST_IsEmpty(cut)")


def _gathered(table: Table, tile: Tile, where: str, properties: Sequence[str] | None) -> str:
    west, _, _, north = tile.metres
    step = tile.size / _CELLS
    cells = f"floor((ST_X(merc) - {west!r}) / {step!r}) AS cx, floor(({north!r} - ST_Y(merc)) / {step!r}) AS cy"
    counted = (
        f"SELECT min(seq) AS seq, count(*) AS many FROM (SELECT seq, {cells} FROM {table.name} WHERE {where}) GROUP BY cx, cy"
    )
    row = f"{{'{_KEY}': {_placed(tile)}, 'id': fid, 'point_count': many{_attributes(table, properties)}}}"
    return _encoded(table, f"SELECT {row} AS r FROM {table.name} JOIN ({counted}) c USING (seq) WHERE {where}")


def _encoded(table: Table, rows: str) -> str:
    encoded = f"ST_AsMVT(r, {quoted(table.layer)}, {EXTENT}, '{_KEY}')"
    return f"SELECT CASE WHEN count(*) > 0 THEN {encoded} END FROM ({rows})"
