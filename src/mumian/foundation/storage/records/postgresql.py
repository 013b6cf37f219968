"""Records on PostgreSQL: beyond one machine, with the same SQL and the same group commit."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import psycopg
from psycopg.rows import dict_row

from mumian.kernel.errors import Invalid, StorageFull, Unavailable
from mumian.kernel.unit_of_work import Row

_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


@cache
def translate_parameters(sql: str) -> str:
    """Turn `:name` into psycopg's `%(name)s`; percent signs are escaped."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


class PostgresqlSession:
    """A session on one PostgreSQL connection."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection
        self.statements = 0

    def _run(self, sql: str, params: Mapping[str, Any]) -> "psycopg.Cursor[Row]":
        self.statements += not sql.startswith("SELECT")
        return self._connection.execute(translate_parameters(sql).encode(), params)

    def execute(self, sql: str, **params: Any) -> int:
        """Run one statement; returns how many rows it touched."""
        return self._run(sql, params).rowcount

    def execute_many(self, sql: str, params: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each set of parameters."""
        self.statements += 1
        with self._connection.cursor() as cursor:
            cursor.executemany(translate_parameters(sql).encode(), params)

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """All rows as dictionaries."""
        cursor = self._run(sql, params)
        return cursor.fetchall() if cursor.description else []

    def row(self, sql: str, **params: Any) -> Row | None:
        """The first row, or None."""
        found = self.rows(sql, **params)
        return found[0] if found else None

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, **params)
        return None if found is None else next(iter(found.values()))


class PostgresqlConnection:
    """Transactions and savepoints on one PostgreSQL connection."""

    def __init__(self, dsn: str, read_only: bool) -> None:
        self._raw = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)
        self._start = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else b"BEGIN"
        self.session = PostgresqlSession(self._raw)

    def begin(self) -> None:
        """Open a transaction."""
        self._raw.execute(self._start)

    def commit(self) -> None:
        """Make everything since `begin` durable."""
        self._raw.execute(b"COMMIT")

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        if not self._raw.closed:
            self._raw.execute(b"ROLLBACK")

    def savepoint(self) -> None:
        """Mark a point to come back to."""
        self._raw.execute(b"SAVEPOINT work")

    def release(self) -> None:
        """Forget the mark."""
        self._raw.execute(b"RELEASE SAVEPOINT work")

    def rollback_to_savepoint(self) -> None:
        """Undo everything since the mark."""
        self._raw.execute(b"ROLLBACK TO SAVEPOINT work")

    def changes(self) -> int:
        """How many statements of this connection may have changed something so far."""
        return self.session.statements

    def sound(self) -> bool:
        """Whether the open transaction can go on: after an error of the server it cannot."""
        return self._raw.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS

    def alive(self) -> bool:
        """Whether the server still answers on this connection."""
        return not self._raw.closed and not self._raw.broken

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


class PostgresqlEngine:
    """Opens connections to one database."""

    name = "postgresql"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def writer(self) -> PostgresqlConnection:
        """The connection of the writer thread."""
        return PostgresqlConnection(self._dsn, read_only=False)

    def reader(self) -> PostgresqlConnection:
        """A connection that cannot write."""
        return PostgresqlConnection(self._dsn, read_only=True)

    def translate(self, error: Exception) -> Exception:
        """Name a full disk and a lost server; leave other errors as they are."""
        if isinstance(error, psycopg.errors.DiskFull):
            return StorageFull()
        if isinstance(error, psycopg.DataError):
            return Invalid.field("", "field.syntax", reason=str(error).splitlines()[0][:200])
        if isinstance(error, psycopg.OperationalError):
            return Unavailable(reason=f"the database does not answer ({type(error).__name__})")
        return error

    def integrity_faults(self) -> list[str]:
        """PostgreSQL checks its pages itself when checksums are on; there is nothing to ask."""
        return []
