"""Properties of the rules of quality and of units, against plain definitions written row by row."""

import contextlib
import math
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.sensing import flags
from mumian.foundation.sensing.contracts import NONE, Observations
from mumian.foundation.sensing.quality.rules import WINDOW, Limits, State, judge
from mumian.foundation.sensing.quality.units import conversion
from mumian.kernel.errors import Invalid

SECOND = 1_000_000
RECEIVED = 500 * SECOND
RESULT = st.one_of(st.sampled_from([0.0, 1.0, 1.5, 2.0, 9.0, 100.0, -50.0]), st.just(math.nan), st.integers(0, 5).map(float))
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), RESULT, st.one_of(st.none(), st.integers(0, 60))), max_size=90)
NUMBER = st.one_of(st.just(math.nan), st.sampled_from([0.5, 1.0, 3.0, 20.0]))
TIME = st.sampled_from([0, 1, 3, 450])
Row = tuple[int, int, float, int | None]


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """What may be declared of three streams."""

    def numbers(one: st.SearchStrategy[Any], kind: Any, scale: int = 1) -> Any:
        return np.array([draw(one) * scale for _ in range(3)], kind)

    return Limits(
        numbers(NUMBER, np.float64),
        numbers(NUMBER, np.float64),
        numbers(st.sampled_from([0, 2, 3, 5]), np.int64),
        numbers(st.sampled_from([0.0, 0.5, 1.0]), np.float64),
        numbers(NUMBER, np.float64),
        numbers(NUMBER, np.float64),
        numbers(st.sampled_from([0.0, 2.0]), np.float64),
        numbers(TIME, np.int64, SECOND),
        numbers(TIME, np.int64, SECOND),
        numbers(TIME, np.int64, SECOND),
    )


def plainly(rows: list[Row], limit: Limits, received: int | None) -> list[int]:
    """The flags of each row by the definitions, from all rows of its stream before it."""
    found = []
    for number, (stream, second, result, result_second) in enumerate(rows):
        before = [row for row in rows[:number] if row[0] == stream]
        flag = 0
        if result < limit.minimum[stream] or result > limit.maximum[stream]:
            flag |= flags.OUT_OF_RANGE
        if drifts(second * SECOND, None if result_second is None else result_second * SECOND, stream, limit, received):
            flag |= flags.CLOCK_DRIFT
        latest = max((row[1] for row in before), default=None)
        if latest is None or second > latest:
            if latest is not None and limit.gap[stream] and (second - latest) * SECOND > limit.gap[stream]:
                flag |= flags.AFTER_GAP
            if not math.isnan(result):
                flag |= from_history(rising(before), second, result, stream, limit)
        found.append(flag)
    return found


def drifts(time: int, result_time: int | None, stream: int, limit: Limits, received: int | None) -> bool:
    """Whether a device's clock is in doubt."""
    ahead, behind = limit.ahead[stream], limit.behind[stream]
    if ahead and result_time is not None and time - result_time > ahead:
        return True
    if received is None:
        return False
    return bool((ahead and time - received > ahead) or (behind and received - time > behind))


def rising(rows: list[Row]) -> list[tuple[int, float]]:
    """Time and result of the rows in order that have one."""
    kept: list[tuple[int, float]] = []
    latest = None
    for _, second, result, _ in rows:
        if latest is None or second > latest:
            latest = second
            if not math.isnan(result):
                kept.append((second, result))
    return kept


def from_history(history: list[tuple[int, float]], second: int, result: float, stream: int, limit: Limits) -> int:
    """Stuck and spike."""
    flag, run = 0, 1
    values = [value for _, value in history] + [result]
    while run < len(values) and abs(values[-run] - values[-run - 1]) <= limit.stuck_tolerance[stream]:
        run += 1
    if limit.stuck_count[stream] and run >= limit.stuck_count[stream]:
        flag |= flags.STUCK
    if history and abs(result - history[-1][1]) > limit.rate[stream] * (second - history[-1][0]):
        flag |= flags.SPIKE
    window = values[:-1][-WINDOW:]
    if len(window) == WINDOW:
        middle = statistics.median(window)
        spread = 1.4826 * statistics.median(abs(value - middle) for value in window)
        if abs(result - middle) > limit.deviations[stream] * spread and abs(result - middle) > limit.least[stream]:
            flag |= flags.SPIKE
    return flag


def columns(rows: list[Row]) -> Observations:
    """Rows as a batch."""
    result_times = np.array([NONE if row[3] is None else row[3] * SECOND for row in rows], np.int64)
    places = np.array([row[0] for row in rows], np.int64)
    times = np.array([row[1] * SECOND for row in rows], np.int64)
    return Observations(places + 1, times, np.array([row[2] for row in rows], np.float64), result_times=result_times)


@settings(max_examples=300)
@given(ROWS, limits(), st.lists(st.integers(1, 30), min_size=1, max_size=10), st.sampled_from([None, RECEIVED, 30 * SECOND]))
def test_batches_of_any_size_get_the_flags_that_the_definitions_give(
    rows: list[Row], limit: Limits, cuts: list[int], received: int | None
) -> None:
    batch, state, found, at = columns(rows), State.empty(3), [], 0
    while at < len(rows):
        part = batch.take(slice(at, at + cuts[at % len(cuts)]))
        given_flags, state = judge(part, part.streams - 1, limit, state, received)
        found += given_flags.tolist()
        at += len(part)
    assert found == plainly(rows, limit, received)


def steady(times: list[int]) -> list[Row]:
    """Rows of one stream that go up and down a little."""
    return [(0, second, 20.0 + second % 3, None) for second in times]


def test_a_long_run_of_one_stream_is_judged_as_by_the_definitions() -> None:
    limit = Limits.none(1)
    limit.deviations[:] = 4.0
    limit.stuck_count[:] = 4
    rows = [*steady(list(range(300))), (0, 300, 90.0, None), *[(0, second, 5.0, None) for second in range(301, 400)]]
    found, _ = judge(columns(rows), np.zeros(len(rows), np.int64), limit, State.empty(1), None)
    assert found.tolist() == plainly(rows, limit, None)
    assert found[300] == flags.SPIKE
    assert found[399] == flags.STUCK


def test_what_is_not_declared_is_never_doubted() -> None:
    rows = [(0, n, 1e300 * (-1) ** n, None) for n in range(100)]
    found, _ = judge(columns(rows), np.zeros(100, np.int64), Limits.none(1), State.empty(1), 0)
    assert not found.any()


def test_a_gap_says_nothing_against_the_result() -> None:
    values = np.array([0, flags.AFTER_GAP, flags.SPIKE, flags.SPIKE | flags.AFTER_GAP])
    assert flags.good(values).tolist() == [True, True, False, False]
    assert flags.names_of(flags.SPIKE | flags.AFTER_GAP) == ["spike", "after-gap"]


@pytest.mark.parametrize(
    ("given", "wanted", "value", "expected"),
    [
        ("degF", "Cel", 77.0, 25.0),
        ("[degF]", "°C", 32.0, 0.0),
        ("K", "℃", 273.15, 0.0),
        ("mg/m3", "ug/m3", 0.035, 35.0),
        ("μg/m³", "ug/m3", 7.0, 7.0),
        ("m3/h", "L/s", 3.6, 1.0),
        ("km/h", "m.s-1", 36.0, 10.0),
        ("hPa", "kPa", 1013.0, 101.3),
        ("MPa", "bar", 1.0, 10.0),
        ("1", "%", 0.5, 50.0),
        ("kW.h", "MJ", 1.0, 3.6),
    ],
)
def test_units_are_converted_as_handbooks_say(given: str, wanted: str, value: float, expected: float) -> None:
    assert conversion(given, wanted).apply(np.array([value]))[0] == pytest.approx(expected, abs=1e-9)
    back = conversion(wanted, given).apply(conversion(given, wanted).apply(np.array([value])))
    assert back[0] == pytest.approx(value, abs=1e-9)


@given(st.text(max_size=70))
def test_a_text_is_a_unit_or_refused(text: str) -> None:
    for pair in ((text, "m/s"), ("m/s", text)):
        with contextlib.suppress(Invalid):
            assert math.isfinite(conversion(*pair).scale)


@pytest.mark.parametrize(("given", "wanted"), [("m", "s"), ("dB", "1"), ("9**9**9**9", "1"), ("m99", "m"), ("", "m")])
def test_units_of_another_dimension_are_refused(given: str, wanted: str) -> None:
    with pytest.raises(Invalid):
        conversion(given, wanted)
