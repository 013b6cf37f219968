"""The finder: observations in the lake, by stream and time or by id."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mumian.foundation.sensing.contracts import NONE, Int64, Observations
from mumian.foundation.sensing.rules import Known
from mumian.foundation.sensing.service.tail import match
from mumian.foundation.storage.contracts import Array, Column, Lake, Table

TABLE = Table(
    "observation",
    (
        Column("id", "BIGINT"),
        Column("stream", "BIGINT"),
        Column("time", "BIGINT"),
        Column("result", "DOUBLE"),
        Column("result_time", "BIGINT"),
    ),
    sorted_by=("stream", "time"),
)
_COLUMNS = "o.id, o.stream, o.time, o.result, o.result_time"


@dataclass(frozen=True, eq=False)
class Newest:
    """For each stream in the lake: its newest observation, and how many it has."""

    rows: Observations
    counts: Int64


class Finder:
    """Questions to the lake; `lake` is asked for at first use, since not every command opens it."""

    def __init__(self, lake: Callable[[], Lake]) -> None:
        self._lake = lake

    def known(self, rows: Observations) -> Known:
        """What the lake has for each row's stream and time."""
        span = {"first": int(rows.times.min()), "last": int(rows.times.max())}
        found = self._lake().columns(
            f"SELECT {_COLUMNS} FROM observation o SEMI JOIN wanted w ON o.stream = w.stream AND o.time = w.time "
            "WHERE o.time BETWEEN $first AND $last",
            {"wanted": {"stream": rows.streams, "time": rows.times}},
            **span,
        )
        return match(_observations(found), rows.streams, rows.times)

    def window(self, streams: Int64, start: int, end: int) -> Observations:
        """All rows of `streams` with start ≤ time < end, corrections and what they correct alike, in no order."""
        found = self._lake().columns(
            f"SELECT {_COLUMNS} FROM observation o SEMI JOIN wanted w ON o.stream = w.stream "
            "WHERE o.time >= $start AND o.time < $end",
            {"wanted": {"stream": streams}},
            start=start,
            end=end,
        )
        return _observations(found)

    def numbered(self, first_id: int, last_id: int) -> Observations:
        """The rows first_id … last_id, by id."""
        found = self._lake().columns(
            f"SELECT {_COLUMNS} FROM observation o WHERE o.id BETWEEN $first AND $last ORDER BY o.id",
            first=first_id,
            last=last_id,
        )
        return _observations(found)

    def newest(self) -> Newest:
        """The newest observation of every stream."""
        found = self._lake().columns(
            "WITH last AS (SELECT stream, max(time) AS time, count(*) AS count FROM observation GROUP BY stream), "
            "top AS (SELECT o.stream, max(o.id) AS id FROM observation o JOIN last l ON o.stream = l.stream AND o.time = l.time "
            "GROUP BY o.stream) "
            f"SELECT {_COLUMNS}, l.count FROM observation o JOIN top t ON o.id = t.id JOIN last l ON l.stream = o.stream"
        )
        return Newest(_observations(found), found["count"].astype(np.int64))

    def highest_id(self) -> int:
        """The highest id in the lake; 0 when it is empty."""
        return int(self._lake().rows("SELECT coalesce(max(id), 0) FROM observation")[0][0])


def columns_of(rows: Observations) -> dict[str, Array]:
    """Rows as columns of the lake table."""
    return {"id": rows.ids, "stream": rows.streams, "time": rows.times, "result": rows.results, "result_time": rows.result_times}


def _observations(found: dict[str, Array]) -> Observations:
    if not len(found["id"]):
        return Observations.empty()
    result_times = found["result_time"]
    if result_times.dtype.kind != "i":
        result_times = np.full(len(found["id"]), NONE, np.int64)
    return Observations(found["stream"], found["time"], found["result"].astype(np.float64), found["id"], result_times)
