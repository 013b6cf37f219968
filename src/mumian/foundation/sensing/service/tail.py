"""The tail: recent observations in memory, in the order of their ids, and the newest of every stream."""

import threading
from dataclasses import dataclass, field, replace

import numpy as np

from mumian.foundation.sensing.contracts import NONE, Float64, Int64, Observations, Texts
from mumian.foundation.sensing.rules import Known, Mask, in_order
from mumian.foundation.sensing.service.spans import Spans

_COLUMNS = ("streams", "times", "results", "ids", "result_times", "flags")
_BEFORE_ALL = NONE


@dataclass(frozen=True, eq=False)
class Latest:
    """By stream id: the newest observation without its details (time `NONE`: there is none), and how many there are.

    `details` has those of the newest observations that have any.
    """

    times: Int64
    results: Float64
    ids: Int64
    counts: Int64
    flags: Int64
    result_times: Int64
    details: dict[int, str] = field(default_factory=dict)


class Tail:
    """A growing buffer of columns; readers in other threads hold views of rows that are never written again.

    `complete[s]` is the time from which on every observation of stream s is in memory; earlier ones may only be in the lake.
    `hidden` are the ids of rows that are never the newest, since they are shown no more.
    """

    def __init__(self) -> None:
        self._rows = Observations(np.empty(4096, np.int64), np.empty(4096, np.int64), np.empty(4096, np.float64))
        self._count = 0
        self._changing = threading.Lock()
        self.generation = 0
        self.spans = Spans()
        self.hidden: Int64 = np.empty(0, np.int64)
        self.complete: Int64 = np.full(1, _BEFORE_ALL, np.int64)
        none, nothing = np.full(1, NONE, np.int64), np.zeros(1, np.int64)
        self.latest = Latest(none, np.full(1, np.nan), nothing.copy(), nothing.copy(), nothing.copy(), none.copy())

    def __len__(self) -> int:
        return self._count

    def make_room(self, highest: int) -> None:
        """Have a place for every stream id up to `highest`."""
        missing = highest + 1 - len(self.complete)
        if missing <= 0:
            return
        self.spans.make_room(highest)
        missing += 256 + len(self.complete) // 8
        latest = self.latest
        self.complete = np.append(self.complete, np.full(missing, _BEFORE_ALL, np.int64))
        self.latest = Latest(
            np.append(latest.times, np.full(missing, NONE, np.int64)),
            np.append(latest.results, np.full(missing, np.nan)),
            np.append(latest.ids, np.zeros(missing, np.int64)),
            np.append(latest.counts, np.zeros(missing, np.int64)),
            np.append(latest.flags, np.zeros(missing, np.int64)),
            np.append(latest.result_times, np.full(missing, NONE, np.int64)),
            latest.details,
        )

    def rows(self, start: int = 0) -> Observations:
        """A view of the rows from number `start` on."""
        return self._rows.take(slice(start, self._count))

    def append(self, rows: Observations) -> None:
        """Add recorded rows, in the order of their ids."""
        end = self._count + len(rows)
        if end > len(self._rows):
            self._rows = Observations.concat([self.rows(), _blank(max(end, 2 * self._count) - self._count)])
        if rows.details is not None and self._rows.details is None:
            self._rows = replace(self._rows, details=np.full(len(self._rows), None, np.object_))
        if self._rows.details is not None:
            self._rows.details[self._count : end] = rows.details
        for name in _COLUMNS:
            getattr(self._rows, name)[self._count : end] = getattr(rows, name)
        self._count = end
        self.advance(rows)

    def advance(self, rows: Observations) -> None:
        """Let the newest of every stream take account of `rows`."""
        if len(self.hidden):
            rows = rows.take(np.flatnonzero(~np.isin(rows.ids, self.hidden)))
        if not len(rows):
            return
        if not in_order(rows.streams, rows.times):
            rows = rows.take(np.lexsort((rows.ids, rows.times, rows.streams)))
        last = np.append(np.flatnonzero(rows.streams[1:] != rows.streams[:-1]), len(rows) - 1)
        self.spans.add(rows, last)
        with self._changing:
            latest = self.latest
            np.add.at(latest.counts, rows.streams, 1)
            chosen = last[rows.times[last] >= latest.times[rows.streams[last]]]
            streams = rows.streams[chosen]
            latest.times[streams] = rows.times[chosen]
            latest.results[streams] = rows.results[chosen]
            latest.ids[streams] = rows.ids[chosen]
            latest.flags[streams] = rows.flags[chosen]
            latest.result_times[streams] = rows.result_times[chosen]
            if rows.details is not None or latest.details:
                self._advance_details(streams, None if rows.details is None else rows.details[chosen])

    def _advance_details(self, streams: Int64, details: Texts | None) -> None:
        for row, stream in enumerate(streams.tolist()):
            text = None if details is None else details[row]
            if text is None:
                self.latest.details.pop(stream, None)
            else:
                self.latest.details[stream] = text

    def newest(self, streams: Int64) -> Latest:
        """A copy of the newest of these streams, in their order, for any thread; ids without a place have none."""
        with self._changing:
            latest = self.latest
            known = np.where((streams > 0) & (streams < len(latest.times)), streams, 0)
            columns = (latest.times[known], latest.results[known], latest.ids[known], latest.counts[known], latest.flags[known])
            told = latest.details and {s: latest.details[s] for s in known.tolist() if s in latest.details}
            return Latest(*columns, latest.result_times[known], told or {})

    def renew(self, stream: int, newest: Observations, rows: Observations) -> None:
        """Set what is newest of a stream (a row or none), how many it has and from when to when, from all its rows."""
        with self._changing:
            latest = self.latest
            latest.times[stream], latest.results[stream], latest.ids[stream], latest.flags[stream] = NONE, np.nan, 0, 0
            latest.details.pop(stream, None)
        self.spans.put(np.array([stream]), [np.array([NONE])] * 4)
        self.advance(rows)
        self.advance(newest)
        self.latest.counts[stream] = len(rows)

    def drop(self, rows: int) -> None:
        """Forget the first `rows` rows; the lake has them."""
        if rows <= 0:
            return
        gone = self._rows.take(slice(0, rows))
        np.maximum.at(self.complete, gone.streams, gone.times + 1)
        kept = self.rows(rows)
        if kept.details is not None and all(text is None for text in kept.details):
            kept = replace(kept, details=None)
        self._rows = Observations.concat([kept, _blank(max(4096, len(kept) // 2))])
        self._count = len(kept)
        self.generation += 1

    def forget_before(self, streams: Int64, times: Int64) -> None:
        """Take note that the lake got observations of `streams` at or before `times` that are not in memory."""
        np.maximum.at(self.complete, streams, times + 1)
        self.generation += 1

    def known(self, rows: Observations) -> Known | None:
        """What memory knows of each row's stream and time; None when every row is newer than all of its stream."""
        newest = self.latest.times[rows.streams]
        old = rows.times <= newest
        if not old.any():
            return None
        current = rows.times == newest
        ids = np.where(current, self.latest.ids[rows.streams], 0)
        results = np.where(current, self.latest.results[rows.streams], np.nan)
        details: Texts | None = None
        if self.latest.details:
            told = [self.latest.details.get(s) if c else None for s, c in zip(rows.streams.tolist(), current, strict=True)]
            details = np.array([*told, None], np.object_)[:-1]
        known = Known(ids, results, details)
        older = np.flatnonzero(old & ~current)
        if len(older):
            known = known.improved(self._find(rows.streams[older], rows.times[older]).spread(older, len(rows)), 0)
        return known

    def beyond(self, rows: Observations) -> Mask:
        """The rows whose stream and time may be known to the lake alone."""
        mask: Mask = (rows.times < self.complete[rows.streams]) & (rows.times != self.latest.times[rows.streams])
        return mask

    def _find(self, streams: Int64, times: Int64) -> Known:
        wanted = np.zeros(len(self.complete), np.bool_)
        wanted[streams] = True
        held = self.rows()
        near = wanted[held.streams] & (held.times >= times.min()) & (held.times <= times.max())
        return match(held.take(np.flatnonzero(near)), streams, times)


def match(held: Observations, streams: Int64, times: Int64) -> Known:
    """For each stream and time the newest of `held` (in any order, ids rising with novelty); id 0 where there is none."""
    count = len(held)
    ids = np.concatenate([held.ids, np.full(len(streams), NONE, np.int64)])
    all_streams, all_times = np.concatenate([held.streams, streams]), np.concatenate([held.times, times])
    # A question sorts behind what it asks about: within one stream and time, `held` rows come first, by id.
    asks = np.zeros(len(ids), np.bool_)
    asks[count:] = True
    order = np.lexsort((ids, asks, all_times, all_streams))
    place = np.where(asks[order], -1, np.arange(len(order)))
    place = np.maximum.accumulate(place)
    found = np.where(place >= 0, order[np.maximum(place, 0)], 0)
    fits = (place >= 0) & (all_streams[found] == all_streams[order]) & (all_times[found] == all_times[order])
    answers, results = np.zeros(len(streams), np.int64), np.full(len(streams), np.nan)
    questions = asks[order] & fits
    row = order[questions] - count
    answers[row], results[row] = held.ids[found[questions]], held.results[found[questions]]
    details: Texts | None = None
    if held.details is not None:
        details = np.full(len(streams), None, np.object_)
        details[row] = held.details[found[questions]]
    return Known(answers, results, details)


def _blank(rows: int) -> Observations:
    return Observations(np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.float64))
