"""Behaviour of layer files: what is accepted, and how a broken one is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.service import read_file, to_layer
from mumian.kernel.errors import Invalid

SQUARE = [[[113.0, 23.0], [113.1, 23.0], [113.1, 23.1], [113.0, 23.1], [113.0, 23.0]]]


def _file(folder: Path, *features: Any) -> str:
    (folder / "layer.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), "utf-8")
    return "layer.geojson"


def _feature(code: str = "1", coordinates: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": coordinates}
    return {"type": "Feature", "properties": {"code": code, "name": "甲", **properties}, "geometry": geometry}


def _faults(folder: Path, **spec: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read_file(folder, LayerSpec.model_validate(spec))
    return [(fault.field, fault.key) for fault in refused.value.faults]


def test_a_feature_gets_code_bilingual_name_and_centre(tmp_path: Path) -> None:
    spec = LayerSpec(source=_file(tmp_path, _feature("440106", population=7)))
    made = to_layer(read_file(tmp_path, spec)[0], spec)["features"][0]
    assert made["id"] == "440106"
    assert made["properties"]["name"] == {"zh": "甲", "en": "甲"}
    assert made["properties"]["population"] == 7
    assert made["properties"]["centre"] == pytest.approx([113.05, 23.05])


def test_a_gcj02_file_is_turned_into_wgs84(tmp_path: Path) -> None:
    spec = LayerSpec(source=_file(tmp_path, _feature()), crs="GCJ-02")
    made = to_layer(read_file(tmp_path, spec)[0], spec)["features"][0]
    assert made["geometry"]["coordinates"][0][0] == pytest.approx([112.9946, 23.0026], abs=2e-3)
    assert made["geometry"]["coordinates"][0][0] != pytest.approx([113.0, 23.0], abs=1e-3)


def test_a_wrong_control_point_is_named_with_its_distance(tmp_path: Path) -> None:
    control = {"feature": "1", "longitude": 113.2, "latitude": 23.05}
    assert _faults(tmp_path, source=_file(tmp_path, _feature()), control_points=[control]) == [
        ("spec.control_points[0]", "spatial.control_point")
    ]
    unknown = {**control, "feature": "2"}
    assert _faults(tmp_path, source=_file(tmp_path, _feature()), control_points=[unknown]) == [
        ("spec.control_points[0].feature", "spatial.no_feature")
    ]


def test_a_file_that_changed_under_its_digest_is_refused(tmp_path: Path) -> None:
    assert _faults(tmp_path, source=_file(tmp_path, _feature()), sha256="0" * 64) == [("spec.sha256", "spatial.digest")]


def test_a_file_outside_of_the_folder_is_not_read(tmp_path: Path) -> None:
    _file(tmp_path, _feature())
    inner = tmp_path / "inner"
    inner.mkdir()
    assert _faults(inner, source="../layer.geojson") == [("spec.source", "spatial.outside_folder")]
    assert _faults(inner, source="absent.geojson") == [("spec.source", "spatial.file_missing")]


@pytest.mark.parametrize(
    "broken",
    [
        _feature(coordinates=[]),
        _feature(coordinates=[[[0, 0], [1, 1]]]),
        _feature(coordinates=[[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
        _feature(coordinates=[[["a", 0], [1, 1], [1, 0], [0, 0]]]),
        _feature(coordinates=[[[500, 0], [501, 1], [501, 0], [500, 0]]]),
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": SQUARE}},
        {"type": "Feature", "properties": {"code": "1"}, "geometry": None},
        {"type": "Feature", "properties": {"code": "1"}, "geometry": {"type": "Cube", "coordinates": SQUARE}},
        "no feature",
        None,
    ],
)
def test_a_broken_feature_is_named_by_its_place(tmp_path: Path, broken: Any) -> None:
    assert _faults(tmp_path, source=_file(tmp_path, _feature("9"), broken)) == [("spec.source", "spatial.geojson")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": []}', "{", "\x00", '{"features": [NaN]}', "[" * 100_000])
def test_a_file_that_is_no_geojson_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "layer.geojson").write_text(text, "utf-8")
    assert _faults(tmp_path, source="layer.geojson")[0][0] == "spec.source"


def test_bytes_that_are_not_utf8_and_codes_given_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.geojson").write_bytes(b'{"a": "\xff"}')
    assert _faults(tmp_path, source="bytes.geojson") == [("spec.source", "field.syntax")]
    assert _faults(tmp_path, source=_file(tmp_path, _feature(), _feature())) == [("spec.source", "field.duplicate")]
