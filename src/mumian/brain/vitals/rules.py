"""Rules of vitals: marks of time, piecewise linear derivation, city means and levels, as pure functions over arrays.

Missing numbers are NaN throughout. A mark is an instant counted in whole periods of a vital's frequency since 1970; the
bucket of a mark holds the observations after the mark before it, up to and including the mark.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rounding = Literal["up", "nearest", "none"]
_SMALL = 1e-9


def buckets(times: Integers, period: int) -> Integers:
    """The bucket of each instant; `times` and `period` in the same unit."""
    return -(-times // period)


def reached(time: int, period: int) -> int:
    """The last mark that an instant has reached."""
    return time // period


def touched(changed: Iterable[int], span: int, first: int, last: int) -> set[int]:
    """The marks between `first` and `last` whose window of `span` buckets holds a changed bucket."""
    marks: set[int] = set()
    for bucket in changed:
        marks.update(range(max(bucket, first), min(bucket + span - 1, last) + 1))
    return marks


def interpolate(
    points: Sequence[tuple[float, float]], values: Floats, rounding: Rounding = "none", cap: float | None = None
) -> Floats:
    """Map values through the polyline of `points` (x growing); level below the first, the last segment prolonged up to `cap`."""
    xs = np.array([x for x, _ in points])
    ys = np.array([y for _, y in points])
    segment = np.clip(np.searchsorted(xs, values, side="right") - 1, 0, len(xs) - 2)
    slope = (ys[segment + 1] - ys[segment]) / (xs[segment + 1] - xs[segment])
    result = np.where(values <= xs[0], ys[0], ys[segment] + slope * (values - xs[segment]))
    result = np.where(np.isnan(values), np.nan, result)
    if cap is not None:
        result = np.minimum(result, cap)
    if rounding == "up":
        result = np.ceil(result - _SMALL)
    elif rounding == "nearest":
        result = np.floor(result + 0.5)
    return result + 0.0


def city_mean(stations: Floats) -> float:
    """The mean of the stations that have a value (HJ 663-2013); NaN if none has."""
    known = stations[~np.isnan(stations)]
    return float(known.mean()) if known.size else float("nan")


def levels_of(bounds: Sequence[tuple[float, bool]], values: Floats) -> Integers:
    """The index of the level of each value, -1 below the first or missing; a bound is (value, strictly above it)."""
    result = np.full(values.shape, -1, dtype=np.int64)
    for index, (bound, strict) in enumerate(bounds):
        result[(values > bound) if strict else (values >= bound)] = index
    return result


def enough(counts: Any, expected: Any, minimum_share: float) -> Any:
    """Whether enough of the expected observations are there; none at all is never enough."""
    return (counts > 0) & (counts + _SMALL >= expected * minimum_share)
