"""Spans: from when to when each stream has observations, kept up as they come; one number a stream and column."""

import json
import threading

import numpy as np

from mumian.foundation.sensing.contracts import NONE, Int64, Observations

_NEVER = np.iinfo(np.int64).max


class Spans:
    """By stream id: first and last phenomenon time (ends of intervals included), first and last result time, in µs."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._columns = self._blank(1)

    def make_room(self, highest: int) -> None:
        """Have a place for every stream id up to `highest`."""
        missing = highest + 1 - len(self._columns[0])
        if missing > 0:
            new = self._blank(missing + 256 + highest // 8)
            with self._changing:
                self._columns = [np.append(old, more) for old, more in zip(self._columns, new, strict=True)]

    def add(self, rows: Observations, last: Int64) -> None:
        """Take account of observations that stand by stream, then time; `last` are the places of the last of each stream."""
        start = np.append(0, last[:-1] + 1)
        streams = rows.streams[last]
        self.widen(streams, rows.times[start], rows.times[last])
        told = rows.result_times != NONE
        if told.any():
            with self._changing:
                np.minimum.at(self._columns[2], rows.streams[told], rows.result_times[told])
                np.maximum.at(self._columns[3], rows.streams[told], rows.result_times[told])
        if rows.details is not None:
            self._add_ends(rows)

    def widen(self, streams: Int64, first: Int64, last: Int64) -> None:
        """Take account of phenomenon times from `first` to `last` of these streams, each of which comes once."""
        with self._changing:
            earliest, latest = self._columns[:2]
            earliest[streams] = np.minimum(earliest[streams], first)
            latest[streams] = np.maximum(latest[streams], last)

    def put(self, streams: Int64, columns: "list[Int64]") -> None:
        """Set what is known of these streams: first, last, first result and last result times, `NONE` where there is none."""
        with self._changing:
            for place, values in enumerate(columns):
                self._columns[place][streams] = np.where(values == NONE, _NEVER, values) if place in (0, 2) else values

    def of(self, streams: Int64) -> list[list[tuple[int, int] | None]]:
        """For each stream the spans of its phenomenon times and of its result times; None where there are none."""
        with self._changing:
            known = np.where((streams > 0) & (streams < len(self._columns[0])), streams, 0)
            first, last, first_result, last_result = (column[known].tolist() for column in self._columns)
        pairs = zip(first, last, first_result, last_result, strict=True)
        return [[(a, b) if a <= b else None, (c, d) if c <= d else None] for a, b, c, d in pairs]

    def _add_ends(self, rows: Observations) -> None:
        assert rows.details is not None
        last = self._columns[1]
        for stream, text in zip(rows.streams.tolist(), rows.details, strict=True):
            if text is not None and '"end"' in text:
                last[stream] = max(int(last[stream]), json.loads(text).get("end") or NONE)

    @staticmethod
    def _blank(count: int) -> list[Int64]:
        return [np.full(count, value, np.int64) for value in (_NEVER, NONE, _NEVER, NONE)]
