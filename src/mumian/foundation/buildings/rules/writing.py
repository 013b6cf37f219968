"""CityJSON written: version 2.0 documents of objects, with what is drawn up from a footprint and a height where no more is known.

LOD 0 is the footprint at the level of the ground, LOD 1 the block above it (CityGML 3.0, levels of detail).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from mumian.foundation.buildings.contracts import Shape
from mumian.foundation.buildings.rules.surfaces import renumbered

_SCALE = 0.001


@dataclass
class Entry:
    """An object to be written: its shapes are in the document's system."""

    id: str
    type: str
    attributes: dict[str, Any]
    shapes: Sequence[Shape]
    parent: str = ""
    children: list[str] = field(default_factory=list)


def drawn_up(footprint: BaseGeometry, ground: float, height: float | None) -> list[Shape]:
    """LOD 0, and LOD 1 where there is a height, of a footprint (metres)."""
    parts = [part for part in shapely.get_parts(shapely.orient_polygons(footprint)) if part.geom_type == "Polygon"]
    vertices: list[tuple[float, float, float]] = []

    def numbered(ring: Any, level: float) -> list[int]:
        start = len(vertices)
        vertices.extend((float(x), float(y), level) for x, y in shapely.get_coordinates(ring)[:-1].tolist())
        return list(range(start, len(vertices)))

    floors = [[numbered(ring, ground) for ring in (part.exterior, *part.interiors)] for part in parts]
    flat = Shape(lod="0", type="MultiSurface", boundaries=[[ring[:] for ring in rings] for rings in floors], vertices=vertices[:])
    if height is None or height <= 0:
        return [flat]
    solids = []
    for part, floor in zip(parts, floors, strict=True):
        roof = [numbered(ring, ground + height) for ring in (part.exterior, *part.interiors)]
        walls = [
            [[low[i], low[j], high[j], high[i]]]
            for low, high in zip(floor, roof, strict=True)
            for i, j in ((i, (i + 1) % len(low)) for i in range(len(low)))
        ]
        solids.append([[[ring[::-1] for ring in floor], roof, *walls]])
    block = {"type": "Solid", "boundaries": solids[0]} if len(solids) == 1 else {"type": "MultiSolid", "boundaries": solids}
    return [flat, Shape(lod="1", vertices=vertices, **block)]


def document(entries: Sequence[Entry], system: str) -> dict[str, Any]:
    """A CityJSON 2.0 document; `system` is the URI of the shapes' system."""
    numbers: dict[tuple[int, int, int], int] = {}
    corner = _corner(entries)
    objects = {entry.id: _object(entry, numbers, corner) for entry in entries}
    made: dict[str, Any] = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [_SCALE] * 3, "translate": [float(value) for value in corner]},
        "metadata": {"referenceSystem": system},
        "CityObjects": objects,
        "vertices": [list(vertex) for vertex in numbers],
    }
    if numbers:
        corners = np.array(list(numbers), np.float64) * _SCALE + corner
        made["metadata"]["geographicalExtent"] = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
    return made


def _corner(entries: Sequence[Entry]) -> Any:
    lows = [np.array(shape.vertices).min(axis=0) for entry in entries for shape in entry.shapes if shape.vertices]
    return np.floor(np.array(lows).min(axis=0)) if lows else np.zeros(3)


def _object(entry: Entry, numbers: dict[tuple[int, int, int], int], corner: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": entry.type, "attributes": entry.attributes}
    if entry.parent:
        made["parents"] = [entry.parent]
    if entry.children:
        made["children"] = entry.children
    made["geometry"] = []
    for shape in entry.shapes:
        whole = np.rint((np.array(shape.vertices, np.float64).reshape(-1, 3) - corner) / _SCALE).astype(np.int64)
        places = [numbers.setdefault((int(x), int(y), int(z)), len(numbers)) for x, y, z in whole]
        geometry = {"type": shape.type, "lod": shape.lod, "boundaries": renumbered(shape.boundaries, places)}
        made["geometry"].append(geometry | ({"semantics": shape.semantics} if shape.semantics else {}))
    return made
