"""Geometry: GeoJSON values checked, and how they lie to what a geo-query asks (ETSI GS CIM 009, 4.10)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Any

import msgspec

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules.core import GEOMETRIES, LOCATION

Box = tuple[float, float, float, float]
_EARTH = 6_371_008.8
_DEGREE = _EARTH * radians(1)
_DEPTHS = {"Point": 1, "MultiPoint": 2, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}
_MOST_POSITIONS = 100_000
_RELATIONS = ("within", "contains", "overlaps", "intersects", "equals", "disjoint")
_NEAR = re.compile(r"near;(maxDistance|minDistance)==(\d+(?:\.\d+)?)(;.*)?")


def check_geometry(value: Any, field: str) -> None:
    """Raise BadRequestData unless it is a GeoJSON geometry with positions in degrees."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in GEOMETRIES:
        raise BadRequestData.field(f"{field}.type", "field.choice", expected=", ".join(sorted(GEOMETRIES)))
    if not _positions(value.get("coordinates"), _DEPTHS[kind], [0]) or not _enough(kind, value["coordinates"]):
        raise BadRequestData.field(f"{field}.coordinates", "context.positions")


def _positions(value: Any, depth: int, count: list[int]) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if depth == 1:
        count[0] += 1
        if count[0] > _MOST_POSITIONS or not 2 <= len(value) <= 3:
            return False
        numbers = all(isinstance(n, int | float) and not isinstance(n, bool) and isfinite(n) for n in value)
        return numbers and abs(value[0]) <= 180 and abs(value[1]) <= 90
    return all(_positions(inner, depth - 1, count) for inner in value)


def _enough(kind: str, coordinates: list[Any]) -> bool:
    if kind == "LineString":
        return len(coordinates) >= 2
    if kind == "MultiLineString":
        return all(len(line) >= 2 for line in coordinates)
    rings = (
        coordinates if kind == "Polygon" else [ring for part in coordinates for ring in part] if kind == "MultiPolygon" else []
    )
    return all(len(ring) >= 4 and ring[0] == ring[-1] for ring in rings)


@dataclass(frozen=True, eq=False)
class GeoQuery:
    """A geo-query: how the value of `attribute` must lie to `shape` (a shapely geometry); distances in metres."""

    relation: str
    shape: Any
    attribute: str = LOCATION
    nearest: float | None = None
    farthest: float | None = None

    def box(self) -> Box | None:
        """The box in degrees that all matches touch; None where anything anywhere may match."""
        if self.relation == "disjoint" or (self.relation == "near" and self.farthest is None):
            return None
        west, south, east, north = self.shape.bounds
        margin = self.farthest or 0.0
        up = margin / _DEGREE + 1e-9
        side = up / max(cos(radians(min(89.9, max(abs(south), abs(north)) + up))), 1e-3)
        if west - side < -180 or east + side > 180:
            west, east = -180.0 + side, 180.0 - side
        return west - side, south - up, east + side, north + up

    def matches(self, geometry: Any) -> bool:
        """Whether a GeoJSON geometry lies as asked."""
        found = shaped(geometry)
        if found is None:
            return False
        if self.relation != "near":
            return bool(getattr(found, self.relation)(self.shape))
        away = distance(found, self.shape)
        return (self.farthest is None or away <= self.farthest) and (self.nearest is None or away >= self.nearest)


def shaped(geometry: Any) -> Any:
    """A GeoJSON geometry as shapely has it; None for what cannot be one."""
    import shapely
    from shapely.geometry import shape

    try:
        return shapely.force_2d(shape(geometry))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError):
        return None


def distance(first: Any, second: Any) -> float:
    """Metres between two geometries, on a sphere, by the nearest points in a plane true to scale at the second one."""
    from shapely.affinity import scale
    from shapely.ops import nearest_points

    if first.geom_type == "Point" and second.geom_type == "Point":
        return arc(first.x, first.y, second.x, second.y)
    narrow = max(cos(radians(second.centroid.y)), 1e-3)
    one, two = nearest_points(
        scale(first, xfact=narrow, yfact=1, origin=(0, 0)), scale(second, xfact=narrow, yfact=1, origin=(0, 0))
    )
    return arc(one.x / narrow, one.y, two.x / narrow, two.y)


def arc(x1: float, y1: float, x2: float, y2: float) -> float:
    """Great-circle distance in metres between two positions in degrees (haversine)."""
    a, b = radians(y1), radians(y2)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(x2 - x1) / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(half)))


def bounds(geometry: Any) -> Box | None:
    """The box of a GeoJSON geometry in degrees."""
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        x, y = geometry["coordinates"][:2]
        return float(x), float(y), float(x), float(y)
    found = shaped(geometry)
    return None if found is None or found.is_empty else found.bounds


@lru_cache(maxsize=512)
def parse(relation: str, geometry: str, coordinates: str, attribute: str) -> GeoQuery:
    """A geo-query from its parameters (coordinates as JSON text); raises BadRequestData."""
    try:
        positions = msgspec.json.decode(coordinates)
    except msgspec.DecodeError as error:
        raise BadRequestData.field("coordinates", "context.positions") from error
    value = {"type": geometry, "coordinates": positions}
    if geometry not in _DEPTHS:
        raise BadRequestData.field("geometry", "field.choice", expected=", ".join(_DEPTHS))
    check_geometry(value, "geometry")
    shape = shaped(value)
    if shape is None:
        raise BadRequestData.field("coordinates", "context.positions")
    if relation in _RELATIONS:
        return GeoQuery(relation, shape, attribute)
    found = _NEAR.fullmatch(relation)
    if found is None or found[3] or float(found[2]) <= 0:
        raise BadRequestData.field("georel", "context.georel", given=relation[:200])
    limits = {found[1]: float(found[2])}
    return GeoQuery("near", shape, attribute, limits.get("minDistance"), limits.get("maxDistance"))
