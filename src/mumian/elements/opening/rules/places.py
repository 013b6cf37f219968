"""Places: which fields of a dataset say where a row is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_GEOMETRY = re.compile(r"geometry|geom|geojson|the_geom|shape|几何|空间范围|图形", re.IGNORECASE)
_LONGITUDE = re.compile(r"lon|lng|long|longitude|经度|jd|x_wgs84", re.IGNORECASE)
_LATITUDE = re.compile(r"lat|latitude|纬度|wd|y_wgs84", re.IGNORECASE)
_CODE = re.compile(r"(.*_)?(district|division|adcode|area_code|xzqh|xzqhdm)(_code)?|行政区划(代码)?|区划代码", re.IGNORECASE)


@dataclass(frozen=True)
class Geometry:
    """One field with GeoJSON geometries, or two with longitude and latitude (WGS 84, degrees)."""

    fields: tuple[str, ...]


def geometry(fields: Sequence[tuple[str, str]]) -> Geometry | None:
    """Where a row is, from names and types of its fields; None where no field says so."""
    for name, type_ in fields:
        if type_ == "json" and _GEOMETRY.fullmatch(name):
            return Geometry((name,))
    lon = next((name for name, type_ in fields if type_ == "number" and _LONGITUDE.fullmatch(name)), None)
    lat = next((name for name, type_ in fields if type_ == "number" and _LATITUDE.fullmatch(name)), None)
    return None if lon is None or lat is None else Geometry((lon, lat))


def division(fields: Sequence[tuple[str, str]]) -> str | None:
    """The field with division codes (GB/T 2260), by which a map of districts can be coloured."""
    return next((name for name, type_ in fields if type_ in ("text", "integer") and _CODE.fullmatch(name)), None)
