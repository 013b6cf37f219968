"""What tables hand out: a table as it was read, what is wrong with a row, and the pure functions that tell what a cell says."""

from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.tables.rules.cells import csv_lines, safe, unsafe
from mumian.foundation.tables.rules.fields import Typed, as_day, as_number, checked, fault, from_text, plain

__all__ = [
    "Limits",
    "RowFault",
    "Table",
    "Typed",
    "as_day",
    "as_number",
    "checked",
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
