"""The lake on DuckDB and DuckLake: Parquet files, with a catalogue in SQLite or PostgreSQL."""

import os
import threading
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

import duckdb

from mumian.foundation.storage.contracts import NONE, Array, Compaction, DataFile, Position, Table
from mumian.foundation.storage.lake.arrays import offer, unmasked
from mumian.foundation.storage.lake.catalogue import Catalogue, damages, digest
from mumian.foundation.storage.lake.errors import LakeClosed, translate
from mumian.foundation.storage.lake.extensions import connect
from mumian.foundation.storage.lake.sealed import SealedReader, attaching
from mumian.kernel.errors import Unavailable

_POSITION = "lake_position"


class DuckLake:
    """The Lake port on one DuckDB process; writers wait for each other, readers do not."""

    def __init__(self, catalogue: Catalogue, data: Path, extensions: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.engine = catalogue.engine
        self._catalogue = catalogue
        self._data = data
        self._extensions = extensions
        self._synced: set[str] = set()
        self._writing = threading.RLock()
        self._local = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._closed = False
        try:
            with translate():
                self._open(catalogue, extensions)
        except (duckdb.Error, UnicodeDecodeError) as error:  # a damaged name breaks even DuckDB's message
            why = str(error).splitlines()[0][:200]
            raise Unavailable(reason=f"the lake catalogue ({catalogue.engine}) is damaged or cannot be opened: {why}") from error

    def _open(self, catalogue: Catalogue, extensions: Path) -> None:
        self._root = connect(extensions, "ducklake", catalogue.extension)
        url, path = catalogue.url.replace("'", "''"), str(self._data).replace("'", "''")
        # The folder may have been moved, or brought back from a backup, since the catalogue was made.
        options = f"DATA_PATH '{path}/', OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0{catalogue.options}"
        self._root.execute(f"ATTACH 'ducklake:{url}' AS lake ({options})")
        self._writer = self._cursor()
        self._prepare_positions()

    def _prepare_positions(self) -> None:
        """Positions are a few short rows: DuckLake may keep them inside the catalogue instead of in files."""
        if not self._has(_POSITION):
            self._writer.execute(f"CREATE TABLE {_POSITION} (name VARCHAR, value BIGINT)")
            self._writer.execute(f"CALL lake.set_option('data_inlining_row_limit', 1000, table_name => '{_POSITION}')")

    def create(self, table: Table) -> bool:
        """Create the table if it is absent and add columns that it lacks."""
        with self._writing, translate():
            columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
            if not self._has(table.name):
                self._writer.execute(f"CREATE TABLE {table.name} ({columns})")
                return True
            have = _columns(self._writer, table.name)
            for column in table.columns:
                if column.name not in have:
                    self._writer.execute(f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {column.type}')
            return False

    def has(self, table: Table) -> bool:
        """Whether the table is there with all these columns."""
        with translate():
            return {column.name for column in table.columns} <= _columns(self._reader(), table.name)

    def tables(self) -> list[str]:
        """The names of all tables that components created."""
        found = self.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' ORDER BY table_name")
        return [row[0] for row in found if row[0] != _POSITION]

    def append(self, table: str, columns: Mapping[str, Array], position: Position | None = None) -> None:
        """Add rows and remember `position` in one commit."""
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(f'nullif("{n}", {NONE})' if a.dtype.kind == "i" else f'"{n}"' for n, a in columns.items())
        with self.transaction() as work:
            work.offer("incoming_columns", columns)
            work.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM incoming_columns")
            if position is not None:
                work.advance(position)

    def position(self, name: str) -> int:
        """The value last remembered under `name`."""
        found = self.rows(f"SELECT value FROM {_POSITION} WHERE name = $name", name=name)
        return int(found[0][0]) if found else 0

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with translate():
            return self._reader().execute(sql, params).fetchall()

    def columns(self, sql: str, arrays: Mapping[str, Mapping[str, Array]] | None = None, **params: Any) -> dict[str, Array]:
        """A query's answer as one array a column."""
        cursor = self._reader()
        with translate():
            for name, relation in (arrays or {}).items():
                offer(cursor, name, relation)
            try:
                return unmasked(cursor.execute(sql, params).fetchnumpy())
            finally:
                for name in arrays or {}:
                    cursor.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator["Work"]:
        """One write transaction: committed when the block ends, undone when it raises."""
        with self._writing, translate():
            if self._closed:
                raise LakeClosed(reason="the lake is closed")
            work = Work(self._writer)
            self._writer.begin()
            try:
                yield work
                self._sync()
                self._writer.commit()
            except BaseException:
                _undo(self._writer)
                raise
            finally:
                work.forget()

    def sealed(self, memory: str) -> SealedReader:
        """A reader for queries of others, in a DuckDB of its own."""
        with translate():
            return SealedReader(self._catalogue, self._data, self._extensions, memory)

    def snapshot(self) -> int:
        """The number of the newest snapshot."""
        return int(self.rows("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")[0][0])

    def attaching(self, snapshot: int) -> list[str]:
        """Statements that attach a snapshot elsewhere, to read it."""
        return attaching(self._catalogue, self._data, self._extensions, snapshot)

    def files(self, table: str, known: Container[str] = ()) -> list[DataFile]:
        """The live data files of a table with their digests; those in `known` are not read."""
        names = sorted(row[0] for row in self.rows(f"SELECT data_file FROM ducklake_list_files('lake', '{table}')"))
        return [_data_file(Path(name), Path(name).name in known) for name in names]

    def catalogue_digest(self) -> str:
        """The digest of what the catalogue says, from one snapshot of it."""
        cursor = self._reader()
        with translate():
            cursor.begin()
            try:
                return digest(cursor, self._catalogue)
            finally:
                _undo(cursor)

    def integrity_faults(self) -> list[str]:
        """What the catalogue's engine finds wrong with its own files."""
        with translate():
            return damages(self._reader(), self._catalogue)

    def compact(self, table: str, keep: datetime) -> Compaction:
        """Merge small files into large ones and delete what only snapshots before `keep` used."""
        listing = f"SELECT count(*) FROM ducklake_list_files('lake', '{table}')"
        with self._writing, translate():
            before = _number(self._writer, listing)
            self._writer.execute(f"CALL ducklake_merge_adjacent_files('lake', '{table}')").fetchall()
            self._sync()
            moment = keep.isoformat()
            for step in ("expire_snapshots", "cleanup_old_files"):
                _number(self._writer, f"SELECT count(*) FROM ducklake_{step}('lake', older_than => TIMESTAMPTZ '{moment}')")
            return Compaction(before, _number(self._writer, listing))

    def close(self) -> None:
        """Finish what is under way and let go of the store."""
        with self._writing:
            if not self._closed:
                self._closed = True
                for cursor in self._cursors:
                    cursor.close()
                self._root.close()

    def _has(self, table: str) -> bool:
        found = "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = $name"
        return _number(self._writer, found, name=table) > 0

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._root.cursor()
        cursor.execute("USE lake")
        cursor.execute("SET enable_progress_bar = false")
        self._cursors.append(cursor)
        return cursor

    def _reader(self) -> duckdb.DuckDBPyConnection:
        """This thread's own connection: DuckDB cursors are cheap but may not be shared by threads."""
        if self._closed:
            raise LakeClosed(reason="the lake is closed")
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._cursor()
        return cursor

    def _sync(self) -> None:
        """Force new data files to the disk before the catalogue names them: DuckDB itself does not."""
        for folder, _, names in os.walk(self._data):
            fresh = [name for name in names if name not in self._synced]
            for name in fresh:
                _fsync(Path(folder) / name)
                self._synced.add(name)
            if fresh:
                _fsync(Path(folder))


class Work:
    """An open transaction of the lake."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._offered: list[str] = []

    def execute(self, sql: str, **params: Any) -> int:
        """Run one statement; returns how many rows it touched."""
        found = self._connection.execute(sql, params).fetchone()
        return int(found[0]) if found and isinstance(found[0], int) else 0

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._connection.execute(sql, params).fetchall()

    def columns(self, sql: str, **params: Any) -> dict[str, Array]:
        """A query's answer as arrays."""
        return unmasked(self._connection.execute(sql, params).fetchnumpy())

    def offer(self, name: str, columns: Mapping[str, Array]) -> None:
        """Let later statements read these arrays as the relation `name`."""
        offer(self._connection, name, columns)
        self._offered.append(name)

    def advance(self, position: Position) -> None:
        """Remember a position in this same commit."""
        self.execute(f"DELETE FROM {_POSITION} WHERE name = $name", name=position.name)
        self.execute(f"INSERT INTO {_POSITION} VALUES ($name, $value)", name=position.name, value=position.value)

    def forget(self) -> None:
        """Let go of the offered arrays."""
        for name in self._offered:
            self._connection.unregister(name)


def _number(connection: duckdb.DuckDBPyConnection, sql: str, **params: Any) -> int:
    # All rows are asked for: what changes the lake is undone when its answer is left half read.
    found = connection.execute(sql, params).fetchall()
    return int(found[0][0]) if found else 0


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    sql = "SELECT column_name FROM duckdb_columns() WHERE database_name = 'lake' AND table_name = $name"
    return {row[0] for row in connection.execute(sql, {"name": table}).fetchall()}


def _undo(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.rollback()
    except duckdb.Error:
        return


def _data_file(path: Path, known: bool) -> DataFile:
    if not path.is_file():
        return DataFile(str(path), 0, "")
    if known:
        return DataFile(str(path), path.stat().st_size, "")
    with path.open("rb") as stream:
        return DataFile(str(path), path.stat().st_size, file_digest(stream, "sha256").hexdigest())


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
