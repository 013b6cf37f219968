"""Behaviour of the tool that makes a district layer from the npm package's grid."""

from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from mumian.foundation.spatial.rules import wgs84_to_gcj02
from tools.district_boundaries import HALF_STEP, boundaries

STEP = 1 / 1024
WEST, SOUTH = 113 + 100 * STEP, 23 + 100 * STEP


def _district(code: str, column: int, folded: bool = False) -> dict[str, Any]:
    west, east, north = WEST + column * 50 * STEP, WEST + (column + 1) * 50 * STEP, SOUTH + 50 * STEP
    fold = [[east, SOUTH], [east + STEP, SOUTH], [east, SOUTH]] if folded else [[east, SOUTH]]
    ring = [[west, SOUTH], *fold, [east, north], [west, north], [west, SOUTH]]
    properties = {"name": f"{code}区", "cp": [west, SOUTH], "childNum": 1}
    return {"type": "Feature", "id": code, "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def test_neighbours_stay_neighbours_folds_disappear_and_half_a_step_is_taken_back() -> None:
    source = {"type": "FeatureCollection", "features": [_district("2", 1), _district("1", 0, folded=True)]}
    made = boundaries(source, {"1": "One", "2": "Two"})["features"]
    assert [(f["id"], f["properties"]["name"]) for f in made] == [
        ("1", {"zh": "1区", "en": "One"}),
        ("2", {"zh": "2区", "en": "Two"}),
    ]
    shapes = [shape(f["geometry"]) for f in made]
    assert all(s.is_valid and s.geom_type == "Polygon" for s in shapes)
    assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes))
    west, south, _, _ = shapes[0].bounds
    corner = (WEST - HALF_STEP, SOUTH - HALF_STEP)
    nearest = min(
        (wgs84_to_gcj02(*p) for p in shapely.get_coordinates(shapes[0]).tolist()),
        key=lambda p: abs(p[0] - corner[0]) + abs(p[1] - corner[1]),
    )
    assert nearest == pytest.approx(corner, abs=1e-4)
    assert west < WEST - 0.004
    assert south > SOUTH
