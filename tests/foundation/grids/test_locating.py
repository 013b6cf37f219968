"""Behaviour of the cell index: always what geometry says, for any polygons and any points."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.grids.locating import neutral
from mumian.foundation.grids.locating.index import PolygonIndex


def by_geometry(polygons: list[shapely.Geometry], x: np.ndarray, y: np.ndarray) -> list[int]:
    """The first polygon that covers each point, or -1."""
    hits = [shapely.intersects_xy(polygon, x, y) for polygon in polygons]
    return [next((i for i, hit in enumerate(hits) if hit[k]), -1) for k in range(len(x))]


def random_polygons(seed: int, count: int) -> list[shapely.Geometry]:
    """Polygons of a plane cut up at random, without gaps."""
    rng = np.random.default_rng(seed)
    box = shapely.box(113, 23, 114, 23.7)
    points = shapely.multipoints(np.c_[113 + rng.random(count), 23 + 0.7 * rng.random(count)])
    return list(shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box)), box))


@given(st.integers(0, 10_000), st.integers(2, 60))
def test_a_point_lies_where_geometry_says(seed: int, count: int) -> None:
    polygons, rng = random_polygons(seed, count), np.random.default_rng(seed + 1)
    corners = shapely.get_coordinates(polygons)
    middles = (corners[:-1] + corners[1:]) / 2
    x = np.r_[112.9 + 1.2 * rng.random(300), corners[:, 0], middles[:, 0]]
    y = np.r_[22.9 + 0.9 * rng.random(300), corners[:, 1], middles[:, 1]]
    assert PolygonIndex(polygons).locate(x, y).tolist() == by_geometry(polygons, x, y)


@given(st.integers(0, 10_000))
def test_polygons_that_overlap_have_holes_or_many_parts_are_answered_by_the_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circles = shapely.buffer(shapely.points(113 + rng.random((12, 2)) * 0.5), 0.02 + rng.random(12) * 0.2)
    polygons = [
        *shapely.difference(circles[:4], shapely.buffer(shapely.centroid(circles[:4]), 0.015)),
        *shapely.union(circles[4:8], circles[8:]),
        shapely.box(113, 113, 113.5, 113.5),
    ]
    x, y = 112.9 + rng.random(400) * 0.8, 112.9 + rng.random(400) * 0.8
    assert PolygonIndex(polygons).locate(x, y).tolist() == by_geometry(polygons, x, y)


def test_points_that_are_no_numbers_or_far_away_lie_nowhere() -> None:
    index = PolygonIndex([shapely.box(0, 0, 1, 1)])
    assert index.locate([np.nan, np.inf, -np.inf, 1e300, 0.5], [0.5, 0.5, 0.5, 0.5, 0.5]).tolist() == [-1, -1, -1, -1, 0]
    assert index.locate([], []).tolist() == []
    assert PolygonIndex([]).locate([1.0], [1.0]).tolist() == [-1]


def test_many_points_are_answered_the_same_by_one_thread_and_by_many() -> None:
    polygons, rng = random_polygons(1, 500), np.random.default_rng(2)
    x, y = 113 + rng.random(600_000), 23 + 0.7 * rng.random(600_000)
    index = PolygonIndex(polygons)
    assert np.array_equal(index.locate(x, y, 1), index.locate(x, y, 4))
    assert (index.locate(x, y) >= 0).all()


def test_neutral_cells_count_points_fill_areas_and_surround_each_other() -> None:
    cells = neutral.cells_of([113.3, 113.3, 113.4, np.nan], [23.1, 23.1, 23.2, 23.0], 9)
    counted = neutral.aggregate(cells, [1.0, 2.0, 5.0, 7.0])
    assert sorted(counted.values()) == [(1, 5.0), (2, 3.0)]
    cell = neutral.name_of(int(cells[0]))
    assert len(neutral.ring(cell, 2)) == 19
    assert cell in neutral.fill(neutral.boundary(cell), 9)
    square = shapely.geometry.mapping(shapely.box(113.0, 23.0, 113.1, 23.1))
    filled = neutral.fill(square, 8)
    assert len(filled) == pytest.approx(neutral.expected_cells(10_247 * 11_132, 8), rel=0.1)
