"""Near things: all pairs of points within a distance on the globe, found by cells of space instead of all with all."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
RADIUS = 6_371_008.8  # mean radius of the Earth in metres (IUGG)
_AROUND = [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)]
_AHEAD = [step for step in _AROUND if step > (0, 0, 0)]
_CHUNK = 4_000_000
_SPAN = 1 << 15


def metres(a: tuple[Float64, Float64], b: tuple[Float64, Float64]) -> Float64:
    """Great-circle distances between points given as longitudes and latitudes in degrees."""
    return chord_metres(np.linalg.norm(globe(*a) - globe(*b), axis=1))


def globe(longitude: Float64, latitude: Float64) -> Float64:
    """Points on the globe as x, y, z in metres, one row each."""
    lambdas, phis = np.radians(longitude), np.radians(latitude)
    across = np.cos(phis)
    return RADIUS * np.column_stack([across * np.cos(lambdas), across * np.sin(lambdas), np.sin(phis)])


def chord_metres(chord: Float64) -> Float64:
    """The distance on the globe between points whose straight distance is known."""
    return 2 * RADIUS * np.arcsin(np.minimum(chord / (2 * RADIUS), 1.0))


class Cells:
    """Points of a globe sorted into cubes with an edge of at least `distance`; `groups` keep apart what is not to be paired."""

    def __init__(self, points: Float64, distance: float, groups: Int64 | None = None) -> None:
        self._low = points.min(axis=0) if len(points) else np.zeros(3)
        span = float((points.max(axis=0) - self._low).max()) if len(points) else 0.0
        self.edge = max(distance * (1 + 1e-9), span / (_SPAN - 4), 1e-6)
        self._points = points
        keys = self._keys(self.cells(points), groups if groups is not None else np.zeros(len(points), np.int64))
        self.order = np.argsort(keys, kind="stable")
        self._sorted = keys[self.order]

    def cells(self, points: Float64) -> Int64:
        """The cube of each point; those far outside of all are pushed to the rim."""
        cells: Int64 = np.clip(np.floor((points - self._low) / self.edge) + 1, -1, _SPAN).astype(np.int64)
        return cells

    def pairs(self, points: Float64, groups: Int64, steps: list[tuple[int, int, int]]) -> Iterator[tuple[Int64, Int64]]:
        """Indices of `points` and of the own points in the cubes that lie `steps` away, in bounded portions."""
        cells = self.cells(points)
        for step in steps:
            keys = self._keys(cells + np.array(step), groups)
            first = np.searchsorted(self._sorted, keys, "left")
            counts = np.searchsorted(self._sorted, keys, "right") - first
            yield from self._expand(first, counts)

    def inside(self, groups: Int64) -> Iterator[tuple[Int64, Int64]]:
        """Pairs of own points of the same cube, each once."""
        keys = self._sorted
        last = np.searchsorted(keys, keys, "right")
        place = np.arange(len(keys))
        for i, j in self._expand(place + 1, last - place - 1):
            yield self.order[i], j

    def _expand(self, first: Int64, counts: Int64) -> Iterator[tuple[Int64, Int64]]:
        busy = np.flatnonzero(counts > 0)
        ends = np.cumsum(counts[busy])
        start = 0
        while start < len(busy):
            base = int(ends[start - 1]) if start else 0
            stop = max(int(np.searchsorted(ends, base + _CHUNK, "right")), start + 1)
            rows = busy[start:stop]
            each = counts[rows]
            left = np.repeat(rows, each)
            offsets = np.arange(len(left)) - np.repeat(np.cumsum(each) - each, each)
            yield left, self.order[np.repeat(first[rows], each) + offsets]
            start = stop

    @staticmethod
    def _keys(cells: Int64, groups: Int64) -> Int64:
        cells = cells + 2
        return ((groups * (_SPAN * 2) + cells[:, 0]) * (_SPAN * 2) + cells[:, 1]) * (_SPAN * 2) + cells[:, 2]


class TooNear(ValueError):
    """More pairs than may be looked at lie within the distance."""


def near_pairs(points: Float64, groups: Int64, owners: Int64, distance: float, most: int) -> tuple[Int64, Int64, Float64]:
    """Each pair once (i, j, metres) of points of one group and of different owners within `distance` metres.

    Raises TooNear when more than `most` candidates would have to be looked at.
    """
    cells = Cells(points, distance, groups)
    found: list[tuple[Int64, Int64, Float64]] = []
    looked = 0
    for portion in (cells.inside(groups), cells.pairs(points, groups, _AHEAD)):
        for one, other in portion:
            looked += len(one)
            if looked > most:
                raise TooNear
            apart_owners = owners[one] != owners[other]
            i, j = one[apart_owners], other[apart_owners]
            apart = chord_metres(np.linalg.norm(points[i] - points[j], axis=1))
            close = apart <= distance
            found.append((i[close], j[close], apart[close]))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    left, right, apart = (np.concatenate(column) for column in zip(*found, strict=True))
    return np.minimum(left, right), np.maximum(left, right), apart


def served(places: Float64, points: Float64, distance: float) -> NDArray[np.bool_]:
    """For each place whether any of the points lies within `distance` metres; all on the globe as x, y, z."""
    reached = np.zeros(len(places), np.bool_)
    if not len(points):
        return reached
    cells = Cells(points, distance)
    for step in sorted(_AROUND, key=lambda step: sum(map(abs, step))):
        waiting = np.flatnonzero(~reached)
        for i, j in cells.pairs(places[waiting], np.zeros(len(waiting), np.int64), [step]):
            apart = chord_metres(np.linalg.norm(places[waiting[i]] - points[j], axis=1))
            reached[waiting[i[apart <= distance]]] = True
    return reached
