"""Contracts of storage: the ports behind which the city keeps its data, whatever engine does the work."""

from collections.abc import Container, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.storage.messages.port import Messages as Messages
from mumian.kernel.unit_of_work import Records as Records

NONE = int(np.iinfo(np.int64).min)
Array = NDArray[Any]
Type = Literal["BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN", "BLOB", "DATE", "TIMESTAMP"]


@dataclass(frozen=True)
class Column:
    """A column of a lake table; times are BIGINT microseconds since 1970-01-01 UTC."""

    name: str
    type: Type


@dataclass(frozen=True)
class Table:
    """A lake table: its columns, and the columns by which compaction sorts its files."""

    name: str
    columns: tuple[Column, ...]
    sorted_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Position:
    """How far a consumer of some log has come: `name` of the log, `value` only grows."""

    name: str
    value: int


@dataclass(frozen=True)
class DataFile:
    """A live data file of a table: where it is, how large, and the SHA-256 of its bytes in hexadecimal."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Compaction:
    """How many data files a table had before and after its files were merged."""

    before: int
    after: int


class LakeTransaction(Protocol):
    """An open lake transaction, for set-based work in DuckDB SQL; it is committed by whoever opened it."""

    def execute(self, sql: str, **params: Any) -> int:
        """Run one statement with `$name` parameters; returns how many rows it touched (0 if that is unknown)."""
        ...

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        ...

    def columns(self, sql: str, **params: Any) -> dict[str, Array]:
        """A query's answer as arrays; see `Lake.columns`."""
        ...

    def offer(self, name: str, columns: Mapping[str, Array]) -> None:
        """Let later statements read these arrays as the relation `name`."""
        ...

    def advance(self, position: Position) -> None:
        """Remember a position in this same commit."""
        ...


class ReadCursor(Protocol):
    """A connection of a sealed reader, for one thread at a time; only `interrupt` may be called from another."""

    @property
    def description(self) -> Any:
        """The columns of the last answer: tuples that begin with name and type."""
        ...

    def execute(self, query: Any, parameters: Any = None) -> Any:
        """Run one statement; its answer is fetched bit by bit. Raises the engine's own errors."""
        ...

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """The next rows; an empty list at the end."""
        ...

    def interrupt(self) -> None:
        """Let what runs end with an error."""
        ...

    def close(self) -> None:
        """Let go of what is under way."""
        ...


class Sealed(Protocol):
    """A reader of the lake that can do nothing else; see `Lake.sealed`."""

    def cursor(self) -> ReadCursor:
        """A connection of its own, for one thread at a time."""
        ...

    def close(self) -> None:
        """Let go of the lake."""
        ...


class Lake(Protocol):
    """Columnar store of bulk data (DuckDB SQL over Parquet files); one writer at a time, any number of readers."""

    engine: str

    def create(self, table: Table) -> bool:
        """Create the table if it is absent (True) or add columns that it lacks (False); never drops anything."""
        ...

    def has(self, table: Table) -> bool:
        """Whether the table is there with all these columns, so that `create` would change nothing."""
        ...

    def tables(self) -> list[str]:
        """The names of all tables that components created, in order."""
        ...

    def append(self, table: str, columns: Mapping[str, Array], position: Position | None = None) -> None:
        """Add rows and remember `position` in one commit; durable when it returns.

        Columns are arrays of equal length in any order. NaN in a DOUBLE and `NONE` in a BIGINT column become NULL.
        Raises StorageFull when the disk has no room and Unavailable when the catalogue cannot be reached; then nothing changed.
        """
        ...

    def position(self, name: str) -> int:
        """The value last remembered under `name`; 0 if there is none."""
        ...

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """All rows of a query with `$name` parameters, on a consistent snapshot."""
        ...

    def columns(self, sql: str, arrays: Mapping[str, Mapping[str, Array]] | None = None, **params: Any) -> dict[str, Array]:
        """A query's answer as one array a column; NULL is NaN in numbers with a point and `NONE` in whole numbers.

        `arrays` are relations of the caller's that the query may join: `{"wanted": {"stream": …, "time": …}}`.
        """
        ...

    def transaction(self) -> AbstractContextManager[LakeTransaction]:
        """One write transaction: committed when the block ends, undone when it raises."""
        ...

    def sealed(self, memory: str) -> Sealed:
        """A reader for queries of others: it sees `lake.main.<table>`, and can neither write, read files nor change settings.

        `memory` (such as `1GB`) bounds all its queries together; the caller closes it before the lake.
        """
        ...

    def snapshot(self) -> int:
        """The number of the newest snapshot."""
        ...

    def attaching(self, snapshot: int) -> list[str]:
        """Statements by which another process of this city, in a DuckDB of its own, attaches that snapshot as `lake`, to read it.

        They may hold the password of the catalogue. A snapshot can be read until compaction removes what only it used.
        """
        ...

    def files(self, table: str, known: Container[str] = ()) -> list[DataFile]:
        """The live data files of a table with their digests, by path: evidence that nobody changed them.

        Every file is read, but those whose name is in `known`; these, and files that are not there, have an empty digest.
        """
        ...

    def catalogue_digest(self) -> str:
        """The SHA-256, in hexadecimal, of all that the catalogue says: the same until something changes in the lake."""
        ...

    def integrity_faults(self) -> list[str]:
        """What the catalogue's engine finds wrong with its own files; empty when sound or unable to tell."""
        ...

    def compact(self, table: str, keep: datetime) -> Compaction:
        """Merge small files into large sorted ones and delete files that only snapshots older than `keep` used."""
        ...

    def close(self) -> None:
        """Finish what is under way and let go of the store."""
        ...


@dataclass(frozen=True)
class ObjectInfo:
    """What is known of an object without reading it; `etag` is the SHA-256 of its content in hexadecimal."""

    key: str
    size: int
    etag: str
    modified: datetime


class Objects(Protocol):
    """Whole files under slash-separated keys; a reader sees the old content or the new, never a part."""

    engine: str

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Store `content`, replacing what was there; durable when it returns. Raises Invalid for a bad key, StorageFull."""
        ...

    def get(self, key: str) -> bytes:
        """The content; raises NotFound."""
        ...

    def stat(self, key: str) -> ObjectInfo:
        """What is known of the object; raises NotFound."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        ...

    def list(self, prefix: str = "") -> Sequence[str]:
        """The keys that begin with `prefix`, in order."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; removing what is not there is no error."""
        ...
