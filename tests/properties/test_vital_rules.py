"""Properties of the rules of vitals: derivation is monotone and bounded, windows are touched exactly, levels do not overlap."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.brain.vitals.rules import buckets, city_mean, enough, interpolate, levels_of, reached, touched

PM25 = [(0.0, 0.0), (35.0, 50.0), (75.0, 100.0), (115.0, 150.0), (150.0, 200.0), (250.0, 300.0), (350.0, 400.0), (500.0, 500.0)]
numbers = st.floats(0, 1000, allow_nan=False)


@pytest.mark.parametrize(
    ("concentration", "index"),
    [(0, 0), (35, 50), (35.1, 51), (75, 100), (100, 132), (115, 150), (250, 300), (500, 500), (900, 500)],
)
def test_the_index_of_hj_633_is_rounded_up_and_ends_at_500(concentration: float, index: float) -> None:
    assert interpolate(PM25, np.array([concentration]), "up", 500)[0] == index


@given(st.lists(numbers, min_size=2, max_size=50))
def test_more_of_a_pollutant_never_gives_a_lower_index(raw: list[float]) -> None:
    mapped = interpolate(PM25, np.sort(np.array(raw)), "up", 500)
    assert (np.diff(mapped) >= 0).all()
    assert mapped.min() >= 0
    assert mapped.max() <= 500


@given(st.lists(st.one_of(numbers, st.just(math.nan)), min_size=1, max_size=20))
def test_missing_stays_missing_and_never_becomes_zero(raw: list[float]) -> None:
    values = np.array(raw)
    assert (np.isnan(interpolate(PM25, values, "up", 500)) == np.isnan(values)).all()
    known = [v for v in raw if not math.isnan(v)]
    mean = city_mean(values)
    assert math.isnan(mean) if not known else mean == pytest.approx(sum(known) / len(known))


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_an_observation_lies_in_the_bucket_that_ends_at_or_after_it(time: int, period: int) -> None:
    bucket = int(buckets(np.array([time]), period)[0])
    assert (bucket - 1) * period < time <= bucket * period
    assert reached(time, period) * period <= time < (reached(time, period) + 1) * period


@given(st.sets(st.integers(0, 200), max_size=10), st.integers(1, 30), st.integers(0, 100), st.integers(0, 100))
def test_exactly_the_marks_whose_window_holds_a_changed_bucket_are_touched(
    changed: set[int], span: int, first: int, more: int
) -> None:
    last = first + more
    expected = {m for m in range(first, last + 1) if changed & set(range(m - span + 1, m + 1))}
    assert touched(changed, span, first, last) == expected


@given(st.lists(numbers, max_size=30))
def test_every_value_has_at_most_one_level_and_bounds_belong_where_they_say(raw: list[float]) -> None:
    bounds = [(0.0, False), (35.0, True), (75.0, True)]
    for value, level in zip(raw, levels_of(bounds, np.array(raw)), strict=True):
        assert level == (2 if value > 75 else 1 if value > 35 else 0)
    assert levels_of(bounds, np.array([math.nan]))[0] == -1


def test_twenty_of_twenty_four_hours_are_enough_and_nineteen_are_not() -> None:
    assert enough(20, 24, 0.83)
    assert not enough(19, 24, 0.83)
    assert not enough(0, 24, 0.0)
