"""Records on SQLite: the embedded default, write-ahead log, one writer and snapshot readers."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mumian.kernel.errors import StorageFull, Unavailable
from mumian.kernel.unit_of_work import Row

_MOST_STATEMENTS = 2000
_FULL = ("database or disk is full", "disk I/O error")


class SqliteSession:
    """A session on one SQLite connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._names: dict[str, tuple[str, ...]] = {}

    def execute(self, sql: str, **params: Any) -> int:
        """Run one statement; returns how many rows it touched."""
        return self._execute(sql, params).rowcount

    def execute_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each set of parameters."""
        if len(params) == 1:
            self._execute(sql, params[0])
        else:
            self._connection.executemany(sql, params)

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """All rows as dictionaries."""
        cursor = self._execute(sql, params)
        found = cursor.fetchall()
        if not found:
            return []
        names = self._names.get(sql)
        if names is None or len(names) != len(found[0]):
            if len(self._names) > _MOST_STATEMENTS:
                self._names.clear()
            names = self._names[sql] = tuple(column[0] for column in cursor.description)
        return [dict(zip(names, values, strict=False)) for values in found]

    def row(self, sql: str, **params: Any) -> Row | None:
        """The first row, or None."""
        found = self.rows(sql, **params)
        return found[0] if found else None

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        found = self._execute(sql, params).fetchall()
        return found[0][0] if found else None


class SqliteConnection:
    """Transactions and savepoints on one SQLite connection."""

    def __init__(self, file: Path, synchronous: str, read_only: bool) -> None:
        self._raw = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=512)
        self._raw.execute("PRAGMA journal_mode = WAL")
        self._raw.execute(f"PRAGMA synchronous = {synchronous.upper()}")
        self._raw.execute("PRAGMA temp_store = MEMORY")
        self._raw.execute("PRAGMA cache_size = -65536")
        if read_only:
            self._raw.execute("PRAGMA query_only = 1")
        self._start = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        self.session = SqliteSession(self._raw)

    def begin(self) -> None:
        """Open a transaction; a writer takes the write lock at once."""
        self._raw.execute(self._start)

    def commit(self) -> None:
        """Make everything since `begin` durable."""
        self._raw.execute("COMMIT")

    def rollback(self) -> None:
        """Undo everything since `begin`; without an open transaction it does nothing."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def savepoint(self) -> None:
        """Mark a point to come back to."""
        self._raw.execute("SAVEPOINT work")

    def release(self) -> None:
        """Forget the mark."""
        self._raw.execute("RELEASE work")

    def rollback_to_savepoint(self) -> None:
        """Undo everything since the mark; raises if the engine has already lost the transaction."""
        self._raw.execute("ROLLBACK TO work")

    def changes(self) -> int:
        """How many rows this connection has changed so far."""
        return self._raw.total_changes

    def sound(self) -> bool:
        """Whether the open transaction can go on."""
        return self._raw.in_transaction

    def alive(self) -> bool:
        """A local file does not go away."""
        return True

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


class SqliteEngine:
    """Opens connections on one database file."""

    name = "sqlite"

    def __init__(self, file: Path, synchronous: str = "full") -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._synchronous = synchronous

    def writer(self) -> SqliteConnection:
        """The connection of the writer thread."""
        return SqliteConnection(self._file, self._synchronous, read_only=False)

    def reader(self) -> SqliteConnection:
        """A connection that cannot write."""
        return SqliteConnection(self._file, self._synchronous, read_only=True)

    def translate(self, error: Exception) -> Exception:
        """Name a full disk and a busy file; leave other errors as they are."""
        if isinstance(error, sqlite3.OperationalError):
            if any(text in str(error) for text in _FULL):
                return StorageFull()
            if "locked" in str(error):
                return Unavailable(reason="another process is writing to the records")
        if type(error) is sqlite3.DatabaseError:
            return Unavailable(reason=f"{self._file} is damaged or no SQLite file ({error}); restore it from a backup")
        return error

    def integrity_faults(self) -> list[str]:
        """The findings of SQLite's own integrity check."""
        connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)
        try:
            findings = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            findings = [str(error)]
        finally:
            connection.close()
        return [finding for finding in findings if finding != "ok"]
