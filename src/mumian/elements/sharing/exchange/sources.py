"""Sources: what a job reads, how it is cut into chunks, and how one notices that it is not the same any more."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import msgspec

from mumian.elements.sharing.exchange.contracts import Chunk, FileSource, Job, LakeSource, Reference
from mumian.elements.sharing.exchange.statements import literal, quoted

_CSV = (".csv", ".txt")
_DIALECT = "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true"  # RFC 4180


class BadSource(Exception):
    """The source cannot be read as the job says."""


class Runs(Protocol):
    """What runs a statement: DuckDB by either of its interfaces."""

    def execute(self, sql: str) -> Any:
        """Run it."""
        ...


@dataclass
class Opened:
    """A source made ready: files (those of CSV staged as Parquet) with where their rows begin, or a table of the lake.

    `types` are the types of its columns; `syntax` counts lines of CSV that are no rows, by file.
    """

    files: list[Path] = field(default_factory=list)
    bases: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    table: str = ""
    condition: str = ""
    types: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    told: str = ""

    @property
    def rows(self) -> int:
        """How many rows the files have."""
        return sum(self.counts)

    def chunk_relation(self, chunk: Chunk) -> tuple[str, str, str]:
        """Relation, expression of the row's number, and bounds of a chunk."""
        if self.table:
            return self.table, "_id", f"_id >= {chunk.first} AND _id < {chunk.last}"
        file = literal(str(self.files[chunk.file]))
        where = f"file_row_number >= {chunk.first} AND file_row_number < {chunk.last}"
        return f"read_parquet({file}, file_row_number = true)", f"file_row_number + {chunk.base}", where

    def whole_relation(self) -> tuple[str, str]:
        """Relation of all rows, and expression of the row's number."""
        if self.table:
            return self.table, "_id"
        selects = [
            f"SELECT *, file_row_number + {base} AS _row FROM read_parquet({literal(str(file))}, file_row_number = true)"
            for file, base in zip(self.files, self.bases, strict=True)
        ]
        return f"({' UNION ALL '.join(selects)})", "_row"


def open_files(source: FileSource, staging: Path, connection: Any) -> Opened:
    """Files made ready; CSV is staged as Parquet in `staging`, once. Raises BadSource."""
    opened = Opened(told=msgspec.json.encode([Path(path).name for path in source.paths]).decode())
    marks = []
    for index, name in enumerate(source.paths):
        path = Path(name)
        if not path.is_file():
            raise BadSource(f"{path.name} is not there")
        facts = path.stat()
        marks.append(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}")
        opened.files.append(_staged(path, staging / f"source-{index:05d}.parquet", connection) if _is_csv(path) else path)
    opened.fingerprint = sha256("\n".join(marks).encode()).hexdigest()
    for file in opened.files:
        relation = f"read_parquet({literal(str(file))})"
        types = _types(connection, relation)
        if opened.types and opened.types != types:
            raise BadSource(f"{file.name} has other columns than the files before it")
        opened.types = types
        opened.bases.append(opened.rows)
        opened.counts.append(int(connection.execute(f"SELECT count(*) FROM {relation}").fetchone()[0]))
    return opened


def open_lake(source: LakeSource, connection: Any) -> Opened:
    """A table of the lake made ready; `lake` is attached."""
    table = f"lake.main.{quoted(source.table)}"
    told = msgspec.json.encode({"dataset": source.dataset, "snapshot": source.snapshot}).decode()
    return Opened(
        table=table,
        condition=source.condition,
        types=_types(connection, table),
        fingerprint=sha256(f"{source.table}\0{source.snapshot}\0{source.condition}".encode()).hexdigest(),
        told=told,
    )


def chunks(opened: Opened, job: Job, connection: Any) -> tuple[int, tuple[Chunk, ...]]:
    """How many rows there are, and the chunks they are cut into."""
    if opened.table:
        return _lake_chunks(opened, job.chunk_rows, connection)
    found: list[Chunk] = []
    for index, (base, count) in enumerate(zip(opened.bases, opened.counts, strict=True)):
        for first in range(0, count, job.chunk_rows):
            last = min(first + job.chunk_rows, count)
            found.append(Chunk(number=len(found), file=index, first=first, last=last, base=base))
    return opened.rows, tuple(found)


def prepare_references(job: Job, run: Runs, staging: Path) -> None:
    """Make the tables `reference_<rule>` with the values that references may have."""
    for number, rule in enumerate(job.rules):
        if rule.reference is not None:
            run.execute(
                f"CREATE TEMP TABLE reference_{number} AS SELECT DISTINCT {quoted(rule.reference.column)} AS value "
                f"FROM {_reference(rule.reference)} WHERE value IS NOT NULL"
            )


def _reference(reference: Reference) -> str:
    if reference.table:
        return f"lake.main.{quoted(reference.table)}"
    paths = [literal(path) for path in reference.files]
    reader = "read_csv" if _is_csv(Path(reference.files[0])) else "read_parquet"
    options = f", {_DIALECT}" if reader == "read_csv" else ""
    return f"{reader}([{', '.join(paths)}]{options})"


def _lake_chunks(opened: Opened, size: int, connection: Any) -> tuple[int, tuple[Chunk, ...]]:
    """Ids only grow, but may have gaps: their counts in short steps tell where chunks of about `size` rows end."""
    step = max(size // 16, 1)
    where = f" WHERE {opened.condition}" if opened.condition else ""
    counted = f"SELECT _id // {step} AS step, count(*) FROM {opened.table}{where} GROUP BY step ORDER BY step"
    found: list[Chunk] = []
    total = held = 0
    first: int | None = None
    last = 0
    for place, count in connection.execute(counted).fetchall():
        if first is not None and held + count > size:
            found.append(Chunk(number=len(found), file=0, first=first, last=place * step))
            first, held = None, 0
        first = place * step if first is None else first
        held, total, last = held + count, total + count, (place + 1) * step
    if first is not None:
        found.append(Chunk(number=len(found), file=0, first=first, last=last))
    return total, tuple(found)


def _types(connection: Any, relation: str) -> dict[str, str]:
    """The types of columns; those that differ in nothing that matters are taken for one."""
    same = {"INTEGER": "BIGINT", "SMALLINT": "BIGINT", "TINYINT": "BIGINT", "UINTEGER": "BIGINT", "FLOAT": "DOUBLE"}
    rows: Sequence[tuple[Any, ...]] = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {row[0]: same.get(row[1], row[1]) for row in rows}


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() in _CSV


def _staged(path: Path, staged: Path, connection: Any) -> Path:
    if not staged.exists():
        draft = staged.with_suffix(".draft")
        select = f"SELECT * FROM read_csv({literal(str(path))}, {_DIALECT})"
        try:
            connection.execute(f"COPY ({select}) TO {literal(str(draft))} (FORMAT parquet, COMPRESSION snappy)")
        except Exception as error:
            draft.unlink(missing_ok=True)
            raise BadSource(f"{path.name} is no CSV in UTF-8 with a header: {_first(error)}") from error
        draft.rename(staged)
    return staged


def _first(error: Exception) -> str:
    """Where DuckDB found a fault, without the values there: they may be personal."""
    found = re.search(r"CSV Error on Line: (\d+)", str(error))
    return f"line {found[1]}" if found else str(error).splitlines()[0].split(":")[0][:200]


def missing(job: Job, opened: Opened) -> Iterator[str]:
    """The columns that the job reads and the source does not have."""
    return (f.column for f in job.fields if f.column not in opened.types)
