"""Staging: what is new, changed or gone in the sources since they were last looked at, taken in piece by piece.

A record is a row of a source by its key; its number stays with that key for good. A changed row is a new revision. Whatever
was cut off goes on where it ended: each piece is one commit of the lake, and the next look finds what is still missing.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.catalog.api import TableInfo
from mumian.elements.registers.models import SourceSpec
from mumian.elements.registers.service.layout import Layout
from mumian.elements.registers.service.standard import Standard
from mumian.foundation.storage.contracts import Lake

PIECE = 100_000
Piece = dict[str, NDArray[Any]]
_SEPARATOR = "chr(31)"
_MICROSECONDS = "epoch_us(TRY_CAST({} AS TIMESTAMP))"


class Staging:
    """Takes records in; all its reading is done on one thread, whose connection holds the temporary tables."""

    def __init__(self, lake: Lake, layout: Layout, standard: Standard) -> None:
        self._lake = lake
        self._layout = layout
        self._standard = standard

    def gone(self, datasets: list[str]) -> None:
        """Find the live records of datasets that are no source any more: they end."""
        names = ", ".join(f"'{name}'" for name in datasets) or "''"
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_gone AS SELECT number FROM "
            f"{self._layout.record} WHERE ended IS NULL AND dataset NOT IN ({names})"
        )

    def compare(self, source: SourceSpec, info: TableInfo) -> tuple[int, int]:
        """Compare a source with what was taken in of it; returns how many records are new or changed, and how many are gone."""
        rows, record = f"({self._rows(source, info)})", self._layout.record
        self._lake.rows(
            f"CREATE OR REPLACE TEMP TABLE registers_source AS SELECT _id, key, digest FROM {rows} "
            "QUALIFY row_number() OVER (PARTITION BY key ORDER BY _id DESC) = 1"
        )
        known = (
            "SELECT key, max(number) AS number, max(revision) AS revision, bool_or(ended IS NULL) AS live, "
            f"max(digest) FILTER (ended IS NULL) AS digest FROM {record} WHERE dataset = $dataset GROUP BY key"
        )
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_new AS SELECT s._id, s.key, s.digest, k.number, "
            "coalesce(k.revision, 0) + 1 AS revision, row_number() OVER (ORDER BY s._id) AS place "
            f"FROM registers_source s LEFT JOIN ({known}) k ON k.key = s.key "
            "WHERE k.number IS NULL OR NOT k.live OR k.digest <> s.digest",
            dataset=source.dataset,
        )
        self._lake.rows(
            f"INSERT INTO registers_gone SELECT number FROM {record} WHERE ended IS NULL AND dataset = $dataset "
            "AND key NOT IN (SELECT key FROM registers_source)",
            dataset=source.dataset,
        )
        taken = self._lake.rows("SELECT count(*) FROM registers_new")[0][0]
        return int(taken), int(self._lake.rows("SELECT count(*) FROM registers_gone")[0][0])

    def pieces(self, source: SourceSpec, info: TableInfo, run: int, taken: int) -> Iterator[Piece]:
        """The new and changed records with their standard forms, some at a time."""
        last = int(self._lake.rows(f"SELECT coalesce(max(number), 0) FROM {self._layout.record}")[0][0])
        values = ", ".join(f"{self._raw(source, name)} AS a_{name}" for name in self._layout.attributes)
        times = f"{_time(source.updated)} AS updated, {_time(source.valid_to)} AS expires"
        for start in range(0, taken, PIECE):
            found = self._lake.columns(
                f"SELECT n.key, n.digest, coalesce(n.number, 0) AS number, n.revision, {times}, {values} FROM registers_new n "
                f"JOIN {info.name} d ON d._id = n._id WHERE n.place > $start AND n.place <= $end ORDER BY n.place",
                start=start,
                end=start + PIECE,
            )
            fresh = found["number"] == 0
            found["number"] = np.where(fresh, last + np.cumsum(fresh), found["number"])
            last += int(fresh.sum())
            yield self._complete(source, found, run)

    def write(self, piece: Piece, run: int) -> None:
        """Keep a piece: earlier revisions of its records end; for who holds the lake's seals."""
        with self._lake.transaction() as work:
            work.offer("piece", piece)
            work.execute(
                f"UPDATE {self._layout.record} SET ended = {run} WHERE ended IS NULL AND number IN (SELECT number FROM piece)"
            )
            columns = ", ".join(_null(name, values) for name, values in piece.items())
            work.execute(f"INSERT INTO {self._layout.record} BY NAME SELECT {columns} FROM piece")

    def end(self, run: int) -> None:
        """Let the records end that are gone; for who holds the lake's seals."""
        gone = self._lake.columns("SELECT number FROM registers_gone")
        with self._lake.transaction() as work:
            work.offer("gone", gone)
            work.execute(
                f"UPDATE {self._layout.record} SET ended = {run} WHERE ended IS NULL AND number IN (SELECT number FROM gone)"
            )

    def _complete(self, source: SourceSpec, found: Piece, run: int) -> Piece:
        count = len(found["number"])
        found["dataset"] = np.full(count, source.dataset, dtype=object)
        found["began"] = np.full(count, run, dtype=np.int64)
        for attribute in self._layout.spec.attributes:
            raw = f"a_{attribute.name}"
            found |= self._standard.columns(attribute, found[raw].tolist())
            if attribute.kind in ("identifier", "phone", "date"):
                found[raw] = found[f"p_{attribute.name}"]
        return found

    def _rows(self, source: SourceSpec, info: TableInfo) -> str:
        """`_id`, key and digest of every row."""
        parts = [self._raw(source, name) for name in self._layout.attributes]
        parts += [f'CAST("{name}" AS VARCHAR)' for name in (source.updated, source.valid_to) if name is not None]
        digest = f"md5('{self._layout.mapping_digest(source)}' || {_joined(parts, _SEPARATOR)})"
        return f"SELECT _id, {key_sql(info)} AS key, {digest} AS digest FROM {info.name} AS d"

    def _raw(self, source: SourceSpec, attribute: str) -> str:
        """An attribute as the source has it: the text of its fields, NULL where there is none."""
        fields = source.fields.get(attribute)
        if fields is None:
            return "CAST(NULL AS VARCHAR)"
        names = [fields] if isinstance(fields, str) else fields
        texts = [f'CAST(d."{name}" AS VARCHAR)' for name in names]
        joined = texts[0] if len(texts) == 1 else f"concat_ws(' ', {', '.join(texts)})"
        return f"nullif(left(trim({joined}), 2000), '')"


def key_sql(info: TableInfo) -> str:
    """The key of a row as text: its key fields, or `_id` where the dataset declares none."""
    return _joined([f'CAST("{name}" AS VARCHAR)' for name in info.key or ("_id",)], _SEPARATOR)


def _joined(parts: list[str], separator: str) -> str:
    return f" || {separator} || ".join(f"coalesce({part}, '')" for part in parts)


def _time(field: str | None) -> str:
    return _MICROSECONDS.format(f'd."{field}"') if field else "CAST(NULL AS BIGINT)"


def _null(name: str, values: NDArray[Any]) -> str:
    """BIGINT columns come with a number that stands for NULL."""
    return f'nullif("{name}", {np.iinfo(np.int64).min}) AS "{name}"' if values.dtype.kind == "i" else f'"{name}"'
