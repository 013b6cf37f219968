"""The finder: observations in the lake, by stream and time or by id."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mumian.foundation.sensing.contracts import NONE, Int64, Observations, Texts
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
        Column("flags", "BIGINT"),
        Column("detail", "VARCHAR"),
    ),
    sorted_by=("stream", "time"),
)
ROWS = "sensing.rows"
# Rows that wait for the lake, offered as `waiting`, without those that it got since they were looked at.
WAITING = f"(SELECT * FROM waiting WHERE id > (SELECT coalesce(max(value), 0) FROM lake_position WHERE name = '{ROWS}'))"
_END = "greatest(time, coalesce(TRY_CAST(json_extract(detail, '$.end') AS BIGINT), time))"
_PLAIN = "o.id, o.stream, o.time, o.result, o.result_time"


@dataclass(frozen=True, eq=False)
class Newest:
    """For each stream in the lake: its newest observation, how many it has, and the spans of its times (see `Spans.put`)."""

    rows: Observations
    counts: Int64
    spans: list[Int64]


class Finder:
    """Questions to the lake; `lake` is asked for at first use, since not every command opens it."""

    def __init__(self, lake: Callable[[], Lake]) -> None:
        self._lake = lake
        self._whole = False

    def known(self, rows: Observations) -> Known:
        """What the lake has for each row's stream and time."""
        source = (
            "FROM observation o SEMI JOIN wanted w ON o.stream = w.stream AND o.time = w.time "
            "WHERE o.time BETWEEN $first AND $last"
        )
        wanted = {"wanted": {"stream": rows.streams, "time": rows.times}}
        found = self._find(source, wanted, True, first=int(rows.times.min()), last=int(rows.times.max()))
        return match(found, rows.streams, rows.times)

    def window(self, streams: Int64, start: int, end: int, details: bool = False) -> Observations:
        """All rows of `streams` with start ≤ time < end, corrections and what they correct alike, in no order."""
        source = "FROM observation o SEMI JOIN wanted w ON o.stream = w.stream WHERE o.time >= $start AND o.time < $end"
        return self._find(source, {"wanted": {"stream": streams}}, details, start=start, end=end)

    def numbered(self, first_id: int, last_id: int) -> Observations:
        """The rows first_id … last_id, by id."""
        source = "FROM observation o WHERE o.id BETWEEN $first AND $last ORDER BY o.id"
        return self._find(source, {}, True, first=first_id, last=last_id)

    def newest(self, hidden: Int64) -> Newest:
        """The newest observation of every stream, rows with `hidden` ids left out, with the spans of times."""
        arrays = {"hidden_rows": {"id": hidden}}
        shown = "(SELECT * FROM observation WHERE id NOT IN (SELECT id FROM hidden_rows))" if len(hidden) else "observation"
        end = (
            "max(greatest(time, coalesce(TRY_CAST(json_extract(detail, '$.end') AS BIGINT), time)))"
            if self._is_whole()
            else "max(time)"
        )
        source = (
            f"FROM {shown} o JOIN (SELECT max(i.id) AS id, any_value(l.count) AS count, any_value(l.first) AS first, "
            "any_value(l.final) AS final, any_value(l.first_result) AS first_result, any_value(l.last_result) AS last_result "
            f"FROM {shown} i JOIN (SELECT stream, max(time) AS time, count(*) AS count, min(time) AS first, {end} AS final, "
            f"min(result_time) AS first_result, max(result_time) AS last_result FROM {shown} GROUP BY stream) l "
            "ON i.stream = l.stream AND i.time = l.time GROUP BY i.stream) t ON o.id = t.id WHERE true"
        )
        facts = "t.count, t.first, t.final, t.first_result, t.last_result"
        found = self._lake().columns(f"SELECT {self._columns()}, {facts} {source}", arrays)
        spans = [_whole_numbers(found[name]) for name in ("first", "final", "first_result", "last_result")]
        return Newest(self._detailed(_observations(found), source, arrays, {}), found["count"].astype(np.int64), spans)

    def highest_id(self) -> int:
        """The highest id in the lake; 0 when it has none."""
        return int(self._lake().rows("SELECT coalesce(max(id), 0) FROM observation")[0][0])

    def _find(self, source: str, arrays: dict[str, dict[str, Array]], details: bool, **params: int) -> Observations:
        rows = _observations(self._lake().columns(f"SELECT {self._columns()} {source}", arrays, **params))
        return self._detailed(rows, source, arrays, params) if details else rows

    def _detailed(
        self, rows: Observations, source: str, arrays: dict[str, dict[str, Array]], params: dict[str, int]
    ) -> Observations:
        """The rows with their details, which are asked for by themselves: a column of nothing costs nothing that way."""
        if not self._whole or not len(rows):
            return rows
        relation, _, condition = source.rpartition("WHERE")
        detailed = f"SELECT o.id, o.detail {relation} WHERE o.detail IS NOT NULL AND {condition}"
        found = self._lake().columns(detailed, arrays, **params)
        if not len(found["id"]):
            return rows
        order = np.argsort(rows.ids)
        place = order[np.minimum(np.searchsorted(rows.ids, found["id"], sorter=order), len(rows) - 1)]
        fits = rows.ids[place] == found["id"]
        details: Texts = np.full(len(rows), None, np.object_)
        details[place[fits]] = found["detail"][fits]
        return replace(rows, details=details)

    def _columns(self) -> str:
        return f"{_PLAIN}, {'coalesce(o.flags, 0)' if self._is_whole() else '0'} AS flags"

    def _is_whole(self) -> bool:
        """Whether the table has all columns: a lake from before there were flags and details lacks them until it is served."""
        if not self._whole:
            listing = "SELECT column_name FROM information_schema.columns WHERE table_name = $name"
            self._whole = ("detail",) in self._lake().rows(listing, name=TABLE.name)
        return self._whole


def columns_of(rows: Observations, whole: bool = False) -> dict[str, Array]:
    """Rows as columns of the lake table; flags and details are left out where no row has any, unless it shall be `whole`."""
    columns: dict[str, Array] = {
        "id": rows.ids,
        "stream": rows.streams,
        "time": rows.times,
        "result": rows.results,
        "result_time": rows.result_times,
    }
    if whole or rows.flags.any():
        columns["flags"] = rows.flags
    if whole or rows.details is not None:
        columns["detail"] = np.full(len(rows), None, np.object_) if rows.details is None else rows.details
    return columns


def _observations(found: dict[str, Array]) -> Observations:
    if not len(found["id"]):
        return Observations.empty()
    result_times = _whole_numbers(found["result_time"])
    columns = (found["stream"], found["time"], found["result"].astype(np.float64), found["id"], result_times)
    return Observations(*columns, found["flags"].astype(np.int64))


def _whole_numbers(values: Array) -> Int64:
    """A column of whole numbers, also where it is all NULL."""
    return values if values.dtype.kind == "i" else np.full(len(values), NONE, np.int64)
