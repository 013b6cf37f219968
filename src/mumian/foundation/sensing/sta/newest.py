"""The newest observations of streams: from memory where it reaches back far enough, then from the shelf, last from the lake."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Int64, Observations
from mumian.foundation.sensing.sta.fetching import Fetching
from mumian.foundation.sensing.sta.observed import Observed
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.records import Page
from mumian.foundation.sensing.sta.syntax import Path

_FETCHING: "WeakKeyDictionary[Sensing, Fetching]" = WeakKeyDictionary()
_AHEAD = 256


@dataclass(frozen=True, eq=False)
class Recent:
    """The newest rows of a stream, newest first (by time, then id), and whether there are older ones."""

    rows: Observations
    more: bool


def newest_first(held: Observations, complete: int, top: int, after: tuple[int, int] | None) -> Recent | None:
    """The `top` newest of one stream's rows that are older than `after` (time and id).

    From the time `complete` on all observations of the stream are held (`NONE`: simply all are). None: that is not enough.
    """
    rows, times = np.arange(len(held)), held.times
    if complete != NONE:
        rows = rows[times >= complete]
        times = held.times[rows]
    if after is not None:
        rows = rows[(times < after[0]) | ((times == after[0]) & (held.ids[rows] < after[1]))]
        times = held.times[rows]
    if complete != NONE and len(rows) <= top:
        return None
    if len(rows) > 1 and (times[1:] > times[:-1]).all():
        order = np.arange(len(rows) - 1, -1, -1)
    else:
        order = np.lexsort((held.ids[rows], times))[::-1]
    return Recent(held.take(rows[order[:top]]), len(rows) > top)


class Newest:
    """Answers one question for the newest observations of streams; `fits` tells whether the options ask for that."""

    def __init__(self, sensing: Sensing, options: Options) -> None:
        self._sensing = sensing
        self._options = options
        self._fetching = _FETCHING.get(sensing) or _FETCHING.setdefault(sensing, Fetching(sensing))
        self._shelf = self._fetching.shelf
        self.fits = _wanted(options)

    async def one(self, stream: int) -> Page:
        """The newest of one stream."""
        options = self._options
        last = None if options.after is None else (int(options.after[0]), int(options.after[1]))
        recent = self._shelved(stream, last) or self._remembered(stream, last)
        if recent is None and last is None:
            await self._fetching.fetch([stream], options.top)
            recent = self._shelved(stream, None)
        if recent is None:
            recent = await asyncio.to_thread(self._read, stream, last)
        counts = {0: self._sensing.counts([stream])[stream]} if options.count else {}
        return Page({0: Observed(recent.rows)}, {0} if recent.more else set(), counts)

    async def each(self, streams: Sequence[int]) -> Page:
        """The newest of each stream."""
        page = Page()
        if self._options.top == 1 and not self._sensing.amendments.any:
            self._very_newest(np.asarray(streams, np.int64), page)
        else:
            for stream, recent in (await self._newest_of(streams)).items():
                if len(recent.rows):
                    page.rows[stream] = Observed(recent.rows)
                if recent.more:
                    page.more.add(stream)
        if self._options.count:
            page.counts = self._sensing.counts(streams)
        return page

    def _very_newest(self, streams: Int64, page: Page) -> None:
        """The one newest of each stream, which memory always knows."""
        newest = self._sensing.tail.newest(streams)
        there = np.flatnonzero(newest.times != NONE)
        page.more = set(streams[newest.counts > 1].tolist())
        for place, stream in zip(there.tolist(), streams[there].tolist(), strict=True):
            row = (int(newest.ids[place]), stream, int(newest.times[place]), float(newest.results[place]))
            more = (int(newest.result_times[place]), int(newest.flags[place]), newest.details.get(stream))
            page.rows[stream] = [(*row, *more, row[2], row[0])]

    async def _newest_of(self, streams: Sequence[int]) -> dict[int, Recent]:
        found: dict[int, Recent | None] = {}
        chosen = self._of_many(streams)
        for stream in streams:
            found[stream] = newest_first(*chosen(stream), self._options.top, None) or self._shelved(stream, None)
        missing = [stream for stream, recent in found.items() if recent is None]
        if missing:
            await self._fetching.fetch(missing, self._options.top)
        for stream in missing:  # many at one time, or many that are shown no more, are not enough yet
            found[stream] = self._shelved(stream, None) or await asyncio.to_thread(self._read, stream, None)
        return {stream: recent for stream, recent in found.items() if recent is not None}

    def _of_many(self, streams: Sequence[int]) -> Callable[[int], tuple[Observations, int]]:
        """The rows that memory holds of these streams, by stream."""
        tail = self._sensing.tail
        held = tail.rows()
        complete = tail.complete
        within = np.zeros(len(complete) + 1, np.bool_)
        wanted: Int64 = np.asarray(streams, np.int64)
        within[wanted[wanted < len(complete)]] = True
        # The newest rows mostly do: look at the end first, and at all of it where that is not enough.
        near = max(0, len(held) - _AHEAD * max(len(streams), 64) * (self._options.top + 1))
        part = held.take(slice(near, None)) if near else held
        rows = np.flatnonzero(within[part.streams])
        rows = rows[np.argsort(part.streams[rows], kind="stable")]
        kept = self._shown(part.take(rows)) if self._sensing.amendments.any else part.take(rows)
        since = held.times[:near].max() + 1 if near else None

        def of(stream: int) -> tuple[Observations, int]:
            start, end = np.searchsorted(kept.streams, (stream, stream + 1))
            known = int(complete[stream]) if stream < len(complete) else NONE
            return kept.take(slice(start, end)), known if since is None else max(known, int(since))

        return of

    def _held(self, stream: int) -> tuple[Observations, int]:
        tail = self._sensing.tail
        held = tail.rows()
        complete = tail.complete  # after the rows: what is dropped meanwhile only makes it later
        if stream >= len(complete):
            return Observations.empty(), NONE
        return held.take(np.flatnonzero(held.streams == stream)), int(complete[stream])

    def _shown(self, rows: Observations) -> Observations:
        return self._sensing.amendments.shown(rows)

    def _remembered(self, stream: int, last: tuple[int, int] | None) -> Recent | None:
        """From memory; what it knows of the stream goes on the shelf, where it is found again without a search."""
        upto, (held, complete) = self._sensing.last_id, self._held(stream)
        found = newest_first(self._shown(held), complete, self._options.top, last)
        if found is not None:
            known = held if complete == NONE else held.take(np.flatnonzero(held.times >= complete))
            self._shelf.put(stream, known.take(np.flatnonzero(known.ids <= upto)), complete, upto)
        return found

    def _shelved(self, stream: int, last: tuple[int, int] | None) -> Recent | None:
        entry = self._shelf.find(stream, self._sensing.tail.rows(), self._sensing.last_id)
        if entry is None:
            return None
        return newest_first(self._shown(entry.rows), entry.since, self._options.top, last)

    def _read(self, stream: int, last: tuple[int, int] | None) -> Recent:
        """From the lake what lies before the time from which memory knows all, as much as is asked and some more."""
        recorder, tail, wanted = self._sensing.recorder, self._sensing.tail, self._options.top + _AHEAD
        while True:
            before, upto = (recorder.folded, tail.generation), self._sensing.last_id
            held, complete = self._held(stream)
            far = last is not None and last[0] < complete
            rows = self._fetching.before(stream, last[0] + 1 if far and last is not None else complete, wanted)
            if before != (recorder.folded, tail.generation):
                continue  # a fold in between would show rows twice or not at all: look again
            since = int(rows.times.min()) + 1 if len(rows) >= wanted else NONE
            waiting = held.take(np.flatnonzero((held.ids <= upto) & ~np.isin(held.ids, rows.ids)))
            whole = Observations.concat([rows, waiting])
            if not far:
                self._shelf.put(stream, whole, since, upto)
            found = newest_first(self._shown(whole), since, self._options.top, last)
            if found is not None:
                return found
            wanted *= 4


def _wanted(options: Options) -> bool:
    """Whether the options ask for nothing but the newest, or what follows after a page of these."""
    if len(options.orderby) != 1 or options.skip:
        return False
    key, descending = options.orderby[0]
    after = options.after
    follows = after is None or (len(after) == 2 and all(isinstance(part, int) for part in after))
    return follows and descending and isinstance(key, Path) and key.parts == ("phenomenonTime",)
