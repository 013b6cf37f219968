"""Geometry: GeoJSON checked and measured, so that what cannot be a place is refused and the rest is found by its bounds."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from mumian.kernel.errors import Invalid

Bounds = tuple[float, float, float, float]
_DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_LEAST = {"LineString": 2, "Polygon": 4}
_MOST_POSITIONS = 100_000
_GEOJSON = ("application/geo+json", "application/vnd.geo+json")


def is_geojson(encoding: str) -> bool:
    """Whether an encodingType says GeoJSON."""
    return encoding.split(";", maxsplit=1)[0].strip().lower() in _GEOJSON


def bounds_of(value: Any, field: str) -> Bounds:
    """West, south, east and north of a GeoJSON geometry or feature (WGS 84 degrees); raises Invalid that names the place."""
    west, south, east, north = 180.0, 90.0, -180.0, -90.0
    count = 0
    for longitude, latitude in _positions(value, field, 0):
        west, east = min(west, longitude), max(east, longitude)
        south, north = min(south, latitude), max(north, latitude)
        count += 1
        if count > _MOST_POSITIONS:
            raise Invalid.field(field, "field.length", expected=f"≤ {_MOST_POSITIONS}")
    if not count:
        raise Invalid.field(field, "field.length", expected="≥ 1")
    return west, south, east, north


def _positions(value: Any, field: str, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(value, dict):
        raise Invalid.field(field, "field.type", expected="an object")
    kind = value.get("type")
    if kind == "Feature" and depth == 0:
        yield from _positions(value.get("geometry"), f"{field}.geometry", 1)
    elif kind == "GeometryCollection" and depth < 2:
        inner = _list(value.get("geometries"), f"{field}.geometries")
        for place, geometry in enumerate(inner):
            yield from _positions(geometry, f"{field}.geometries[{place}]", 2)
    elif kind in _DEPTHS:
        yield from _nested(value.get("coordinates"), f"{field}.coordinates", _DEPTHS[kind], str(kind))
    else:
        raise Invalid.field(f"{field}.type", "field.choice", expected=", ".join((*_DEPTHS, "GeometryCollection", "Feature")))


def _nested(value: Any, field: str, depth: int, kind: str) -> Iterator[tuple[float, float]]:
    listed = _list(value, field)
    if depth == 0:
        yield _position(listed, field)
        return
    ring = kind == "Polygon" and depth == 1
    least = _LEAST["Polygon"] if ring else _LEAST.get(kind, 1) if depth == 1 else 1
    if len(listed) < least:
        raise Invalid.field(field, "field.length", expected=f"≥ {least}")
    if ring and listed[0] != listed[-1]:
        raise Invalid.field(f"{field}[{len(listed) - 1}]", "sensing.ring")
    for place, inner in enumerate(listed):
        yield from _nested(inner, f"{field}[{place}]", depth - 1, kind)


def _position(value: list[Any], field: str) -> tuple[float, float]:
    if not 2 <= len(value) <= 4:
        raise Invalid.field(field, "field.length", expected="2…3")
    for place, number in enumerate(value):
        if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
            raise Invalid.field(f"{field}[{place}]", "field.type", expected="a number")
    for place, most in ((0, 180), (1, 90)):
        if not -most <= value[place] <= most:
            raise Invalid.field(f"{field}[{place}]", "field.range", expected=f"-{most}…{most}")
    return float(value[0]), float(value[1])


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid.field(field, "field.type", expected="a list")
    return value
