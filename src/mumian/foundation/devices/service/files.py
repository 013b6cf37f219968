"""Reports of imports, kept so that they can be fetched later, as data and as a table for who sent the file."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from mumian.foundation.devices.contracts import RowFault
from mumian.foundation.devices.rules.tables import csv_lines
from mumian.kernel.errors import NotFound
from mumian.kernel.i18n import text
from mumian.kernel.unit_of_work import Row, Session, Transaction

MOST = 10_000
_COLUMNS = "id, file, sha256, time, actor, rows, created, updated, unchanged, refused, faults"
_HEADERS = {
    "zh": ("行号", "列", "值", "错误", "修改办法"),
    "en": ("line", "column", "value", "fault", "fix"),
}


def keep(tx: Transaction, id_: str, file: str, digest: str, counts: dict[str, int], faults: str) -> None:
    """Keep the report of an import; at most the first 10,000 faults."""
    row = {"id": id_, "file": file, "sha256": digest, "time": tx.now_text, "actor": tx.actor.id, **counts, "faults": faults}
    names = _COLUMNS.split(", ")
    tx.session.execute(f"INSERT INTO devices_import ({_COLUMNS}) VALUES ({', '.join(':' + name for name in names)})", **row)


def page(session: Session, before: str | None, limit: int) -> list[Row]:
    """Imports, newest first, without their faults."""
    return session.rows(
        f"SELECT {_COLUMNS.removesuffix(', faults')} FROM devices_import WHERE id < :before ORDER BY id DESC LIMIT :limit",
        before="~" if before is None else before,
        limit=limit,
    )


def find(session: Session, id_: str) -> tuple[Row, list[RowFault]]:
    """An import and its faults; raises NotFound."""
    row = session.row(f"SELECT {_COLUMNS} FROM devices_import WHERE id = :id", id=id_)
    if row is None:
        raise NotFound(kind="import", name=id_)
    return row, msgspec.json.decode(row.pop("faults"), type=list[RowFault])


def described(fault: RowFault, language: str) -> dict[str, Any]:
    """A fault in a language, what is wrong apart from how to mend it, where the text tells both apart."""
    whole = text(fault.key, language, **fault.values)
    wrong, _, fix = re.sub(r"[。.]$", "", whole).partition("；" if "；" in whole else "; ")
    place = {"line": fault.line, "column": fault.column, "value": fault.value, "key": fault.key}
    return {**place, "message": whole, "fault": wrong, "fix": fix or wrong}


def table(faults: Iterable[RowFault], language: str) -> str:
    """Faults as CSV for a spreadsheet."""
    rows = [[d["line"], d["column"], d["value"], d["fault"], d["fix"]] for d in (described(f, language) for f in faults)]
    return "\ufeff" + csv_lines([_HEADERS[language], *rows])
