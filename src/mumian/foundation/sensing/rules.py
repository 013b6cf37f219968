"""Rules of sensing: reading times, telling repeats from corrections, and the digest of recorded observations."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.sensing.contracts import Float64, Int64, Observations, Texts

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_YEAR, _YEARS = 1900, 300
_MONTHS = np.arange(_YEARS * 12 + 1).astype("datetime64[M]") + np.datetime64(f"{_FIRST_YEAR}-01", "M").astype(np.int64)
_MONTH_START: Int64 = _MONTHS.astype("datetime64[D]").astype(np.int64)
_MONTH_DAYS: Int64 = np.diff(_MONTH_START)
_FRACTION_START = 20
_FEW, _FEW_DISTINCT = 400, 60
_SIGNS = np.array([4, 7, 10, 13, 16])
_SIGN_VALUES = np.array([[ord(sign) - 48] for sign in "--T::"]).astype(np.uint8)
_Z, _POINT = ord("Z") - 48, 256 + ord(".") - 48
_PLACES = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])


def microseconds(instant: datetime) -> int:
    """An aware instant as µs since 1970-01-01 UTC, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(time: int) -> datetime:
    """The aware UTC instant of µs since 1970-01-01 UTC."""
    return _EPOCH + time * _MICROSECOND


def parse_time(text: str) -> int:
    """An ISO 8601 instant with its offset from UTC as µs since 1970; raises ValueError. Years 1900 to 2199."""
    if len(text) < 17 or text[10] not in "Tt ":
        raise ValueError(text)
    read = datetime.fromisoformat(text.upper())
    if read.tzinfo is None or not _FIRST_YEAR <= read.year < _FIRST_YEAR + _YEARS:
        raise ValueError(text)
    return microseconds(read)


def parse_times(texts: list[str]) -> tuple[Int64, int]:
    """ISO 8601 instants as µs since 1970, and the index of the first that is none (-1: all are well).

    Texts of one common form (`2014-01-02T03:04:05Z`, with or without 1 to 6 decimals) are read all at once; a few texts that
    are repeated over and over are read once each.
    """
    if len(texts) <= _FEW and len(distinct := set(texts)) <= _FEW_DISTINCT:
        return _parse_each(texts, distinct)
    quick = _parse_uniform(texts)
    if quick is not None:
        return quick, -1
    return _parse_each(texts, set(texts))


def _parse_each(texts: list[str], distinct: set[str]) -> tuple[Int64, int]:
    read: dict[str, int] = {}
    for text in distinct:
        with suppress(ValueError, OverflowError):
            read[text] = parse_time(text)
    if len(read) < len(distinct):
        return np.empty(0, np.int64), next(i for i, text in enumerate(texts) if text not in read)
    return np.array([read[text] for text in texts], np.int64), -1


def _parse_uniform(texts: list[str]) -> Int64 | None:
    """All texts at once by arithmetic on their digits; None where they are not all of one plain form, or not all valid."""
    count = len(texts)
    length = len(texts[0]) if count else 0
    decimals = length - _FRACTION_START - 1
    if length != _FRACTION_START and not 1 <= decimals <= 6:
        return None
    joined = "".join(texts)
    if len(joined) != count * length or not joined.isascii():
        return None
    digits = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(count, length).T - np.uint8(48)
    if (digits[_SIGNS] != _SIGN_VALUES).any() or (digits[length - 1] != _Z).any():
        return None
    if (digits[_PLACES] > 9).any():
        return None
    times = _assemble(digits)
    if times is None or decimals < 1:
        return times
    fraction = digits[_FRACTION_START : length - 1]
    if (digits[19] != _POINT).any() or (fraction > 9).any():
        return None
    for place in range(decimals):
        times += fraction[place].astype(np.int64) * 10 ** (5 - place)
    return times


def _assemble(digits: Bytes) -> Int64 | None:
    """Rows of digits (places of an ISO 8601 text) as µs since 1970; None if any column is no calendar time."""
    year = digits[0].astype(np.int64) * 1000 + digits[1].astype(np.int64) * 100 + (digits[2] * 10 + digits[3])
    month, day, hour = (digits[at] * 10 + digits[at + 1] for at in (5, 8, 11))
    minute, second = (digits[at] * 10 + digits[at + 1] for at in (14, 17))
    if hour.max() > 23 or minute.max() > 59 or second.max() > 59 or month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    index = (year - _FIRST_YEAR) * 12 + (month - 1)
    if index.min() < 0 or index.max() >= _YEARS * 12 or (day > _MONTH_DAYS[index]).any():
        return None
    seconds = (_MONTH_START[index] + (day - 1)) * 86_400 + hour * np.int64(3600) + minute * np.int64(60) + second
    times: Int64 = seconds * 1_000_000
    return times


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of each row's stream and time before the row came: the newest id (0: nothing), its result, its details."""

    ids: Int64
    results: Float64
    details: Texts | None = None

    def spread(self, rows: Int64, count: int) -> "Known":
        """The same for `count` rows, of which these are `rows`; nothing is known of the others."""
        ids, results = np.zeros(count, np.int64), np.full(count, np.nan)
        ids[rows], results[rows] = self.ids, self.results
        details = None if self.details is None else np.full(count, None, np.object_)
        if details is not None:
            details[rows] = self.details
        return Known(ids, results, details)

    def improved(self, other: "Known", at: int) -> "Known":
        """This, with what `other` knows better of its rows, which begin at row `at`."""
        place = slice(at, at + len(other.ids))
        better = np.flatnonzero(other.ids > self.ids[place]) + at
        self.ids[better], self.results[better] = other.ids[better - at], other.results[better - at]
        if self.details is None and other.details is None:
            return self
        details = np.full(len(self.ids), None, np.object_) if self.details is None else self.details
        details[better] = None if other.details is None else other.details[better - at]
        return Known(self.ids, self.results, details)


@dataclass(frozen=True, eq=False)
class Decision:
    """`new` marks the rows to store; `ids[i]` is the id of row i, whether new or that of the observation it repeats."""

    new: Mask
    ids: Int64


def in_order(streams: Int64, times: Int64) -> bool:
    """Whether rows stand by stream and then strictly by time, so that none can repeat another."""
    if len(streams) < 2:
        return True
    step = streams[1:] - streams[:-1]
    return bool(((step > 0) | ((step == 0) & (times[1:] > times[:-1]))).all())


def by_stream(rows: Observations) -> Int64:
    """The places of rows, put stream by stream, then by time, then in the order that they have."""
    if not len(rows):
        return np.empty(0, np.int64)
    small = int(rows.streams.min()) >= 0 and int(rows.streams.max()) < 1 << 16
    order = np.argsort(rows.streams.astype(np.uint16) if small else rows.streams, kind="stable")
    streams, times = rows.streams[order], rows.times[order]
    if ((streams[1:] > streams[:-1]) | (times[1:] >= times[:-1])).all():
        return order
    return np.lexsort((rows.times, rows.streams))


def distinct(streams: Int64, times: Int64) -> bool:
    """Whether no two rows have the same stream and time."""
    if in_order(streams, times) or in_order(times, streams):
        return True
    span = int(times.max()) - int(times.min()) + 1
    if span * (int(streams.max()) + 1) < 2**63:
        keys = np.sort(streams * span + (times - times.min()))
        return bool((keys[1:] != keys[:-1]).all())
    order = np.lexsort((times, streams))
    return in_order(streams[order], times[order])


def decide(rows: Observations, known: Known | None, next_id: int) -> Decision:
    """Tell new observations from repeats; `known` is None when no row's stream and time was seen before.

    The same stream, time and result as the newest known is a repeat and gets that id; another result is a correction and a new
    observation, as is anything unknown. Rows count in their order. Two missing results are the same; where rows have details,
    these are part of the result.
    """
    count = len(rows)
    if known is None and in_order(rows.streams, rows.times):
        return Decision(np.ones(count, np.bool_), np.arange(next_id, next_id + count, dtype=np.int64))
    order = np.lexsort((rows.times, rows.streams))
    streams, times, results = rows.streams[order], rows.times[order], rows.results[order]
    told = _text_column(rows.details, order)
    follows = np.zeros(count, np.bool_)
    follows[1:] = (streams[1:] == streams[:-1]) & (times[1:] == times[:-1])
    repeats = np.zeros(count, np.bool_)
    repeats[1:] = follows[1:] & _same(results[1:], results[:-1]) & _alike(told, told, 1)
    earlier = np.zeros(count, np.int64)
    if known is not None:
        earlier = np.where(follows, 0, known.ids[order])
        before = _text_column(known.details, order)
        repeats |= ~follows & (earlier > 0) & _same(results, known.results[order]) & _alike(told, before, 0)
    new = np.empty(count, np.bool_)
    new[order] = ~repeats
    fresh = next_id + np.cumsum(new) - 1
    anchors = np.where(repeats, earlier, fresh[order])
    rooted = np.where(~repeats | ~follows, np.arange(count), 0)
    ids = np.empty(count, np.int64)
    ids[order] = anchors[np.maximum.accumulate(rooted)]
    return Decision(new, ids)


def _same(left: Float64, right: Float64) -> Mask:
    equal: Mask = (left == right) | (np.isnan(left) & np.isnan(right))
    return equal


def with_feature(rows: Observations, features: Int64) -> Observations:
    """The rows with the feature of interest in their details where one is given (not 0) and none is named."""
    details = np.full(len(rows), None, np.object_) if rows.details is None else rows.details.copy()
    for row in np.flatnonzero(features).tolist():
        told = json.loads(details[row]) if details[row] is not None else {}
        details[row] = detail_text({"feature": int(features[row]), **told})
    return replace(rows, details=details)


def detail_text(told: dict[str, Any]) -> str | None:
    """Details as text, the same for the same; None for no details."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True) if told else None


def _text_column(details: Texts | None, order: Int64) -> Texts | None:
    return None if details is None else details[order]


def _alike(left: Texts | None, right: Texts | None, shift: int) -> Mask | bool:
    """Whether details are the same, those of `right` taken `shift` rows before."""
    if left is None and right is None:
        return True
    if left is None or right is None:
        one = left if left is not None else right
        assert one is not None
        return np.array([text is None for text in one[shift:]], np.bool_)
    return np.array([a == b for a, b in zip(left[shift:], right, strict=False)], np.bool_)


def newest(rows: Observations) -> Observations:
    """One row for each stream and time, the one with the highest id, ordered by stream and time."""
    if len(rows) < 2 or (in_order(rows.streams, rows.times)):
        return rows
    order = np.lexsort((rows.ids, rows.times, rows.streams))
    streams, times = rows.streams[order], rows.times[order]
    last = np.ones(len(rows), np.bool_)
    last[:-1] = (streams[1:] != streams[:-1]) | (times[1:] != times[:-1])
    return rows.take(order[last])


def digest(rows: Observations) -> str:
    """SHA-256, in hexadecimal, of rows in the order of their ids.

    The bytes are the columns one after another — ids, streams, times, results, result times — each value 8 bytes, little-endian
    (IEEE 754 for results, every NaN as 0x7ff8000000000000). Where any row has flags, the word `flags` and their column follow;
    where any has details, the word `details` and for each such row its id, the length of its text in bytes, and the text.
    """
    if len(rows) > 1 and (rows.ids[1:] < rows.ids[:-1]).any():
        rows = rows.take(np.argsort(rows.ids, kind="stable"))
    results = np.where(np.isnan(rows.results), np.nan, rows.results)
    state = sha256()
    for column in (rows.ids, rows.streams, rows.times, results, rows.result_times):
        state.update(_bytes(column))
    if rows.flags.any():
        state.update(b"flags" + bytes(_bytes(rows.flags)))
    if rows.details is not None:
        texts = [
            (number, text.encode()) for number, text in zip(rows.ids.tolist(), rows.details, strict=True) if text is not None
        ]
        if texts:
            state.update(b"details")
        for number, text in texts:
            state.update(number.to_bytes(8, "little") + len(text).to_bytes(8, "little") + text)
    return state.hexdigest()


def _bytes(column: NDArray[np.generic]) -> memoryview:
    return np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<"), copy=False).data
