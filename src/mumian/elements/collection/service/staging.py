"""Staging: each batch is checked in one scan and kept as files aside, good rows typed and bad ones as they came."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mumian.elements.catalog.kinds import FieldSpec
from mumian.elements.collection.contracts import Batch, RowFault
from mumian.elements.collection.rules import marks
from mumian.elements.collection.rules.casting import cast, looks, name, present
from mumian.elements.collection.rules.documents import as_text
from mumian.foundation.storage.api import connect_duckdb, offer_arrays

if TYPE_CHECKING:
    import duckdb

_PROFILED = ("integer", "number", "boolean", "date", "time")
_SHOWN = 200
_LAKE = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}


@dataclass
class Staged:
    """What became of a batch."""

    good: int = 0
    bad: int = 0
    faults: list[RowFault] = field(default_factory=list)
    counts: dict[str, dict[str, Any]] = field(default_factory=dict)
    watermark: str | None = None


@dataclass(frozen=True)
class Plan:
    """How rows of a run are checked: the dataset's fields, which column fills which, blanks, time zone, and the watermark."""

    fields: tuple[FieldSpec, ...]
    matches: Mapping[str, str]
    blanks: Sequence[str]
    zone: str
    watermark: str | None


class Stage:
    """The files of one run: `good-00001.parquet` with values of fields, `bad-00001.jsonl` with rows as they came."""

    def __init__(self, folder: Path, extensions: Path, memory: str) -> None:
        self.folder = folder
        self._extensions = extensions
        self._memory = memory
        folder.mkdir(parents=True, exist_ok=True)

    def clear(self, after: int = 0) -> None:
        """Remove the files of batches after a number: those that were written but never recorded."""
        for path in self.folder.iterdir():
            number = path.name.partition("-")[2].partition(".")[0]
            if number.isdigit() and int(number) > after:
                path.unlink()

    def good(self) -> list[Path]:
        """The files of good rows, in order."""
        return sorted(self.folder.glob("good-*.parquet"))

    def bad(self) -> list[Path]:
        """The files of bad rows, in order."""
        return sorted(self.folder.glob("bad-*.jsonl"))

    def keep(self, number: int, batch: Batch, plan: Plan, most_faults: int) -> Staged:
        """Check a batch and keep it durably as number `number`."""
        staged = Staged(watermark=batch.watermark)
        unreadable = list(batch.faults)
        bad_rows: list[dict[str, Any]] = [{"line": line, "place": batch.place, "text": text} for line, text, _ in unreadable]
        for line, text, reason in unreadable[:most_faults]:
            staged.faults.append(RowFault(batch.place, line, "", text[:_SHOWN], "collection.unreadable", reason))
        if batch.rows:
            with connect_duckdb(self._extensions) as con:
                con.execute(f"SET memory_limit = '{self._memory}'")
                con.execute("SET threads = 1")
                con.execute("SET preserve_insertion_order = true")
                self._check(con, number, batch, plan, staged, bad_rows, most_faults)
        staged.bad += len(unreadable)
        if bad_rows:
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in bad_rows)
            _durably(self.folder / f"bad-{number:05}.jsonl", lines.encode("utf-8", "replace"))
        return staged

    def _check(
        self,
        con: "duckdb.DuckDBPyConnection",
        number: int,
        batch: Batch,
        plan: Plan,
        staged: Staged,
        bad_rows: list[dict[str, Any]],
        most_faults: int,
    ) -> None:
        arrays: dict[str, Any] = {"line": np.array(batch.lines, np.int64)}
        for i in range(len(batch.columns)):
            arrays[f"c{i}"] = np.array([as_text(row[i]) if i < len(row) else None for row in batch.rows] or [None], dtype=object)
        offer_arrays(con, "given", arrays)
        columns = {f"c{i}": column for i, column in enumerate(batch.columns)}
        texts = ", ".join(f"{present(f'CAST({c} AS VARCHAR)', plan.blanks)} AS {c}" for c in columns)
        con.execute(
            f"CREATE TABLE cells AS SELECT line, {texts} FROM given" if texts else "CREATE TABLE cells AS SELECT line FROM given"
        )
        fills = {plan.matches[column]: c for c, column in columns.items() if column in plan.matches}
        values = ", ".join(_value(each, fills.get(each.name), plan.zone) for each in plan.fields)
        wrongs = [wrong for each in plan.fields for wrong in _wrongs(each, fills.get(each.name), plan.zone)]
        flag = " OR ".join(f"({condition})" for _, _, condition in wrongs) or "false"
        con.execute(f"CREATE TABLE checked AS SELECT *, coalesce({flag}, false) AS wrong FROM cells")
        staged.bad = (con.execute("SELECT count(*) FROM checked WHERE wrong").fetchone() or (0,))[0]
        staged.good = len(batch.rows) - staged.bad
        if staged.bad:
            self._tell(con, batch, plan, fills, wrongs, staged, bad_rows, most_faults)
        if staged.good:
            path = self.folder / f"good-{number:05}.parquet"
            fresh = path.with_suffix(".new")
            con.execute(f"COPY (SELECT {values} FROM checked WHERE NOT wrong ORDER BY rowid) TO '{_sql(fresh)}' (FORMAT parquet)")
            _settle(fresh, path)
        staged.counts = _profile(con, columns, batch.types)
        if plan.watermark is not None and batch.watermark is None:
            staged.watermark = _reached(con, columns, plan)

    @staticmethod
    def _tell(
        con: "duckdb.DuckDBPyConnection",
        batch: Batch,
        plan: Plan,
        fills: Mapping[str, str],
        wrongs: Sequence[tuple[FieldSpec, str, str]],
        staged: Staged,
        bad_rows: list[dict[str, Any]],
        most_faults: int,
    ) -> None:
        """Keep bad rows as they came; of what is wrong with them, values of personal and graded fields are not shown."""
        by_line = dict(zip(batch.lines, batch.rows, strict=True))
        for (line,) in con.execute("SELECT line FROM checked WHERE wrong ORDER BY rowid").fetchall():
            cells = [as_text(value) for value in by_line[line]]
            bad_rows.append({"line": line, "place": batch.place, "cells": dict(zip(batch.columns, cells, strict=False))})
        for spec, key, condition in wrongs:
            left = most_faults - len(staged.faults)
            if left <= 0:
                return
            cell = fills.get(spec.name)
            found = con.execute(
                f"SELECT line, {cell or 'NULL'} FROM checked WHERE {condition} ORDER BY rowid LIMIT {left}"
            ).fetchall()
            hidden = spec.personal != "none" or spec.grade != "general"
            for line, value in found:
                shown = shape(value or "") if hidden else (value or "")
                expected = spec.type if key == "collection.bad_value" else ""
                staged.faults.append(RowFault(batch.place, line, spec.name, shown[:_SHOWN], key, expected))


def shape(value: str) -> str:
    """What a value looks like without what it says: digits become 9, letters a, all other word characters 字."""
    return "".join("9" if c.isdigit() else "a" if c.isascii() and c.isalpha() else "字" if c.isalpha() else c for c in value)


def _value(spec: FieldSpec, cell: str | None, zone: str) -> str:
    made = "NULL" if cell is None else cast(spec.type, cell, zone)
    return f"CAST({made} AS {_LAKE.get(spec.type, 'VARCHAR')}) AS {name(spec.name)}"


def _wrongs(spec: FieldSpec, cell: str | None, zone: str) -> list[tuple[FieldSpec, str, str]]:
    """What can be wrong with a field, as conditions."""
    if cell is None:
        return [(spec, "collection.no_value", "true")] if spec.required else []
    found = []
    if spec.type != "text":
        found.append((spec, "collection.bad_value", f"{cell} IS NOT NULL AND ({cast(spec.type, cell, zone)}) IS NULL"))
    if spec.required:
        found.append((spec, "collection.no_value", f"{cell} IS NULL"))
    return found


def _profile(con: "duckdb.DuckDBPyConnection", columns: Mapping[str, str], types: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """How many values each column has, and how many of them read as each type; what the source declares is not counted."""
    asked: list[tuple[str, str, str]] = []
    for c, column in columns.items():
        asked.append((column, "there", f"count({c})"))
        if column not in types:
            asked += [(column, kind, f"count(*) FILTER ({looks(kind, c)})") for kind in _PROFILED]
    counts: dict[str, dict[str, Any]] = {column: {} for column in columns.values()}
    for start in range(0, len(asked), 600):
        part = asked[start : start + 600]
        row = con.execute(f"SELECT {', '.join(each[2] for each in part)} FROM cells").fetchone() or ()
        for (column, kind, _), number in zip(part, row, strict=True):
            counts[column][kind] = number
    for column, kind in types.items():
        if column in counts:
            counts[column]["declared"] = kind
    return counts


def _reached(con: "duckdb.DuckDBPyConnection", columns: Mapping[str, str], plan: Plan) -> str | None:
    """The greatest value of the watermark's column, as it is written, in the order of its field's type."""
    cell = next((c for c, column in columns.items() if column == plan.watermark), None)
    if cell is None:
        return None
    spec = next((each for each in plan.fields if each.name == plan.matches.get(str(plan.watermark))), None)
    order = cell if spec is None else cast(spec.type, cell, plan.zone)
    row = con.execute(f"SELECT arg_max({cell}, {order}) FROM cells").fetchone()
    return None if row is None or row[0] is None else marks.write(str(row[0]))


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")


def _durably(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    _settle(fresh, path)


def _settle(fresh: Path, path: Path) -> None:
    """Force a file to the disk and give it its name."""
    descriptor = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
