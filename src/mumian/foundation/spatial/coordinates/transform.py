"""Transforms between coordinate reference systems: PROJ for those of EPSG, own rules for GCJ-02 and BD-09."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.spatial.rules import from_wgs84, to_wgs84
from mumian.foundation.spatial.rules.crs import WGS84_LIKE, Crs
from mumian.kernel.errors import Invalid

Numbers = NDArray[np.float64]
_SHIFTED = ("GCJ-02", "BD-09")
_local = threading.local()


def convert(x: Any, y: Any, source: Crs, target: Crs) -> tuple[Numbers, Numbers]:
    """Points of `source` in `target`, as arrays: x is easting or longitude, y northing or latitude, whatever the systems' own
    axis order; metres or degrees as the systems say. What has no image in `target` becomes NaN. Raises Invalid for a code
    that PROJ does not know.
    """
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if source == target or {source.name, target.name} <= WGS84_LIKE:
        return xs, ys
    xs, ys = _into_wgs84(xs, ys, source)
    return _out_of_wgs84(xs, ys, target)


def _into_wgs84(xs: Numbers, ys: Numbers, source: Crs) -> tuple[Numbers, Numbers]:
    if source.name in _SHIFTED:
        return to_wgs84(source.name, xs, ys)
    return (xs, ys) if source.name in WGS84_LIKE else _projected(source.name, "OGC:CRS84", xs, ys)


def _out_of_wgs84(xs: Numbers, ys: Numbers, target: Crs) -> tuple[Numbers, Numbers]:
    if target.name in _SHIFTED:
        return from_wgs84(target.name, xs, ys)
    return (xs, ys) if target.name in WGS84_LIKE else _projected("OGC:CRS84", target.name, xs, ys)


def _projected(source: str, target: str, xs: Numbers, ys: Numbers) -> tuple[Numbers, Numbers]:
    made_x, made_y = _transformer(source, target).transform(xs, ys)
    made = np.asarray(made_x, np.float64), np.asarray(made_y, np.float64)
    lost = ~(np.isfinite(made[0]) & np.isfinite(made[1]))
    if lost.any():
        made = np.where(lost, np.nan, made[0]), np.where(lost, np.nan, made[1])
    return made


def _transformer(source: str, target: str) -> Any:
    """This thread's own transformer: PROJ's may not be shared by threads."""
    known: dict[tuple[str, str], Any] = _local.__dict__.setdefault("known", {})
    if (source, target) not in known:
        from pyproj import Transformer
        from pyproj.exceptions import CRSError, ProjError

        try:
            known[source, target] = Transformer.from_crs(source, target, always_xy=True)
        except (CRSError, ProjError) as error:
            code = target if source == "OGC:CRS84" else source
            raise Invalid.field("crs", "spatial.crs", given=code) from error
    return known[source, target]


def convert_geometry(geometry: Any, source: Crs, target: Crs) -> Any:
    """A shapely geometry, or an array of them, of `source` in `target`, always with x as easting or longitude."""
    import shapely

    if source == target or {source.name, target.name} <= WGS84_LIKE:
        return geometry
    return shapely.transform(geometry, lambda points: np.column_stack(convert(points[:, 0], points[:, 1], source, target)))
