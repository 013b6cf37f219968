"""Delimited text: columns for longitude and latitude, or one with WKT, and types that every value of a column fits."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mumian.foundation.spatial.importing.job import RowFault, Rows, Unreadable

_X = ("longitude", "lon", "lng", "long", "x", "经度", "easting", "point_x")
_Y = ("latitude", "lat", "y", "纬度", "northing", "point_y")
_WKT = ("wkt", "geometry", "geom", "the_geom", "wkt_geometry", "几何")
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")
_MOST_COLUMNS = 300


def decode(content: bytes, encoding: str | None) -> tuple[str, str]:
    """Text and the encoding it was in: what is asked for, else UTF-8, else GB 18030; raises Unreadable."""
    for name in [encoding] if encoding else ["utf-8-sig", "gb18030"]:
        try:
            return content.decode(name), name
        except (UnicodeDecodeError, LookupError):
            continue
    raise Unreadable(f"its text is not {encoding or 'UTF-8 or GB 18030'}")


def read_delimited(path: Path, encoding: str | None, most_rows: int) -> Rows:
    """The rows of a file whose first line names the columns; raises Unreadable where no column says where things are."""
    text, found = decode(path.read_bytes(), encoding)
    csv.field_size_limit(4_000_000)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:20_000].split("\n", 1)[0], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    reader = csv.reader(io.StringIO(text), delimiter=dialect.delimiter)
    try:
        head = [name.strip() for name in next(reader, [])]
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: {error}") from error
    if len(lines) > most_rows or len(head) > _MOST_COLUMNS:
        raise Unreadable(f"it has more than {most_rows} rows or {_MOST_COLUMNS} columns")
    if len(set(head)) != len(head) or "" in head:
        raise Unreadable("its first line must name every column once")
    faults = {
        index: RowFault(index + 2, "row", f"it has {len(line)} values for {len(head)} columns")
        for index, line in enumerate(lines)
        if len(line) != len(head)
    }
    padded = [(line + [""] * len(head))[: len(head)] for line in lines]
    geometries, used = _geometries(head, padded, faults)
    properties = _typed(head, padded, used)
    return Rows(geometries, properties, None, None, faults, "utf-8" if found == "utf-8-sig" else found, [], first=2)


def _geometries(head: Sequence[str], lines: list[list[str]], faults: dict[int, RowFault]) -> tuple[Any, set[int]]:
    names = [name.lower() for name in head]
    wkt = next((names.index(n) for n in _WKT if n in names), None)
    x, y = (next((names.index(n) for n in choices if n in names), None) for choices in (_X, _Y))
    if x is not None and y is not None:
        return _points(lines, x, y, faults), {x, y}
    if wkt is not None:
        return _drawn(lines, wkt, faults), {wkt}
    raise Unreadable("no columns say where things are: name them longitude and latitude, or wkt")


def _points(lines: list[list[str]], x: int, y: int, faults: dict[int, RowFault]) -> Any:
    import shapely

    at = np.full((len(lines), 2), np.nan)
    for index, line in enumerate(lines):
        if not line[x].strip() and not line[y].strip():
            continue
        try:
            at[index] = float(line[x]), float(line[y])
        except ValueError:
            faults.setdefault(index, RowFault(index + 2, "geometry", f"{line[x][:40]!r}, {line[y][:40]!r} are no numbers"))
            continue
        if not np.isfinite(at[index]).all():
            faults.setdefault(index, RowFault(index + 2, "geometry", "a coordinate is not finite"))
    made = np.empty(len(lines), object)
    there = np.isfinite(at).all(axis=1)
    made[there] = shapely.points(at[there])
    return made


def _drawn(lines: list[list[str]], column: int, faults: dict[int, RowFault]) -> Any:
    import shapely

    texts = np.empty(len(lines), object)
    texts[:] = [line[column].strip() or None for line in lines]
    made = shapely.from_wkt(texts, on_invalid="ignore")
    for index, (geometry, text) in enumerate(zip(made, texts, strict=True)):
        if geometry is None and text is not None:
            faults.setdefault(index, RowFault(index + 2, "geometry", f"{text[:40]!r} is no WKT"))
    return made


def _typed(head: Sequence[str], lines: list[list[str]], used: set[int]) -> list[dict[str, Any]]:
    """Properties whose columns hold numbers throughout become numbers; codes with leading zeros stay text."""
    rows: list[dict[str, Any]] = [{} for _ in lines]
    for column, name in enumerate(head):
        if column in used:
            continue
        values = [line[column].strip() for line in lines]
        convert = _converter([value for value in values if value])
        for row, value in zip(rows, values, strict=True):
            row[name] = convert(value) if value else None
    return rows


def _converter(values: list[str]) -> Callable[[str], Any]:
    if values and all(_INTEGER.fullmatch(value) for value in values):
        return int
    if values and all(_NUMBER.fullmatch(value) for value in values):
        return _finite
    return str


def _finite(text: str) -> float | None:
    value = float(text)
    return value if abs(value) < float("inf") else None
