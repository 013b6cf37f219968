"""CityJSON read: objects with their attributes, shapes and footprints, and what is wrong with each.

CityJSON 1.0, 1.1 and 2.0 (https://www.cityjson.org/specs/2.0.1): transform, vertices, geometry templates, parents and children.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mumian.foundation.buildings.contracts import ObjectFault, Shape
from mumian.foundation.buildings.rules.surfaces import BadGeometry, covered, flatten, foot, renumbered

VERSIONS = ("1.0", "1.1", "2.0")
MOST_VERTICES = 20_000_000
MOST_ATTRIBUTES = 200
_LIMIT = 1e9


class BadCityJson(Exception):
    """The file as a whole is no CityJSON that can be used; the message says why, in plain words."""


@dataclass
class CityThing:
    """An object as read: its shapes in the file's own system, what they cover, and its lowest and highest level."""

    id: str
    type: str
    attributes: dict[str, Any]
    parent: str = ""
    shapes: list[Shape] = field(default_factory=list)
    footprint: BaseGeometry | None = None
    levels: tuple[float, float] | None = None


@dataclass
class CityFile:
    """A file as read: `crs` as it names it (empty where it does not), its objects in order, and what was refused."""

    version: str
    crs: str
    things: list[CityThing]
    faults: list[ObjectFault]


def read(document: Any, most: int = 200_000) -> CityFile:
    """The objects of a decoded CityJSON document; raises BadCityJson where it cannot be used as a whole."""
    if not isinstance(document, dict) or document.get("type") != "CityJSON":
        raise BadCityJson("it has no member type: CityJSON")
    version = str(document.get("version", ""))[:3]
    if version not in VERSIONS:
        raise BadCityJson(f"its version is {str(document.get('version'))[:20]!r}; known are {', '.join(VERSIONS)}")
    objects = document.get("CityObjects")
    if not isinstance(objects, dict):
        raise BadCityJson("it has no CityObjects")
    if len(objects) > most:
        raise BadCityJson(f"it has {len(objects)} objects; at most {most} are taken at once")
    points = _vertices(document)
    templates = _templates(document.get("geometry-templates"))
    things, faults = [], []
    for name, given in objects.items():
        try:
            things.append(_thing(name, given, points, templates))
        except BadGeometry as error:
            faults.append(ObjectFault(str(name)[:200], "geometry", "buildings.geometry", {"reason": str(error)}))
    _adopt(things, objects)
    return CityFile(version, _system(document.get("metadata")), things, faults)


def _vertices(document: Mapping[str, Any]) -> NDArray[np.float64]:
    points = _points(document.get("vertices"), "vertices")
    transform = document.get("transform")
    if transform is None:
        if str(document.get("version", "")).startswith("1.0"):
            return points
        raise BadCityJson("it has no transform, which its version demands")
    if not isinstance(transform, dict):
        raise BadCityJson("transform is no object")
    scale, translate = _three(transform.get("scale"), "scale"), _three(transform.get("translate"), "translate")
    moved: NDArray[np.float64] = points * scale + translate
    if not (np.isfinite(moved).all() and (np.abs(moved) < _LIMIT).all()):
        raise BadCityJson("its transform moves vertices off the earth")
    return moved


def _points(given: Any, name: str) -> NDArray[np.float64]:
    if not isinstance(given, list) or len(given) > MOST_VERTICES:
        raise BadCityJson(f"{name} is no list, or a too long one")
    if not given:
        return np.zeros((0, 3))
    try:
        points = np.array(given, np.float64)
    except (ValueError, TypeError, OverflowError):
        raise BadCityJson(f"{name} are not all lists of three numbers") from None
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all():
        raise BadCityJson(f"{name} are not all lists of three numbers")
    return points


def _three(given: Any, name: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = _points([given], f"transform.{name}")[0]
    return found


def _system(metadata: Any) -> str:
    given = metadata.get("referenceSystem") if isinstance(metadata, dict) else None
    return given[:200] if isinstance(given, str) else ""


def _templates(given: Any) -> list[tuple[Any, NDArray[np.float64]]]:
    if not isinstance(given, dict) or not isinstance(given.get("templates"), list):
        return []
    points = _points(given.get("vertices-templates"), "vertices-templates")
    return [(template, points) for template in given["templates"]]


def _thing(name: str, given: Any, points: NDArray[np.float64], templates: list[tuple[Any, NDArray[np.float64]]]) -> CityThing:
    if not (isinstance(given, dict) and isinstance(given.get("type"), str) and 0 < len(name) <= 200):
        raise BadGeometry("it is no object with a type and an id of at most 200 characters")
    attributes = given.get("attributes", {})
    if not isinstance(attributes, dict) or len(attributes) > MOST_ATTRIBUTES:
        raise BadGeometry(f"its attributes are no object of at most {MOST_ATTRIBUTES} members")
    thing = CityThing(name, given["type"][:60], attributes)
    geometries = given.get("geometry", [])
    if not isinstance(geometries, list) or len(geometries) > 50:
        raise BadGeometry("its geometry is no list of at most fifty")
    best = ""
    for geometry in geometries:
        if not isinstance(geometry, dict):
            raise BadGeometry("one of its geometries is no object")
        shape, cover, levels = _shape(geometry, points, templates)
        thing.shapes.append(shape)
        if levels is not None:
            lowest, highest = thing.levels or levels
            thing.levels = min(lowest, levels[0]), max(highest, levels[1])
        if cover is not None and (thing.footprint is None or shape.lod >= best):
            thing.footprint, best = cover, shape.lod
    return thing


def _shape(
    geometry: Mapping[str, Any], points: NDArray[np.float64], templates: list[tuple[Any, NDArray[np.float64]]]
) -> tuple[Shape, BaseGeometry | None, tuple[float, float] | None]:
    type_, boundaries = str(geometry.get("type")), geometry.get("boundaries")
    if type_ == "GeometryInstance":
        geometry, points = _instance(geometry, points, templates)
        type_, boundaries = str(geometry.get("type")), geometry.get("boundaries")
    semantics = geometry.get("semantics")
    cover, levels = foot(type_, boundaries, semantics, points)
    rings, _ = flatten(type_, boundaries)
    used = sorted({i for ring in rings for i in ring})
    numbers = {old: new for new, old in enumerate(used)}
    vertices = [(float(x), float(y), float(z)) for x, y, z in points[used].round(4).tolist()]
    lod = str(geometry.get("lod", ""))[:10]
    kept = Shape(lod=lod, type=type_, boundaries=renumbered(boundaries, numbers), semantics=semantics, vertices=vertices)
    return kept, cover, levels


def _instance(
    geometry: Mapping[str, Any], points: NDArray[np.float64], templates: list[tuple[Any, NDArray[np.float64]]]
) -> tuple[Mapping[str, Any], NDArray[np.float64]]:
    """A template where an instance puts it: rotated and scaled by its matrix, moved to its anchor."""
    number, anchor, matrix = geometry.get("template"), geometry.get("boundaries"), geometry.get("transformationMatrix")
    if not (type(number) is int and 0 <= number < len(templates) and isinstance(templates[number][0], dict)):
        raise BadGeometry("it names a geometry template that there is not")
    if not (isinstance(anchor, list) and len(anchor) == 1 and type(anchor[0]) is int and 0 <= anchor[0] < len(points)):
        raise BadGeometry("its anchor is not the number of one vertex")
    if not (isinstance(matrix, list) and len(matrix) == 16 and all(_number(value) for value in matrix)):
        raise BadGeometry("its transformationMatrix is not sixteen numbers")
    template, own = templates[number]
    turn = np.array(matrix, np.float64).reshape(4, 4)
    placed = own @ turn[:3, :3].T + turn[:3, 3] + points[anchor[0]]
    if template.get("type") == "GeometryInstance" or not (np.abs(placed) < _LIMIT).all():
        raise BadGeometry("its template cannot be placed")
    return template, placed


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LIMIT and isfinite(value)


def _adopt(things: list[CityThing], objects: Mapping[str, Any]) -> None:
    """Give parts their parents, and parents without a shape what their parts cover."""
    by_id = {thing.id: thing for thing in things}
    parts: dict[str, list[CityThing]] = {}
    for thing in things:
        parents = objects[thing.id].get("parents")
        first = parents[0] if isinstance(parents, list) and parents else None
        if isinstance(first, str) and first in by_id and first != thing.id:
            thing.parent = first
            parts.setdefault(first, []).append(thing)
    for name, children in parts.items():
        parent = by_id[name]
        if parent.footprint is None:
            parent.footprint = covered([child.footprint for child in children])
        levels = [child.levels for child in children if child.levels is not None]
        if parent.levels is None and levels:
            parent.levels = min(low for low, _ in levels), max(high for _, high in levels)
