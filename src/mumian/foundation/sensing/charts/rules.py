"""Rules of charts: buckets with minimum, mean and maximum, and the largest triangles (LTTB), over whole columns."""

from dataclasses import dataclass

import numpy as np

from mumian.foundation.sensing.contracts import Float64, Int64


@dataclass(frozen=True, eq=False)
class Buckets:
    """Observations by bucket, each bucket once, in order: `numbers[i]` is the bucket's place from the start.

    `counts` are results, missing ones left out; minimum and maximum come with their times.
    """

    numbers: Int64
    counts: Int64
    totals: Float64
    minima: Float64
    minimum_times: Int64
    maxima: Float64
    maximum_times: Int64

    @staticmethod
    def concat(parts: "list[Buckets]") -> "Buckets":
        """All parts, each bucket once for each part that has it."""
        names = Buckets.__dataclass_fields__
        return Buckets(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def bucketed(times: Int64, results: Float64, start: int, width: int) -> Buckets:
    """Observations as buckets of `width` µs from `start` on; missing results are left out."""
    there = ~np.isnan(results)
    times, results = times[there], results[there]
    ones = np.ones(len(times), np.int64)
    return merged(Buckets((times - start) // width, ones, results, results, times, results, times))


def merged(parts: Buckets) -> Buckets:
    """Each bucket once: of equal extremes the earliest is told."""
    if not len(parts.numbers):
        return parts
    order = np.argsort(parts.numbers, kind="stable")
    numbers = parts.numbers[order]
    first = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    minima, minimum_times = _extreme(numbers, parts.minima[order], parts.minimum_times[order], first)
    maxima, maximum_times = _extreme(numbers, -parts.maxima[order], parts.maximum_times[order], first)
    return Buckets(
        numbers[first],
        np.add.reduceat(parts.counts[order], first),
        np.add.reduceat(parts.totals[order], first),
        minima,
        minimum_times,
        -maxima,
        maximum_times,
    )


def _extreme(numbers: Int64, values: Float64, times: Int64, first: Int64) -> tuple[Float64, Int64]:
    """The least value of each run of equal numbers, and its earliest time."""
    least = np.minimum.reduceat(values, first)
    lengths = np.diff(np.append(first, len(numbers)))
    at = np.where(values == np.repeat(least, lengths), times, np.iinfo(np.int64).max)
    return least, np.minimum.reduceat(at, first)


def extremes(buckets: Buckets) -> tuple[Int64, Float64]:
    """The minimum and the maximum of each bucket as points, by time."""
    times = np.concatenate([buckets.minimum_times, buckets.maximum_times])
    results = np.concatenate([buckets.minima, buckets.maxima])
    times, chosen = np.unique(times, return_index=True)
    return times, results[chosen]


def largest_triangles(times: Int64, results: Float64, points: int) -> Int64:
    """The indices that LTTB chooses (S. Steinarsson, Downsampling Time Series for Visual Representation, 2013, 4.2).

    First and last stay; the rest is cut into `points` - 2 buckets of equal size, and of each the point is chosen that makes the
    largest triangle with the one chosen before and the mean of the bucket after; of equal ones the first.
    """
    count = len(times)
    if points >= count or points < 3:
        return np.arange(count) if points >= count else np.unique([0, count - 1])[:points]
    x = (times - times[0]).astype(np.float64)
    edges = np.floor(np.arange(points - 1) * (count - 2) / (points - 2)).astype(np.int64) + 1
    means_x, means_y = _means(x, edges, count), _means(results, edges, count)
    chosen = np.empty(points, np.int64)
    chosen[0], chosen[-1] = 0, count - 1
    before = 0
    for bucket in range(points - 2):
        first, end = int(edges[bucket]), int(edges[bucket + 1])
        left_x, left_y = x[before], results[before]
        areas = np.abs(
            (left_x - means_x[bucket + 1]) * (results[first:end] - left_y)
            - (left_x - x[first:end]) * (means_y[bucket + 1] - left_y)
        )
        before = first + int(np.argmax(areas))
        chosen[bucket + 1] = before
    return chosen


def _means(values: Float64, edges: Int64, count: int) -> Float64:
    """The mean of each bucket; the last is the last point alone."""
    sums = np.add.reduceat(values, np.append(edges[:-1], edges[-1]))
    lengths = np.diff(np.append(edges, count))
    means: Float64 = sums / lengths
    return means
