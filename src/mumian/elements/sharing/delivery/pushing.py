"""Pushing: rows into a table of a PostgreSQL database of the holder's; its position is kept there, in the same transaction."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mumian.elements.sharing.delivery.hooks import Refused
from mumian.elements.sharing.delivery.pages import Page
from mumian.elements.sharing.models import PushTargetSpec
from mumian.kernel.errors import Unavailable

_TYPES = {"integer": "BIGINT", "number": "DOUBLE PRECISION", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
_STATE = "mumian_delivery"


@dataclass(frozen=True)
class Table:
    """A table in a target: rows with the same `key` are one row (empty: every row is one of its own)."""

    target: PushTargetSpec
    name: str
    key: tuple[str, ...]
    delivery: str


def position(table: Table) -> int:
    """The `_id` of the last row that has arrived there; 0 if none has. Raises Refused."""

    def work(cursor: Any, sql: Any) -> int:
        _prepare(cursor, sql, table)
        cursor.execute(
            sql.SQL("SELECT position FROM {} WHERE delivery = %s").format(sql.Identifier(table.target.db_schema, _STATE)),
            (table.delivery,),
        )
        found = cursor.fetchone()
        return 0 if found is None else int(found[0])

    return int(_run(table, work))


def write(table: Table, page: Page) -> None:
    """Put a page there, all or nothing; raises Refused."""

    def work(cursor: Any, sql: Any) -> None:
        _prepare(cursor, sql, table)
        names = [column.name for column in page.columns]
        types = [_TYPES.get(column.type, "TEXT") for column in page.columns]
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in zip(names, types, strict=True)
        )
        key = [name for name in table.key if name in names] if set(table.key) <= set(names) else []
        key = key or ["_id"]
        where = sql.Identifier(table.target.db_schema, table.name)
        cursor.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))").format(where, columns, _names(sql, key)))
        cursor.execute(sql.SQL("CREATE TEMP TABLE mumian_incoming ({}) ON COMMIT DROP").format(columns))
        with cursor.copy(sql.SQL("COPY mumian_incoming ({}) FROM STDIN").format(_names(sql, names))) as copy:
            for row in page.rows:
                copy.write_row(row)
        others = [name for name in names if name not in key]
        changes = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in others)
        # Of rows with the same key the last counts.
        cursor.execute(
            sql.SQL(
                "INSERT INTO {} ({}) SELECT DISTINCT ON ({}) {} FROM mumian_incoming ORDER BY {}, _id DESC "
                "ON CONFLICT ({}) DO UPDATE SET {}"
            ).format(where, _names(sql, names), _names(sql, key), _names(sql, names), _names(sql, key), _names(sql, key), changes)
        )
        _move(cursor, sql, table, page.last)

    _run(table, work)


def forget(table: Table, load: int) -> None:
    """Drop rows of loads before `load`, which replaced them all; raises Refused."""

    def work(cursor: Any, sql: Any) -> None:
        where = sql.Identifier(table.target.db_schema, table.name)
        cursor.execute("SELECT to_regclass(%s)", (f'"{table.target.db_schema}"."{table.name}"',))
        if cursor.fetchone()[0] is not None:
            cursor.execute(sql.SQL("DELETE FROM {} WHERE _load < %s").format(where), (load,))

    _run(table, work)


def _prepare(cursor: Any, sql: Any, table: Table) -> None:
    where = sql.Identifier(table.target.db_schema, _STATE)
    cursor.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} (delivery TEXT PRIMARY KEY, position BIGINT NOT NULL)").format(where))


def _move(cursor: Any, sql: Any, table: Table, to: int) -> None:
    cursor.execute(
        sql.SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT (delivery) DO UPDATE SET position = EXCLUDED.position").format(
            sql.Identifier(table.target.db_schema, _STATE)
        ),
        (table.delivery, to),
    )


def _names(sql: Any, names: Sequence[str]) -> Any:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _run(table: Table, work: Any) -> Any:
    try:
        import psycopg
        from psycopg import sql
    except ImportError as error:
        raise Unavailable(reason="PostgreSQL needs an extra: pip install 'mumian[postgresql]'") from error
    secret = os.environ.get(table.target.password_env, "") if table.target.password_env else None
    if secret == "":
        raise Refused(f"the environment variable {table.target.password_env} is not set")
    try:
        with (
            psycopg.connect(table.target.url, password=secret, connect_timeout=10) as connection,
            connection.cursor() as cursor,
        ):
            return work(cursor, sql)
    except psycopg.Error as error:
        # The message may quote a value of a row.
        raise Refused(f"{type(error).__name__} {error.sqlstate or ''}".strip()) from error
