"""Comparing: rules for which one row is not enough: uniqueness, references, values elsewhere; and how values are distributed."""

import math
from collections.abc import Sequence

from mumian.elements.quality.models import Consistent, Reference, RowsSpec, Unique
from mumian.elements.quality.rules.compiling import KEPT, Frame, column, given, text, where

PART = 10_000_000  # so many hashes are held in memory at a time
BINS = {"psi": 10, "ks": 100}
COMMONEST = 50
_LEAST_SHARE = 1e-4
_TEXTUAL = ("text", "json", "boolean")


def parts(rows: int) -> int:
    """In how many passes so many rows are looked through for doubles."""
    return max(1, math.ceil(rows / PART))


def doubled(rule: Unique, frame: Frame, part: int, of: int) -> str:
    """Whether any two rows have the same hash, among those whose hash falls into a part: no row, or one."""
    hashes = _hashes(rule, frame, part, of)
    return f"SELECT h FROM ({hashes}) GROUP BY h HAVING count(*) > 1 LIMIT 1"


def doubles(rule: Unique, frame: Frame, part: int, of: int) -> str:
    """How many rows share their values with another, and the `_id` of the first of them; exact, whatever hashes do."""
    keys = ", ".join(column(frame, name) for name in rule.fields)
    inner = f"SELECT _id, h, {keys} FROM ({_hashes(rule, frame, part, of)})"
    return (
        f"WITH d AS (SELECT h FROM ({_hashes(rule, frame, part, of)}) GROUP BY h HAVING count(*) > 1), "
        f"g AS MATERIALIZED (SELECT count(*) AS c, min(_id, {KEPT}) AS ids FROM ({inner}) WHERE h IN (SELECT h FROM d) "
        f"GROUP BY {keys} HAVING count(*) > 1) "
        f"SELECT (SELECT coalesce(sum(c), 0) FROM g), (SELECT min(i, {KEPT}) FROM (SELECT unnest(ids) AS i FROM g))"
    )


def _hashes(rule: Unique, frame: Frame, part: int, of: int) -> str:
    keys = ", ".join(column(frame, name) for name in rule.fields)
    judged = " AND ".join([*(given(frame, name) for name in rule.fields), where(rule, frame)])
    rows = f"SELECT _id, {keys}, hash({keys}) AS h FROM lake.main.{frame.table} WHERE {judged}"
    return rows if of == 1 else f"SELECT * FROM ({rows}) WHERE h % {of} = {part}"


def referring(rule: Reference, frame: Frame, other: Frame, after: int) -> str:
    """How many rows refer, how many of them to nothing, and the `_id` of the first of these."""
    mine, theirs = [], []
    for i, (own, target) in enumerate(zip(rule.fields, rule.target, strict=True)):
        same = frame.types[frame.field(own)] == other.types[other.field(target)]
        mine.append(f"{column(frame, own) if same else text(frame, own)} AS k{i}")
        theirs.append(f"{column(other, target) if same else text(other, target)} AS k{i}")
    equal = " AND ".join(f"o.k{i} = t.k{i}" for i in range(len(mine)))
    judged = _judged(rule, frame, rule.fields, after)
    rows = (
        f"SELECT _id, NOT EXISTS (SELECT 1 FROM (SELECT {', '.join(theirs)} FROM lake.main.{other.table}) AS o WHERE {equal}) "
        f"AS bad FROM (SELECT _id, {', '.join(mine)} FROM lake.main.{frame.table} WHERE {judged}) AS t"
    )
    return f"SELECT count(*), count(*) FILTER (bad), min(_id, {KEPT}) FILTER (bad) FROM ({rows})"


def differing(rule: Consistent, frame: Frame, other: Frame, after: int) -> str:
    """How many rows have a counterpart with a value, how many another one, and the `_id` of the first of these.

    Where several rows of the other dataset have the same key, all of them count.
    """
    target_key, field = rule.target_key or rule.key, rule.target_field or rule.field
    types = {frame.types[frame.field(rule.field)], other.types[other.field(field)]}
    numbers = types <= {"integer", "number"}
    as_is = numbers or len(types) == 1
    mine, theirs = (column(frame, rule.field), column(other, field)) if as_is else (text(frame, rule.field), text(other, field))
    keys = ", ".join(f"{text(other, name)} AS k{i}" for i, name in enumerate(target_key))
    names = ", ".join(f"k{i}" for i in range(len(target_key)))
    others = f"SELECT {keys}, {theirs} AS v FROM lake.main.{other.table} WHERE {given(other, field)}"
    ends = f"SELECT {names}, min(v) AS low, max(v) AS high FROM ({others}) GROUP BY ALL"
    own_keys = ", ".join(f"{text(frame, name)} AS k{i}" for i, name in enumerate(rule.key))
    judged = _judged(rule, frame, [rule.field], after)
    own = f"SELECT _id, {own_keys}, {mine} AS v FROM lake.main.{frame.table} WHERE {judged}"
    near = " AND ".join(f"abs(t.v - o.{end}) <= {rule.within!r}" if numbers else f"t.v = o.{end}" for end in ("low", "high"))
    on = " AND ".join(f"t.k{i} = o.k{i}" for i in range(len(target_key)))
    rows = f"SELECT _id, NOT ({near}) AS bad FROM ({own}) AS t JOIN ({ends}) AS o ON {on}"
    return f"SELECT count(*), count(*) FILTER (bad), min(_id, {KEPT}) FILTER (bad) FROM ({rows})"


def _judged(rule: RowsSpec, frame: Frame, fields: Sequence[str], after: int) -> str:
    newer = [f"_load > {after}"] if after else []
    return " AND ".join([*(given(frame, name) for name in fields), where(rule, frame), *newer])


def edges(frame: Frame, field: str, bins: int, loads: str) -> str:
    """A list of the quantiles that part a number, date or time into bins of about equal size."""
    shares = ", ".join(repr(i / bins) for i in range(1, bins))
    return f"SELECT approx_quantile({_number(frame, field)}, [{shares}]) FROM lake.main.{frame.table} WHERE {loads}"


def commonest(frame: Frame, field: str, loads: str) -> str:
    """The commonest values of a text, as digests: what people wrote is not kept."""
    v = text(frame, field)
    return (
        f"SELECT md5({v}) FROM lake.main.{frame.table} WHERE {loads} AND {given(frame, field)} GROUP BY {v} "
        f"ORDER BY count(*) DESC, {v} LIMIT {COMMONEST}"
    )


def counted(frame: Frame, field: str, bins: Sequence[float] | Sequence[str], loads: str) -> str:
    """How many values fall into each bin (its number; −1: rows without a value)."""
    if textual(frame, field):
        places = ", ".join(f"'{digest}'" for digest in bins)
        place = f"coalesce(list_position([{places}]::VARCHAR[], md5({text(frame, field)})), 0)"
    else:
        place = " + ".join(["0", *(f"({_number(frame, field)} > {float(edge)!r})::INTEGER" for edge in bins)])
    return (
        f"SELECT CASE WHEN {given(frame, field)} THEN {place} ELSE -1 END AS bin, count(*) "
        f"FROM lake.main.{frame.table} WHERE {loads} GROUP BY bin"
    )


def textual(frame: Frame, field: str) -> bool:
    """Whether a field's values are compared one by one, not by ranges."""
    return frame.types[frame.field(field)] in _TEXTUAL


def _number(frame: Frame, field: str) -> str:
    own, type_ = column(frame, field), frame.types[frame.field(field)]
    return f"epoch({own})" if type_ in ("date", "time") else f"CAST({own} AS DOUBLE)"


def psi(expected: Sequence[int], found: Sequence[int]) -> float:
    """The population stability index Σ (q − p) ln (q / p) over the shares of each bin; shares below 0.0001 count as that."""
    p, q = (_shares(counts) for counts in (expected, found))
    return sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [max(count / total, _LEAST_SHARE) for count in counts]


def ks(expected: Sequence[int], found: Sequence[int]) -> float:
    """The greatest distance of the two distribution functions at the edges of the bins (in their order).

    It is at most the Kolmogorov-Smirnov statistic, and less by no more than the share of the largest bin.
    """
    greatest = below_a = below_b = 0.0
    total_a, total_b = sum(expected), sum(found)
    for a, b in zip(expected, found, strict=True):
        below_a += a / total_a
        below_b += b / total_b
        greatest = max(greatest, abs(below_a - below_b))
    return greatest
