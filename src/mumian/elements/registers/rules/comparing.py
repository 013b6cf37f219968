"""Comparing: the levels of agreement of two records in one attribute, and the keys by which records meet, as SQL.

Jaro–Winkler similarity after Winkler (1990), edit distance with transpositions after Damerau (1964), both DuckDB's own.
Chinese names are compared by sound (Hanyu Pinyin without tones), since characters of one sound are what is mistyped.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

COLUMNS = {
    "text": ("",),
    "name": ("", "sound", "fold"),
    "organisation": ("", "sound", "fold"),
    "identifier": ("",),
    "date": ("",),
    "phone": ("",),
    "address": ("", "district", "road", "door"),
    "number": ("",),
    "location": ("lon", "lat"),
}
NUMERIC = {("number", ""), ("location", "lon"), ("location", "lat")}
_SLICE = re.compile(r"(first|last)([1-9]|1[0-9])")
_METRES = 111_320.0


@dataclass(frozen=True)
class Level:
    """A level of agreement: its name, and the condition on `l` and `r` that holds from here on down."""

    name: str
    sql: str


@dataclass(frozen=True)
class Method:
    """A way to compare: the kinds of attributes it is for (none: all), thresholds where none are given, and its levels."""

    kinds: tuple[str, ...]
    thresholds: tuple[float, ...]
    make: Callable[[str, Sequence[float]], list[Level]]

    def levels(self, thresholds: Sequence[float] | None, attribute: str = "x") -> list[Level]:
        """The levels, the best first; what fits none is `different`."""
        return self.make(attribute, self.thresholds if thresholds is None else thresholds)


def column(attribute: str, part: str = "") -> str:
    """The column that holds an attribute's standard form, or a part of it."""
    return f"p_{attribute}_{part}" if part else f"p_{attribute}"


def columns_of(attribute: str, kind: str) -> list[tuple[str, str]]:
    """The columns of an attribute's standard form with their SQL types."""
    return [(column(attribute, part), "DOUBLE" if (kind, part) in NUMERIC else "VARCHAR") for part in COLUMNS[kind]]


def present(attribute: str, kind: str) -> str:
    """The condition that both records have the attribute."""
    first = column(attribute, COLUMNS[kind][0])
    return f"l.{first} IS NOT NULL AND r.{first} IS NOT NULL"


def level_sql(attribute: str, kind: str, levels: Sequence[Level]) -> str:
    """0 where either lacks the attribute, 1 where they differ, then one more for each better level."""
    cases = " ".join(f"WHEN {level.sql} THEN {len(levels) + 1 - i}" for i, level in enumerate(levels))
    return f"CASE WHEN NOT ({present(attribute, kind)}) THEN 0 {cases} ELSE 1 END"


def transform_faults(kind: str, transform: str) -> str | None:
    """What is wrong with a transform in a blocking rule, if anything."""
    fixed = {
        "name": ("", "sound"),
        "organisation": ("", "sound"),
        "date": ("", "year", "month"),
        "address": ("", "district", "road", "door"),
        "location": ("cell",),
        "number": ("",),
    }.get(kind, ("",))
    if transform in fixed or (_SLICE.fullmatch(transform) and kind not in ("number", "location", "address")):
        return None
    return f"an attribute of kind {kind} takes one of: {', '.join(f or 'nothing' for f in fixed)}, firstN or lastN"


def key_sql(attribute: str, transform: str) -> str:
    """The expression by which records meet; NULL where the attribute is missing."""
    plain = column(attribute)
    if slice_ := _SLICE.fullmatch(transform):
        word = "left" if slice_[1] == "first" else "right"
        return f"{word}({plain}, {slice_[2]})"
    if transform == "cell":
        lon, lat = column(attribute, "lon"), column(attribute, "lat")
        return f"CAST(floor({lon} * 400) AS VARCHAR) || ' ' || CAST(floor({lat} * 400) AS VARCHAR)"
    parts = {"": plain, "sound": column(attribute, "fold"), "year": f"left({plain}, 4)", "month": f"left({plain}, 7)"}
    return parts.get(transform) or column(attribute, transform)


def metres_sql(attribute: str) -> str:
    """The distance of two near points in metres, on a sphere of 111,320 m a degree."""
    lon, lat = column(attribute, "lon"), column(attribute, "lat")
    east = f"((l.{lon} - r.{lon}) * cos(radians((l.{lat} + r.{lat}) / 2)))"
    return f"{_METRES} * sqrt({east} * {east} + (l.{lat} - r.{lat}) * (l.{lat} - r.{lat}))"


def _same(attribute: str, part: str = "") -> str:
    name = column(attribute, part)
    return f"l.{name} = r.{name}"


def _jaro(attribute: str, part: str, least: float) -> str:
    name = column(attribute, part)
    return f"jaro_winkler_similarity(l.{name}, r.{name}) >= {least:g}"


def _one_slip(attribute: str) -> str:
    """One edit, or two neighbours changed round; it leaves the first or the last half as it was, which is quicker to see."""
    name = column(attribute)
    half = f"(least(length(l.{name}), length(r.{name})) - 2) // 2"
    near = f"(left(l.{name}, {half}) = left(r.{name}, {half}) OR right(l.{name}, {half}) = right(r.{name}, {half}))"
    return f"(abs(length(l.{name}) - length(r.{name})) <= 1 AND {near} AND damerau_levenshtein(l.{name}, r.{name}) <= 1)"


def _exact(attribute: str, _: Sequence[float]) -> list[Level]:
    return [Level("exact", _same(attribute))]


def _similar(attribute: str, thresholds: Sequence[float]) -> list[Level]:
    near = [Level(f"similar_{round(t * 100)}", _jaro(attribute, "", t)) for t in thresholds]
    return [Level("exact", _same(attribute)), *near]


def _sounding(attribute: str, thresholds: Sequence[float]) -> list[Level]:
    sound, fold = _same(attribute, "sound"), _same(attribute, "fold")
    near = [Level(f"similar_{round(t * 100)}", _jaro(attribute, "sound", t)) for t in thresholds]
    return [Level("exact", _same(attribute)), Level("sound", sound), Level("near_sound", fold), *near]


def _identifier(attribute: str, _: Sequence[float]) -> list[Level]:
    return [Level("exact", _same(attribute)), Level("one_slip", _one_slip(attribute))]


def _date(attribute: str, _: Sequence[float]) -> list[Level]:
    name = column(attribute)
    swapped = f"left(l.{name}, 5) || right(l.{name}, 2) || '-' || substr(l.{name}, 6, 2) = r.{name}"
    month = f"left(l.{name}, 7) = left(r.{name}, 7)"
    return [
        Level("exact", _same(attribute)),
        Level("one_slip", f"({_one_slip(attribute)} OR {swapped})"),
        Level("near", f"({month} OR right(l.{name}, 5) = right(r.{name}, 5))"),
        Level("same_year", f"left(l.{name}, 4) = left(r.{name}, 4)"),
    ]


def _phone(attribute: str, _: Sequence[float]) -> list[Level]:
    return [Level("exact", _same(attribute)), Level("one_slip", _one_slip(attribute))]


def _address(attribute: str, thresholds: Sequence[float]) -> list[Level]:
    return [
        Level("exact", _same(attribute)),
        Level("same_door", _same(attribute, "door")),
        Level("same_road", _same(attribute, "road")),
        *(Level(f"similar_{round(t * 100)}", _jaro(attribute, "", t)) for t in thresholds),
        Level("same_district", _same(attribute, "district")),
    ]


def _number(attribute: str, thresholds: Sequence[float]) -> list[Level]:
    name = column(attribute)
    near = [Level(f"within_{t:g}", f"abs(l.{name} - r.{name}) <= {t:g}") for t in thresholds]
    return [Level("exact", _same(attribute)), *near]


def _location(attribute: str, thresholds: Sequence[float]) -> list[Level]:
    return [Level(f"within_{t:g}", f"{metres_sql(attribute)} <= {t:g}") for t in thresholds]


METHODS = {
    "exact": Method(("text", "name", "organisation", "identifier", "date", "phone", "number", "address"), (), _exact),
    "jaro_winkler": Method(("text", "name", "organisation", "identifier", "phone", "address"), (0.92, 0.8), _similar),
    "name": Method(("name",), (0.92, 0.8), _sounding),
    "organisation": Method(("organisation",), (0.95, 0.88), _sounding),
    "identifier": Method(("identifier", "text"), (), _identifier),
    "date": Method(("date",), (), _date),
    "phone": Method(("phone",), (), _phone),
    "address": Method(("address",), (), _address),
    "number": Method(("number",), (1.0,), _number),
    "location": Method(("location",), (15.0, 60.0, 250.0), _location),
}
