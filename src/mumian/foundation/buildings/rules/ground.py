"""Ground: areas in metres, cells for finding, distances, and footprints as GeoJSON in WGS 84."""

from math import cos, floor, radians
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from mumian.foundation.buildings.rules.surfaces import only_areas

METRES = 111_320.0
LARGE, NOWHERE = -1, -2
_STEP = 100
_WIDTH = 36_000
_MARGIN = 0.005
_MOST_ROWS = 40
MOST_POINTS = 100_000
Bounds = tuple[float, float, float, float]


def square_metres(shape: BaseGeometry) -> float:
    """The area of a footprint in WGS 84 degrees, on a sphere unrolled at its middle: right within 0.7 %."""
    if shape.is_empty:
        return 0.0
    middle = radians((shape.bounds[1] + shape.bounds[3]) / 2)
    return round(float(shape.area) * METRES * METRES * cos(middle), 2)


def cell_of(bounds: Bounds | None) -> int:
    """The cell (a hundredth of a degree) of the middle of bounds; `LARGE` for what is wider than a cell, `NOWHERE` for none."""
    if bounds is None:
        return NOWHERE
    west, south, east, north = bounds
    if east - west > 2 * _MARGIN or north - south > 2 * _MARGIN:
        return LARGE
    return _row((south + north) / 2) * _WIDTH + _column((west + east) / 2)


def cells_of(bounds: Bounds) -> list[tuple[int, int]] | None:
    """Ranges of cells (first, last) in which everything lies that is no `LARGE` and meets bounds; None for too many."""
    west, south, east, north = bounds
    rows = range(_row(south - _MARGIN), _row(north + _MARGIN) + 1)
    if len(rows) > _MOST_ROWS:
        return None
    low, high = _column(west - _MARGIN), _column(east + _MARGIN)
    return [(row * _WIDTH + low, row * _WIDTH + high) for row in rows]


def _row(latitude: float) -> int:
    return min(max(floor((latitude + 90) * _STEP), 0), 18_000)


def _column(longitude: float) -> int:
    return min(max(floor((longitude + 180) * _STEP), 0), _WIDTH - 1)


def around(longitude: float, latitude: float, metres: float) -> Bounds:
    """Bounds that hold a circle of so many metres."""
    up = metres / METRES
    aside = up / max(cos(radians(latitude)), 0.01)
    return longitude - aside, latitude - up, longitude + aside, latitude + up


def distance(shape: BaseGeometry, longitude: float, latitude: float) -> float:
    """Metres from a point to a shape in degrees; 0 inside. For short distances."""
    narrow = cos(radians(latitude))
    near = shapely.transform(shape, lambda points: (points - (longitude, latitude)) * (METRES * narrow, METRES))
    return round(float(shapely.distance(near, shapely.Point(0, 0))), 2)


def area_of(geometry: Any) -> BaseGeometry | None:
    """A GeoJSON geometry as a valid polygon or multipolygon of finite numbers (any system); None where it is none."""
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        shape = shapely.force_2d(shapely.geometry.shape(geometry))
    except (shapely.errors.ShapelyError, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError):
        return None
    if shape.is_empty or shapely.get_num_coordinates(shape) > MOST_POINTS:
        return None
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return None
    return shape if shape.is_valid else None


def on_earth(bounds: Bounds) -> bool:
    """Whether bounds are degrees on the earth, the right way round."""
    west, south, east, north = bounds
    return -180 <= west <= east <= 180 and -90 <= south <= north <= 90


def text_of(shape: BaseGeometry) -> str:
    """A footprint in degrees as GeoJSON text, to about a centimetre; empty where rounding leaves nothing of it."""
    rounded = only_degrees(shapely.transform(shape, lambda points: np.round(points, 7)))
    return "" if rounded is None else str(shapely.to_geojson(rounded))


def only_degrees(shape: BaseGeometry) -> BaseGeometry | None:
    """A valid area of the same ground; None where there is none."""
    if shape.is_valid and not shape.is_empty:
        return shape
    scaled = shapely.transform(shapely.make_valid(shape), lambda points: points * METRES)
    areas = only_areas(scaled)
    return None if areas is None else shapely.transform(areas, lambda points: points / METRES)
