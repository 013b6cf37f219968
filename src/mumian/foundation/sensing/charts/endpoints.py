"""Endpoints of charts: a stream's series over a span."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.charts.series import Method, Question, Series, series
from mumian.foundation.sensing.retention.aggregates import Aggregates
from mumian.foundation.sensing.rules import microseconds
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid
from mumian.kernel.web import PlatformDep

router = APIRouter()
_MOST = 5000
_COLUMNS = ["time", "minimum", "mean", "maximum", "count"]
Value = str | float | int | None


class SeriesView(BaseModel):
    """A stream over a span, as rows of `columns`; a bucket's time is its start, and buckets without results are left out.

    `aggregated` says that a part was answered from hourly or daily aggregates, since its single observations are removed.
    """

    stream: str
    unit: str
    start: str
    end: str
    method: Method
    bucket_seconds: float | None
    aggregated: bool
    columns: list[str]
    rows: list[list[Value]]


@router.get("/streams/{name}/series")
async def stream_series(
    platform: PlatformDep,
    _: Annotated[Caller, Depends(permit("observation:read"))],
    name: str,
    start: Annotated[datetime | None, Query(alias="from")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
    points: Annotated[int, Query(ge=2, le=_MOST)] = 500,
    method: Method = "minmax",
    quality: Literal["all", "good"] = "all",
    unit: Annotated[str | None, Query(min_length=1, max_length=60)] = None,
) -> SeriesView:
    """One stream from `from` to `to` (default: the last day) in at most `points` points.

    `minmax` gives minimum, mean and maximum of equal spans, `mean` the mean alone, `lttb` those observations that keep the shape
    of the line. With `quality=good` what something speaks against is left out; `unit` converts.
    """
    sensing = platform.get(Sensing)
    until = _time("to", end) if end is not None else microseconds(platform.clock.now()) + 1
    since = _time("from", start) if start is not None else until - microseconds(_epoch() + timedelta(days=1))
    if since >= until:
        raise Invalid.field("from", "field.range", expected="< to")
    stream = await asyncio.to_thread(sensing.stream, name)
    question = Question(since, until, points, method, quality == "good", unit)
    found = await asyncio.to_thread(series, sensing, stream, question, platform.get(Aggregates))
    columns, rows = _rows(found, method)
    width = None if found.width is None else found.width / 1e6
    return SeriesView(
        stream=name, unit=found.unit, start=_iso(since), end=_iso(until), method=method, bucket_seconds=width,
        aggregated=found.aggregated, columns=columns, rows=rows,
    )  # fmt: skip


def _rows(found: Series, method: Method) -> tuple[list[str], list[list[Value]]]:
    times = [_iso(time) for time in found.times.tolist()]
    if method == "lttb" or found.buckets is None:
        return ["time", "result"], [list(row) for row in zip(times, found.results.tolist(), strict=True)]
    if method == "mean":
        return ["time", "mean"], [list(row) for row in zip(times, found.results.tolist(), strict=True)]
    buckets = found.buckets
    columns = (times, buckets.minima.tolist(), found.results.tolist(), buckets.maxima.tolist(), buckets.counts.tolist())
    return _COLUMNS, [list(row) for row in zip(*columns, strict=True)]


def _iso(time: int) -> str:
    return str(np.datetime64(time, "us")) + "Z"


def _epoch() -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _time(field: str, given: datetime) -> int:
    if given.tzinfo is None or not 1900 <= given.year < 2200:
        raise Invalid.field(field, "sensing.time", given=iso_or_text(given))
    return microseconds(given)


def iso_or_text(given: datetime) -> str:
    """An instant as text, with or without an offset."""
    return given.isoformat() if given.tzinfo is None else iso(given)
