"""Series for charts: bounded whatever the span, equal to plain definitions, respecting corrections, quality and units."""

import math
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.charts import series as module
from mumian.foundation.sensing.charts.rules import bucketed, extremes, largest_triangles
from mumian.kernel.declarations.documents import Document
from mumian.kernel.platform import Platform

START = 1_388_534_400_000_000
MINUTE = 60_000_000
NUMBERS = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=80)


def triangles(times: list[int], values: list[float], points: int) -> list[int]:
    """LTTB as its author gives it, point by point."""
    count = len(times)
    if points >= count:
        return list(range(count))
    edges = [math.floor(n * (count - 2) / (points - 2)) + 1 for n in range(points - 1)] + [count]
    chosen = [0]
    for bucket in range(points - 2):
        after = range(edges[bucket + 1], edges[bucket + 2])
        mean_x = sum(times[n] - times[0] for n in after) / len(after)
        mean_y = sum(values[n] for n in after) / len(after)
        left_x, left_y = times[chosen[-1]] - times[0], values[chosen[-1]]

        def area(n: int, a: Any = (left_x, left_y, mean_x, mean_y)) -> float:
            return abs((a[0] - a[2]) * (values[n] - a[1]) - (a[0] - (times[n] - times[0])) * (a[3] - a[1]))

        inside = range(edges[bucket], edges[bucket + 1])
        chosen.append(max(inside, key=lambda n: (area(n), -n)))
    return [*chosen, count - 1]


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=120), st.integers(3, 60))
def test_the_largest_triangles_are_those_of_the_definition(values: list[int], points: int) -> None:
    times = np.arange(len(values), dtype=np.int64) * 8
    found = largest_triangles(times, np.array(values, np.float64), points)
    assert len(found) == min(points, len(values))
    assert found.tolist() == triangles(times.tolist(), [float(v) for v in values], points)


@given(NUMBERS, st.integers(1, 50))
def test_buckets_hold_what_they_say(values: list[float], width: int) -> None:
    times = np.arange(len(values), dtype=np.int64) * 7
    found = bucketed(times, np.array(values), 0, width)
    plain: dict[int, list[tuple[int, float]]] = {}
    for time, value in zip(times.tolist(), values, strict=True):
        if not math.isnan(value):
            plain.setdefault(time // width, []).append((time, value))
    assert found.numbers.tolist() == list(plain)
    assert found.counts.tolist() == [len(rows) for rows in plain.values()]
    assert found.minima.tolist() == [min(value for _, value in rows) for rows in plain.values()]
    assert found.maximum_times.tolist() == [max(rows, key=lambda row: (row[1], -row[0]))[0] for rows in plain.values()]
    assert found.totals.tolist() == pytest.approx([sum(value for _, value in rows) for rows in plain.values()], abs=1e-6)
    assert set(extremes(found)[0].tolist()) == {*found.minimum_times.tolist(), *found.maximum_times.tolist()}


def rows(values: Any, first: int = -1000) -> Observations:
    """A result a minute, the first so many minutes from the present."""
    values = np.array(values, np.float64)
    return Observations(np.ones(len(values), np.int64), START + MINUTE * np.arange(first, first + len(values)), values)


async def asked(http: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    """The series of stream a over the thousand minutes before the present."""
    span = {"from": "2013-12-31T07:20:00Z", "to": "2014-01-01T00:00:00Z"}
    answer = await http.get("/api/v1/foundation/sensing/streams/a/series", params={**span, **params})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sensing_of(http: httpx.AsyncClient) -> Sensing:
    """The sensing behind a client."""
    platform: Platform = http.platform  # type: ignore[attr-defined]
    return platform.get(Sensing)


async def test_minimum_mean_and_maximum_of_equal_spans(http: httpx.AsyncClient) -> None:
    await sensing_of(http).record(rows(range(1000)))
    found = await asked(http, points=10)
    assert found["columns"] == ["time", "minimum", "mean", "maximum", "count"]
    assert found["rows"][0] == ["2013-12-31T07:20:00.000000Z", 0.0, 49.5, 99.0, 100]
    assert [row[1] for row in found["rows"]] == [100.0 * n for n in range(10)]
    assert found["bucket_seconds"] == 6000.0
    assert [row[1] for row in (await asked(http, points=10, method="mean"))["rows"]] == [49.5 + 100 * n for n in range(10)]


async def test_corrections_count_once_in_the_lake_and_before_it(http: httpx.AsyncClient) -> None:
    sensing = sensing_of(http)
    await sensing.record(rows([1, 2, 3], -3))
    await sensing.folding.fold()
    await sensing.record(rows([20], -2))
    await sensing.record(rows([math.nan], -1))
    found = await asked(http, points=2)
    assert [row[1:] for row in found["rows"]] == [[1.0, 10.5, 20.0, 2]]


async def test_the_shape_of_a_line_is_kept(http: httpx.AsyncClient) -> None:
    values = np.zeros(1000)
    values[417] = 50.0
    await sensing_of(http).record(rows(values))
    found = await asked(http, points=20, method="lttb")
    assert found["columns"] == ["time", "result"]
    assert len(found["rows"]) == 20
    assert ["2013-12-31T14:17:00.000000Z", 50.0] in found["rows"]


async def test_a_long_span_is_read_in_parts_and_answers_the_same(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensing = sensing_of(http)
    values = np.random.default_rng(7).normal(size=1000)
    await sensing.record(rows(values))
    await sensing.folding.fold()
    whole = [await asked(http, points=37, method=method) for method in ("minmax", "mean")]
    monkeypatch.setattr(module, "_PART", 60)
    for method, expected in zip(("minmax", "mean"), whole, strict=True):
        found = await asked(http, points=37, method=method)
        assert [row[0] for row in found["rows"]] == [row[0] for row in expected["rows"]]
        assert np.array([row[1:] for row in found["rows"]]) == pytest.approx(np.array([row[1:] for row in expected["rows"]]))
    monkeypatch.setattr(module, "_EXACT", 100)
    found = await asked(http, points=30, method="lttb")
    assert len(found["rows"]) == 30
    assert {row[1] for row in found["rows"]} <= set(values.tolist())


async def test_units_and_quality_are_heeded(http: httpx.AsyncClient) -> None:
    platform: Platform = http.platform  # type: ignore[attr-defined]
    spec = {"observed_property": "pm25", "maximum": 100}
    await platform.declarations.apply([Document("QualityProfile", "q", {"zh": "规", "en": "Q"}, spec)], "test")
    await sensing_of(http).record(rows([10, 900, 20], -3))
    found = await asked(http, points=2, quality="good", unit="mg/m3")
    assert found["unit"] == "mg/m3"
    assert [row[3:] for row in found["rows"]] == [[0.02, 2]]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"points": 1}, 422),
        ({"points": 5001}, 422),
        ({"unit": "degF"}, 422),
        ({"method": "median"}, 422),
        ({"from": "2014-01-02T00:00:00Z"}, 422),
        ({"from": "2013-12-31T00:00:00"}, 422),
        ({"from": "0001-01-01T00:00:00Z"}, 422),
        ({"from": "yesterday"}, 422),
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_with_what_is_wrong(
    http: httpx.AsyncClient, params: dict[str, Any], status: int
) -> None:
    span = {"from": "2013-12-31T07:20:00Z", "to": "2014-01-01T00:00:00Z"}
    answer = await http.get("/api/v1/foundation/sensing/streams/a/series", params={**span, **params})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] in params


async def test_nothing_is_no_error(http: httpx.AsyncClient) -> None:
    assert (await asked(http))["rows"] == []
    assert (await asked(http, method="lttb"))["rows"] == []
    assert (await http.get("/api/v1/foundation/sensing/streams/none/series")).status_code == 404
