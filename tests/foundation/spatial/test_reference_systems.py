"""Behaviour of coordinate reference systems: names, zones, and conversion of whole arrays between any two."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from mumian.foundation.spatial.coordinates.transform import convert
from mumian.foundation.spatial.rules import metres_between, wgs84_to_gcj02
from mumian.foundation.spatial.rules.crs import offered, parse_crs, zones
from mumian.kernel.errors import Invalid

SYSTEMS = ["CRS84", "EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:4526", "EPSG:4547", "GCJ-02", "BD-09"]
near_114 = st.tuples(st.floats(112.6, 115.4), st.floats(18.0, 53.0))


@given(st.lists(near_114, min_size=1, max_size=20), st.sampled_from(SYSTEMS), st.sampled_from(SYSTEMS))
def test_any_system_leads_to_any_other_and_back_within_a_centimetre(points: list[tuple[float, float]], a: str, b: str) -> None:
    first, second = parse_crs(a), parse_crs(b)
    x, y = np.array(points).T
    here = convert(x, y, parse_crs("CRS84"), first)
    back = convert(*convert(*convert(*here, first, second), second, first), first, parse_crs("CRS84"))
    assert np.max(metres_between((x, y), back)) < 0.01


def test_a_zone_with_prefix_differs_by_its_number_in_millions_of_metres() -> None:
    crs84 = parse_crs("CRS84")
    with_prefix = convert([113.26], [23.13], crs84, parse_crs("EPSG:4526"))
    bare = convert([113.26], [23.13], crs84, parse_crs("EPSG:4547"))
    assert with_prefix[0][0] - bare[0][0] == pytest.approx(38_000_000, abs=1e-3)
    assert with_prefix[1][0] == pytest.approx(bare[1][0], abs=1e-3)
    theirs = Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True).transform(113.26, 23.13)
    assert (bare[0][0], bare[1][0]) == pytest.approx(theirs, abs=0.01)


def test_arrays_and_numbers_are_shifted_alike_and_nan_stays_nan() -> None:
    x, y = np.array([113.3, 0.0, np.nan]), np.array([23.1, 51.5, 23.0])
    made = wgs84_to_gcj02(x, y)
    assert (made[0][0], made[1][0]) == wgs84_to_gcj02(113.3, 23.1)
    assert (made[0][1], made[1][1]) == (0.0, 51.5)
    assert np.isnan(made[0][2])


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("http://www.opengis.net/def/crs/EPSG/0/4547", "EPSG:4547"),
        ("urn:ogc:def:crs:EPSG::4490", "EPSG:4490"),
        ("[EPSG:3857]", "EPSG:3857"),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "CRS84"),
        ("urn:mumian:crs:GCJ-02", "GCJ-02"),
        ("bd09", "BD-09"),
    ],
)
def test_a_system_is_known_by_its_names(given: str, name: str) -> None:
    assert parse_crs(given).name == name
    assert parse_crs(parse_crs(given).uri).name == name


@pytest.mark.parametrize(
    "given", ["", "EPSG:", "EPSG:12345678", "mars", "urn:mumian:crs:", "http://www.opengis.net/def/crs/EPSG/0/"]
)
def test_what_is_no_system_is_refused(given: str) -> None:
    with pytest.raises(Invalid):
        parse_crs(given)


def test_a_code_that_proj_does_not_know_is_refused_when_it_is_used() -> None:
    with pytest.raises(Invalid):
        convert([1.0], [1.0], parse_crs("EPSG:9999"), parse_crs("CRS84"))


def test_what_has_no_image_becomes_nan() -> None:
    x, _ = convert([113.0, 113.0], [23.0, np.inf], parse_crs("CRS84"), parse_crs("EPSG:3857"))
    assert np.isnan(x).tolist() == [False, True]


def test_the_systems_offered_for_a_place_have_its_zones_in_both_forms() -> None:
    assert [crs.name for crs in zones(112.9, 114.1)] == ["EPSG:4526", "EPSG:4547"]
    assert len(offered(-180, 180)) == 6
