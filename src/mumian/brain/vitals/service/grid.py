"""Grids: count, sum, least, greatest and last observation of every stream in every bucket of time, kept by small additions."""

import numpy as np
from numpy.typing import NDArray

from mumian.brain.vitals.rules import Floats, Integers


class Grid:
    """Buckets `first` … `last`, one column a stream; observations outside are ignored, missing ones count for nothing."""

    def __init__(self, streams: int, first: int, length: int) -> None:
        self.first = first
        shape = (length, streams)
        self._counts: Integers = np.zeros(shape, np.int64)
        self._sums: Floats = np.zeros(shape)
        self._least: Floats = np.full(shape, np.inf)
        self._greatest: Floats = np.full(shape, -np.inf)
        self._newest: Floats = np.full(shape, np.nan)

    @property
    def last(self) -> int:
        """The newest bucket."""
        return self.first + len(self._counts) - 1

    def add(self, columns: Integers, buckets: Integers, results: Floats) -> None:
        """Add observations that are not in the grid yet, in the order of their times."""
        inside = (buckets >= self.first) & (buckets <= self.last) & ~np.isnan(results)
        at = (buckets[inside] - self.first, columns[inside])
        values = results[inside]
        np.add.at(self._counts, at, 1)
        np.add.at(self._sums, at, values)
        np.minimum.at(self._least, at, values)
        np.maximum.at(self._greatest, at, values)
        self._newest[at] = values

    def clear(self, columns: Integers, buckets: Integers) -> None:
        """Forget what stands in these places."""
        inside = (buckets >= self.first) & (buckets <= self.last)
        at = (buckets[inside] - self.first, columns[inside])
        for array, nothing in self._arrays():
            array[at] = nothing

    def slide(self, last: int) -> None:
        """Make `last` the newest bucket, forgetting as many of the oldest."""
        steps = last - self.last
        if steps <= 0:
            return
        length = len(self._counts)
        for array, nothing in self._arrays():
            if steps < length:
                array[:-steps] = array[steps:]
            array[-min(steps, length) :] = nothing
        self.first += steps

    def holds(self, mark: int, span: int) -> bool:
        """Whether the window of `span` buckets that ends at a mark lies in the grid."""
        return mark - span + 1 >= self.first and mark <= self.last

    def window(self, mark: int, span: int, aggregate: str) -> tuple[Floats, Integers]:
        """The aggregate (mean, max, min, sum, last) over a window of every stream, NaN where there is nothing, and its count."""
        rows = slice(mark - span + 1 - self.first, mark + 1 - self.first)
        counts: Integers = self._counts[rows].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = self._aggregate(rows, counts, aggregate)
        return np.where(counts > 0, values, np.nan), counts

    def _aggregate(self, rows: slice, counts: Integers, aggregate: str) -> Floats:
        if aggregate == "max":
            return np.asarray(self._greatest[rows].max(axis=0))
        if aggregate == "min":
            return np.asarray(self._least[rows].min(axis=0))
        if aggregate == "last":
            part = self._newest[rows]
            newest = len(part) - 1 - np.argmax(~np.isnan(part[::-1]), axis=0)
            return np.asarray(part[newest, np.arange(part.shape[1])])
        sums = self._sums[rows].sum(axis=0)
        return np.asarray(sums / counts if aggregate == "mean" else sums)

    def _arrays(self) -> list[tuple[NDArray[np.generic], float]]:
        return [
            (self._counts, 0),
            (self._sums, 0.0),
            (self._least, np.inf),
            (self._greatest, -np.inf),
            (self._newest, np.nan),
        ]
