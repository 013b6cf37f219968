"""The shipped district boundaries against a reference in GCJ-02 that may not be shipped."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import shapely
from shapely import Point
from shapely.geometry import mapping, shape

from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.rules import convert_coordinates
from mumian.foundation.spatial.service import DistrictIndex, read_file, to_layer
from mumian.kernel.declarations.documents import read_path
from mumian.kernel.errors import Invalid
from tests.conftest import ROOT

CITY = ROOT / "cities" / "guangzhou"


def _layer_spec(**changes: Any) -> LayerSpec:
    document = next(d for d in read_path(CITY / "city.yaml") if d.kind == "Layer")
    return LayerSpec.model_validate(document.spec | changes)


@pytest.fixture(scope="module")
def layer() -> dict[str, Any]:
    """The shipped layer, read as the platform reads it."""
    spec = _layer_spec()
    return to_layer(read_file(CITY, spec)[0], spec)


@pytest.fixture
def reference(shared_data: Path) -> dict[str, Any]:
    """The reference districts in WGS 84, by code."""
    features = json.loads((shared_data / "gz_boundaries" / "440100_full.json").read_text("utf-8"))["features"]
    converted = {}
    for feature in features:
        geometry = feature["geometry"]
        coordinates = convert_coordinates("GCJ-02", geometry["coordinates"])
        converted[str(feature["properties"]["adcode"])] = shape({"type": geometry["type"], "coordinates": coordinates})
    return converted


def test_neighbouring_districts_neither_overlap_nor_leave_gaps(layer: dict[str, Any]) -> None:
    shapes = [shape(f["geometry"]) for f in layer["features"]]
    whole = shapely.union_all(shapes)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert sum(s.area for s in shapes) == pytest.approx(whole.area, rel=1e-9)


def test_the_eleven_districts_have_the_reference_areas_within_half_a_percent(
    layer: dict[str, Any], reference: dict[str, Any]
) -> None:
    areas = {f["id"]: shape(f["geometry"]).area for f in layer["features"]}
    assert areas.keys() == reference.keys()
    assert len(areas) == 11
    for code, area in areas.items():
        assert area == pytest.approx(reference[code].area, rel=0.005), code


def test_points_away_from_borders_fall_into_the_same_district_as_in_the_reference(
    layer: dict[str, Any], reference: dict[str, Any]
) -> None:
    index, random = DistrictIndex(layer), Random(440100)
    kilometre = 0.009
    for code, district in reference.items():
        inner = district.buffer(-min(kilometre, district.area**0.5 / 8))
        west, south, east, north = inner.bounds
        asked = 0
        while asked < 200:
            point = Point(random.uniform(west, east), random.uniform(south, north))
            if inner.contains(point):
                found = index.at(point.x, point.y)
                assert found is not None
                assert found.code == code
                asked += 1


def test_unconverted_gcj02_numbers_would_stand_half_a_kilometre_off(layer: dict[str, Any], reference: dict[str, Any]) -> None:
    ours = {f["id"]: shape(f["geometry"]) for f in layer["features"]}
    for code, district in reference.items():
        shift_x = ours[code].centroid.x - district.centroid.x
        shift_y = ours[code].centroid.y - district.centroid.y
        assert abs(shift_x) < 0.0004 > abs(shift_y), code


def test_a_point_outside_of_the_city_has_no_district_but_one_in_a_border_gap_has(layer: dict[str, Any]) -> None:
    index = DistrictIndex(layer)
    west = min(shape(f["geometry"]).bounds[0] for f in layer["features"])
    edge = max(
        (p for f in layer["features"] for p in shapely.get_coordinates(shape(f["geometry"])).tolist()), key=lambda p: -p[0]
    )
    assert edge[0] == west
    assert index.at(edge[0] - 0.001, edge[1]) is not None
    assert index.at(edge[0] - 0.01, edge[1]) is None
    assert index.at(0, 0) is None


def test_a_layer_whose_coordinate_system_is_mislabelled_is_refused(shared_data: Path, tmp_path: Path) -> None:
    """The ministry's drawing stands about 0.15° off and says nothing of it."""
    topology = json.loads((shared_data / "gz_boundaries" / "mca_440100.json").read_text("utf-8"))
    collection = {"type": "FeatureCollection", "features": _features(topology)}
    (tmp_path / "off.geojson").write_text(json.dumps(collection), "utf-8")
    spec = _layer_spec(source="off.geojson", sha256=None, key="QUHUADAIMA", name="NAME")
    with pytest.raises(Invalid) as refused:
        read_file(tmp_path, spec)
    assert {fault.key for fault in refused.value.faults} == {"spatial.control_point"}
    assert all(fault.values["metres"] > 1000 for fault in refused.value.faults)


def _features(topology: dict[str, Any]) -> list[dict[str, Any]]:
    """The polygons of a TopoJSON with district codes, as GeoJSON."""
    transform = topology.get("transform")
    features: dict[str, dict[str, Any]] = {}
    for found in topology["objects"].values():
        for geometry in found["geometries"]:
            code = geometry.get("properties", {}).get("QUHUADAIMA", "")
            if geometry.get("type") in ("Polygon", "MultiPolygon") and code.startswith("4401"):
                polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
                rings = [[_ring(topology["arcs"], transform, ring) for ring in polygon] for polygon in polygons]
                made = mapping(shape({"type": "MultiPolygon", "coordinates": rings}).buffer(0))
                features.setdefault(code, {"type": "Feature", "properties": geometry["properties"], "geometry": made})
    return list(features.values())


def _ring(arcs: list[Any], transform: Any, ring: list[int]) -> list[list[float]]:
    points: list[list[float]] = []
    for number in ring:
        arc = _arc(arcs[number if number >= 0 else ~number], transform)
        points += (arc if number >= 0 else arc[::-1])[1 if points else 0 :]
    return points


def _arc(arc: list[list[float]], transform: Any) -> list[list[float]]:
    if transform is None:
        return [list(p) for p in arc]
    x = y = 0.0
    points = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        points.append([x * s + t for x, s, t in zip((x, y), transform["scale"], transform["translate"], strict=True)])
    return points
