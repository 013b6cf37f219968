"""Fetching: the newest of streams from the lake onto the shelf; who asks at the same time is answered by one question."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Int64, Observations
from mumian.foundation.sensing.service.finder import TABLE
from mumian.foundation.sensing.sta.shelf import Shelf
from mumian.foundation.storage.contracts import Lake

_SPARE = 16
_MOST_ROWS = 2_000_000
_COLUMNS = ", ".join(f"coalesce(o.{c.name}, 0) AS flags" if c.name == "flags" else f"o.{c.name}" for c in TABLE.columns)
_NEWEST = (
    f"SELECT {_COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY stream ORDER BY time DESC, id DESC) AS place_ "
    "FROM observation WHERE stream IN (SELECT unnest(CAST($s AS BIGINT[])))) o WHERE place_ <= $n ORDER BY o.stream, o.id"
)
_SINCE = (
    f"SELECT {_COLUMNS} FROM observation o SEMI JOIN wanted w ON o.stream = w.stream AND o.time >= w.since "
    "WHERE o.time >= $t AND o.stream BETWEEN $low AND $high ORDER BY o.stream, o.id"
)
_BEFORE = f"SELECT {_COLUMNS} FROM observation o WHERE o.stream = $s AND o.time < $t ORDER BY o.time DESC, o.id DESC LIMIT $n"


class Fetching:
    """Keeps the shelf of a city's sensing, and fills it."""

    def __init__(self, sensing: Sensing) -> None:
        self._sensing = sensing
        self.shelf = Shelf()
        self._waiting: dict[int, int] = {}
        self._done: asyncio.Future[None] | None = None
        self._work: asyncio.Task[None] | None = None

    async def fetch(self, streams: Iterable[int], top: int) -> None:
        """Have the `top` newest of streams, and some more, on the shelf."""
        loop = asyncio.get_running_loop()
        if self._work is None or self._work.done() or self._work.get_loop() is not loop:
            self._waiting, self._done = {}, None
            self._work = loop.create_task(self._serve())
        for stream in streams:
            self._waiting[stream] = max(top, self._waiting.get(stream, 0))
        if self._done is None:
            self._done = loop.create_future()
        await asyncio.shield(self._done)

    async def _serve(self) -> None:
        while self._waiting:
            wanted, done = self._waiting, self._done
            self._waiting, self._done = {}, None
            assert done is not None
            try:
                await asyncio.to_thread(self._read, wanted)
            except Exception as error:
                if not done.done():
                    done.set_exception(error)
            except BaseException:
                done.cancel()
                raise
            else:
                done.set_result(None)

    def _read(self, wanted: Mapping[int, int]) -> None:
        top = max(wanted.values()) + _SPARE
        streams, most = sorted(wanted), max(1, _MOST_ROWS // top)
        for first in range(0, len(streams), most):
            self._read_some(np.array(streams[first : first + most], np.int64), top)

    def _read_some(self, streams: Int64, wanted: int) -> None:
        """From the lake, all at once, the newest of each stream and some more."""
        recorder, tail = self._sensing.recorder, self._sensing.tail
        while True:
            before, upto, held = (recorder.folded, tail.generation), self._sensing.last_id, tail.rows()
            found = self._newest(streams, wanted)
            if before == (recorder.folded, tail.generation):
                break
        held = held.take(np.flatnonzero(np.isin(held.streams, streams) & (held.ids <= upto)))
        for stream, (kept, since) in found.items():
            own = held.take(np.flatnonzero(held.streams == stream))
            whole = Observations.concat([kept, own.take(np.flatnonzero(~np.isin(own.ids, kept.ids)))])
            self.shelf.put(stream, whole, since, upto)

    def _newest(self, streams: Int64, wanted: int) -> dict[int, tuple[Observations, int]]:
        """The rows of each stream since some time (`NONE`: all), `wanted` or more unless that is all."""
        since = self._expected(streams, wanted)
        arrays = {"wanted": {"stream": streams, "since": since}}
        bounds = {"t": int(since.min()), "low": int(streams[0]), "high": int(streams[-1])}
        rows = self._asked(_SINCE, arrays, **bounds)
        found, short = {}, []
        for stream, start in zip(streams.tolist(), since.tolist(), strict=True):
            kept = _part(rows, stream)
            found[stream] = (kept, start)
            if start != NONE and len(kept) < wanted:
                short.append(stream)
        if short:
            rows = self._asked(_NEWEST, {}, s=short, n=wanted)
            for stream in short:
                kept = _part(rows, stream)
                found[stream] = (kept, int(kept.times.min()) + 1 if len(kept) >= wanted else NONE)
        return found

    def _expected(self, streams: Int64, wanted: int) -> Int64:
        """Since when each stream should have that many, if it is observed evenly; `NONE` where it has hardly more."""
        newest = self._sensing.tail.newest(streams)
        spans = self._sensing.tail.spans.of(streams)
        first = np.array([NONE if times is None else times[0] for times, _ in spans], np.int64)
        enough = wanted + wanted // 8 + _SPARE
        known = (newest.counts > 2 * enough) & (first != NONE) & (newest.times > first)
        age = (newest.times - np.where(known, first, 0)).astype(np.float64) * enough / np.maximum(newest.counts, 1)
        return np.where(known, newest.times - np.where(known, age, 0).astype(np.int64), NONE)

    def before(self, stream: int, time: int, most: int) -> Observations:
        """From the lake the newest rows of a stream before a time."""
        return self._asked(_BEFORE, {}, s=stream, t=time, n=most)

    def _asked(self, sql: str, arrays: Mapping[str, Mapping[str, Int64]], **params: Any) -> Observations:
        lake: Any = self._sensing.platform.get(Lake)  # type: ignore[type-abstract]
        found = lake.columns(sql, arrays, **params)
        moments = found["result_time"]
        if moments.dtype.kind != "i":
            moments = np.full(len(found["id"]), NONE, np.int64)
        details = found["detail"] if any(text is not None for text in found["detail"].tolist()) else None
        columns = (found["stream"], found["time"], found["result"].astype(np.float64), found["id"], moments)
        return Observations(*columns, found["flags"].astype(np.int64), details)


def _part(rows: Observations, stream: int) -> Observations:
    start, end = np.searchsorted(rows.streams, (stream, stream + 1))
    return rows.take(slice(start, end))
