"""Surfaces: the polygons of CityJSON geometries, found at the depth at which each type nests them, and what they cover.

CityJSON 2.0.1, section 3 (geometry objects): indices of vertices nest in rings, surfaces, shells and solids.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

DEPTH = {
    "MultiPoint": 1,
    "MultiLineString": 2,
    "MultiSurface": 3,
    "CompositeSurface": 3,
    "Solid": 4,
    "MultiSolid": 5,
    "CompositeSolid": 5,
}
MOST_INDICES = 2_000_000
_FLAT = 1e-4
_GRID = 0.001


class BadGeometry(Exception):
    """A geometry that is not what its type says; the message is the reason in plain words."""


def flatten(type_: str, boundaries: Any) -> tuple[list[list[int]], list[tuple[int, ...]]]:
    """The rings of boundaries (points and lines too), each with its path: where it lies in the nest; raises BadGeometry."""
    depth = DEPTH.get(type_)
    if depth is None:
        raise BadGeometry(f"{str(type_)[:40]!r} is no type of geometry")
    level: list[tuple[tuple[int, ...], Any]] = [((), boundaries)]
    for _ in range(depth - 1):
        inner: list[tuple[tuple[int, ...], Any]] = []
        for path, part in level:
            if not isinstance(part, list):
                raise BadGeometry(f"the boundaries of a {type_} nest {depth} lists deep")
            inner += [((*path, i), child) for i, child in enumerate(part)]
        if len(inner) > MOST_INDICES:
            raise BadGeometry("it has too many surfaces")
        level = inner
    rings, paths, total = [], [], 0
    for path, ring in level:
        if not isinstance(ring, list) or not all(type(i) is int for i in ring):
            raise BadGeometry(f"the boundaries of a {type_} end in lists of vertex numbers")
        total += len(ring)
        rings.append(ring)
        paths.append(path)
    if total > MOST_INDICES:
        raise BadGeometry("it has too many vertices")
    return rings, paths


def renumbered(boundaries: Any, numbers: Sequence[int] | dict[int, int]) -> Any:
    """The same nest with other vertex numbers; for boundaries that `flatten` has seen."""
    return [numbers[part] if type(part) is int else renumbered(part, numbers) for part in boundaries]


def polygons(rings: Sequence[Sequence[int]], paths: Sequence[tuple[int, ...]], points: NDArray[np.float64]) -> list[Any]:
    """The surfaces laid flat: a polygon each where it has an area from above, None where it is a wall; holes kept."""
    made: list[Any] = []
    at: list[tuple[int, ...]] = []
    for ring, path in zip(rings, paths, strict=True):
        if path and at and path[:-1] == at[-1]:
            if made[-1] is not None and len(ring) >= 3:
                made[-1].append(points[list(ring), :2])
            continue
        at.append(path[:-1])
        made.append([points[list(ring), :2]] if len(ring) >= 3 else None)
    return [_polygon(parts) if parts else None for parts in made]


def _polygon(parts: list[Any]) -> BaseGeometry | None:
    shape = shapely.Polygon(parts[0], parts[1:])
    return shape if shape.area > _FLAT else None


def covered(shapes: Sequence[BaseGeometry | None]) -> BaseGeometry | None:
    """What polygons cover together: one valid polygon or multipolygon, or None."""
    solid = [shape if shape.is_valid else shapely.make_valid(shape) for shape in shapes if shape is not None]
    if not solid:
        return None
    joined = shapely.union_all(solid, grid_size=_GRID)
    return only_areas(joined)


def only_areas(shape: BaseGeometry) -> BaseGeometry | None:
    """The areas of a shape, without lines and points; None where it has none."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > _FLAT]
    parts += [
        inner
        for part in shapely.get_parts(shape)
        if part.geom_type == "MultiPolygon"
        for inner in part.geoms
        if inner.area > _FLAT
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def foot(
    type_: str, boundaries: Any, semantics: Any, points: NDArray[np.float64]
) -> tuple[BaseGeometry | None, tuple[float, float] | None]:
    """What a geometry covers from above (its ground surfaces where it names them) and its lowest and highest level."""
    rings, paths = flatten(type_, boundaries)
    used = sorted({i for ring in rings for i in ring})
    if used and not (used[0] >= 0 and used[-1] < len(points)):
        raise BadGeometry(f"vertex {used[0] if used[0] < 0 else used[-1]} is not among the {len(points)} vertices")
    levels = (float(points[used, 2].min()), float(points[used, 2].max())) if used else None
    if DEPTH[type_] < 3:
        return None, levels
    flat = polygons(rings, paths, points)
    marked = _grounds(type_, semantics, paths)
    below = [shape for shape, mark in zip(flat, marked, strict=True) if mark] if len(marked) == len(flat) else []
    return covered(below) or covered(flat), levels


def _grounds(type_: str, semantics: Any, paths: Sequence[tuple[int, ...]]) -> list[bool]:
    """For each surface whether its semantics say GroundSurface; empty where they are missing or do not fit."""
    if not isinstance(semantics, dict):
        return []
    values, kinds = semantics.get("values"), semantics.get("surfaces")
    if not isinstance(kinds, list):
        return []
    ground = {i for i, kind in enumerate(kinds) if isinstance(kind, dict) and kind.get("type") == "GroundSurface"}
    marks, last = [], None
    for path in paths:
        if path[:-1] == last:
            continue
        last, value = path[:-1], values
        for step in last:
            value = value[step] if isinstance(value, list) and step < len(value) else None
        marks.append(type(value) is int and value in ground)
    return marks
