"""Tables for other components: reading what people send, writing what they fetch, and telling which rows were left out."""

from mumian.foundation.tables.contracts import (
    Block,
    Dialect,
    Guess,
    Limits,
    Record,
    RowFault,
    Sheet,
    Table,
    column_type,
    csv_lines,
)
from mumian.foundation.tables.service.guessing import guess, rows
from mumian.foundation.tables.service.reading import read_table, sheet
from mumian.foundation.tables.service.reports import described, fault_table
from mumian.foundation.tables.service.workbooks import workbook

__all__ = [
    "Block",
    "Dialect",
    "Guess",
    "Limits",
    "Record",
    "RowFault",
    "Sheet",
    "Table",
    "column_type",
    "csv_lines",
    "described",
    "fault_table",
    "guess",
    "read_table",
    "rows",
    "sheet",
    "workbook",
]
