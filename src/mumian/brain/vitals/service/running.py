"""A group at work: its grid, which marks are touched, and what of it is already kept."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mumian.brain.vitals import rules
from mumian.brain.vitals.rules import Integers
from mumian.brain.vitals.service.grid import Grid
from mumian.brain.vitals.service.layout import Group, level_names
from mumian.foundation.sensing.api import instant
from mumian.foundation.sensing.contracts import Observations
from mumian.kernel.clock import iso

HISTORY = 72
LATE = 744
MARKS_A_ROUND = 256
_NEVER = int(np.iinfo(np.int64).min)
Read = Callable[[Integers, int, int], Coroutine[Any, Any, Observations]]
Kept = dict[tuple[str, str, int], tuple[float | None, int]]


@dataclass
class Running:
    """One group. `newest` is the last mark that data reached, `last` the last one evaluated or due; `read` asks sensing."""

    group: Group
    read: Read
    newest: int
    last: int = 0
    touched: set[int] = field(default_factory=set)
    kept: Kept = field(default_factory=dict)
    pending: list[Observations] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = self.newest
        self.period = self.group.period * 1_000_000
        length = HISTORY + self.group.span
        self.grid = Grid(len(self.group.streams), self.newest + 2 - length, length)
        self.seen: Integers = np.full(len(self.group.streams), _NEVER, np.int64)

    async def load(self, resume: int | None = None) -> None:
        """Fill the grid from sensing; have what is in it evaluated from its first observation on, and all since mark `resume`."""
        rows = await self._read_buckets(self.group.ids, self.grid.first, self.grid.last)
        columns = np.searchsorted(self.group.ids, rows.streams)
        buckets = rules.buckets(rows.times, self.period)
        self.grid.add(columns, buckets, rows.results)
        np.maximum.at(self.seen, columns, rows.times)
        first = max(int(buckets.min(initial=self.last)), self.last - HISTORY + 1)
        if resume is not None:
            first = max(min(first, resume), self.last - LATE + 1)
        self.touched.update(range(first, self.last + 1))

    async def take_in(self) -> None:
        """Add what has come since; what is not simply newer is read again from sensing, bucket by bucket."""
        batch, self.pending = Observations.concat(self.pending), []
        ids = self.group.ids
        columns = np.searchsorted(ids, batch.streams)
        ours = ids[np.minimum(columns, len(ids) - 1)] == batch.streams
        if not ours.any():
            return
        columns, times, results = columns[ours], batch.times[ours], batch.results[ours]
        order = np.lexsort((times, columns))
        columns, times, results = columns[order], times[order], results[order]
        buckets = rules.buckets(times, self.period)
        self.reach(rules.reached(int(times.max()), self.period))
        self.newest = max(self.newest, rules.reached(int(times.max()), self.period))
        self.touched |= self._touched_by(buckets, self.last)
        again = self._again(columns, times, buckets)
        self.grid.add(columns[~again], buckets[~again], results[~again])
        np.maximum.at(self.seen, columns, times)
        if again.any():
            await self._read_again(columns[again], buckets[again])

    def owed(self) -> set[int]:
        """The marks that are touched, by what is not taken in yet too."""
        if not self.pending:
            return self.touched
        batch = Observations.concat(self.pending)
        buckets = rules.buckets(batch.times[np.isin(batch.streams, self.group.ids)], self.period)
        return self.touched | self._touched_by(buckets, int(buckets.max(initial=self.last)))

    def take_note(self, observations: Observations) -> None:
        """Have the marks evaluated again that these observations touch, which are in what `load` has read or reads."""
        times = observations.times[np.isin(observations.streams, self.group.ids)]
        self.touched |= self._touched_by(rules.buckets(times, self.period), self.last)

    def _touched_by(self, buckets: Integers, last: int) -> set[int]:
        return rules.touched(np.unique(buckets).tolist(), self.group.span, self.last - LATE, last)

    def reach(self, mark: int) -> None:
        """Let time come to a mark: all marks up to it are due."""
        if mark <= self.last:
            return
        self.touched.update(range(max(self.last + 1, mark - LATE + 1), mark + 1))
        self.grid.slide(mark + 1)
        self.last = mark
        oldest = mark - 2 * HISTORY
        if len(self.kept) > 4 * HISTORY * len(self.group.vitals) * len(self.group.keys):
            self.kept = {key: value for key, value in self.kept.items() if key[2] > oldest}

    def fall_silent(self, now: int) -> None:
        """Where nothing comes any more, marks fall due by the clock (`now` in µs), two periods late and for a while only."""
        due = now // self.period - 2
        if due - self.newest <= HISTORY:
            self.reach(due)

    async def evaluate(self, marks: list[int]) -> list[dict[str, Any]]:
        """The values at these marks that differ from what is kept, as rows, by time."""
        rows: list[dict[str, Any]] = []
        elsewhere = [mark for mark in marks if not self.grid.holds(mark, self.group.span)]
        other = await self._other_grid(elsewhere) if elsewhere else None
        for mark in marks:
            grid = self.grid if other is None or self.grid.holds(mark, self.group.span) else other
            rows += self._differences(grid, mark)
        return rows

    def remember(self, rows: list[dict[str, Any]]) -> None:
        """Note what is kept now."""
        for row in rows:
            self.kept[row["vital"], row["key"], row["mark"]] = (row["value"], row["version"])

    def time_of(self, mark: int) -> str:
        """The instant of a mark as ISO text."""
        return iso(instant(mark * self.period))

    def _differences(self, grid: Grid, mark: int) -> list[dict[str, Any]]:
        time, rows = self.time_of(mark), []
        found = self.group.evaluate(grid, mark)
        for vital in self.group.vitals:
            values = found[vital.name]
            levels = level_names(vital, values)
            for column in self.group.columns(vital):
                value = None if np.isnan(values[column]) else float(values[column])
                key = self.group.keys[column]
                if self.kept.get((vital.name, key, mark)) != (value, vital.version):
                    state = "missing" if value is None else "ok"
                    place = {"vital": vital.name, "key": key, "time": time, "mark": mark}
                    rows.append({**place, "value": value, "state": state, "level": levels[column], "version": vital.version})
        return rows

    def _again(self, columns: Integers, times: Integers, buckets: Integers) -> Any:
        """Which observations lie in a bucket that must be read again: one of them is not newer than all before it."""
        double = np.zeros(len(times), np.bool_)
        same = (columns[1:] == columns[:-1]) & (times[1:] == times[:-1])
        double[1:] |= same
        old = (times <= self.seen[columns]) | double
        if not old.any():
            return old
        places = (columns << 40) + (buckets - buckets.min())
        return np.isin(places, places[old])

    async def _read_again(self, columns: Integers, buckets: Integers) -> None:
        first, last = int(buckets.min()), int(buckets.max())
        if last < self.grid.first:
            return
        rows = await self._read_buckets(self.group.ids[np.unique(columns)], max(first, self.grid.first), last)
        read_columns = np.searchsorted(self.group.ids, rows.streams)
        read_buckets = rules.buckets(rows.times, self.period)
        mask = np.isin((read_columns << 40) + (read_buckets - first), (columns << 40) + (buckets - first))
        self.grid.clear(columns, buckets)
        if mask.any():
            self.grid.add(read_columns[mask], read_buckets[mask], rows.results[mask])
            np.maximum.at(self.seen, read_columns[mask], rows.times[mask])

    async def _other_grid(self, marks: list[int]) -> Grid:
        first, last = min(marks) - self.group.span + 1, max(marks)
        grid = Grid(len(self.group.streams), first, last - first + 1)
        rows = await self._read_buckets(self.group.ids, first, last)
        grid.add(np.searchsorted(self.group.ids, rows.streams), rules.buckets(rows.times, self.period), rows.results)
        return grid

    async def _read_buckets(self, ids: Integers, first: int, last: int) -> Observations:
        return await self.read(ids, (first - 1) * self.period + 1, last * self.period + 1)
