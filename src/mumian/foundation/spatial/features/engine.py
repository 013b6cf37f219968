"""The engine of the feature cache: an embedded DuckDB with the spatial extension, in a file that may be lost at any time."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from mumian.foundation.storage.api import connect_duckdb, offer_arrays
from mumian.kernel.errors import Invalid, Unavailable

_ROW_GROUP = 16_384  # small groups: the Hilbert order lets a small box skip nearly all of them
_FILTER_FAULTS = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.SyntaxException, duckdb.InvalidInputException)


class Engine:
    """Runs SQL on the cache; each thread has a cursor of its own, readers see consistent snapshots."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._local = threading.local()
        self._laying = threading.Lock()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._root = connect_duckdb(folder / "extensions", "spatial")
        self._attach(folder / "cache.duckdb")
        self._root.execute("SET threads = 1")
        self.closed = False

    def _attach(self, file: Path) -> None:
        """Open the file; one that is damaged is begun anew, one that another process holds is done without."""
        for attempt in range(2):
            name = str(file).replace("'", "''")
            try:
                self._root.execute(f"ATTACH '{name}' AS cache (ROW_GROUP_SIZE {_ROW_GROUP})")
                self._root.execute("USE cache")
                return
            except duckdb.IOException as error:
                if "lock" in str(error).lower() or attempt:
                    break
            except duckdb.Error:
                if attempt:
                    break
            file.unlink(missing_ok=True)
            file.with_name(file.name + ".wal").unlink(missing_ok=True)
        self._root.execute("ATTACH ':memory:' AS cache")
        self._root.execute("USE cache")

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query with `$name` parameters; raises Invalid where values of a filter break it."""
        try:
            return self._cursor().execute(sql, dict(params or {})).fetchall()
        except _FILTER_FAULTS as error:
            reason = str(error).splitlines()[0][:200]
            raise Invalid.field("filter", "spatial.filter", reason=reason) from error

    def columns(self, sql: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A query's answer as arrays."""
        found: dict[str, Any] = self._cursor().execute(sql, dict(params or {})).fetchnumpy()
        return found

    @contextmanager
    def transaction(self, arrays: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """One write transaction on a cursor of its own, in which `arrays` can be read as relations."""
        cursor = self._fresh()
        try:
            for name, relation in (arrays or {}).items():
                offer_arrays(cursor, name, relation)
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException:
                cursor.rollback()
                raise
        finally:
            cursor.close()

    @contextmanager
    def all_hands(self) -> Iterator[None]:
        """Use every processor while a whole layer is laid out; searches run on one each, many at a time, which serves more."""
        with self._laying:
            self._root.cursor().execute(f"SET threads = {os.cpu_count() or 1}")
            try:
                yield
            finally:
                self._root.cursor().execute("SET threads = 1")

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed:
            self.closed = True
            for cursor in self._cursors:
                cursor.close()
            self._root.close()

    def _fresh(self) -> duckdb.DuckDBPyConnection:
        if self.closed:
            raise Unavailable(reason="the feature cache is closed")
        cursor = self._root.cursor()
        cursor.execute("USE cache")
        return cursor

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None or self.closed:
            cursor = self._local.cursor = self._fresh()
            self._cursors.append(cursor)
        return cursor


def quoted(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Sequence[str]) -> str:
    """Texts as a SQL list of literals."""
    return ", ".join(quoted(text) for text in texts)
