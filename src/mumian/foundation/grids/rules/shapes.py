"""Shapes: boundaries as valid polygons, their areas in metres, and whether they overlap, leave gaps or leave their parent."""

from collections.abc import Mapping, Sequence
from math import cos, radians
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

TOLERANCE = 1.0  # square metres: less is the noise of surveying
SHARE = 1e-4  # of the smaller of two grids, and of the grid that is divided
_METRES = 111_320.0
MOST_VERTICES = 200_000


def area(geometry: BaseGeometry) -> float:
    """Square metres, on a sphere unrolled at the middle of the shape: right within 0.7 % for a city."""
    if geometry.is_empty:
        return 0.0
    middle = radians((geometry.bounds[1] + geometry.bounds[3]) / 2)
    return float(geometry.area) * _METRES * _METRES * cos(middle)


def read(geometry: Any) -> tuple[BaseGeometry | None, str]:
    """A GeoJSON geometry as a valid polygon or multipolygon; or None and the translation key of the fault."""
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return None, "grids.no_polygon"
    try:
        shape = shapely.geometry.shape(geometry)
    except (shapely.errors.ShapelyError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        return None, "grids.no_polygon"
    if (
        shape.is_empty
        or shapely.get_num_coordinates(shape) > MOST_VERTICES
        or not np.isfinite(shapely.get_coordinates(shape)).all()
    ):
        return None, "grids.no_polygon"
    west, south, east, north = shape.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        return None, "grids.off_earth"
    return (shape, "") if shape.is_valid else (None, "grids.self_crossing")


def overlaps(shapes: Sequence[BaseGeometry], others: Sequence[BaseGeometry] | None = None) -> list[tuple[int, int, float]]:
    """Pairs that share more than `TOLERANCE` and `SHARE`: within `shapes` (first < second), or between them and `others`."""
    if not len(shapes):
        return []
    against = shapes if others is None else others
    if not len(against):
        return []
    left, right = shapely.STRtree(list(against)).query(list(shapes), predicate="intersects")
    if others is None:
        left, right = left[left < right], right[left < right]
    pairs = []
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        shared = area(shapely.intersection(shapes[a], against[b]))
        if shared > max(TOLERANCE, SHARE * min(area(shapes[a]), area(against[b]))):
            pairs.append((a, b, shared))
    return pairs


def outside(shape: BaseGeometry, parent: BaseGeometry) -> float:
    """Square metres of a shape that lie outside of its parent; 0 within the tolerance."""
    beyond = area(shapely.difference(shape, parent))
    return beyond if beyond > max(TOLERANCE, SHARE * area(shape)) else 0.0


def gaps(parent: BaseGeometry, children: Sequence[BaseGeometry]) -> float:
    """Square metres of a parent that none of its children covers; 0 within the tolerance."""
    left = area(shapely.difference(parent, shapely.union_all(list(children))))
    return left if left > max(TOLERANCE, SHARE * area(parent)) else 0.0


def same(a: BaseGeometry, b: BaseGeometry) -> bool:
    """Whether two shapes cover the same ground within the tolerance."""
    return area(shapely.symmetric_difference(a, b)) <= max(TOLERANCE, SHARE * max(area(a), area(b)))


def inside_point(shape: BaseGeometry) -> tuple[float, float]:
    """A point (longitude, latitude) that surely lies inside."""
    point = shapely.point_on_surface(shape)
    return round(float(point.x), 7), round(float(point.y), 7)


def parse(texts: Sequence[str]) -> NDArray[Any]:
    """Stored GeoJSON texts as shapes."""
    shapes: NDArray[Any] = shapely.from_geojson(list(texts))
    return shapes
