"""Drafting: files of each format, and layers, as drafts of objects with what is wrong with single ones."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from mumian.foundation.buildings.contracts import BUILDING_KINDS, Model, ObjectFault
from mumian.foundation.buildings.files.bodies import decoded, refused
from mumian.foundation.buildings.files.drafts import Draft
from mumian.foundation.buildings.files.job import IfcBuilding, IfcReport, Place
from mumian.foundation.buildings.rules import fields, ground
from mumian.foundation.buildings.rules.cityjson import BadCityJson, read
from mumian.kernel.errors import Fault, Invalid

_COMPOUND = re.compile(r"^EPSG::?(\d{4,6})$", re.IGNORECASE)


@dataclass(frozen=True)
class Names:
    """The fields of a layer of footprints that hold what is asked; empty ones are found by the names that sources use."""

    id: str = ""
    name: str = ""
    height: str = ""
    storeys: str = ""
    use: str = ""
    year: str = ""
    storey_metres: float = fields.STOREY_METRES


@dataclass
class Drafted:
    """What a file gave: drafts, the system of their footprints, and faults of single objects; models by source id."""

    drafts: list[Draft]
    crs: str
    objects: int
    faults: list[ObjectFault] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)


def of_cityjson(content: bytes, crs: str | None, most: int) -> Drafted:
    """Objects of a CityJSON file; raises BadModel, and Invalid where neither file nor caller names the system."""
    try:
        found = read(decoded(content), most)
    except BadCityJson as error:
        raise refused(str(error)) from error
    system = crs or found.crs
    if not system and any(thing.footprint is not None for thing in found.things):
        raise Invalid.field("crs", "buildings.no_crs")
    drafts, faults = [], list(found.faults)
    kinds: dict[str, int] = {}
    for thing in found.things:
        kinds[thing.type] = kinds.get(thing.type, 0) + 1
        if not thing.id.isprintable() or not thing.type.isprintable():
            faults.append(ObjectFault(thing.id[:200], "id", "buildings.bad_id", {}))
            continue
        if thing.type in BUILDING_KINDS and thing.footprint is None:
            faults.append(ObjectFault(thing.id, "geometry", "buildings.no_footprint", {}))
            continue
        drafts.append(Draft(thing.id, thing.type, thing.attributes, thing.parent, thing.footprint, thing.levels, thing.shapes))
    return Drafted(drafts, system or "CRS84", len(found.things) + len(found.faults), faults, kinds=kinds)


def of_geojson(content: bytes, names: Names, crs: str | None, most: int) -> Drafted:
    """Buildings of a GeoJSON FeatureCollection of footprints; raises BadModel."""
    document = decoded(content)
    features = document.get("features") if isinstance(document, dict) and document.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        raise refused("it is no GeoJSON FeatureCollection")
    if len(features) > most:
        raise refused(f"it has {len(features)} features; at most {most} are taken at once")
    return of_features(((str(i), feature) for i, feature in enumerate(features, 1)), names, crs or "CRS84")


def of_features(features: Iterable[tuple[str, Any]], names: Names, crs: str) -> Drafted:
    """Buildings of numbered GeoJSON features with a polygon each."""
    made, seen, count = Drafted([], crs, 0), set[str](), 0
    for row, feature in features:
        count += 1
        try:
            draft = _footprint(feature, names)
        except Invalid as error:
            fault = error.faults[0]
            made.faults.append(ObjectFault(row, fault.field, fault.key, {k: str(v) for k, v in fault.values.items()}))
            continue
        if draft.source_id in seen:
            made.faults.append(ObjectFault(row, "id", "field.duplicate", {"name": draft.source_id}))
            continue
        seen.add(draft.source_id)
        made.drafts.append(draft)
    made.objects, made.kinds = count, {"Building": len(made.drafts)}
    return made


def _footprint(feature: Any, names: Names) -> Draft:
    if not isinstance(feature, Mapping) or not isinstance(feature.get("properties") or {}, Mapping):
        raise Invalid.field("feature", "field.type", expected="Feature")
    given: Mapping[str, Any] = feature.get("properties") or {}
    own = given.get(names.id) if names.id else feature.get("id") if feature.get("id") is not None else given.get("id")
    id_ = str(own if own is not None else "").strip()
    if not (0 < len(id_) <= 200 and id_.isprintable()):
        raise Invalid.field(names.id or "id", "buildings.bad_id")
    shape = ground.area_of(feature.get("geometry"))
    if shape is None:
        raise Invalid.field("geometry", "buildings.no_footprint")
    storeys = fields.storeys_of(given, (names.storeys,) if names.storeys else fields.STOREYS)
    height = fields.height_of(given, (names.height,) if names.height else fields.HEIGHTS)
    known: dict[str, Any] = {"storeys": storeys, "height": height}
    if height is None and storeys:
        known["height"] = round(storeys * names.storey_metres, 2)
    if names.name:
        known["title"] = fields.title_of(given, (names.name,))
    if names.use:
        known["use"] = fields.use_of(given.get(names.use))
    if names.year:
        known["year"] = fields.year_of(given, (names.year,))
    return Draft(id_, "Building", dict(given), footprint=shape, known=known)


def of_ifc(report: IfcReport, place: Place | None, digest: str) -> Drafted:
    """Buildings of an IFC file, each with its model; raises Invalid where nobody says where it stands."""
    where = place or report.place
    if where is None:
        raise Invalid(Fault("anchor", "buildings.no_place", {}))
    made = Drafted([], _system(where.crs), len(report.buildings))
    for building in report.buildings:
        shape = _foot(building, where)
        if shape is None:
            made.faults.append(ObjectFault(building.guid, "geometry", "buildings.no_footprint", {}))
            continue
        known: dict[str, Any] = {"storeys": building.storeys, "below": building.below}
        if building.name:
            known["title"] = {"zh": building.name, "en": building.name}
        made.drafts.append(Draft(building.guid, "Building", building.attributes, "", shape, building.levels, (), known))
        made.models[building.guid] = Model(
            code="",
            changed="",
            schema=report.schema,
            products=building.products,
            classes=building.classes,
            structure=building.structure,
            digest=digest,
        )
    made.kinds = {"Building": len(report.buildings)}
    return made


def _system(name: str) -> str:
    found = _COMPOUND.match(name.strip())
    return f"EPSG:{found[1]}" if found else name


def _foot(building: IfcBuilding, place: Place) -> Any:
    """The foot of a building in the system of its place: turned, and moved there."""
    if not building.foot:
        return None
    ex, ey = place.east
    degrees = _system(place.crs) in ("CRS84", "EPSG:4326", "GCJ-02", "BD-09", "EPSG:4490")
    narrow = float(np.cos(np.radians(place.y))) if degrees else 1.0
    unit = ground.METRES if degrees else 1.0

    def moved(points: Any) -> Any:
        x = points[:, 0] * ex + points[:, 1] * ey
        y = points[:, 1] * ex - points[:, 0] * ey
        return np.column_stack((place.x + x * place.scale / (unit * narrow), place.y + y * place.scale / unit))

    parts = [shapely.Polygon(rings[0], rings[1:]) for rings in building.foot if rings]
    return shapely.transform(shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0], moved)
