"""Writing: rows as CSV that no spreadsheet takes for formulas, as lines of JSON, and as Parquet."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from mumian.elements.protection.api import AnswerColumn, Limits
from mumian.elements.sharing.contracts import Proof
from mumian.elements.sharing.errors import TooManyRows
from mumian.elements.sharing.rules.questions import Question, quoted
from mumian.elements.sharing.service.reading import Asked, Reading, Writer
from mumian.foundation.storage.api import connect_duckdb
from mumian.foundation.tables.contracts import csv_lines

_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
_encoder = msgspec.json.Encoder()
_PARQUET_MOST = 2_000_000


def csv(fields: Sequence[str]) -> Writer:
    """Writes batches as CSV in UTF-8 with a header."""
    begun = False

    def write(columns: tuple[AnswerColumn, ...], rows: list[tuple[Any, ...]]) -> bytes:
        nonlocal begun
        head = [] if begun else [tuple(fields)]
        begun = True
        return csv_lines([*head, *(row[1:] for row in rows)]).encode()

    return write


def lines(fields: Sequence[str]) -> Writer:
    """Writes batches as lines of JSON."""

    def write(columns: tuple[AnswerColumn, ...], rows: list[tuple[Any, ...]]) -> bytes:
        return b"".join(_encoder.encode(dict(zip(fields, row[1:], strict=True))) + b"\n" for row in rows)

    return write


async def parquet(reading: Reading, asked: Asked, question: Question, limits: Limits) -> tuple[bytes, Proof]:
    """A whole answer as a Parquet file; counted, like all answers, before it goes out. Raises TooLarge."""
    opened = await reading.open(asked.caller, asked.grant)
    await reading.affordable(asked, opened, question, limits)
    grant = opened[0]
    with tempfile.TemporaryDirectory() as folder:
        source, count, write = Path(folder) / "rows.ndjson", 0, lines(question.fields)
        columns: tuple[AnswerColumn, ...] = ()
        with source.open("wb") as file:
            async for columns, rows in reading.collect(asked, grant, question, limits):
                count += len(rows)
                if count > _PARQUET_MOST:
                    raise TooManyRows(most=_PARQUET_MOST)
                await asyncio.to_thread(file.write, write(columns, rows))
        content = await asyncio.to_thread(_converted, source, columns[1:])
    return content, await reading.settle(asked, grant, content, count, [])


def _converted(source: Path, columns: Sequence[AnswerColumn]) -> bytes:
    """Lines of JSON as Parquet."""
    target = source.with_suffix(".parquet")
    types = ", ".join(f"{_text(column.name)}: '{_TYPES.get(column.type, 'VARCHAR')}'" for column in columns)
    names = ", ".join(quoted(column.name) for column in columns)
    with connect_duckdb(source.parent / "extensions") as connection:
        connection.execute(
            f"COPY (SELECT {names} FROM read_json({_text(str(source))}, format = 'newline_delimited', columns = {{{types}}})) "
            f"TO {_text(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        )
    return target.read_bytes()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
