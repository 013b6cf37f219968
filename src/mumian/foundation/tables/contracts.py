"""What tables hand out: a table as it was read, what is wrong with a row, and the pure functions that tell what a cell says."""

from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.tables.rules.blocks import Block, main
from mumian.foundation.tables.rules.cells import csv_lines, safe, unsafe
from mumian.foundation.tables.rules.fields import Typed, as_day, as_number, checked, fault, from_text, plain
from mumian.foundation.tables.rules.kinds import column_type
from mumian.foundation.tables.rules.splitting import Dialect, Record

__all__ = [
    "Block",
    "Dialect",
    "Guess",
    "Limits",
    "Record",
    "RowFault",
    "Sheet",
    "Table",
    "Typed",
    "as_day",
    "as_number",
    "checked",
    "column_type",
    "csv_lines",
    "fault",
    "from_text",
    "plain",
    "safe",
    "unsafe",
]


@dataclass(frozen=True)
class Limits:
    """The most that a file of rows may hold: rows, columns, and bytes once it is unpacked."""

    rows: int = 200_000
    columns: int = 200
    unpacked_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True)
class Table:
    """A table: `xlsx` or the encoding of its text, its header, and its other rows with their line numbers (the first is 1)."""

    format: str
    headers: list[str]
    rows: list[tuple[int, list[str]]]


@dataclass(frozen=True)
class RowFault:
    """What is wrong with a row of a file: its line (the header is 1), the column as the file calls it, the value and why.

    `key` is a translation key and `values` are what its text speaks of.
    """

    line: int
    column: str
    value: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """How a file of delimited text is read: encoding, dialect and the tables in it, with the types of their columns.

    `encodings` and `dialects` are what it could be instead, likeliest first, with their scores; the one chosen is among them.
    `whole` says that the guess looked at the whole file, not only at its beginning. `types` has a list for each table.
    """

    encoding: str
    dialect: Dialect
    blocks: list[Block]
    types: list[list[str]]
    encodings: tuple[tuple[str, float], ...]
    dialects: tuple[tuple[Dialect, float], ...]
    whole: bool

    @property
    def main(self) -> int:
        """Which table is meant where nobody says."""
        return main(self.blocks)


@dataclass(frozen=True)
class Sheet:
    """A table of a workbook: its header with its line (0 if it has none), its rows with theirs, and all tables of the sheet."""

    headers: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]
    blocks: list[Block]
