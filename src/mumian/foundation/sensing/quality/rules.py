"""Rules of quality: what speaks against an observation, decided for whole batches from a little state of each stream.

Rows count in their order. A row is in order when its time is later than that of every earlier row of its stream; rows that are
not (backfill, corrections) are held against the range and the clock alone and leave the state as it is. A missing result is only
held against the clock and gaps. Each of the following is told of rows in order:

- stuck 呆滞: the row ends a run of `stuck_count` results, each within `stuck_tolerance` of the one before;
- spike 突变: the change from the result before is faster than `rate` per second; or (Hampel) the result is farther from the
  median of the `WINDOW` results before it than `deviations` × 1.4826 × their median absolute deviation, and than `least`;
- after a gap 断档: its time is more than `gap` after that of the row before.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.sensing.contracts import NONE, Float64, Int64, Observations
from mumian.foundation.sensing.flags import AFTER_GAP, CLOCK_DRIFT, OUT_OF_RANGE, SPIKE, STUCK

WINDOW = 11
_SCALE = 1.4826
_CHUNK = 50_000
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Limits:
    """What is declared, by place of the stream: NaN or 0 stands for nothing declared; times in µs."""

    minimum: Float64
    maximum: Float64
    stuck_count: Int64
    stuck_tolerance: Float64
    rate: Float64
    deviations: Float64
    least: Float64
    gap: Int64
    ahead: Int64
    behind: Int64

    def take(self, places: Int64) -> "Limits":
        """Those of some places."""
        return Limits(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    @staticmethod
    def none(places: int) -> "Limits":
        """Nothing declared for so many streams."""
        no_number, no_time = np.full(places, np.nan), np.zeros(places, np.int64)
        floats = [no_number.copy() for _ in range(6)]
        return Limits(
            floats[0], floats[1], no_time.copy(), np.zeros(places), floats[2], floats[3], np.zeros(places),
            no_time.copy(), no_time.copy(), no_time.copy(),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class State:
    """What is remembered of each stream: time of its last row, last result, length of the run that it ends, last results.

    `recent[place]` holds the last `WINDOW` results, oldest first, NaN in front where there were fewer.
    """

    times: Int64
    results: Float64
    result_times: Int64
    runs: Int64
    recent: Float64

    @staticmethod
    def empty(places: int) -> "State":
        """Nothing seen yet."""
        none = np.full(places, NONE, np.int64)
        return State(none, np.full(places, np.nan), none.copy(), np.zeros(places, np.int64), np.full((places, WINDOW), np.nan))

    def copy(self) -> "State":
        """The same, to be changed."""
        return State(*(getattr(self, name).copy() for name in self.__dataclass_fields__))

    def take(self, places: Int64) -> "State":
        """What is remembered of some places."""
        return State(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def put(self, places: Int64, other: "State") -> None:
        """Remember something else of some places."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[places] = getattr(other, name)


def judge(rows: Observations, places: Int64, limits: Limits, state: State, received: int | None) -> tuple[Int64, State]:
    """The flags of rows, and the state after them; row i is of the stream at `places[i]`.

    `received` is when the rows came, in µs since 1970, None for an import, where it says nothing about the devices' clocks.
    """
    flags = np.zeros(len(rows), np.int64)
    flags[_out_of_range(rows.results, places, limits)] |= OUT_OF_RANGE
    flags[_drifting(rows, places, limits, received)] |= CLOCK_DRIFT
    order = np.argsort(places, kind="stable")
    order = order[_rising(rows.times[order], places[order], state)]
    if not len(order):
        return flags, state
    state = state.copy()
    flags[order[_after_gap(rows.times[order], places[order], limits, state)]] |= AFTER_GAP
    _remember_last(state.times, places[order], rows.times[order])
    order = order[~np.isnan(rows.results[order])]
    if len(order):
        own, results, times = places[order], rows.results[order], rows.times[order]
        stuck, runs = _stuck(results, own, limits, state)
        flags[order[stuck]] |= STUCK
        flags[order[_too_fast(results, times, own, limits, state) | _far_off(results, own, limits, state)]] |= SPIKE
        state = replace(state, recent=_recent(results, own, state))
        _remember_last(state.runs, own, runs)
        _remember_last(state.results, own, results)
        _remember_last(state.result_times, own, times)
    return flags, state


def _out_of_range(results: Float64, places: Int64, limits: Limits) -> Mask:
    return (results < limits.minimum[places]) | (results > limits.maximum[places])


def _drifting(rows: Observations, places: Int64, limits: Limits, received: int | None) -> Mask:
    """The phenomenon is told later than the device's own result time, or too far from when it came."""
    ahead, behind = limits.ahead[places], limits.behind[places]
    told = rows.result_times != NONE
    drifting: Mask = (ahead > 0) & told & (rows.times - np.where(told, rows.result_times, 0) > ahead)
    if received is not None:
        drifting |= (ahead > 0) & (rows.times - received > ahead)
        drifting |= (behind > 0) & (received - rows.times > behind)
    return drifting


def _first(places: Int64) -> Mask:
    first = np.ones(len(places), np.bool_)
    first[1:] = places[1:] != places[:-1]
    return first


def _before(values: NDArray[np.generic], places: Int64, kept: NDArray[np.generic]) -> NDArray[np.generic]:
    """The value before each in its stream: the row before, or what is kept."""
    before = np.empty_like(values)
    before[1:] = values[:-1]
    first = _first(places)
    before[first] = kept[places[first]]
    return before


def _remember_last(kept: NDArray[np.generic], places: Int64, values: NDArray[np.generic]) -> None:
    last = np.ones(len(places), np.bool_)
    last[:-1] = places[1:] != places[:-1]
    kept[places[last]] = values[last]


def _rising(times: Int64, places: Int64, state: State) -> Mask:
    """Which rows, given by stream, are later than every row of their stream before."""
    first = _first(places)
    later: Mask = times > state.times[places]
    if later.all() and bool((first[1:] | (times[1:] > times[:-1])).all()):
        return later
    # Ranks in place of times keep the running maximum of one stream from reaching into the next.
    ranks = np.unique(times, return_inverse=True)[1].astype(np.int64)
    stacked = ranks + (np.cumsum(first) - 1) * (len(times) + 1)
    highest = np.maximum.accumulate(stacked)
    rising = first.copy()
    rising[1:] |= stacked[1:] > highest[:-1]
    return rising & later


def _after_gap(times: Int64, places: Int64, limits: Limits, state: State) -> Mask:
    before = _before(times, places, state.times).astype(np.int64)
    gap = limits.gap[places]
    mask: Mask = (gap > 0) & (before != NONE) & (times - np.where(before == NONE, times, before) > gap)
    return mask


def _stuck(results: Float64, places: Int64, limits: Limits, state: State) -> tuple[Mask, Int64]:
    before = _before(results, places, state.results).astype(np.float64)
    same = np.abs(results - before) <= limits.stuck_tolerance[places]
    at = np.arange(len(results))
    starts = np.maximum.accumulate(np.where(~same | _first(places), at, 0))
    # A run that reaches back over the start of the batch goes on from the state.
    carried = np.where(same[starts], state.runs[places[starts]], 0)
    runs = at - starts + 1 + carried
    count = limits.stuck_count[places]
    return (count > 0) & (runs >= count), runs


def _too_fast(results: Float64, times: Int64, places: Int64, limits: Limits, state: State) -> Mask:
    rate = limits.rate[places]
    if np.isnan(rate).all():
        return np.zeros(len(results), np.bool_)
    before = _before(results, places, state.results).astype(np.float64)
    earlier = _before(times, places, state.result_times).astype(np.int64)
    seconds = np.where(earlier == NONE, np.inf, (times - np.where(earlier == NONE, 0, earlier)) / 1e6)
    mask: Mask = np.abs(results - before) > rate * seconds
    return mask


def _far_off(results: Float64, places: Int64, limits: Limits, state: State) -> Mask:
    """Hampel's identifier over the results before each."""
    found = np.zeros(len(results), np.bool_)
    asked = np.flatnonzero(~np.isnan(limits.deviations[places]))
    if not len(asked):
        return found
    extended, at = _extended(results, places, state)
    for start in range(0, len(asked), _CHUNK):
        part = asked[start : start + _CHUNK]
        windows = extended[at[part][:, None] + np.arange(-WINDOW, 0)]
        middle = np.median(windows, axis=1)
        spread = _SCALE * np.median(np.abs(windows - middle[:, None]), axis=1)
        away = np.abs(results[part] - middle)
        # A window with fewer results holds NaN, and then nothing is greater than anything.
        found[part] = (away > limits.deviations[places[part]] * spread) & (away > limits.least[places[part]])
    return found


def _extended(results: Float64, places: Int64, state: State) -> tuple[Float64, Int64]:
    """The results of each stream behind those remembered of it, all in one row, and where each result stands."""
    first = _first(places)
    at = np.arange(len(results)) + WINDOW * np.cumsum(first)
    extended = np.empty(len(results) + WINDOW * int(first.sum()))
    extended[at] = results
    heads = at[first][:, None] + np.arange(-WINDOW, 0)
    extended[heads] = state.recent[places[first]]
    return extended, at


def _recent(results: Float64, places: Int64, state: State) -> Float64:
    extended, at = _extended(results, places, state)
    last = np.ones(len(places), np.bool_)
    last[:-1] = places[1:] != places[:-1]
    recent = state.recent
    recent[places[last]] = extended[at[last][:, None] + np.arange(1 - WINDOW, 1)]
    return recent
