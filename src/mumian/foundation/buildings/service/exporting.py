"""Exporting: the objects of an area as CityJSON 2.0, in one projected system, with every level of detail there is."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import shapely

from mumian.foundation.buildings.contracts import Building, Shape
from mumian.foundation.buildings.rules import writing
from mumian.foundation.buildings.service.shapes import Shapes
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform

MOST = 20_000
_DEGREES = ("CRS84", "EPSG:4326", "EPSG:4490", "EPSG:4979", "GCJ-02", "BD-09")
_FIELDS = ("storeys", "below", "year", "use")
_NAMES = {"storeys": "storeysAboveGround", "below": "storeysBelowGround", "year": "yearOfConstruction", "use": "usage"}


def system_for(buildings: Sequence[Building], asked: str | None) -> str:
    """The system of an export: the one asked for, that of all shapes, or the 3° zone (CGCS2000; elsewhere UTM) of the area."""
    if asked is not None:
        if asked in _DEGREES:
            raise Invalid.field("crs", "buildings.not_projected", given=asked)
        return asked
    own = {building.crs for building in buildings if building.crs}
    if len(own) == 1 and not own & set(_DEGREES):
        return own.pop()
    middle = [building for building in buildings if building.longitude is not None]
    longitude = float(np.mean([b.longitude for b in middle])) if middle else 114.0
    latitude = float(np.mean([b.latitude for b in middle])) if middle else 0.0
    zone = round(longitude / 3)
    if 25 <= zone <= 45 and 15 <= latitude <= 55:
        return f"EPSG:{4509 + zone}"
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + int((longitude + 180) // 6) % 60 + 1}"


def document(platform: Platform, buildings: Sequence[Building], crs: str) -> dict[str, Any]:
    """A CityJSON document of buildings; blocks. Raises Invalid for a system that is not known."""
    spatial = platform.get(Spatial)
    shapes = Shapes(platform).read(building.shapes for building in buildings)
    names = _names(buildings)
    entries = []
    for building in buildings:
        kept = [_moved(shape, spatial, building.crs, crs) for shape in shapes.get(building.shapes, ())]
        have = {shape.lod.split(".")[0] for shape in kept}
        drawn = [shape for shape in _drawn(building, spatial, crs) if shape.lod not in have]
        parent = names.get(building.parent, "")
        entries.append(writing.Entry(names[building.code], building.kind, _attributes(building), [*drawn, *kept], parent))
    by_id = {entry.id: entry for entry in entries}
    for entry in entries:
        if entry.parent:
            by_id[entry.parent].children.append(entry.id)
    return writing.document(entries, _uri(crs))


def _names(buildings: Sequence[Building]) -> dict[str, str]:
    counts: dict[str, int] = {}
    for building in buildings:
        counts[building.source_id] = counts.get(building.source_id, 0) + 1
    return {b.code: b.source_id if counts[b.source_id] == 1 else b.code for b in buildings}


def _uri(crs: str) -> str:
    code = crs.rpartition(":")[2].rpartition("/")[2]
    return f"https://www.opengis.net/def/crs/EPSG/0/{code}" if code.isdigit() else crs


def _moved(shape: Shape, spatial: Spatial, source: str, target: str) -> Shape:
    if source == target or not shape.vertices:
        return shape
    points = np.array(shape.vertices, np.float64)
    x, y = spatial.convert(points[:, 0], points[:, 1], source, target)
    vertices = [(float(a), float(b), float(c)) for a, b, c in zip(x, y, points[:, 2], strict=True)]
    return msgspec.structs.replace(shape, vertices=vertices)


def _drawn(building: Building, spatial: Spatial, crs: str) -> list[Shape]:
    if not building.footprint or building.parent:
        return []

    def move(points: Any) -> Any:
        return np.column_stack(spatial.convert(points[:, 0], points[:, 1], "CRS84", crs))

    shape = shapely.transform(shapely.from_geojson(building.footprint), move)
    return writing.drawn_up(shape, building.ground or 0.0, building.height)


def _attributes(building: Building) -> dict[str, Any]:
    made = dict(building.attributes)
    if building.height is not None:
        made["measuredHeight"] = building.height
    made |= {_NAMES[name]: getattr(building, name) for name in _FIELDS if getattr(building, name) not in (None, "")}
    if building.title:
        made["name"] = building.title["zh"]
        made["nameEn"] = building.title["en"]
    links = {"code": building.code, "registeredCode": building.registered, "addressCode": building.address}
    return made | {name: value for name, value in links.items() if value}
