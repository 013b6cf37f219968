"""Files of observations: read by DuckDB into rows of stream, time and result, with every bad row told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from mumian.foundation.sensing.contracts import BrokenRow, StreamInfo
from mumian.foundation.sensing.rules import instant
from mumian.foundation.sensing.service.lines import line_numbers, read_header
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.errors import Invalid

_NULLS = ["", "NA", "NaN", "nan", "null", "NULL", "-"]
_MOST_TEXT = 200


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


def read(work: LakeTransaction, source: Source) -> list[BrokenRow]:
    """Fill the temporary table `imported` with the file's good rows, in their order; returns what was left out.

    The line of a bad row is its first line in a CSV file, and its number (from 1) in a Parquet file.
    """
    if source.one is None and "stream" not in source.columns:
        raise Invalid.field("stream_column", "field.missing")
    _offer_streams(work, source)
    name = source.path.name.lower()
    if name.endswith((".csv", ".csv.gz", ".tsv", ".txt")):
        return _read_csv(work, source)
    if name.endswith((".parquet", ".pq")):
        return _read_parquet(work, source)
    raise Invalid.field("file", "sensing.import.format", suffix=source.path.suffix or source.path.name)


def _read_csv(work: LakeTransaction, source: Source) -> list[BrokenRow]:
    header, delimiter = read_header(source.path)
    _check_columns(source, header)
    quoted = True
    reader, rejects = _csv_reader(source, header, delimiter, quoted)
    rejected = _fill(work, source, reader, rejects)
    if any(row[1] == "UNQUOTED VALUE" for row in rejected):
        # A quote that is never closed swallows all that follows: take every line for itself instead.
        quoted = False
        reader, rejects = _csv_reader(source, header, delimiter, quoted)
        rejected = _fill(work, source, reader, rejects)
    broken = [
        BrokenRow(line, column or "", "sensing.import.line", {"reason": why}, text) for line, _, column, text, why in rejected
    ]
    faulty = _faulty_rows(work, source, reader, "row_number() OVER ()")
    lines = line_numbers(source.path, [row[0] for row in faulty], {b.line for b in broken}, quoted)
    broken += [_describe(source, line, row) for line, row in zip(lines, faulty, strict=True)]
    return sorted(broken, key=lambda b: b.line)


def _read_parquet(work: LakeTransaction, source: Source) -> list[BrokenRow]:
    relation = f"read_parquet({_text(str(source.path))}, file_row_number = true)"
    try:
        types = {str(row[0]): str(row[1]) for row in work.rows(f"DESCRIBE SELECT * FROM {relation}")}
    except duckdb.Error as error:
        raise Invalid.field("file", "sensing.import.line", reason=str(error).splitlines()[0][:200]) from error
    _check_columns(source, [name for name in types if name != "file_row_number"])
    time, result = _name(source.columns["time"]), _name(source.columns["result"])
    if not types[source.columns["time"]].startswith(("TIMESTAMP", "DATE", "VARCHAR")):
        raise Invalid.field("time", "field.type", expected="a column of timestamps or of ISO 8601 text")
    stream = f"CAST({_name(source.columns['stream'])} AS VARCHAR)" if source.one is None else "NULL"
    texts = (f"CAST({time} AS VARCHAR)", f"CAST({result} AS VARCHAR)")
    typed = f"TRY_CAST({time} AS TIMESTAMPTZ)", f"TRY_CAST({result} AS DOUBLE)"
    reader = _Reader(relation, stream, *texts, *typed)
    _fill(work, source, reader, "")
    return [_describe(source, row[0], row) for row in _faulty_rows(work, source, reader, "file_row_number + 1")]


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
    typed = f"TRY_CAST({time} AS TIMESTAMPTZ)", f"TRY_CAST({result} AS DOUBLE)"
    keep = ", store_rejects = true, rejects_table = 'import_errors', rejects_scan = 'import_scans'"
    return _Reader(f"read_csv({options})", stream, time, result, *typed), keep


def _fill(work: LakeTransaction, source: Source, reader: _Reader, keep: str) -> list[tuple[Any, ...]]:
    """Make `imported` of the good rows; returns line, kind, column, text and reason of each line that cannot be read at all."""
    for table in ("imported", "import_errors", "import_scans"):
        work.execute(f"DROP TABLE IF EXISTS temp.main.{table}")
    relation = reader.relation[:-1] + keep + ")"
    rows = _rows(source, reader, relation, "0")
    work.execute(f"CREATE TEMP TABLE imported AS SELECT stream, time, result, broken FROM ({rows})")
    if not keep:
        return []
    return work.rows(
        "SELECT line, any_value(error_type), any_value(column_name), "
        f"any_value(csv_line)[:{_MOST_TEXT}], any_value(error_message) "
        "FROM (SELECT * FROM temp.main.import_errors ORDER BY line, column_idx) GROUP BY line ORDER BY line"
    )


def _rows(source: Source, reader: _Reader, relation: str, number: str) -> str:
    """SQL of all rows of the file with typed columns, the texts they come from, and whether they are `broken`."""
    join = "CROSS JOIN known_streams s" if source.one is not None else "LEFT JOIN known_streams s ON s.name = r.stream_text"
    limit = source.now + source.ahead
    return (
        f"SELECT *, coalesce(stream IS NULL OR time IS NULL OR time > {limit} OR (result_text IS NOT NULL "
        "AND number IS NULL) OR isinf(result) OR result < minimum OR result > maximum, false) AS broken "
        "FROM (SELECT r.*, s.id AS stream, s.minimum, s.maximum, "
        "CASE WHEN isfinite(moment) THEN epoch_us(moment) END AS time, "
        "CASE WHEN isnan(number) THEN NULL ELSE number END AS result "
        f"FROM (SELECT {number} AS n, {reader.stream} AS stream_text, {reader.time} AS time_text, "
        f"{reader.result} AS result_text, {reader.typed_time} AS moment, {reader.typed_result} AS number "
        f"FROM {relation}) r {join})"
    )


def _faulty_rows(work: LakeTransaction, source: Source, reader: _Reader, number: str) -> list[tuple[Any, ...]]:
    """Number, texts and typed values of the rows that can be read and not be used, found by reading the file again."""
    if not work.rows("SELECT count(*) FROM imported WHERE broken")[0][0]:
        return []
    work.execute("CREATE OR REPLACE TEMP TABLE imported AS SELECT * FROM imported WHERE NOT broken")
    rows = _rows(source, reader, reader.relation, number)
    return work.rows(
        "SELECT n, stream_text, time_text, result_text, stream, time, result, minimum, maximum "
        f"FROM ({rows}) WHERE broken ORDER BY n"
    )


def _describe(source: Source, line: int, row: tuple[Any, ...]) -> BrokenRow:
    """What is wrong with a row that could be read."""
    _, stream_text, time_text, result_text, stream, time, result, minimum, maximum = row
    text = ",".join("" if t is None else str(t) for t in (stream_text, time_text, result_text) if t is not None)[:_MOST_TEXT]
    if stream is None:
        return BrokenRow(line, source.columns["stream"], "sensing.unknown_stream_name", {"stream": stream_text or ""}, text)
    if time_text is None:
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
    values = {
        "value": result_text,
        "stream": stream_text or (source.one.name if source.one else ""),
        "minimum": minimum,
        "maximum": maximum,
    }
    return BrokenRow(line, source.columns["result"], "sensing.result_range", values, text)


def _offer_streams(work: LakeTransaction, source: Source) -> None:
    streams = [source.one] if source.one is not None else source.streams
    work.offer(
        "known_streams",
        {
            "name": np.array([s.name for s in streams], dtype=object),
            "id": np.array([s.id for s in streams], np.int64),
            "minimum": np.array([-np.inf if s.minimum is None else s.minimum for s in streams]),
            "maximum": np.array([np.inf if s.maximum is None else s.maximum for s in streams]),
        },
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
