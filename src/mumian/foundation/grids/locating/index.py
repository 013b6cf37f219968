"""A cell index over polygons: most points are answered by one look into a raster, only those near a border by geometry."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOTHING = -1
_CHUNK = 1 << 18
_MOST_CELLS = 1 << 24
_CELLS_A_POLYGON = 700


class PolygonIndex:
    """Answers with the position of the polygon that covers a point, borders included, or -1; of several the first.

    A raster over all polygons holds for each cell: the polygon that covers it wholly, -1 where none touches it, or below that
    the number of a list of candidates, whose polygons are asked in turn. Immutable, and safe to use from many threads.
    """

    def __init__(self, polygons: Sequence[BaseGeometry]) -> None:
        self._polygons = np.array(polygons, dtype=object)
        self.size = len(polygons)
        if not self.size:
            return
        bounds = shapely.total_bounds(self._polygons)
        self._west, self._south = float(bounds[0]), float(bounds[1])
        width, height = max(float(bounds[2]) - self._west, 1e-9), max(float(bounds[3]) - self._south, 1e-9)
        cells = min(_MOST_CELLS, max(1 << 16, _CELLS_A_POLYGON * self.size))
        self._columns = int(np.clip(np.sqrt(cells * width / height), 1, 1 << 14))
        self._rows = int(np.clip(cells / self._columns, 1, 1 << 14))
        self._x_scale, self._y_scale = self._columns / width * (1 - 1e-12), self._rows / height * (1 - 1e-12)
        self._cells = np.full(self._columns * self._rows, NOTHING, np.int32)
        self._fill()
        shapely.prepare(self._polygons)

    def _fill(self) -> None:
        """Mark the cells that borders pass, then give every run of unmarked cells between them the polygon of its first."""
        border_cells, border_polygons = self._borders()
        marked = np.zeros(len(self._cells), bool)
        marked[border_cells] = True
        free = ~marked
        begins = free.copy()
        begins[1:] &= marked[:-1]
        begins[:: self._columns] = free[:: self._columns]
        starts = np.flatnonzero(begins)
        found = self._by_tree(*self._middles(starts))
        run = np.cumsum(begins) - 1
        self._cells[free] = found[run[free]]
        self._lists(border_cells, border_polygons)

    def _borders(self) -> tuple[Ints, Ints]:
        """Pairs of a cell and a polygon whose border passes it, and every polygon that touches that cell."""
        lines = shapely.boundary(self._polygons)
        parts, owner = shapely.get_parts(lines, return_index=True)
        coordinates, line = shapely.get_coordinates(parts, return_index=True)
        u, v = (coordinates[:, 0] - self._west) * self._x_scale, (coordinates[:, 1] - self._south) * self._y_scale
        first = np.flatnonzero(line[1:] == line[:-1])
        cells, edges = self._passed(u[first], v[first], u[first + 1], v[first + 1])
        pairs = _distinct(cells * self.size + owner[line[first]][edges])
        return pairs // self.size, pairs % self.size

    def _passed(self, u0: Floats, v0: Floats, u1: Floats, v1: Floats) -> tuple[Ints, Ints]:
        """The cells that segments pass (in cell units), with a margin against rounding, as (cell, segment)."""
        crossings, numbers = [np.zeros(len(u0)), np.ones(len(u0))], [np.arange(len(u0)), np.arange(len(u0))]
        for a, b in ((u0, u1), (v0, v1)):
            low, high = np.ceil(np.minimum(a, b)).astype(np.int64), np.floor(np.maximum(a, b)).astype(np.int64)
            counts = np.maximum(0, high - low + 1)
            number = np.repeat(np.arange(len(a)), counts)
            line = low[number] + np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (line - a[number]) / (b - a)[number]
            crossings.append(np.nan_to_num(t))
            numbers.append(number)
        t, number = np.clip(np.concatenate(crossings), 0, 1), np.concatenate(numbers)
        order = np.lexsort((t, number))
        t, number = t[order], number[order]
        inner = np.flatnonzero(number[1:] == number[:-1])
        middle, number = (t[inner] + t[inner + 1]) / 2, number[inner]
        u, v = u0[number] + middle * (u1 - u0)[number], v0[number] + middle * (v1 - v0)[number]
        cells, edges = [], []
        for du in (-1e-6, 1e-6):
            for dv in (-1e-6, 1e-6):
                column, row = self._clipped(u + du, v + dv)
                cells.append(row * self._columns + column)
                edges.append(number)
        return np.concatenate(cells), np.concatenate(edges)

    def _middles(self, cells: Ints) -> tuple[Floats, Floats]:
        column, row = np.mod(cells, self._columns).astype(np.float64), (cells // self._columns).astype(np.float64)
        return self._west + (column + 0.5) / self._x_scale, self._south + (row + 0.5) / self._y_scale

    def _clipped(self, u: Floats, v: Floats) -> tuple[Ints, Ints]:
        column = np.clip(np.floor(u).astype(np.int64), 0, self._columns - 1)
        return column, np.clip(np.floor(v).astype(np.int64), 0, self._rows - 1)

    def _by_tree(self, x: Floats, y: Floats) -> NDArray[np.int32]:
        """The first polygon that covers each point, by a tree: used while the raster is filled."""
        found = np.full(len(x), self.size, np.int64)
        point, polygon = shapely.STRtree(self._polygons).query(shapely.points(x, y), predicate="intersects")
        np.minimum.at(found, point, polygon)
        return np.where(found == self.size, NOTHING, found).astype(np.int32)

    def _lists(self, cells: Ints, polygons: Ints) -> None:
        """Lists of candidates: a cell that a border passes refers to the polygons to ask, in their order.

        A polygon that covers such a cell wholly has no border in it: it overlaps others, and is found by the cell's middle.
        """
        x, y = self._middles(cells)
        first = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
        point, whole = shapely.STRtree(self._polygons).query(shapely.points(x[first], y[first]), predicate="intersects")
        pairs = _distinct(np.concatenate([cells * self.size + polygons, cells[first][point] * self.size + whole]))
        cells, self._candidates = pairs // self.size, (pairs % self.size).astype(np.int32)
        self._firsts = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
        self._lengths = np.diff(np.r_[self._firsts, len(cells)])
        self._cells[cells[self._firsts]] = -2 - np.arange(len(self._firsts), dtype=np.int32)

    def locate(self, x: Any, y: Any, threads: int | None = None) -> NDArray[np.int32]:
        """The polygon of each point, in as many threads as there are processors; not finite or outside: -1."""
        x, y = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(y, np.float64)
        if not self.size or not len(x):
            return np.full(len(x), NOTHING, np.int32)
        found = np.empty(len(x), np.int32)
        starts = range(0, len(x), _CHUNK)

        def work(start: int) -> None:
            part = slice(start, start + _CHUNK)
            found[part] = self._part(x[part], y[part])

        if len(starts) == 1:
            work(0)
        else:
            with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
                list(pool.map(work, starts))
        return found

    def _part(self, x: Floats, y: Floats) -> NDArray[np.int32]:
        u, v = (x - self._west) * self._x_scale, (y - self._south) * self._y_scale
        inside = (u >= -1e-6) & (u <= self._columns + 1e-6) & (v >= -1e-6) & (v <= self._rows + 1e-6)
        column = np.where(inside, u, 0.0).astype(np.int32)
        row = np.where(inside, v, 0.0).astype(np.int32)
        np.clip(column, 0, self._columns - 1, out=column)
        np.clip(row, 0, self._rows - 1, out=row)
        found: NDArray[np.int32] = self._cells[row * np.int32(self._columns) + column]
        if not inside.all():
            found[~inside] = NOTHING
        near = np.flatnonzero(found < NOTHING)
        if len(near):
            found[near] = self._exact(-2 - found[near], x[near], y[near])
        return found

    def _exact(self, number: NDArray[np.int32], x: Floats, y: Floats) -> NDArray[np.int32]:
        """Ask the candidates of border cells, one after the other, for the points that have none yet."""
        found = np.full(len(x), NOTHING, np.int32)
        waiting = np.arange(len(x))
        first, length = self._firsts[number], self._lengths[number]
        turn = 0
        while len(waiting):
            waiting = waiting[length[waiting] > turn]
            candidate = self._candidates[first[waiting] + turn]
            hit = shapely.intersects_xy(self._polygons[candidate], x[waiting], y[waiting])
            found[waiting[hit]] = candidate[hit]
            waiting = waiting[~hit]
            turn += 1
        return found


def _distinct(values: Ints) -> Ints:
    """The values in order, each once: by sorting, several times as fast here as `np.unique`, which hashes."""
    ordered = np.sort(values)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered
