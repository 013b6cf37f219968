"""Rules of the spatial base: what is decided without looking anything up."""

from mumian.foundation.spatial.rules.shift import (
    bd09_to_gcj02,
    bd09_to_wgs84,
    convert_coordinates,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    inside_mainland,
    metres_between,
    to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

__all__ = [
    "bd09_to_gcj02",
    "bd09_to_wgs84",
    "convert_coordinates",
    "from_wgs84",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "inside_mainland",
    "metres_between",
    "to_wgs84",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
]
