"""Aggregates: hours and days of each stream in the lake, made again where data came late, added to where it cannot be."""

from collections.abc import Callable

from mumian.foundation.sensing.contracts import NONE, Int64
from mumian.foundation.sensing.flags import DOUBTFUL
from mumian.foundation.sensing.retention.rules import DAY, HOUR
from mumian.foundation.storage.contracts import Array, Column, Lake, LakeTransaction, Table

_NUMBERS = ("total", "minimum", "maximum", "good_total", "good_minimum", "good_maximum")
_COLUMNS = (
    *(Column(name, "BIGINT") for name in ("stream", "time", "count", "missing", "good_count")),
    *(Column(name, "DOUBLE") for name in _NUMBERS),
)
HOURS = Table("observation_hour", _COLUMNS, ("stream", "time"))
DAYS = Table("observation_day", _COLUMNS, ("stream", "time"))
# By stream: the last id that is in the aggregates, and before which times observations and hours were removed.
KEPT = Table(
    "observation_kept", tuple(Column(n, "BIGINT") for n in ("stream", "aggregated", "before", "hours_before")), ("stream",)
)
_HOUR_OF = "(time - ((time % 3600000000) + 3600000000) % 3600000000)"
_GOOD = f"FILTER (WHERE flags & {DOUBTFUL} = 0)"
_NAMES = ", ".join(column.name for column in _COLUMNS)
_STATS = (
    f"count(result), count(*) - count(result), count(result) {_GOOD}, sum(result), min(result), max(result), "
    f"sum(result) {_GOOD}, min(result) {_GOOD}, max(result) {_GOOD}"
)
_SUMS = (
    "sum(count), sum(missing), sum(good_count), sum(total), min(minimum), max(maximum), "
    "sum(good_total), min(good_minimum), max(good_maximum)"
)
# One row for each stream and time, with its newest result; what was deleted or replaced does not count.
_ROWS = (
    "SELECT stream, time, arg_max_null(result, id) AS result, arg_max(coalesce(flags, 0), id) AS flags FROM ("
    "SELECT o.id, o.stream, o.time, o.result, o.flags FROM observation o {join} "
    "WHERE o.time >= $first AND o.time < $end {where} AND o.id NOT IN (SELECT id FROM hidden)) GROUP BY stream, time"
)


class Aggregates:
    """`platform.get(Aggregates)`: reads aggregates, and knows before which time a stream has nothing else."""

    def __init__(self, lake: Callable[[], Lake]) -> None:
        self._lake = lake
        self._before: dict[int, int] = {}

    def before(self, stream: int) -> int:
        """The time (µs since 1970) before which the stream's single observations were removed; the least there is if none."""
        return self._before.get(stream, NONE)

    def refresh(self) -> None:
        """Read from the lake what was removed."""
        found = self._lake().rows(f"SELECT stream, before FROM {KEPT.name} WHERE before IS NOT NULL")
        self._before = {int(stream): int(before) for stream, before in found}

    def read(self, stream: int, start: int, end: int, good_only: bool = False) -> dict[str, Array]:
        """Columns `time` (start), `count`, `total`, `minimum`, `maximum` of hours, or of days where hours are gone, by time."""
        prefix = "good_" if good_only else ""
        columns = ", ".join(f"{prefix}{name} AS {name}" for name in ("count", "total", "minimum", "maximum"))
        where = f"WHERE stream = $stream AND time >= $start AND time < $end AND {prefix}count > 0"
        first = f"(SELECT coalesce(min(hours_before), {-(2**62)}) FROM {KEPT.name} WHERE stream = $stream)"
        sql = (
            f"SELECT time, {columns} FROM {HOURS.name} {where} AND time >= {first} "
            f"UNION ALL SELECT time, {columns} FROM {DAYS.name} {where} AND time < {first} ORDER BY time"
        )
        return self._lake().columns(sql, None, stream=stream, start=max(start, -(2**62)), end=end)


def make_hours(work: LakeTransaction, chunk: dict[str, Array], hidden: Int64) -> None:
    """Make these hours (columns `stream`, `time`) again from the observations that there are."""
    work.offer("chunk", chunk)
    work.offer("hidden", {"id": hidden})
    first, end = int(chunk["time"].min()), int(chunk["time"].max()) + HOUR
    work.execute(f"DELETE FROM {HOURS.name} h WHERE EXISTS (SELECT 1 FROM chunk c WHERE c.stream = h.stream AND c.time = h.time)")
    rows = _ROWS.format(
        join=f"SEMI JOIN chunk c ON c.stream = o.stream AND c.time = {_HOUR_OF.replace('time', 'o.time')}", where=""
    )
    work.execute(
        f"INSERT INTO {HOURS.name} ({_NAMES_OF_STATS}) SELECT stream, {_HOUR_OF} AS hour, {_STATS} FROM ({rows}) "
        "GROUP BY stream, hour",
        first=first,
        end=end,
    )


def add_late(work: LakeTransaction, streams: dict[str, Array], hidden: Int64, top: int) -> None:
    """Add what came since (`streams`: stream, since, before, shift of days) for times whose observations were removed."""
    work.offer("late", streams)
    work.offer("hidden", {"id": hidden})
    rows = _ROWS.format(
        join="JOIN late l ON l.stream = o.stream AND o.time < l.before AND o.id > l.since", where=f"AND o.id <= {int(top)}"
    )
    work.execute(f"CREATE OR REPLACE TEMP TABLE late_rows AS {rows}", first=-(2**62), end=2**62)
    day_of = f"(time - (((time + l.shift) % {DAY}) + {DAY}) % {DAY})"
    for table, start in ((HOURS.name, _HOUR_OF), (DAYS.name, day_of)):
        work.execute(
            f"CREATE OR REPLACE TEMP TABLE late_sums AS SELECT r.stream, {start} AS start, {_stats_named()} "
            "FROM late_rows r JOIN late l USING (stream) GROUP BY r.stream, start"
        )
        _replace(work, table)


def make_days(work: LakeTransaction, days: dict[str, Array]) -> None:
    """Make these days (columns `stream`, `time`) again from their hours."""
    work.offer("chunk", days)
    work.execute(f"DELETE FROM {DAYS.name} d WHERE EXISTS (SELECT 1 FROM chunk c WHERE c.stream = d.stream AND c.time = d.time)")
    work.execute(
        f"INSERT INTO {DAYS.name} ({_NAMES_OF_STATS}) SELECT h.stream, c.time, {_SUMS} FROM {HOURS.name} h "
        f"JOIN chunk c ON c.stream = h.stream AND h.time >= c.time AND h.time < c.time + {DAY} GROUP BY h.stream, c.time"
    )


_NAMES_OF_STATS = "stream, time, count, missing, good_count, total, minimum, maximum, good_total, good_minimum, good_maximum"


def _stats_named() -> str:
    names = _NAMES_OF_STATS.split(", ")[2:]
    return ", ".join(f"{stat} AS {name}" for stat, name in zip(_split(_STATS), names, strict=True))


def _split(stats: str) -> list[str]:
    """The expressions of a list whose parts hold no commas of their own."""
    return stats.split(", ")


def _replace(work: LakeTransaction, table: str) -> None:
    """Add `late_sums` to what the table has for the same streams and times."""
    work.execute(
        f"INSERT INTO late_sums SELECT stream, time, {', '.join(_NAMES_OF_STATS.split(', ')[2:])} FROM {table} t "
        "WHERE EXISTS (SELECT 1 FROM late_sums s WHERE s.stream = t.stream AND s.start = t.time)"
    )
    work.execute(f"DELETE FROM {table} t WHERE EXISTS (SELECT 1 FROM late_sums s WHERE s.stream = t.stream AND s.start = t.time)")
    work.execute(f"INSERT INTO {table} ({_NAMES_OF_STATS}) SELECT stream, start, {_SUMS} FROM late_sums GROUP BY stream, start")
