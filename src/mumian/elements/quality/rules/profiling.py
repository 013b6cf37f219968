"""Profiling: what is asked of the rows of a dataset to describe each field, in one scan and a few small ones.

Of fields that are labelled (personal, or of a grade above general) no value is told: only numbers, forms and shares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mumian.elements.quality.rules import formats
from mumian.elements.quality.rules.compiling import Frame, given, quoted, text

FORMATS = ("id_card", "credit_code", "bank_card", "mobile", "phone", "email", "plate", "postcode", "date", "time", "url")
TOP = 20
EXACT = 100_000
SHAPES = 5
_NUMBERS = ("integer", "number")
_TIMES = ("date", "time")
_PER_FIELD = 6


@dataclass(frozen=True)
class FieldProfile:
    """What is known of a field: counts of rows; `distinct` is exact up to 100,000 rows, above estimated (HyperLogLog).

    `least`, `most` and `mean` are of values, for texts of their lengths; of numbers those that are `negative` are counted. `top`
    are the commonest values with their counts, `shapes` the commonest forms (9 a digit, A a letter, 中 a Chinese character),
    `formats` shares of values written in a format.
    """

    name: str
    type: str
    labelled: bool
    rows: int
    missing: int
    distinct: int
    least: Any = None
    most: Any = None
    mean: float | None = None
    negative: int | None = None
    top: tuple[tuple[str, int], ...] = ()
    shapes: tuple[tuple[str, int], ...] = ()
    formats: Mapping[str, float] | None = None

    @property
    def given(self) -> int:
        """How many rows have a value."""
        return self.rows - self.missing


def source(frame: Frame, rows: int, sample: int) -> str:
    """The rows that are looked at: all, or, of a larger dataset, about so many picked at random from everywhere in it."""
    table = f"lake.main.{frame.table}"
    return table if rows <= sample else f"(SELECT * FROM {table} WHERE hash(_id) % {rows} < {sample})"


def outline(frame: Frame, from_: str, rows: int) -> str:
    """One SELECT: the number of rows, and of each field how many values it has, how many different ones, and their ends."""
    answers = ["count(*)"]
    for name, type_ in frame.types.items():
        own, there = quoted(name), given(frame, name)
        value = f"CASE WHEN {there} THEN {own} END"
        measure = f"length({value})" if type_ in ("text", "json") else value
        mean = f"avg({measure})" if type_ in ("text", "json", *_NUMBERS) else "NULL"
        ends = ("NULL", "NULL") if type_ == "boolean" else (f"min({measure})", f"max({measure})")
        negative = f"count(*) FILTER ({own} < 0)" if type_ in _NUMBERS else "NULL"
        different = f"count(DISTINCT {value})" if rows <= EXACT else f"approx_count_distinct({value})"
        answers += [f"count({value})", different, *ends, mean, negative]
    return f"SELECT {', '.join(answers)} FROM {from_}"


def read_outline(frame: Frame, row: Sequence[Any], labelled: frozenset[str]) -> list[FieldProfile]:
    """The fields as `outline` tells of them."""
    rows, found = int(row[0]), []
    for i, (name, type_) in enumerate(frame.types.items()):
        there, roughly, least, most, mean, negative = row[1 + i * _PER_FIELD : 1 + (i + 1) * _PER_FIELD]
        secret = name in labelled and type_ not in ("text", "json")
        found.append(
            FieldProfile(
                name=name,
                type=type_,
                labelled=name in labelled,
                rows=rows,
                missing=rows - int(there),
                distinct=min(int(roughly), int(there)),
                least=None if secret else _plain(least),
                most=None if secret else _plain(most),
                mean=None if secret or mean is None else round(float(mean), 6),
                negative=negative,
            )
        )
    return found


def top(frame: Frame, name: str, from_: str, limit: int) -> str:
    """The commonest values of a field as text, with their counts."""
    v = text(frame, name)
    return f"SELECT {v} AS v, count(*) AS n FROM {from_} WHERE {given(frame, name)} GROUP BY {v} ORDER BY n DESC, v LIMIT {limit}"


def shapes(frame: Frame, name: str, from_: str) -> str:
    """The commonest forms of a field's values."""
    v = f"left({text(frame, name)}, 60)"
    form = v
    for these, sign in (("[0-9]", "9"), ("[A-Za-z]", "A"), (r"[\x{4e00}-\x{9fff}]", "中")):
        form = f"regexp_replace({form}, '{these}', '{sign}', 'g')"
    return (
        f"SELECT {form} AS v, count(*) AS n FROM {from_} WHERE {given(frame, name)} GROUP BY v ORDER BY n DESC, v LIMIT {SHAPES}"
    )


def written(frame: Frame, name: str, from_: str) -> str:
    """How many values are written in each of FORMATS."""
    value, parts, answers = text(frame, name), [], []
    for i, each in enumerate(FORMATS):
        own = formats.written(each, "v", f"p{i}_")
        parts += [f"{sql} AS {part}" for part, sql in own.parts]
        answers.append(f"count(*) FILTER ({own.ok})")
    values = f"SELECT {value} AS v FROM {from_} WHERE {given(frame, name)}"
    return f"SELECT {', '.join(answers)} FROM (SELECT v, {', '.join(parts)} FROM ({values}))"


def exact(frame: Frame, fields: Sequence[str], from_: str) -> str:
    """How many different combinations of values these fields have, and in how many rows all are given."""
    there = " AND ".join(given(frame, name) for name in fields)
    keys = ", ".join(quoted(name) for name in fields)
    return f"SELECT count(*), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {from_} WHERE {there} GROUP BY {keys})"


def contained(frame: Frame, name: str, other: Frame, key: str, from_: str) -> str:
    """How many different values a field has (of 2,000 at most), and how many of them stand in another dataset's field."""
    mine = f"SELECT DISTINCT {text(frame, name)} AS v FROM {from_} WHERE {given(frame, name)} ORDER BY v LIMIT 2000"
    theirs = f"SELECT {text(other, key)} AS v FROM lake.main.{other.table}"
    return f"SELECT count(*), count(*) FILTER (v IN (SELECT v FROM ({theirs}))) FROM ({mine})"


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
