"""Answers: rows as the engine gives them, made ready for JSON and counted."""

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from mumian.elements.protection.contracts import AnswerColumn, Limits
from mumian.foundation.storage.contracts import ReadCursor

BATCH = 2000
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
_PLAIN = (str, bool, int, type(None))


def columns(cursor: ReadCursor) -> tuple[AnswerColumn, ...]:
    """The columns of the answer that a connection is about to give."""
    return tuple(AnswerColumn(entry[0], _type(str(entry[1]))) for entry in cursor.description or ())


def rows(cursor: ReadCursor, limits: Limits) -> tuple[list[tuple[Any, ...]], bool]:
    """All rows within the limits, ready for JSON, and whether there were more."""
    found: list[tuple[Any, ...]] = []
    size = 0
    for batch in batches(cursor):
        for row in batch:
            size += weight(row)
            if len(found) >= limits.rows or (size > limits.bytes and found):
                return found, True
            found.append(row)
    return found, False


def batches(cursor: ReadCursor, size: int = BATCH) -> Iterator[list[tuple[Any, ...]]]:
    """The rows, ready for JSON, some at a time."""
    while batch := cursor.fetchmany(size):
        yield [tuple([value if type(value) in _PLAIN else plain(value) for value in row]) for row in batch]


def weight(row: tuple[Any, ...]) -> int:
    """About how many bytes a row has."""
    return sum(len(value) if isinstance(value, str) else 8 if isinstance(value, _PLAIN) else len(str(value)) for value in row)


def plain(value: Any) -> Any:
    """A value as JSON can hold it; numbers that JSON lacks become None."""
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds" if value.microsecond else "seconds") + "Z"
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _type(name: str) -> str:
    if name in _INTEGERS:
        return "integer"
    if name in ("DOUBLE", "FLOAT") or name.startswith("DECIMAL"):
        return "number"
    if name.startswith("TIMESTAMP"):
        return "time"
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "JSON")):
        return "json"
    return {"BOOLEAN": "boolean", "DATE": "date"}.get(name, "text")
