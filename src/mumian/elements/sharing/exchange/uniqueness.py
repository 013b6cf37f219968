"""Uniqueness: which rows repeat values of rows before them, found in bounded memory by two passes over the fields alone.

The first pass groups 64-bit hashes of the values, which spill to disk; only values whose hash comes twice are looked at in the
second, which compares the values themselves: a collision of hashes makes nobody's row a fault.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.sharing.exchange.contracts import Job, Rule
from mumian.elements.sharing.exchange.sources import Opened
from mumian.elements.sharing.exchange.statements import NUMBER, quoted, reading


def repeated(job: Job, opened: Opened, connection: Any, folder: Path, begin: Callable[[], None]) -> dict[int, NDArray[np.int64]]:
    """For each rule `unique`, by its number, the numbers of the rows that break it, in order; kept in `folder` once known."""
    found: dict[int, NDArray[np.int64]] = {}
    for number, rule in enumerate(job.rules):
        if rule.kind != "unique":
            continue
        file = folder / f"repeated-{number}.npy"
        if not file.exists():
            begin()
            draft = folder / f"repeated-{number}.draft.npy"
            np.save(draft, _repeated(job, rule, opened, connection))
            draft.rename(file)
        # Mapped, not read: however many there are, only those of the chunks at hand need memory.
        found[number] = np.load(file, mmap_mode="r")
    return found


def _repeated(job: Job, rule: Rule, opened: Opened, connection: Any) -> NDArray[np.int64]:
    fields = tuple(field for field in job.fields if field.name in rule.fields)
    relation, number = opened.whole_relation()
    only = Job(id=job.id, source=job.source, fields=fields)
    names = ", ".join(quoted(field.name) for field in fields)
    there = " AND ".join(f"{quoted(field.name)} IS NOT NULL" for field in fields)
    rows = f"SELECT * FROM ({reading(only, opened.types, relation, number, '', opened.condition)}) AS q WHERE {there}"
    twice = f"SELECT h FROM (SELECT hash({names}) AS h FROM ({rows})) GROUP BY h HAVING count(*) > 1"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE twice AS {twice}")
    if connection.execute("SELECT count(*) FROM twice").fetchone()[0] == 0:
        return np.empty(0, np.int64)
    again = f"SELECT {NUMBER}, {names} FROM ({rows}) SEMI JOIN twice ON hash({names}) = h"
    later = f"SELECT {NUMBER}, row_number() OVER (PARTITION BY {names} ORDER BY {NUMBER}) AS place FROM ({again})"
    answer = connection.execute(f"SELECT {NUMBER} AS n FROM ({later}) WHERE place > 1 ORDER BY n").fetchnumpy()["n"]
    return np.ascontiguousarray(answer, np.int64)


def listed(repeats: dict[int, NDArray[np.int64]], first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Of the rows [first, last) those that break a rule `unique`, in order, and the bits of the rules that each breaks."""
    rows: list[NDArray[np.int64]] = []
    bits: list[NDArray[np.uint64]] = []
    for number, repeat in repeats.items():
        begin, end = np.searchsorted(repeat, [first, last])
        rows.append(np.asarray(repeat[begin:end]))
        bits.append(np.full(end - begin, 1 << number, np.uint64))
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    together = np.concatenate(rows)
    each, where = np.unique(together, return_inverse=True)
    merged = np.zeros(len(each), np.uint64)
    np.bitwise_or.at(merged, where, np.concatenate(bits))
    return each, merged
