"""Rules of shapes: footprints keep their area through CityJSON, any geometry is read or refused, cells find what they hold."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.buildings.rules import fields, ground
from mumian.foundation.buildings.rules.cityjson import BadCityJson, read
from mumian.foundation.buildings.rules.surfaces import BadGeometry, foot
from mumian.foundation.buildings.rules.writing import Entry, document, drawn_up
from tests.foundation.buildings.conftest import made_city

WHOLE = st.integers(-500, 500)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@st.composite
def footprints(draw: st.DrawFn) -> Any:
    """A convex area, sometimes with a hole."""
    points = draw(st.lists(st.tuples(WHOLE, WHOLE), min_size=3, max_size=9, unique=True))
    hull = shapely.MultiPoint(points).convex_hull
    if hull.geom_type != "Polygon" or hull.area < 50:
        hull = shapely.box(0, 0, 20, 10)
    inner = hull.buffer(-3)
    if draw(st.booleans()) and inner.geom_type == "Polygon" and inner.area > 1:
        return shapely.Polygon(hull.exterior, [inner.exterior.coords])
    return hull


@settings(max_examples=150)
@given(footprints(), st.integers(1, 300), st.floats(-20, 400))
def test_a_block_that_is_drawn_up_written_and_read_again_covers_the_same_ground(area: Any, height: int, level: float) -> None:
    shapes = drawn_up(area, level, height)
    again = read(document([Entry("b", "Building", {}, shapes)], "EPSG:4547"))
    (thing,) = again.things
    assert again.faults == []
    assert thing.footprint is not None
    assert thing.levels is not None
    assert thing.footprint.symmetric_difference(area).area < 0.01 * area.length
    assert thing.levels[1] - thing.levels[0] == pytest.approx(height, abs=0.002)


@settings(max_examples=200)
@given(st.sampled_from(["Solid", "MultiSurface", "MultiSolid", "MultiPoint", "Blob"]), JSON, JSON)
def test_any_boundaries_are_a_shape_or_are_refused(kind: str, boundaries: Any, semantics: Any) -> None:
    points = np.array([[0, 0, 0], [5, 0, 1], [5, 5, 2], [0, 5, 3]], np.float64)
    try:
        cover, levels = foot(kind, boundaries, semantics, points)
    except BadGeometry:
        return
    assert cover is None or (cover.is_valid and cover.area > 0)
    assert levels is None or levels[0] <= levels[1]


@settings(max_examples=200)
@given(st.sampled_from(["vertices", "transform", "CityObjects", "metadata", "geometry-templates", "version", "type"]), JSON)
def test_a_file_with_anything_in_the_place_of_a_member_is_read_or_refused(member: str, value: Any) -> None:
    try:
        found = read(made_city() | {member: value})
    except BadCityJson:
        return
    assert all(thing.footprint is None or thing.footprint.is_valid for thing in found.things)


@given(st.floats(-179, 179), st.floats(-85, 85), st.floats(0, 0.02), st.floats(0, 0.02), st.floats(0.0001, 0.2))
def test_whatever_meets_an_area_lies_in_its_cells(x: float, y: float, width: float, height: float, reach: float) -> None:
    thing, area = (x, y, x + width, y + height), (x - reach, y - reach, x + width / 2, y + height / 2)
    cell, ranges = ground.cell_of(thing), ground.cells_of(area)
    assert cell == ground.LARGE or ranges is None or any(first <= cell <= last for first, last in ranges)


@pytest.mark.parametrize(
    ("word", "use"),
    [
        ("住宅", "residential"),
        ("Office building", "office"),
        ("教学楼/学校", "education"),
        ("spaceport", "other"),
        ("yes", ""),
        (None, ""),
    ],
)
def test_words_of_sources_become_one_of_the_known_uses(word: Any, use: str) -> None:
    assert fields.use_of(word) == use


@given(JSON)
def test_attributes_of_any_kind_are_read_without_a_fault(value: Any) -> None:
    given_ = {"measuredHeight": value, "storeysAboveGround": value, "yearOfConstruction": value, "name": value, "usage": value}
    height, storeys, year = fields.height_of(given_), fields.storeys_of(given_), fields.year_of(given_)
    assert height is None or 0 < height <= 2000
    assert storeys is None or 0 <= storeys <= 400
    assert year is None or 1000 <= year <= 2099
    assert set(fields.title_of(given_)) in (set(), {"zh", "en"})
    assert len(str(fields.kept(given_))) < 40_000
