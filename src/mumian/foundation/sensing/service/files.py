"""Files of observations: read by DuckDB into rows of stream, time and result, with every bad row told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from mumian.foundation.sensing.contracts import BrokenRow, Int64, StreamInfo
from mumian.foundation.sensing.rules import instant
from mumian.foundation.sensing.service.lines import line_numbers, read_header
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.errors import Invalid
from mumian.kernel.ids import new_id

_NULLS = ["", "NA", "NaN", "nan", "null", "NULL", "-"]
_MOST_TEXT = 200
_TEXTS = "stream_text, time_text, result_text"


@dataclass(frozen=True)
class Source:
    """A file, its columns (`time`, `result` and perhaps `stream` → header), the one stream or all, and the limit of time."""

    path: Path
    columns: dict[str, str]
    one: StreamInfo | None
    streams: list[StreamInfo]
    now: int
    ahead: int


@dataclass(frozen=True)
class _Reader:
    """SQL for a file: the relation that reads it; expressions for stream, time and result as texts, and typed."""

    relation: str
    stream: str
    time: str
    result: str
    typed_time: str
    typed_result: str


@dataclass(frozen=True)
class Filled:
    """What `fill` found: lines that cannot be read at all, and whether quotes were heeded."""

    unreadable: tuple[BrokenRow, ...] = ()
    quoted: bool | None = None


def fill(work: LakeTransaction, source: Source) -> Filled:
    """Fill the temporary table `imported` with the file's rows, in their order, those that cannot be used marked `broken`."""
    if source.one is None and "stream" not in source.columns:
        raise Invalid.field("stream_column", "field.missing")
    _offer_streams(work, source)
    name = source.path.name.lower()
    if name.endswith((".csv", ".csv.gz", ".tsv", ".txt")):
        return _fill_csv(work, source)
    if name.endswith((".parquet", ".pq")):
        return _fill_parquet(work, source)
    raise Invalid.field("file", "sensing.import.format", suffix=source.path.suffix or source.path.name)


@dataclass(frozen=True, eq=False)
class Sifted:
    """What `sift` found: the broken rows by line, how many rows are good, and the numbers in `imported` of those that are not."""

    broken: tuple[BrokenRow, ...]
    good: int
    left_out: Int64


def sift(work: LakeTransaction, source: Source, filled: Filled) -> Sifted:
    """Find the broken rows of `imported` and tell what is wrong with each, and with what could not be read.

    To be called in a later transaction than `fill`: only then are rows numbered in their order. The line is a row's first line
    in a CSV file, and its number (from 1) in a Parquet file.
    """
    _check_ranges(work, source)
    count = int(work.rows("SELECT count(*) FROM imported")[0][0])
    faulty = work.rows(f"SELECT rowid + 1, {_TEXTS}, stream, time, result FROM imported WHERE broken ORDER BY rowid")
    lines = [int(row[0]) for row in faulty]
    if filled.quoted is not None:
        lines = line_numbers(source.path, lines, {b.line for b in filled.unreadable}, filled.quoted, count)
    broken = [*filled.unreadable, *(_describe(source, line, row) for line, row in zip(lines, faulty, strict=True))]
    left_out = np.array([row[0] - 1 for row in faulty], np.int64)
    return Sifted(tuple(sorted(broken, key=lambda b: b.line)), count - len(faulty), left_out)


def _fill_csv(work: LakeTransaction, source: Source) -> Filled:
    header, delimiter = read_header(source.path)
    _check_columns(source, header)
    quoted = True
    rejected = _fill(work, source, *_csv_reader(source, header, delimiter, quoted))
    if any(row[1] == "UNQUOTED VALUE" for row in rejected):
        # A quote that is never closed swallows all that follows: take every line for itself instead.
        quoted = False
        rejected = _fill(work, source, *_csv_reader(source, header, delimiter, quoted))
    unreadable = (
        BrokenRow(line, column or "", "sensing.import.line", {"reason": why}, text) for line, _, column, text, why in rejected
    )
    return Filled(tuple(unreadable), quoted)


def _fill_parquet(work: LakeTransaction, source: Source) -> Filled:
    relation = f"read_parquet({_text(str(source.path))})"
    try:
        types = {str(row[0]): str(row[1]) for row in work.rows(f"DESCRIBE SELECT * FROM {relation}")}
    except duckdb.Error as error:
        raise Invalid.field("file", "sensing.import.line", reason=str(error).splitlines()[0][:200]) from error
    _check_columns(source, list(types))
    time, result = _name(source.columns["time"]), _name(source.columns["result"])
    if not types[source.columns["time"]].startswith(("TIMESTAMP", "DATE", "VARCHAR")):
        raise Invalid.field("time", "field.type", expected="a column of timestamps or of ISO 8601 text")
    stream = f"CAST({_name(source.columns['stream'])} AS VARCHAR)" if source.one is None else "NULL"
    texts = (f"CAST({time} AS VARCHAR)", f"CAST({result} AS VARCHAR)")
    typed = f"TRY_CAST({time} AS TIMESTAMPTZ)", f"TRY_CAST({result} AS DOUBLE)"
    _fill(work, source, _Reader(relation, stream, *texts, *typed), "")
    return Filled()


def _csv_reader(source: Source, header: list[str], delimiter: str, quoted: bool) -> tuple[_Reader, str]:
    """How to read the file, and the options that keep what cannot be read."""
    quote = "'\"'" if quoted else "''"
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in header)
    nulls = ", ".join(_text(null) for null in _NULLS)
    options = (
        f"{_text(str(source.path))}, auto_detect = false, header = true, delim = {_text(delimiter)}, quote = {quote}, "
        f"escape = {quote}, columns = {{{columns}}}, nullstr = [{nulls}], ignore_errors = true"
    )
    texts = [_name(source.columns[c]) if c in source.columns else "NULL" for c in ("stream", "time", "result")]
    if not quoted:
        texts = [f"CASE WHEN {t} LIKE '\"%\"' THEN nullif({t}[2:-2], '') ELSE {t} END" for t in texts]
    stream, time, result = texts
    # TIMESTAMPTZ, since a cast to TIMESTAMP would silently drop an offset.
    typed = f"TRY_CAST({time} AS TIMESTAMPTZ)", f"TRY_CAST({result} AS DOUBLE)"
    keep = ", store_rejects = true, rejects_table = 'import_errors', rejects_scan = 'import_scans'"
    return _Reader(f"read_csv({options})", stream, time, result, *typed), keep


def _fill(work: LakeTransaction, source: Source, reader: _Reader, keep: str) -> list[tuple[Any, ...]]:
    """Make `imported` of the good rows; returns line, kind, column, text and reason of each line that cannot be read at all."""
    for table in ("imported", "import_errors", "import_scans"):
        work.execute(f"DROP TABLE IF EXISTS temp.main.{table}")
    relation = reader.relation[:-1] + keep + ")"
    rows = _rows(source, reader, relation)
    texts = ", ".join(f"CASE WHEN broken THEN {name} END AS {name}" for name in _TEXTS.split(", "))
    work.execute(f"CREATE TEMP TABLE imported AS SELECT stream, time, result, broken, {texts} FROM ({rows})")
    if not keep:
        return []
    return work.rows(
        "SELECT line, any_value(error_type), any_value(column_name), "
        f"any_value(csv_line)[:{_MOST_TEXT}], any_value(error_message) "
        "FROM (SELECT * FROM temp.main.import_errors ORDER BY line, column_idx) GROUP BY line ORDER BY line"
    )


def _rows(source: Source, reader: _Reader, relation: str) -> str:
    """SQL of all rows of the file with typed columns, the texts they come from, and whether they are `broken`."""
    # Names become ids by their place in an enumeration: a join would change the order of the rows.
    stream = str(source.one.id) if source.one is not None else f"enum_code(TRY_CAST({reader.stream} AS stream_names)) + 1"
    limit = source.now + source.ahead
    return (
        f"SELECT *, stream IS NULL OR time IS NULL OR time > {limit} "
        "OR (result_text IS NOT NULL AND number IS NULL) OR coalesce(isinf(result), false) AS broken "
        "FROM (SELECT *, CASE WHEN isfinite(moment) THEN epoch_us(moment) END AS time, "
        "CASE WHEN isnan(number) THEN NULL ELSE number END AS result "
        f"FROM (SELECT {stream}::BIGINT AS stream, {reader.stream} AS stream_text, {reader.time} AS time_text, "
        f"{reader.result} AS result_text, {reader.typed_time} AS moment, {reader.typed_result} AS number FROM {relation}))"
    )


def _describe(source: Source, line: int, row: tuple[Any, ...]) -> BrokenRow:
    """What is wrong with a row that could be read."""
    _, stream_text, time_text, result_text, stream, time, result = row
    text = ",".join("" if t is None else str(t) for t in (stream_text, time_text, result_text) if t is not None)[:_MOST_TEXT]
    if stream is None:
        return BrokenRow(line, source.columns["stream"], "sensing.unknown_stream_name", {"stream": stream_text or ""}, text)
    if time is None and time_text is None:
        return BrokenRow(line, source.columns["time"], "field.missing", {}, text)
    if time is None:
        return BrokenRow(line, source.columns["time"], "sensing.time", {"given": str(time_text)[:_MOST_TEXT]}, text)
    if time > source.now + source.ahead:
        values = {"time": time_text, "now": instant(source.now).isoformat(), "limit": source.ahead // 1_000_000}
        return BrokenRow(line, source.columns["time"], "sensing.future", values, text)
    if result is None:
        return BrokenRow(line, source.columns["result"], "sensing.import.result", {"given": str(result_text)[:_MOST_TEXT]}, text)
    if np.isinf(result):
        return BrokenRow(line, source.columns["result"], "sensing.result_infinite", {}, text)
    info = next(s for s in source.streams if s.id == stream)
    limits = {"minimum": "-∞" if info.minimum is None else info.minimum, "maximum": "∞" if info.maximum is None else info.maximum}
    values = {"value": result_text or result, "stream": info.name, **limits}
    return BrokenRow(line, source.columns["result"], "sensing.result_range", values, text)


def _offer_streams(work: LakeTransaction, source: Source) -> None:
    """Make the enumeration `stream_names`, in which the stream of id n stands at place n - 1; gaps get names nobody gives."""
    names = {s.id: s.name for s in source.streams}
    gap = new_id()
    listed = [names.get(number, f"{gap} {number}") for number in range(1, max(names, default=0) + 1)]
    work.execute("DROP TYPE IF EXISTS temp.main.stream_names")
    if listed:
        work.execute(f"CREATE TEMP TYPE stream_names AS ENUM ({', '.join(map(_text, listed))})")
    elif source.one is None:
        raise Invalid.field("stream_column", "sensing.unknown_stream_name", stream="…")


def _check_ranges(work: LakeTransaction, source: Source) -> None:
    """Mark results outside of their stream's valid range as broken."""
    bounded = [s for s in source.streams if s.minimum is not None or s.maximum is not None]
    if not bounded:
        return
    columns = {
        "id": np.array([s.id for s in bounded], np.int64),
        "minimum": np.array([-np.inf if s.minimum is None else s.minimum for s in bounded]),
        "maximum": np.array([np.inf if s.maximum is None else s.maximum for s in bounded]),
    }
    work.offer("stream_ranges", columns)
    work.execute(
        "UPDATE imported SET broken = true FROM stream_ranges r "
        "WHERE imported.stream = r.id AND NOT broken AND (result < r.minimum OR result > r.maximum)"
    )


def _check_columns(source: Source, header: list[str]) -> None:
    for field, name in source.columns.items():
        if name not in header:
            raise Invalid.field(field, "sensing.import.columns", name=name, expected=", ".join(header)[:500])


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def _name(value: str) -> str:
    escaped = value.replace('"', '""')
    return f'"{escaped}"'
