"""Coordinate rules: WGS 84, GCJ-02 and BD-09 turned into one another, with exact inverses, for numbers and for arrays.

GCJ-02 (国测局坐标) and BD-09 (百度坐标) have no published standard; the forward formulas here are the ones that all
open implementations share, on the Krasovsky 1940 ellipsoid. The inverses are found by fixed-point iteration to below
1e-9° (0.1 mm). GCJ-02 applies to the mainland's bounding box only; outside of it coordinates stay as they are.
Functions take floats and give floats, or take numpy arrays of equal shape and give arrays; NaN stays NaN.
"""

from collections.abc import Callable
from math import pi
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Crs = Literal["EPSG:4326", "GCJ-02", "BD-09"]
Point = tuple[float, float]
Numbers = NDArray[np.float64]

_SEMI_MAJOR = 6378245.0
_ECCENTRICITY_2 = 0.00669342162296594323
_BD = pi * 3000.0 / 180.0
_EARTH_RADIUS = 6371008.8
_PRECISION = 1e-11
_MOST_STEPS = 60
_Arrays = tuple[Numbers, Numbers]


def inside_mainland(longitude: Any, latitude: Any) -> Any:
    """Whether a point lies in the box where GCJ-02 differs from WGS 84."""
    return (longitude >= 72.004) & (longitude <= 137.8347) & (latitude >= 0.8293) & (latitude <= 55.8271)


def wgs84_to_gcj02(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """WGS 84 degrees to GCJ-02 degrees."""
    return _shaped(_wgs84_to_gcj02, longitude, latitude)


def gcj02_to_wgs84(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """GCJ-02 degrees to WGS 84 degrees, exact to 1e-9°."""
    return _shaped(_gcj02_to_wgs84, longitude, latitude)


def gcj02_to_bd09(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """GCJ-02 degrees to BD-09 degrees."""
    return _shaped(_gcj02_to_bd09, longitude, latitude)


def bd09_to_gcj02(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """BD-09 degrees to GCJ-02 degrees, exact to 1e-9°."""
    return _shaped(_bd09_to_gcj02, longitude, latitude)


def wgs84_to_bd09(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """WGS 84 degrees to BD-09 degrees."""
    return _shaped(lambda x, y: _gcj02_to_bd09(*_wgs84_to_gcj02(x, y)), longitude, latitude)


def bd09_to_wgs84(longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """BD-09 degrees to WGS 84 degrees, exact to 1e-9°."""
    return _shaped(lambda x, y: _gcj02_to_wgs84(*_bd09_to_gcj02(x, y)), longitude, latitude)


_Convert = Callable[[Any, Any], tuple[Any, Any]]
_TO_WGS84: dict[str, _Convert] = {"GCJ-02": gcj02_to_wgs84, "BD-09": bd09_to_wgs84}
_FROM_WGS84: dict[str, _Convert] = {"GCJ-02": wgs84_to_gcj02, "BD-09": wgs84_to_bd09}


def to_wgs84(crs: str, longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """Degrees in any of the three systems to WGS 84 degrees."""
    convert = _TO_WGS84.get(crs)
    return (longitude, latitude) if convert is None else convert(longitude, latitude)


def from_wgs84(crs: str, longitude: Any, latitude: Any) -> tuple[Any, Any]:
    """WGS 84 degrees to degrees in any of the three systems."""
    convert = _FROM_WGS84.get(crs)
    return (longitude, latitude) if convert is None else convert(longitude, latitude)


def convert_coordinates(crs: str, coordinates: Any) -> Any:
    """The `coordinates` of any GeoJSON geometry, in WGS 84; heights are dropped."""
    if coordinates and isinstance(coordinates[0], int | float):
        return list(to_wgs84(crs, float(coordinates[0]), float(coordinates[1])))
    if coordinates and coordinates[0] and isinstance(coordinates[0][0], int | float):
        x, y = (np.array([float(point[axis]) for point in coordinates]) for axis in (0, 1))
        return np.column_stack(to_wgs84(crs, x, y)).tolist()
    return [convert_coordinates(crs, part) for part in coordinates]


def metres_between(a: tuple[Any, Any], b: tuple[Any, Any]) -> Any:
    """The great-circle distance of two points in degrees (haversine on the mean sphere, within 0.6 %)."""
    (lon_a, lat_a), (lon_b, lat_b) = a, b
    half_lat, half_lon = np.radians(lat_b - lat_a) / 2, np.radians(lon_b - lon_a) / 2
    h = np.sin(half_lat) ** 2 + np.cos(np.radians(lat_a)) * np.cos(np.radians(lat_b)) * np.sin(half_lon) ** 2
    metres = 2 * _EARTH_RADIUS * np.arctan2(np.sqrt(h), np.sqrt(np.maximum(0.0, 1 - h)))
    return float(metres) if np.ndim(metres) == 0 else metres


def _shaped(convert: Callable[[Numbers, Numbers], _Arrays], longitude: Any, latitude: Any) -> tuple[Any, Any]:
    single = np.ndim(longitude) == 0
    x, y = np.atleast_1d(np.asarray(longitude, np.float64)), np.atleast_1d(np.asarray(latitude, np.float64))
    made_x, made_y = convert(x, y)
    return (float(made_x[0]), float(made_y[0])) if single else (made_x, made_y)


def _where_inside(x: Numbers, y: Numbers, convert: Callable[[Numbers, Numbers], _Arrays]) -> _Arrays:
    inside = inside_mainland(x, y)
    if inside.all():
        return convert(x, y)
    made_x, made_y = x.copy(), y.copy()
    made_x[inside], made_y[inside] = convert(x[inside], y[inside])
    return made_x, made_y


def _wgs84_to_gcj02(x: Numbers, y: Numbers) -> _Arrays:
    return _where_inside(x, y, _shifted)


def _gcj02_to_wgs84(x: Numbers, y: Numbers) -> _Arrays:
    return _where_inside(x, y, lambda a, b: _invert(_shifted, a, b))


def _gcj02_to_bd09(x: Numbers, y: Numbers) -> _Arrays:
    radius = np.sqrt(x**2 + y**2) + 0.00002 * np.sin(y * _BD)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _bd09_to_gcj02(x: Numbers, y: Numbers) -> _Arrays:
    return _invert(_gcj02_to_bd09, x, y)


def _shifted(longitude: Numbers, latitude: Numbers) -> _Arrays:
    east, north = _shift(longitude - 105.0, latitude - 35.0)
    phi = np.radians(latitude)
    magic = 1 - _ECCENTRICITY_2 * np.sin(phi) ** 2
    d_lat = north * 180.0 / ((_SEMI_MAJOR * (1 - _ECCENTRICITY_2)) / (magic * np.sqrt(magic)) * pi)
    d_lon = east * 180.0 / (_SEMI_MAJOR / np.sqrt(magic) * np.cos(phi) * pi)
    return longitude + d_lon, latitude + d_lat


def _shift(x: Numbers, y: Numbers) -> _Arrays:
    """The offset to the east and north in metres, `x` and `y` counted from 105° E, 35° N."""
    wave = 20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)
    north = wave + 20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)
    north += 160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y / 30.0 * pi)
    east = wave + 20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)
    east += 150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)
    root = np.sqrt(np.abs(x))
    north = north * 2.0 / 3.0 - 100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = east * 2.0 / 3.0 + 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    return east, north


def _invert(forward: Callable[[Numbers, Numbers], _Arrays], longitude: Numbers, latitude: Numbers) -> _Arrays:
    """The points that `forward` maps to the given ones; each step works only on those that are not there yet."""
    x, y = longitude.copy(), latitude.copy()
    open_ = np.arange(x.size)
    for _ in range(_MOST_STEPS):
        ahead_x, ahead_y = forward(x[open_], y[open_])
        error_x, error_y = ahead_x - longitude[open_], ahead_y - latitude[open_]
        x[open_] -= error_x
        y[open_] -= error_y
        open_ = open_[(np.abs(error_x) >= _PRECISION) | (np.abs(error_y) >= _PRECISION)]
        if not open_.size:
            break
    return x, y
