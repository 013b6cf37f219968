"""Behaviour of the coordinate rules: published points, exact inverses."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.spatial import rules

mainland = st.tuples(st.floats(73, 137), st.floats(1.5, 55))
PUBLISHED = [  # WGS 84 longitude, latitude; GCJ-02 longitude, latitude
    (121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
    (113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
    (116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
]


@pytest.mark.parametrize(("lon", "lat", "gcj_lon", "gcj_lat"), PUBLISHED)
def test_published_points_turn_into_gcj02_and_back(lon: float, lat: float, gcj_lon: float, gcj_lat: float) -> None:
    assert rules.wgs84_to_gcj02(lon, lat) == pytest.approx((gcj_lon, gcj_lat), abs=1e-6)
    assert rules.gcj02_to_wgs84(gcj_lon, gcj_lat) == pytest.approx((lon, lat), abs=1e-6)


def test_published_point_turns_into_bd09_and_back() -> None:
    assert rules.gcj02_to_bd09(116.404, 39.915) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)
    assert rules.bd09_to_gcj02(116.41036949371029, 39.92133699351021) == pytest.approx((116.404, 39.915), abs=1e-9)


def test_all_shared_gcj02_vectors_hold(shared_data: Path) -> None:
    """The file's BD-09 vectors come from a version of that library with π in place of 3000π/180 and are left out."""
    text = (shared_data / "gz_boundaries" / "gcj02_vectors" / "eviltransform_test.py").read_text("utf-8")
    block = re.search(r"^TESTS = (\[.*?^\])", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    vectors = ast.literal_eval(block.group(1))
    assert len(vectors) == 3
    for lat, lon, gcj_lat, gcj_lon in vectors:
        assert rules.wgs84_to_gcj02(lon, lat) == pytest.approx((gcj_lon, gcj_lat), abs=1e-6)


@settings(deadline=None)
@given(mainland)
def test_every_inverse_is_exact(point: tuple[float, float]) -> None:
    gcj, bd = rules.wgs84_to_gcj02(*point), rules.wgs84_to_bd09(*point)
    assert rules.gcj02_to_wgs84(*gcj) == pytest.approx(point, abs=1e-9)
    assert rules.bd09_to_gcj02(*bd) == pytest.approx(gcj, abs=1e-9)
    assert rules.bd09_to_wgs84(*bd) == pytest.approx(point, abs=1e-9)


@settings(deadline=None)
@given(mainland)
def test_the_shift_of_gcj02_is_at_most_a_kilometre(point: tuple[float, float]) -> None:
    assert rules.metres_between(point, rules.wgs84_to_gcj02(*point)) < 1000


@settings(deadline=None)
@given(st.floats(-180, 60), st.floats(-90, 90))
def test_outside_of_the_mainland_gcj02_is_wgs84(lon: float, lat: float) -> None:
    assert rules.wgs84_to_gcj02(lon, lat) == (lon, lat) == rules.gcj02_to_wgs84(lon, lat)


def test_a_degree_of_latitude_is_about_111_kilometres() -> None:
    assert rules.metres_between((113.0, 23.0), (113.0, 24.0)) == pytest.approx(111_195, rel=1e-4)


def test_coordinates_of_any_depth_are_converted_and_heights_dropped() -> None:
    lon, lat, gcj_lon, gcj_lat = PUBLISHED[1]
    converted = rules.convert_coordinates("GCJ-02", [[[gcj_lon, gcj_lat, 12.0]]])
    assert converted[0][0] == pytest.approx([lon, lat], abs=1e-9)
