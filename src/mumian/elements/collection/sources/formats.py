"""Formats: files of any kind as batches of rows, a bounded part of them in memory at a time."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mumian.elements.collection.models import Reading
from mumian.elements.collection.rules.documents import at, feature, flat
from mumian.elements.collection.settings import CollectionSettings
from mumian.elements.collection.sources.unpacking import unpacked
from mumian.foundation.storage.api import connect_duckdb
from mumian.foundation.tables.api import Dialect, Guess, Limits, guess, rows, sheet
from mumian.kernel.errors import Fault, Invalid, Malformed, TooLarge

_WORKBOOK_BYTES = 256 * 1024 * 1024
_MARKED = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet"}
_ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".parquet": "parquet", ".json": "json", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".geojson": "geojson",
}  # fmt: skip
_PARQUET_TYPES = {
    "BIGINT": "integer", "INTEGER": "integer", "SMALLINT": "integer", "TINYINT": "integer", "HUGEINT": "integer",
    "UBIGINT": "integer", "UINTEGER": "integer", "DOUBLE": "number", "FLOAT": "number", "BOOLEAN": "boolean",
    "DATE": "date", "TIMESTAMP": "time", "TIMESTAMP WITH TIME ZONE": "time", "TIMESTAMP_NS": "time", "TIMESTAMP_MS": "time",
    "VARCHAR": "text",
}  # fmt: skip


@dataclass
class Chunk:
    """Rows of one file: `at` is how many came before it, so that reading can go on there."""

    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    at: int = 0
    types: dict[str, str] = field(default_factory=dict)
    mended: int = 0
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    told: dict[str, Any] | None = None
    total: int | None = None


def chunks(path: Path, file: str, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    """The rows of a file behind the first `skip`; raises Invalid, Malformed, TooLarge."""
    plain, inner = unpacked(path, file, scratch, settings.unpacked_bytes)
    kind = kind_of(plain, inner, reading.format)
    return _READERS[kind](plain, reading, settings, scratch, skip)


def kind_of(path: Path, file: str, declared: str) -> str:
    """The format of a file: as declared, else told by its first bytes, else by its name."""
    if declared != "auto":
        return declared
    with path.open("rb") as stream:
        begin = stream.read(4000)
    marked = next((kind for mark, kind in _MARKED.items() if begin.startswith(mark)), None)
    if marked is not None:
        return marked
    named = _ENDINGS.get(Path(file).suffix.lower(), "csv")
    if (
        named == "csv"
        and begin.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[")
        and not file.lower().endswith((".csv", ".tsv"))
    ):
        return "jsonl" if begin.lstrip().startswith(b"{") and b"}\n{" in begin.replace(b"\r", b"") else "json"
    return named


def told_of(made: Guess, table: int) -> dict[str, Any]:
    """What was guessed of a file of delimited text, for people to see."""
    block = made.blocks[table]
    return {
        "format": "csv",
        "encoding": made.encoding,
        "delimiter": made.dialect.delimiter,
        "quote": made.dialect.quote,
        "escape": made.dialect.escape,
        "header": list(block.header_lines),
        "table": table,
        "tables": len(made.blocks),
        "columns": block.headers,
        "notes": [list(note) for note in block.notes[:20]],
    }


def guessed(path: Path, reading: Reading) -> tuple[Guess, int]:
    """How a file of delimited text is to be read, and which of its tables; raises Invalid, Malformed."""
    dialect = None if reading.delimiter is None else Dialect(reading.delimiter, reading.quote, reading.escape)
    made = guess(path, reading.encoding, dialect, reading.header)
    table = made.main if reading.table is None else reading.table
    if table >= len(made.blocks):
        raise Invalid.field("table", "collection.no_such_table", tables=len(made.blocks))
    return made, table


def unique(headers: list[str]) -> list[str]:
    """Names of columns, each of them once: those without a name, and those that come again, are numbered."""
    seen: dict[str, int] = {}
    names = []
    for i, header in enumerate(headers):
        base = header.strip() or f"col_{i}"
        count = seen.get(base.casefold(), 0)
        seen[base.casefold()] = count + 1
        names.append(base if count == 0 else f"{base}_{count + 1}")
    return names


def _csv(path: Path, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    made, table = guessed(path, reading)
    block = made.blocks[table]
    width = max(block.width, len(block.headers))
    names = unique([*block.headers, *([""] * (width - len(block.headers)))])
    source = itertools.islice(rows(path, made, table), skip, None)
    told: dict[str, Any] | None = told_of(made, table)
    done = skip
    while batch := list(itertools.islice(source, settings.batch)):
        done += len(batch)
        kept, mended = [record for record in batch if not record.lost], sum(r.mended and not r.lost for r in batch)
        faults = [(r.line, " | ".join(r.cells)[:200], f"> {width}") for r in batch if r.lost]
        yield Chunk(names, [r.cells for r in kept], [r.line for r in kept], done, {}, mended, faults, told)
        told = None
    if done == skip:
        yield Chunk(names, at=done, told=told)


def _xlsx(path: Path, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    if path.stat().st_size > _WORKBOOK_BYTES:
        raise TooLarge(limit=f"{_WORKBOOK_BYTES} bytes")
    made = sheet(path.read_bytes(), path.name, Limits(1_048_576, 16_384, _WORKBOOK_BYTES * 4), reading.header, reading.table)
    names = unique(made.headers)
    told: dict[str, Any] | None = {"format": "xlsx", "columns": names, "header": made.header_line}
    for start in range(skip, max(len(made.rows), skip + 1), settings.batch):
        part = made.rows[start : start + settings.batch]
        cells = [[row[i] if i < len(row) else "" for i in range(len(names))] for _, row in part]
        yield Chunk(names, cells, [line for line, _ in part], start + len(part), told=told, total=len(made.rows))
        told = None


def _parquet(path: Path, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    import duckdb

    with connect_duckdb(scratch) as con:
        con.execute(f"SET memory_limit = '{settings.memory}'")
        con.execute("SET threads = 1")
        try:
            found = con.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)]).description or []
            names = [each[0] for each in found]
            types = {each[0]: _PARQUET_TYPES.get(str(each[1]), "text") for each in found}
            total = (con.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone() or (0,))[0]
            con.execute("SELECT * FROM read_parquet(?) OFFSET ?", [str(path), skip])
            done, told = skip, {"format": "parquet", "columns": names}
            while batch := con.fetchmany(settings.batch):
                lines = list(range(done + 1, done + len(batch) + 1))
                done += len(batch)
                yield Chunk(names, [list(row) for row in batch], lines, done, types, told=told, total=total)
            if done == skip:
                yield Chunk(names, at=done, types=types, told=told, total=total)
        except duckdb.Error as error:
            raise Malformed(Fault("file", "field.syntax", {"reason": str(error)[:200]})) from error


def _json(path: Path, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    entries = at(document(path, settings.json_bytes), reading.rows)
    if isinstance(entries, dict):
        if not reading.rows and entries.get("type") == "FeatureCollection":
            yield from _features(entries, settings, skip)
            return
        entries = [entries]
    if not isinstance(entries, list):
        raise Invalid.field("rows", "collection.no_rows", path=reading.rows or "–")
    yield from _objects(((i, entry) for i, entry in enumerate(entries, 1)), flat, settings, skip, "json", len(entries))


def _geojson(path: Path, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    yield from _features(document(path, settings.json_bytes), settings, skip)


def _features(found: Any, settings: CollectionSettings, skip: int) -> Iterator[Chunk]:
    entries = found.get("features") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise Invalid.field("file", "collection.no_rows", path="features")
    yield from _objects(((i, entry) for i, entry in enumerate(entries, 1)), feature, settings, skip, "geojson", len(entries))


def _jsonl(path: Path, reading: Reading, settings: CollectionSettings, scratch: Path, skip: int) -> Iterator[Chunk]:
    def entries() -> Iterator[tuple[int, Any]]:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(settings.json_bytes + 1):
                number += 1
                if len(line) > settings.json_bytes:
                    raise TooLarge(limit=f"{settings.json_bytes} bytes")
                if line.strip():
                    yield number, line

    yield from _objects(entries(), lambda line: flat(_decoded(line.removeprefix(b"\xef\xbb\xbf"))), settings, skip, "jsonl", None)


def _objects(
    entries: Iterator[tuple[int, Any]], made: Any, settings: CollectionSettings, skip: int, kind: str, total: int | None
) -> Iterator[Chunk]:
    """Objects as rows; each chunk has the columns of its own objects. What is no object is told with its line."""
    source = itertools.islice(entries, skip, None)
    done, told = skip, {"format": kind}
    while batch := list(itertools.islice(source, settings.batch)):
        done += len(batch)
        columns: dict[str, int] = {}
        found: list[tuple[int, dict[str, Any]]] = []
        faults = []
        for line, entry in batch:
            try:
                row = made(entry)
            except (ValueError, RecursionError) as error:
                faults.append((line, repr(entry)[:200], str(error)[:200]))
                continue
            found.append((line, row))
            for key in row:
                columns.setdefault(key, len(columns))
        rows_ = [[row.get(column) for column in columns] for _, row in found]
        yield Chunk(list(columns), rows_, [line for line, _ in found], done, {}, 0, faults, told, total)
        told = None  # type: ignore[assignment]


def document(path: Path, most: int) -> Any:
    """A JSON document; raises TooLarge, Malformed."""
    if path.stat().st_size > most:
        raise TooLarge(limit=f"{most} bytes")
    try:
        return _decoded(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise Malformed(Fault("file", "field.syntax", {"reason": str(error)[:200]})) from error


def _decoded(content: bytes) -> Any:
    import msgspec

    return msgspec.json.decode(content)


_READERS = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet, "json": _json, "jsonl": _jsonl, "geojson": _geojson}
