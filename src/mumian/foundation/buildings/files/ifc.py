"""IFC (ISO 16739) read with ifcopenshell: spatial structure, products by class, the foot of each building, and its place.

Runs in the worker alone: a native library is fed with strangers' files here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mumian.foundation.buildings.files.job import IfcBuilding, IfcReport, Place

MOST_NODES, MOST_DEPTH, MOST_TRIANGLES = 20_000, 12, 400_000
_ROOF = re.compile(r"\broof\b|屋顶|屋面|天面", re.IGNORECASE)
_FEET = ("IfcSlab", "IfcWall", "IfcRoof", "IfcCurtainWall", "IfcFooting", "IfcColumn")


class Unreadable(Exception):
    """The file cannot be used; the message says why."""


def read(path: str) -> IfcReport:
    """The buildings of a file; raises Unreadable."""
    import ifcopenshell
    import ifcopenshell.util.unit

    try:
        model = ifcopenshell.open(path)
    except Exception as error:
        raise Unreadable(f"it is no IFC that ifcopenshell {ifcopenshell.version} reads ({type(error).__name__})") from error
    if not isinstance(model, ifcopenshell.file):
        raise Unreadable("it is no IFC in STEP form")
    found = model.by_type("IfcBuilding")
    if not found:
        raise Unreadable("it has no IfcBuilding")
    if len(found) > 1000:
        raise Unreadable("it has more than a thousand buildings")
    scale = float(ifcopenshell.util.unit.calculate_unit_scale(model))
    alone = len(found) == 1
    products = model.by_type("IfcProduct")
    buildings = [_building(model, entity, products if alone else _below(entity), scale) for entity in found]
    return IfcReport(schema=model.schema, products=len(products), buildings=buildings, place=_place(model, scale))


def _below(entity: Any) -> list[Any]:
    import ifcopenshell.util.element

    below: list[Any] = list(ifcopenshell.util.element.get_decomposition(entity))
    return [entity, *(part for part in below if part.is_a("IfcProduct"))]


def _building(model: Any, entity: Any, products: Iterable[Any], scale: float) -> IfcBuilding:
    held = list(products)
    inside = {product.id() for product in _below(entity)} if len(model.by_type("IfcBuilding")) > 1 else None
    storeys = [s for s in model.by_type("IfcBuildingStorey") if inside is None or s.id() in inside]
    heights = [float(s.Elevation or 0.0) * scale for s in storeys if not _ROOF.search(f"{s.Name} {s.LongName}")]
    foot, levels = _foot(model, [p for p in held if any(p.is_a(name) for name in _FEET)])
    return IfcBuilding(
        guid=str(entity.GlobalId)[:64],
        name=_text(entity.LongName) or _text(entity.Name),
        products=len(held),
        classes=dict(sorted(Counter(str(product.is_a()) for product in held).items())),
        structure=_structure(entity, scale) | {"site": _site(entity)},
        storeys=len({round(height, 1) for height in heights if height >= -1.0}),
        below=sum(1 for height in heights if height < -1.0),
        foot=foot,
        levels=levels,
        attributes=_attributes(entity),
    )


def _site(entity: Any) -> dict[str, str]:
    """The site that the building stands on; empty where there is none."""
    for link in entity.Decomposes:
        if link.RelatingObject.is_a("IfcSite"):
            site = link.RelatingObject
            return {"guid": str(site.GlobalId), "name": _text(site.LongName) or _text(site.Name)}
    return {}


def _structure(entity: Any, scale: float) -> dict[str, Any]:
    left = [MOST_NODES]

    def node(part: Any, depth: int) -> dict[str, Any]:
        left[0] -= 1
        made: dict[str, Any] = {"guid": str(part.GlobalId), "class": str(part.is_a())}
        made["name"] = _text(part.LongName) or _text(part.Name)
        if part.LongName and part.Name and part.LongName != part.Name:
            made["number"] = _text(part.Name)
        if part.is_a("IfcBuildingStorey") and part.Elevation is not None:
            made["elevation"] = round(float(part.Elevation) * scale, 3)
        contained = [element for link in part.ContainsElements for element in link.RelatedElements]
        made["products"] = dict(sorted(Counter(str(element.is_a()) for element in contained).items()))
        parts = [
            child for link in part.IsDecomposedBy for child in link.RelatedObjects if child.is_a("IfcSpatialStructureElement")
        ]
        parts.sort(key=lambda child: (getattr(child, "Elevation", None) or 0.0, str(child.Name)))
        if depth < MOST_DEPTH and left[0] > len(parts):
            made["parts"] = [node(child, depth + 1) for child in parts]
        return made

    return node(entity, 0)


def _attributes(entity: Any) -> dict[str, Any]:
    import ifcopenshell.util.element

    made: dict[str, Any] = {}
    for name, values in ifcopenshell.util.element.get_psets(entity).items():
        made |= {f"{name}.{key}": value for key, value in values.items() if key != "id" and isinstance(value, str | int | float)}
    return dict(list(made.items())[:100])


def _foot(model: Any, elements: list[Any]) -> tuple[list[list[list[tuple[float, float]]]], tuple[float, float] | None]:
    """What walls, slabs and roofs cover from above, as rings; and the lowest and highest level of them."""
    import numpy as np
    import shapely

    covers, lows, highs, triangles = [], [], [], 0
    for verts, faces in _triangles(model, elements):
        triangles += len(faces)
        if triangles > MOST_TRIANGLES:
            break
        lows.append(float(verts[:, 2].min()))
        highs.append(float(verts[:, 2].max()))
        flat = shapely.polygons(verts[faces][:, :, :2])
        flat = flat[shapely.area(flat) > 1e-6]
        if len(flat):
            covers.append(shapely.union_all(shapely.make_valid(flat), grid_size=0.001))
    if not covers:
        return [], (min(lows), max(highs)) if lows else None
    whole = shapely.simplify(shapely.union_all(covers, grid_size=0.001).buffer(0.05).buffer(-0.05), 0.02)
    parts = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon" and part.area > 0.5]
    rings = [[np.round(shapely.get_coordinates(ring), 3).tolist() for ring in (p.exterior, *p.interiors)] for p in parts]
    return [[[(x, y) for x, y in ring] for ring in part] for part in rings], (min(lows), max(highs))


def _triangles(model: Any, elements: list[Any]) -> Iterator[tuple[Any, Any]]:
    import ifcopenshell.geom
    import numpy as np

    if not elements:
        return
    engine: Any = ifcopenshell.geom
    settings = engine.settings()
    settings.set("use-world-coords", True)
    iterator = engine.iterator(settings, model, 1, include=elements)
    if not iterator.initialize():
        return
    while True:
        mesh = iterator.get().geometry
        verts, faces = np.array(mesh.verts, np.float64).reshape(-1, 3), np.array(mesh.faces, np.int64).reshape(-1, 3)
        if len(faces) and np.isfinite(verts).all():
            yield verts, faces
        if not iterator.next():
            return


def _place(model: Any, scale: float) -> Place | None:
    """Where the origin lies: by map conversion (IFC 4) or the site's latitude and longitude with true north."""
    conversions = model.by_type("IfcMapConversion") if model.schema != "IFC2X3" else []
    for conversion in conversions:
        name = _text(getattr(conversion.TargetCRS, "Name", ""))
        if name:
            east = (float(conversion.XAxisAbscissa or 1.0), -float(conversion.XAxisOrdinate or 0.0))
            return Place(crs=name, x=float(conversion.Eastings), y=float(conversion.Northings), east=east)
    for site in model.by_type("IfcSite"):
        latitude, longitude = _degrees(site.RefLatitude), _degrees(site.RefLongitude)
        if latitude is not None and longitude is not None and (latitude, longitude) != (0.0, 0.0):
            north = _true_north(model)
            return Place(crs="CRS84", x=longitude, y=latitude, east=(north[1], -north[0]))
    return None


def _true_north(model: Any) -> tuple[float, float]:
    for context in model.by_type("IfcGeometricRepresentationContext", include_subtypes=False):
        direction = getattr(context, "TrueNorth", None)
        if direction is not None:
            x, y = (float(value) for value in direction.DirectionRatios[:2])
            length = (x * x + y * y) ** 0.5
            if length > 0:
                return x / length, y / length
    return 0.0, 1.0


def _degrees(angle: Any) -> float | None:
    """Degrees of an IfcCompoundPlaneAngleMeasure: degrees, minutes, seconds, millionths of seconds, of one sign."""
    if angle is None or len(angle) < 3:
        return None
    parts = [float(part) for part in angle]
    return parts[0] + parts[1] / 60 + parts[2] / 3600 + (parts[3] / 3_600_000_000 if len(parts) > 3 else 0.0)


def _text(value: Any) -> str:
    return "".join(c for c in str(value or "") if c.isprintable()).strip()[:200]
