"""Drafts: objects as files give them, brought to one form: footprints in WGS 84, heights, storeys, use, year."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from mumian.foundation.buildings.contracts import BUILDING_KINDS, Building, ObjectFault, Shape
from mumian.foundation.buildings.rules import fields, ground

Convert = Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]


@dataclass
class Draft:
    """An object on its way in; `footprint` is in the file's system until `placed`, `parent` a source id."""

    source_id: str
    kind: str
    attributes: dict[str, Any]
    parent: str = ""
    footprint: BaseGeometry | None = None
    levels: tuple[float, float] | None = None
    shapes: Sequence[Shape] = ()
    known: dict[str, Any] = field(default_factory=dict)


def placed(drafts: Sequence[Draft], convert: Convert) -> list[ObjectFault]:
    """Move footprints to WGS 84, all at once; those that do not come to lie on the earth are told and left out."""
    shapes = np.array([draft.footprint for draft in drafts], object)
    there = [shape is not None for shape in shapes]
    if any(there):
        moved = shapely.transform(shapes[there], lambda points: np.column_stack(convert(points[:, 0], points[:, 1])))
        shapes[there] = moved
    faults = []
    for draft, shape in zip(drafts, shapes, strict=True):
        good = shape is None or (np.isfinite(shapely.get_coordinates(shape)).all() and ground.on_earth(shape.bounds))
        draft.footprint = ground.only_degrees(shape) if good and shape is not None else None
        if not good:
            faults.append(ObjectFault(draft.source_id, "geometry", "buildings.off_earth", {}))
    return faults


def composed(draft: Draft, code: str, now: str, source: str, crs: str, digest: str) -> Building:
    """The first version of a building of a draft that was `placed`."""
    values = _described(draft) | _place(draft.footprint) | draft.known
    return Building(
        code=code,
        changed=now,
        kind=draft.kind,
        lods=sorted({shape.lod for shape in draft.shapes}),
        shapes=digest,
        crs=crs if digest else "",
        source=source,
        source_id=draft.source_id,
        attributes=fields.kept(draft.attributes),
        **values,
    )


def _described(draft: Draft) -> dict[str, Any]:
    given = draft.attributes
    values: dict[str, Any] = {"title": fields.title_of(given)}
    if draft.levels is not None:
        values["ground"] = round(draft.levels[0], 3)
    if draft.kind not in BUILDING_KINDS:
        return values | {"height": _span(draft)}
    storeys = fields.storeys_of(given)
    height = fields.height_of(given) or _span(draft)
    values |= {"height": height, "storeys": storeys, "below": fields.storeys_of(given, fields.BELOW)}
    return values | {"year": fields.year_of(given), "use": fields.use_of(fields.first(given, fields.USAGES))}


def _span(draft: Draft) -> float | None:
    if draft.levels is None:
        return None
    span = round(draft.levels[1] - draft.levels[0], 3)
    return span if 0 < span <= fields.HIGHEST else None


def _place(footprint: BaseGeometry | None) -> dict[str, Any]:
    text = "" if footprint is None else ground.text_of(footprint)
    if not text:
        return {}
    return ground_fields(shapely.from_geojson(text), text)


def ground_fields(shape: BaseGeometry, text: str) -> dict[str, Any]:
    """What a building says of its footprint (WGS 84): text, a point inside, bounds and area."""
    point = shapely.point_on_surface(shape)
    west, south, east, north = (round(value, 7) for value in shape.bounds)
    return {
        "footprint": text,
        "longitude": round(float(point.x), 7),
        "latitude": round(float(point.y), 7),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "area": ground.square_metres(shape),
    }
