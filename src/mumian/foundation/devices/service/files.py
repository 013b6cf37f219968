"""Reports of imports, kept so that they can be fetched later."""

import msgspec

from mumian.foundation.tables.api import RowFault
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Row, Session, Transaction

MOST = 10_000
_COLUMNS = "id, file, sha256, time, actor, rows, created, updated, unchanged, refused, faults"


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
