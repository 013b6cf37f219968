"""Layers read from files and checked, and the index that finds the district of a point."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from mumian.foundation.spatial.contracts import District, GeoJson
from mumian.foundation.spatial.coordinates.transform import convert, convert_geometry
from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.rules import convert_coordinates, metres_between
from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.kernel.errors import Fault, Invalid

MAX_BYTES = 64 * 1024 * 1024
GAP_METRES = 150.0
_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def read_file(folder: Path, spec: LayerSpec) -> tuple[str, str]:
    """A layer's file, checked: its text as GeoJSON and its SHA-256; raises Invalid naming every fault."""
    assert spec.source is not None
    root, file = folder.resolve(), (folder / spec.source).resolve()
    if not file.is_relative_to(root):
        raise Invalid.field("spec.source", "spatial.outside_folder", file=spec.source)
    if not file.is_file():
        raise Invalid.field("spec.source", "spatial.file_missing", file=spec.source)
    if file.stat().st_size > MAX_BYTES:
        raise Invalid.field("spec.source", "field.length", expected=f"≤ {MAX_BYTES} bytes")
    content = file.read_bytes()
    digest = sha256(content).hexdigest()
    if spec.sha256 not in (None, digest):
        raise Invalid.field("spec.sha256", "spatial.digest", file=spec.source, digest=digest)
    if file.suffix.lower() not in (".geojson", ".json"):
        return _imported(file, spec), digest
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid.field("spec.source", "field.syntax", reason=f"byte {error.start} is not UTF-8") from error
    to_layer(text, spec)
    return text, digest


def _imported(file: Path, spec: LayerSpec) -> str:
    """A file of another format as GeoJSON text in WGS 84, read by the import worker."""
    from tempfile import TemporaryDirectory

    from mumian.foundation.spatial.importing.job import Job
    from mumian.foundation.spatial.importing.reading import as_geojson
    from mumian.foundation.spatial.importing.running import demand, format_of, run

    with TemporaryDirectory(prefix="mumian-import-") as folder:
        out = f"{folder}/rows.parquet"
        crs = spec.crs if "crs" in spec.model_fields_set else None
        job = Job(path=str(file), format=format_of(file.name), out=out, layer=spec.sublayer, crs=crs, key=spec.key)
        demand(run(job), "spec.source")
        text = as_geojson(out)
    to_layer(text, spec.model_copy(update={"crs": "EPSG:4326"}))
    return text


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid.field("spec.source", "field.syntax", reason=str(error)[:200]) from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def to_layer(text: str, spec: LayerSpec) -> GeoJson:
    """A FeatureCollection in WGS 84 whose features have the properties code, name {zh, en} and centre; raises Invalid."""
    collection = _parse(text)
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or not features:
        raise Invalid.field("spec.source", "spatial.geojson", place="the file", reason="is no FeatureCollection with features")
    faults: list[Fault] = []
    made: dict[str, GeoJson] = {}
    for index, feature in enumerate(features):
        try:
            converted = _feature(feature, spec)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            faults.append(Fault("spec.source", "spatial.geojson", {"place": f"features[{index}]", "reason": _reason(error)}))
            continue
        if converted["id"] in made:
            faults.append(Fault("spec.source", "field.duplicate", {"name": converted["id"]}))
        made[converted["id"]] = converted
    faults += _missed(made, spec) if not faults else []
    if faults:
        raise Invalid(*faults)
    return {"type": "FeatureCollection", "features": list(made.values())}


def _reason(error: Exception) -> str:
    return f"lacks {error}" if isinstance(error, KeyError) else f"is malformed: {error}"


def _feature(feature: Any, spec: LayerSpec) -> GeoJson:
    from shapely.geometry import shape

    properties, geometry = feature["properties"], feature["geometry"]
    code, name = str(properties[spec.key]), properties.get(spec.name, properties[spec.key])
    name = name if isinstance(name, dict) else {"zh": str(name), "en": str(name)}
    if geometry["type"] not in _GEOMETRIES:
        raise ValueError(f"its geometry must be one of {', '.join(_GEOMETRIES)}")
    converted = _converted(geometry, spec.crs)
    drawn = shape(converted)
    west, south, east, north = drawn.bounds
    if min(west + 180, south + 90, 180 - east, 90 - north) < 0:
        raise ValueError(f"its bounds {west, south, east, north} are not degrees of longitude and latitude")
    if drawn.is_empty:
        raise ValueError("it has no coordinates")
    if not drawn.is_valid:
        raise ValueError("its boundary crosses itself")
    centre = properties.get("centre")
    point = drawn.representative_point() if centre is None else None
    at = (point.x, point.y) if point is not None else _centre(centre, spec.crs)
    extra = {k: v for k, v in properties.items() if k not in (spec.key, spec.name, "centre")}
    return {
        "type": "Feature",
        "id": code,
        "properties": {**extra, "code": code, "name": {"zh": str(name["zh"]), "en": str(name["en"])}, "centre": list(at)},
        "geometry": converted,
    }


def _converted(geometry: GeoJson, crs: str) -> GeoJson:
    if crs in ("EPSG:4326", "CRS84", "GCJ-02", "BD-09"):
        return {"type": geometry["type"], "coordinates": convert_coordinates(crs, geometry["coordinates"])}
    from shapely.geometry import mapping, shape

    made: GeoJson = mapping(convert_geometry(shape(geometry), parse_crs(crs), parse_crs("CRS84")))
    return made


def _centre(centre: Sequence[Any], crs: str) -> tuple[float, float]:
    x, y = convert([float(centre[0])], [float(centre[1])], parse_crs(crs), parse_crs("CRS84"))
    return float(x[0]), float(y[0])


def _missed(features: dict[str, GeoJson], spec: LayerSpec) -> list[Fault]:
    """A fault for every control point outside of its feature: the sign of a mislabelled coordinate system."""
    faults = []
    for index, control in enumerate(spec.control_points):
        place = f"spec.control_points[{index}]"
        if control.feature not in features:
            faults.append(Fault(f"{place}.feature", "spatial.no_feature", {"name": control.feature}))
            continue
        metres = metres_outside(features[control.feature]["geometry"], control.longitude, control.latitude)
        if metres > 0:
            values = {"feature": control.feature, "metres": round(metres), "crs": spec.crs}
            faults.append(Fault(place, "spatial.control_point", values))
    return faults


def metres_outside(geometry: GeoJson, longitude: float, latitude: float) -> float:
    """How far a point lies outside of a GeoJSON geometry, in metres; 0 inside."""
    from shapely import Point
    from shapely.geometry import shape

    return _metres(shape(geometry), Point(longitude, latitude))


def _metres(drawn: Any, point: Any) -> float:
    from shapely.ops import nearest_points

    if drawn.covers(point):
        return 0.0
    nearest, _ = nearest_points(drawn, point)
    return float(metres_between((nearest.x, nearest.y), (point.x, point.y)))


class DistrictIndex:
    """Finds the district of a point: containment first, then the nearest one within `GAP_METRES` of a gap between borders."""

    def __init__(self, layer: GeoJson) -> None:
        from shapely import STRtree
        from shapely.geometry import shape

        features: Sequence[GeoJson] = layer["features"]
        self.districts = [_district(f["properties"]) for f in features]
        self._shapes = [shape(f["geometry"]) for f in features]
        self._tree = STRtree(self._shapes)

    def at(self, longitude: float, latitude: float) -> District | None:
        """The district that covers the point (on a shared border the lower code), or is at most `GAP_METRES` away."""
        from shapely import Point

        point = Point(longitude, latitude)
        covering = [int(i) for i in self._tree.query(point, predicate="intersects")]
        if covering:
            return min((self.districts[i] for i in covering), key=lambda d: d.code)
        nearest = self._tree.nearest(point)
        if nearest is None or _metres(self._shapes[int(nearest)], point) > GAP_METRES:
            return None
        return self.districts[int(nearest)]

    def codes_at(self, longitudes: Any, latitudes: Any) -> Any:
        """What `at` says for arrays of points: an object array of codes and None."""
        import numpy as np
        import shapely

        codes = np.array([d.code for d in self.districts], object)
        found = np.full(longitudes.shape, None, object)
        points = shapely.points(longitudes, latitudes)
        which, district = self._tree.query(points, predicate="intersects")
        order = np.argsort(codes[district].astype(str), kind="stable")[::-1]
        found[which[order]] = codes[district[order]]
        unplaced = np.array([code is None for code in found], bool)
        for index in np.flatnonzero(unplaced & np.isfinite(longitudes + latitudes)):
            near = self.at(float(longitudes[index]), float(latitudes[index]))
            found[index] = near.code if near else None
        return found


def _district(properties: dict[str, Any]) -> District:
    longitude, latitude = properties["centre"]
    return District(properties["code"], properties["name"], (longitude, latitude))


def layer_digest(text: str, spec: LayerSpec) -> str:
    """What identifies the features that a kept text gives under a declaration: change either, and they are others."""
    said = json.dumps([spec.crs, spec.key, spec.name, spec.source, spec.sublayer])
    return sha256(f"{said}\n{text}".encode()).hexdigest()
