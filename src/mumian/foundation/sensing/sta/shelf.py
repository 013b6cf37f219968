"""The shelf: what was lately read of streams further back than memory reaches, so that the lake is asked once and not each time.

An entry holds all rows of a stream from some time on, as of some number. What was recorded since is in the tail, as long as the
tail reaches back to that number without a gap (imports go past it, and leave one); else the entry is of no use any more.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from mumian.foundation.sensing.contracts import Observations

MOST_ROWS = 3_000_000
_SECONDS = 300.0


@dataclass(frozen=True, eq=False)
class Entry:
    """All rows of a stream from the time `since` on (µs; `NONE`: simply all), as of the number `upto`."""

    rows: Observations
    since: int
    upto: int
    read: float


class Shelf:
    """A bounded number of rows, those read longest ago forgotten first; for any thread."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._rows = 0
        self._changing = threading.Lock()

    def put(self, stream: int, rows: Observations, since: int, upto: int) -> None:
        """Keep what was read of a stream."""
        with self._changing:
            self._forget(stream)
            self._entries[stream] = Entry(rows, since, upto, time.monotonic())
            self._rows += len(rows)
            self._bound()

    def find(self, stream: int, held: Observations, last: int) -> Entry | None:
        """What is known of a stream with what is held since added, if that is all up to the number `last`."""
        with self._changing:
            entry = self._entries.get(stream)
            if entry is None:
                return None
            self._entries.move_to_end(stream)
            first = int(np.searchsorted(held.ids, entry.upto, side="right"))
            if len(held) - first != last - entry.upto or time.monotonic() - entry.read > _SECONDS:
                self._forget(stream)
                return None
            if first == len(held):
                return entry
            fresh = held.take(slice(first, None))
            fresh = fresh.take(np.flatnonzero(fresh.streams == stream))
            rows = Observations.concat([entry.rows, fresh]) if len(fresh) else entry.rows
            found = self._entries[stream] = Entry(rows, entry.since, last, entry.read)
            self._rows += len(fresh)
            self._bound()
            return found

    def _bound(self) -> None:
        while self._rows > self._most:
            self._forget(next(iter(self._entries)))

    def _forget(self, stream: int) -> None:
        entry = self._entries.pop(stream, None)
        self._rows -= 0 if entry is None else len(entry.rows)
