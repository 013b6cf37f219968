"""Dialects: how SQLite, PostgreSQL and DuckDB say what query expressions need and the three say differently."""

import json
from collections.abc import Callable, Sequence
from typing import Any

Bind = Callable[[Any], str]
Parts = Sequence[str | int]


class Dialect:
    """What the engines share; `mark` stands before the name of a parameter."""

    name = ""
    mark = ":"

    def attempt(self, sql: str) -> str:
        """An expression whose failure (such as an overflow) gives NULL."""
        return sql

    def floor(self, sql: str) -> str:
        """The next lower whole number."""
        return f"floor({sql})"

    def ceiling(self, sql: str) -> str:
        """The next higher whole number."""
        return f"ceil({sql})"

    def rounded(self, sql: str) -> str:
        """The nearest whole number, halves away from zero."""
        return f"round({sql})"

    def modulo(self, left: str, right: str) -> str:
        """The remainder with the sign of the dividend; NULL for division by zero."""
        return f"mod({left}, nullif({right}, 0))"

    def position(self, text: str, part: str) -> str:
        """Where `part` begins in `text`, from 1; 0 where it does not occur."""
        return f"instr({text}, {part})"

    def ordered_text(self, sql: str) -> str:
        """A text as it is sorted: by code points on every engine."""
        return sql

    def calendar(self, part: str, time: str) -> str:
        """The `year`, `month` or `day` of µs since 1970."""
        raise NotImplementedError

    def json_part(self, column: str, parts: Parts, bind: Bind, kind: str) -> str:
        """What JSON holds at a path if it is of `kind` (number, text, bool), else NULL; `any`: whatever it is but null."""
        raise NotImplementedError

    def json_text(self, column: str, parts: Parts, bind: Bind) -> str:
        """The JSON at a path, written as text."""
        raise NotImplementedError

    def member(self, sql: str, ids: Sequence[int], bind: Bind) -> str:
        """Whether a number is one of many."""
        raise NotImplementedError

    def instant(self, column: str) -> str:
        """A column of ISO 8601 text (UTC, microseconds) as µs since 1970."""
        raise NotImplementedError


def _path(parts: Parts) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in parts)


class Sqlite(Dialect):
    """SQLite 3.40 and later, with its mathematical functions."""

    name = "sqlite"

    def calendar(self, part: str, time: str) -> str:
        """By strftime, on whole seconds."""
        letter = {"year": "%Y", "month": "%m", "day": "%d"}[part]
        return (
            f"CAST(strftime('{letter}', ({time} - (({time}) % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch') AS INTEGER)"
        )

    def json_part(self, column: str, parts: Parts, bind: Bind, kind: str) -> str:
        """By json_type and json_extract."""
        path = bind(_path(parts))
        if kind == "any":
            return f"json_extract({column}, {path})"
        types = {"number": "'integer', 'real'", "text": "'text'", "bool": "'true', 'false'"}[kind]
        return f"CASE WHEN json_type({column}, {path}) IN ({types}) THEN json_extract({column}, {path}) END"

    def json_text(self, column: str, parts: Parts, bind: Bind) -> str:
        """By the arrow."""
        return f"({column} -> {bind(_path(parts))})"

    def member(self, sql: str, ids: Sequence[int], bind: Bind) -> str:
        """By a JSON list in one parameter."""
        return f"{sql} IN (SELECT value FROM json_each({bind(json.dumps(list(ids)))}))"

    def instant(self, column: str) -> str:
        """Seconds by strftime, the rest by its digits."""
        seconds = f"CAST(strftime('%s', substr({column}, 1, 19)) AS INTEGER)"
        return f"({seconds} * 1000000 + CAST(substr(substr({column}, 21, 6) || '000000', 1, 6) AS INTEGER))"


class Postgresql(Dialect):
    """PostgreSQL 15 and later."""

    name = "postgresql"

    def rounded(self, sql: str) -> str:
        """PostgreSQL rounds halves of floating numbers to even."""
        return f"(sign({sql}) * floor(abs({sql}) + 0.5))"

    def modulo(self, left: str, right: str) -> str:
        """There is no remainder of floating numbers."""
        exact = f"mod(CAST({left} AS NUMERIC), nullif(CAST({right} AS NUMERIC), 0))"
        return f"CAST({exact} AS DOUBLE PRECISION)"

    def position(self, text: str, part: str) -> str:
        """By strpos."""
        return f"strpos({text}, {part})"

    def ordered_text(self, sql: str) -> str:
        """By bytes, not by the database's language."""
        return f'{sql} COLLATE "C"'

    def calendar(self, part: str, time: str) -> str:
        """By extract, in UTC."""
        return f"CAST(extract({part} FROM to_timestamp(({time}) / 1000000.0) AT TIME ZONE 'UTC') AS BIGINT)"

    def _at(self, column: str, parts: Parts, bind: Bind) -> str:
        steps = ", ".join(f'"{part}"' for part in parts)
        return f"(CAST({column} AS jsonb) #> CAST({bind('{' + steps + '}')} AS text[]))"

    def json_part(self, column: str, parts: Parts, bind: Bind, kind: str) -> str:
        """By jsonb_typeof."""
        at = self._at(column, parts, bind)
        if kind == "any":
            return f"nullif({at}, CAST('null' AS jsonb))"
        type_, value = {
            "number": ("number", f"CAST({at} AS DOUBLE PRECISION)"),
            "text": ("string", f"({at} #>> CAST('{{}}' AS text[]))"),
            "bool": ("boolean", f"CAST({at} AS boolean)"),
        }[kind]
        return f"CASE WHEN jsonb_typeof({at}) = '{type_}' THEN {value} END"

    def json_text(self, column: str, parts: Parts, bind: Bind) -> str:
        """As jsonb writes it."""
        return f"CAST({self._at(column, parts, bind)} AS TEXT)"

    def member(self, sql: str, ids: Sequence[int], bind: Bind) -> str:
        """By an array in one parameter."""
        return f"{sql} = ANY(CAST({bind('{' + ','.join(map(str, ids)) + '}')} AS bigint[]))"

    def instant(self, column: str) -> str:
        """By extract."""
        return f"CAST(extract(epoch FROM CAST({column} AS timestamptz)) * 1000000 AS BIGINT)"


class Duckdb(Dialect):
    """DuckDB 1.5."""

    name = "duckdb"
    mark = "$"

    def attempt(self, sql: str) -> str:
        """By TRY."""
        return f"TRY({sql})"

    def modulo(self, left: str, right: str) -> str:
        """By the sign: its fmod takes the sign of the divisor."""
        return f"({left} % nullif({right}, 0))"

    def calendar(self, part: str, time: str) -> str:
        """By the function of that name."""
        return f"TRY({part}(make_timestamp(CAST({time} AS BIGINT))))"

    def json_part(self, column: str, parts: Parts, bind: Bind, kind: str) -> str:
        """By json_type and json_extract."""
        path = bind(_path(parts))
        if kind == "any":
            return f"CASE WHEN json_type({column}, {path}) <> 'NULL' THEN CAST(json_extract({column}, {path}) AS VARCHAR) END"
        if kind == "text":
            return f"CASE WHEN json_type({column}, {path}) = 'VARCHAR' THEN json_extract_string({column}, {path}) END"
        if kind == "bool":
            return (
                f"CASE WHEN json_type({column}, {path}) = 'BOOLEAN' THEN TRY_CAST(json_extract({column}, {path}) AS BOOLEAN) END"
            )
        types = "'DOUBLE', 'BIGINT', 'UBIGINT', 'HUGEINT'"
        return f"CASE WHEN json_type({column}, {path}) IN ({types}) THEN TRY_CAST(json_extract({column}, {path}) AS DOUBLE) END"

    def json_text(self, column: str, parts: Parts, bind: Bind) -> str:
        """As it is."""
        return f"CAST(json_extract({column}, {bind(_path(parts))}) AS VARCHAR)"

    def member(self, sql: str, ids: Sequence[int], bind: Bind) -> str:
        """By a list in one parameter."""
        return f"{sql} IN (SELECT unnest(CAST({bind(list(ids))} AS BIGINT[])))"

    def instant(self, column: str) -> str:
        """The lake holds times as numbers."""
        return column


DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (Sqlite(), Postgresql(), Duckdb())}
