"""Tables for other components: reading what people send, writing what they fetch, and telling which rows were left out."""

from mumian.foundation.tables.contracts import Limits, RowFault, Table, csv_lines
from mumian.foundation.tables.service.reading import read_table
from mumian.foundation.tables.service.reports import described, fault_table
from mumian.foundation.tables.service.workbooks import workbook

__all__ = ["Limits", "RowFault", "Table", "csv_lines", "described", "fault_table", "read_table", "workbook"]
