"""Amending: observations that were changed or deleted, as readers must know them.

A row of the lake is evidence and never changes. Deleting an observation hides its row; changing it records a new row, the
successor, which is shown under the old number. Both are written in the records and told in the ledger. Streams that were deleted
hide all their rows.
"""

import numpy as np

from mumian.foundation.sensing import store
from mumian.foundation.sensing.contracts import Int64, Observations
from mumian.foundation.sensing.service.registry import Registry
from mumian.foundation.storage.contracts import Array
from mumian.kernel.unit_of_work import Records


class Amendments:
    """`hidden`: ids of rows that are shown no more; `rows` and `numbers`: rows shown under another number; all by row.

    `streams` are those that have any amended observation.
    """

    def __init__(self, records: Records, registry: Registry) -> None:
        self._records = records
        self._registry = registry
        self.hidden: Int64 = np.empty(0, np.int64)
        self.rows: Int64 = np.empty(0, np.int64)
        self.numbers: Int64 = np.empty(0, np.int64)
        self.streams: frozenset[int] = frozenset()

    def refresh(self) -> None:
        """Read the amendments anew."""
        found = self._records.read_now(store.amendments)
        pairs = sorted((row["successor"], row["id"]) for row in found if row["successor"] is not None)
        self.rows = np.array([row for row, _ in pairs], np.int64)
        self.numbers = np.array([number for _, number in pairs], np.int64)
        self.hidden = np.array([row["id"] for row in found], np.int64)
        self.streams = frozenset(row["stream"] for row in found)

    @property
    def deleted_streams(self) -> Int64:
        """The ids of deleted streams, sorted."""
        return self._registry.deleted

    @property
    def any(self) -> bool:
        """Whether anything was amended at all; if not, rows are shown as they are."""
        return bool(len(self.hidden) or len(self.deleted_streams))

    def row_of(self, number: int) -> int | None:
        """The row that observation `number` is now; None: it is not shown under that number."""
        at = int(np.searchsorted(self.hidden, number))
        if at == len(self.hidden) or self.hidden[at] != number:
            return number
        found = np.flatnonzero(self.numbers == number)
        return int(self.rows[found[0]]) if len(found) else None

    def shown(self, rows: Observations) -> Observations:
        """Only the rows that are shown, each with the number under which it is."""
        return self.renumbered(self.left(rows))

    def left(self, rows: Observations) -> Observations:
        """Only the rows that are shown, with the ids that they have in the lake."""
        if not self.any or not len(rows):
            return rows
        gone = _among(self.hidden, rows.ids) | _among(self.deleted_streams, rows.streams)
        return rows.take(np.flatnonzero(~gone)) if gone.any() else rows

    def renumbered(self, rows: Observations) -> Observations:
        """The same rows with the numbers under which they are shown."""
        if not len(self.rows) or not len(rows):
            return rows
        place = np.minimum(np.searchsorted(self.rows, rows.ids), len(self.rows) - 1)
        return rows.numbered(np.where(self.rows[place] == rows.ids, self.numbers[place], rows.ids))

    def relations(self) -> dict[str, dict[str, Array]]:
        """For SQL: `hidden_rows` (id), `renumbered_rows` (id, number) and `deleted_streams` (id); see `SHOWN`."""
        return {
            "hidden_rows": {"id": self.hidden},
            "renumbered_rows": {"id": self.rows, "number": self.numbers},
            "deleted_streams": {"id": self.deleted_streams},
        }


def shown_sql(source: str, columns: str) -> str:
    """SQL of what is shown of `source` (`observation` or rows like it): `id` is the number, then these columns of `o`."""
    return (
        f"SELECT coalesce(renumbered.number, o.id) AS id, {columns} FROM {source} o "
        "LEFT JOIN renumbered_rows renumbered ON renumbered.id = o.id "
        "WHERE o.id NOT IN (SELECT id FROM hidden_rows) AND o.stream NOT IN (SELECT id FROM deleted_streams)"
    )


def _among(known: Int64, values: Int64) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    if not len(known):
        return np.zeros(len(values), np.bool_)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.asarray(known[place] == values)
