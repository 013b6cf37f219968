"""The lake's catalogue as evidence: where it is kept, what it says as one digest, and what its engine finds wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import duckdb

_METADATA = "__ducklake_metadata_lake"


@dataclass(frozen=True)
class Catalogue:
    """Where DuckLake keeps its catalogue: engine name, extension to load, connection string, options to attach it with.

    `query` is DuckDB's function that hands SQL to the engine, `tables` SQL for names and definitions of all tables and indexes,
    and `check` SQL for what is wrong with the engine's files.
    """

    engine: str
    extension: str
    url: str
    query: str
    tables: str
    check: str = ""
    options: str = ""


def sqlite(url: str) -> Catalogue:
    """A catalogue in a SQLite file."""
    return Catalogue(
        "ducklake-sqlite",
        "sqlite",
        f"sqlite:{url}",
        "sqlite_query",
        "SELECT type, name, coalesce(sql, '') AS definition FROM sqlite_master ORDER BY type, name",
        "SELECT * FROM pragma_integrity_check",
        # Write-ahead log: in SQLite's rollback mode a reader would make the writer's commit fail.
        ", META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000",
    )


def postgresql(url: str) -> Catalogue:
    """A catalogue in a PostgreSQL database."""
    return Catalogue(
        "ducklake-postgresql",
        "postgres",
        f"postgres:{url}",
        "postgres_query",
        "SELECT 'table' AS type, tablename::text AS name, '' AS definition FROM pg_tables "
        "WHERE schemaname = current_schema() AND starts_with(tablename, 'ducklake_') ORDER BY tablename",
    )


def digest(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> str:
    """The SHA-256 over every definition and every row, whatever order the engine keeps them in."""
    state = sha256()
    for line in _content(connection, catalogue):
        state.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return state.hexdigest()


def damages(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> list[str]:
    """The findings of the engine's own check."""
    if not catalogue.check:
        return []
    try:
        found = [str(row[0]) for row in _ask(connection, catalogue, catalogue.check)]
    except (duckdb.Error, UnicodeDecodeError) as error:
        return [str(error)[:200]]
    return [] if found == ["ok"] else found


def _content(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> Iterator[str]:
    objects = _ask(connection, catalogue, catalogue.tables)
    for kind, name, definition in objects:
        yield repr((kind, name, definition))
        if kind == "table":
            escaped = str(name).replace('"', '""')
            yield from sorted(map(repr, _ask(connection, catalogue, f'SELECT * FROM "{escaped}"')))


def _ask(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, sql: str) -> list[tuple[Any, ...]]:
    escaped = sql.replace("'", "''")
    return connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {catalogue.query}('{_METADATA}', '{escaped}')").fetchall()
