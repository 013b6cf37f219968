"""Uniqueness: which rows repeat values of rows before them, found in bounded memory by two passes over the fields alone.

The first pass looks for 64-bit hashes of the values that come twice; only rows with such a hash are looked at in the second,
which compares the values themselves: a collision of hashes makes nobody's row a fault.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.sharing.exchange.contracts import Job, Plan, Rule
from mumian.elements.sharing.exchange.engine.opening import native_functions
from mumian.elements.sharing.exchange.sources import Opened
from mumian.elements.sharing.exchange.statements import NUMBER, quoted, reading
from mumian.foundation.storage.api import offer_arrays

Numbers = NDArray[np.int64]


class Search:
    """Looks for repeated values in a source that is open on a connection of DuckDB."""

    def __init__(self, job: Job, opened: Opened, plan: Plan, connection: Any, folder: Path, threads: int) -> None:
        self._threads = threads
        self._job = job
        self._opened = opened
        self._plan = plan
        self._connection = connection
        self._folder = folder

    def repeated(self, begin: Callable[[], None], compiled: bool) -> dict[int, Numbers]:
        """For each rule `unique`, by its number, the numbers of the rows that break it, in order; kept once they are known."""
        found: dict[int, Numbers] = {}
        for number, rule in enumerate(self._job.rules):
            if rule.kind != "unique":
                continue
            file = self._folder / f"repeated-{number}.npy"
            if not file.exists():
                begin()
                draft = self._folder / f"repeated-{number}.draft.npy"
                np.save(draft, self._rows(rule, compiled))
                draft.rename(file)
            # Mapped, not read: however many there are, only those of the chunks at hand need memory.
            found[number] = np.load(file, mmap_mode="r")
        return found

    def _rows(self, rule: Rule, compiled: bool) -> Numbers:
        names = ", ".join(quoted(name) for name in rule.fields)
        if compiled and native_functions() is not None:
            from mumian.elements.sharing.exchange.engine import grouping

            suspects = grouping.twice(self._hashes(rule, names), self._folder / "staging", self._threads)
            offer_arrays(self._connection, "suspects", {"h": suspects})
            self._connection.execute("CREATE OR REPLACE TEMP TABLE twice AS SELECT h FROM suspects")
            self._connection.unregister("suspects")
        else:
            hashes = f"SELECT hash({names}) | 1 AS h FROM ({self._whole(rule)})"
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE twice AS SELECT h FROM ({hashes}) GROUP BY h HAVING count(*) > 1"
            )
        if self._connection.execute("SELECT count(*) FROM twice").fetchone()[0] == 0:
            return np.empty(0, np.int64)
        again = f"SELECT {NUMBER}, {names} FROM ({self._whole(rule)}) SEMI JOIN twice ON hash({names}) | 1 = h"
        later = f"SELECT {NUMBER}, row_number() OVER (PARTITION BY {names} ORDER BY {NUMBER}) AS place FROM ({again})"
        answer = self._connection.execute(f"SELECT {NUMBER} AS n FROM ({later}) WHERE place > 1 ORDER BY n").fetchnumpy()
        return np.ascontiguousarray(answer["n"], np.int64)

    def _hashes(self, rule: Rule, names: str) -> Iterator[Callable[[], NDArray[np.uint64]]]:
        for chunk in self._plan.chunks:
            rows = self._select(rule, *self._opened.chunk_relation(chunk))
            yield partial(self._hashed, f"SELECT hash({names}) | 1 AS h FROM ({rows})")

    def _hashed(self, sql: str) -> NDArray[np.uint64]:
        with self._connection.cursor() as cursor:
            return np.ascontiguousarray(cursor.execute(sql).fetchnumpy()["h"], np.uint64)

    def _whole(self, rule: Rule) -> str:
        return self._select(rule, *self._opened.whole_relation(), "")

    def _select(self, rule: Rule, relation: str, number: str, where: str) -> str:
        """The rows that have all the fields of a rule, and only these fields."""
        fields = tuple(field for field in self._job.fields if field.name in rule.fields)
        only = Job(id=self._job.id, source=self._job.source, fields=fields)
        rows = reading(only, self._opened.types, relation, number, where, self._opened.condition)
        there = " AND ".join(f"{quoted(field.name)} IS NOT NULL" for field in fields)
        return f"SELECT * FROM ({rows}) AS rows_there WHERE {there}"


def listed(repeats: dict[int, Numbers], first: int, last: int) -> tuple[Numbers, NDArray[np.uint64]]:
    """Of the rows [first, last) those that break a rule `unique`, in order, and the bits of the rules that each breaks."""
    rows: list[Numbers] = []
    bits: list[NDArray[np.uint64]] = []
    for number, repeat in repeats.items():
        begin, end = np.searchsorted(repeat, [first, last])
        rows.append(np.asarray(repeat[begin:end]))
        bits.append(np.full(end - begin, 1 << number, np.uint64))
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    each, where = np.unique(np.concatenate(rows), return_inverse=True)
    merged = np.zeros(len(each), np.uint64)
    np.bitwise_or.at(merged, where, np.concatenate(bits))
    return each, merged
