"""Series: one stream over a span, read part by part and reduced to points at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.charts.rules import Buckets, bucketed, extremes, largest_triangles, merged
from mumian.foundation.sensing.contracts import Float64, Int64, StreamInfo
from mumian.foundation.sensing.quality.units import conversion
from mumian.foundation.sensing.retention.aggregates import Aggregates
from mumian.foundation.storage.contracts import Array, Lake

Method = Literal["minmax", "mean", "lttb"]
_EXACT = 200_000
_PART = 1_000_000
_COARSE = 512


@dataclass(frozen=True)
class Question:
    """A span in µs since 1970 (start included, end not), how many points, and how they are made."""

    start: int
    end: int
    points: int
    method: Method
    good_only: bool = False
    unit: str | None = None


@dataclass(frozen=True, eq=False)
class Series:
    """The answer: for `lttb` results at their times, else buckets of `width` µs; `aggregated` if raw rows were not there."""

    unit: str
    width: int | None
    times: Int64
    results: Float64
    buckets: Buckets | None
    aggregated: bool


def series(sensing: Sensing, stream: StreamInfo, question: Question, aggregates: Aggregates) -> Series:
    """Answer a question about one stream; to be called off the event loop. Raises Invalid for a unit that does not fit."""
    unit = question.unit or stream.unit
    change = conversion(stream.unit, unit)
    fine = question.points * 2 if question.method == "lttb" else question.points
    width = max(1, -(-(question.end - question.start) // fine))
    parts, few_times, few_results = [], [], []
    few = 0
    old = aggregates.before(stream.id)
    for start, end in _spans(sensing, stream.id, max(question.start, old), question.end):
        rows = sensing.window([stream.id], start, end, good_only=question.good_only)
        results = change.apply(rows.results)
        parts.append(bucketed(rows.times, results, question.start, width))
        few += len(rows)
        if few <= _EXACT:
            there = ~np.isnan(results)
            few_times.append(rows.times[there])
            few_results.append(results[there])
    aggregated = question.start < old
    if aggregated:
        found = aggregates.read(stream.id, question.start, min(old, question.end), question.good_only)
        parts.append(_scaled(_as_buckets(found, question.start, width), change.scale, change.offset))
    buckets = merged(Buckets.concat(parts)) if parts else bucketed(np.empty(0, np.int64), np.empty(0), 0, 1)
    if question.method != "lttb":
        return Series(unit, width, question.start + buckets.numbers * width, buckets.totals / buckets.counts, buckets, aggregated)
    if few <= _EXACT and not aggregated:
        times = np.concatenate([np.empty(0, np.int64), *few_times])
        results = np.concatenate([np.empty(0), *few_results])
    else:
        # MinMaxLTTB (J. Van Der Donckt and others, 2023): the extremes of narrow buckets keep the shape of millions of points.
        times, results = extremes(buckets)
    chosen = largest_triangles(times, results, question.points)
    return Series(unit, None, times[chosen], results[chosen], None, aggregated)


def _as_buckets(found: dict[str, Array], start: int, width: int) -> Buckets:
    times = found["time"].astype(np.int64)
    low, high, totals = (found[name].astype(np.float64) for name in ("minimum", "maximum", "total"))
    return merged(Buckets((times - start) // width, found["count"].astype(np.int64), totals, low, times, high, times))


def _scaled(buckets: Buckets, scale: float, offset: float) -> Buckets:
    low, high = buckets.minima * scale + offset, buckets.maxima * scale + offset
    totals = buckets.totals * scale + offset * buckets.counts
    if scale >= 0:
        return Buckets(buckets.numbers, buckets.counts, totals, low, buckets.minimum_times, high, buckets.maximum_times)
    return Buckets(buckets.numbers, buckets.counts, totals, high, buckets.maximum_times, low, buckets.minimum_times)


def _spans(sensing: Sensing, stream: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Parts of the span that hold about a million rows at most each, unless so many came within a 512th of it."""
    if end <= start:
        return
    if sensing.counts([stream])[stream] <= 2 * _PART:
        yield start, end
        return
    width = max(1, -(-(end - start) // _COARSE))
    found = sensing.platform.get(Lake).columns(  # type: ignore[type-abstract]
        "SELECT (time - $start) // $width AS part, count(*) AS count FROM observation "
        "WHERE stream = $stream AND time >= $start AND time < $end GROUP BY part ORDER BY part",
        start=start,
        end=end,
        width=width,
        stream=stream,
    )
    at, held = start, 0
    for part, count in zip(found["part"].tolist(), found["count"].tolist(), strict=True):
        if held and held + count > _PART:
            edge = start + part * width
            yield at, edge
            at, held = edge, 0
        held += count
    yield at, end
