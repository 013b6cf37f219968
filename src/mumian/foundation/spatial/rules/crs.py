"""Coordinate reference systems by name and URI: which are known here, and in which order they write their axes.

EPSG systems have the URIs of the OGC (`http://www.opengis.net/def/crs/EPSG/0/4547`) and keep the axis order of their authority;
GCJ-02 and BD-09 have no authority, so they are `urn:mumian:crs:GCJ-02` and `urn:mumian:crs:BD-09`, longitude before latitude.
"""

import re
from dataclasses import dataclass

from mumian.kernel.errors import Invalid

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_OWN = "urn:mumian:crs:"
_NAME = re.compile(
    r"(?:(?:https?://www\.opengis\.net/def/crs/EPSG/(?:0|\d[\d.]*)/|urn:ogc:def:crs:EPSG:[\d.]*:|EPSG:)(?P<epsg>\d{4,6}))",
    re.IGNORECASE,
)
_CRS84_NAMES = {"crs84", "ogc:crs84", CRS84.lower(), CRS84.lower().replace("http:", "https:"), "urn:ogc:def:crs:ogc:1.3:crs84"}
_OWN_NAMES = {"gcj-02": "GCJ-02", "gcj02": "GCJ-02", "bd-09": "BD-09", "bd09": "BD-09"}
_ZONES_WITH_PREFIX = {zone: 4488 + zone for zone in range(25, 46)}
_ZONES_BARE = {zone: 4509 + zone for zone in range(25, 46)}
_NORTHING_FIRST = {4326, 4490, *_ZONES_WITH_PREFIX.values(), *_ZONES_BARE.values()}
WGS84_LIKE = frozenset({"CRS84", "EPSG:4326"})


@dataclass(frozen=True)
class Crs:
    """A coordinate reference system: its short `name` (`EPSG:4547`, `CRS84`, `GCJ-02`), its `uri`, and whether it writes
    northing or latitude first (said truly of the systems that are `offered`)."""

    name: str
    uri: str
    northing_first: bool


def parse_crs(text: str, field: str = "crs") -> Crs:
    """The system of that name or URI; raises Invalid for names that are no system known here.

    Known are CRS84, GCJ-02, BD-09 and every EPSG code (whether PROJ has it shows when something is converted).
    """
    given = text.strip().strip("[]<>").lower()
    own = _OWN_NAMES.get(given.removeprefix(_OWN))
    if own is not None:
        return Crs(own, _OWN + own, northing_first=False)
    if given in _CRS84_NAMES:
        return Crs("CRS84", CRS84, northing_first=False)
    found = _NAME.fullmatch(given)
    if found is None:
        raise Invalid.field(field, "spatial.crs", given=text[:100])
    code = int(found["epsg"])
    return Crs(f"EPSG:{code}", f"{_EPSG}{code}", code in _NORTHING_FIRST)


def zones(west: float, east: float) -> list[Crs]:
    """CGCS2000 3° Gauss–Krüger zones (central meridian = 3° × zone) that touch the longitudes, both forms.

    The form with zone prefix adds zone × 1,000,000 m to the easting (EPSG 4513–4533), the bare one does not (4534–4554).
    """
    touched = [zone for zone in range(25, 46) if zone * 3 - 1.5 < east and zone * 3 + 1.5 > west]
    codes = [_ZONES_WITH_PREFIX[z] for z in touched] + [_ZONES_BARE[z] for z in touched]
    return [parse_crs(f"EPSG:{code}") for code in codes]


def offered(west: float, east: float) -> list[Crs]:
    """The systems in which features between two longitudes are served, CRS84 first; at most six zones of each form."""
    fixed = [parse_crs(name) for name in ("CRS84", "EPSG:4326", "EPSG:3857", "EPSG:4490", "GCJ-02", "BD-09")]
    near = zones(west, east)
    return fixed + (near if len(near) <= 12 else [])
