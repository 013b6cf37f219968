"""Reports on rows that were left out, in the reader's language."""

import re
from collections.abc import Iterable
from typing import Any

from mumian.foundation.tables.contracts import RowFault
from mumian.foundation.tables.rules.cells import csv_lines
from mumian.kernel.i18n import text

_HEADERS = {
    "zh": ("行号", "列", "值", "错误", "修改办法"),
    "en": ("line", "column", "value", "fault", "fix"),
}


def described(fault: RowFault, language: str) -> dict[str, Any]:
    """A fault in a language, what is wrong apart from how to mend it, where the text tells both apart."""
    whole = text(fault.key, language, **fault.values)
    wrong, _, fix = re.sub(r"[。.]$", "", whole).partition("；" if "；" in whole else "; ")
    place = {"line": fault.line, "column": fault.column, "value": fault.value, "key": fault.key}
    return {**place, "message": whole, "fault": wrong, "fix": fix or wrong}


def fault_table(faults: Iterable[RowFault], language: str) -> str:
    """Faults as CSV for a spreadsheet."""
    rows = [[d["line"], d["column"], d["value"], d["fault"], d["fix"]] for d in (described(f, language) for f in faults)]
    return "\ufeff" + csv_lines([_HEADERS[language], *rows])
