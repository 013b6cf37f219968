"""Coordinate rules: WGS 84, GCJ-02 and BD-09 turned into one another, with exact inverses.

GCJ-02 (国测局坐标) and BD-09 (百度坐标) have no published standard; the forward formulas here are the ones that all
open implementations share, on the Krasovsky 1940 ellipsoid. The inverses are found by fixed-point iteration to below
1e-9° (0.1 mm). GCJ-02 applies to the mainland's bounding box only; outside of it coordinates stay as they are.
"""

from collections.abc import Callable
from math import atan2, cos, pi, radians, sin, sqrt
from typing import Any, Literal

Crs = Literal["EPSG:4326", "GCJ-02", "BD-09"]
Point = tuple[float, float]

_SEMI_MAJOR = 6378245.0
_ECCENTRICITY_2 = 0.00669342162296594323
_BD = pi * 3000.0 / 180.0
_EARTH_RADIUS = 6371008.8
_PRECISION = 1e-11
_MOST_STEPS = 60


def inside_mainland(longitude: float, latitude: float) -> bool:
    """Whether a point lies in the box where GCJ-02 differs from WGS 84."""
    return 72.004 <= longitude <= 137.8347 and 0.8293 <= latitude <= 55.8271


def wgs84_to_gcj02(longitude: float, latitude: float) -> Point:
    """WGS 84 degrees to GCJ-02 degrees."""
    if not inside_mainland(longitude, latitude):
        return longitude, latitude
    return _shifted(longitude, latitude)


def gcj02_to_wgs84(longitude: float, latitude: float) -> Point:
    """GCJ-02 degrees to WGS 84 degrees, exact to 1e-9°."""
    if not inside_mainland(longitude, latitude):
        return longitude, latitude
    return _invert(_shifted, longitude, latitude)


def gcj02_to_bd09(longitude: float, latitude: float) -> Point:
    """GCJ-02 degrees to BD-09 degrees."""
    radius = sqrt(longitude**2 + latitude**2) + 0.00002 * sin(latitude * _BD)
    angle = atan2(latitude, longitude) + 0.000003 * cos(longitude * _BD)
    return radius * cos(angle) + 0.0065, radius * sin(angle) + 0.006


def bd09_to_gcj02(longitude: float, latitude: float) -> Point:
    """BD-09 degrees to GCJ-02 degrees, exact to 1e-9°."""
    return _invert(gcj02_to_bd09, longitude, latitude)


def wgs84_to_bd09(longitude: float, latitude: float) -> Point:
    """WGS 84 degrees to BD-09 degrees."""
    return gcj02_to_bd09(*wgs84_to_gcj02(longitude, latitude))


def bd09_to_wgs84(longitude: float, latitude: float) -> Point:
    """BD-09 degrees to WGS 84 degrees, exact to 1e-9°."""
    return gcj02_to_wgs84(*bd09_to_gcj02(longitude, latitude))


_TO_WGS84: dict[str, Callable[[float, float], Point]] = {"GCJ-02": gcj02_to_wgs84, "BD-09": bd09_to_wgs84}


def to_wgs84(crs: Crs, longitude: float, latitude: float) -> Point:
    """Degrees in any of the three systems to WGS 84 degrees."""
    convert = _TO_WGS84.get(crs)
    return (longitude, latitude) if convert is None else convert(longitude, latitude)


def convert_coordinates(crs: Crs, coordinates: Any) -> Any:
    """The `coordinates` of any GeoJSON geometry, in WGS 84; heights are dropped."""
    if coordinates and isinstance(coordinates[0], int | float):
        return list(to_wgs84(crs, float(coordinates[0]), float(coordinates[1])))
    return [convert_coordinates(crs, part) for part in coordinates]


def metres_between(a: Point, b: Point) -> float:
    """The great-circle distance of two points in degrees (haversine on the mean sphere, within 0.6 %)."""
    (lon_a, lat_a), (lon_b, lat_b) = a, b
    half_lat, half_lon = radians(lat_b - lat_a) / 2, radians(lon_b - lon_a) / 2
    h = sin(half_lat) ** 2 + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS * atan2(sqrt(h), sqrt(max(0.0, 1 - h)))


def _shifted(longitude: float, latitude: float) -> Point:
    east, north = _shift(longitude - 105.0, latitude - 35.0)
    phi = radians(latitude)
    magic = 1 - _ECCENTRICITY_2 * sin(phi) ** 2
    d_lat = north * 180.0 / ((_SEMI_MAJOR * (1 - _ECCENTRICITY_2)) / (magic * sqrt(magic)) * pi)
    d_lon = east * 180.0 / (_SEMI_MAJOR / sqrt(magic) * cos(phi) * pi)
    return longitude + d_lon, latitude + d_lat


def _shift(x: float, y: float) -> Point:
    """The offset to the east and north in metres, `x` and `y` counted from 105° E, 35° N."""
    wave = 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
    north = wave + 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi) + 160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y / 30.0 * pi)
    east = wave + 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi) + 150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)
    north = north * 2.0 / 3.0 - 100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    east = east * 2.0 / 3.0 + 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    return east, north


def _invert(forward: Callable[[float, float], Point], longitude: float, latitude: float) -> Point:
    x, y = longitude, latitude
    for _ in range(_MOST_STEPS):
        ahead = forward(x, y)
        error_x, error_y = ahead[0] - longitude, ahead[1] - latitude
        x, y = x - error_x, y - error_y
        if abs(error_x) < _PRECISION and abs(error_y) < _PRECISION:
            break
    return x, y
