"""Literals of query expressions: numbers, texts, times, periods, dates, durations and geometries, from text to value."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.sensing.sta.faults import query_fault
from mumian.foundation.sensing.sta.syntax import Literal

_INSTANT = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+\- ]\d\d:?\d\d)"
_SPAN = (
    r"[+-]?P(?=[\dT])(?:\d{1,6}Y)?(?:\d{1,6}M)?(?:\d{1,6}W)?(?:\d{1,9}D)?"
    r"(?:T(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,12}(?:\.\d{1,9})?S)?)?"
)
LITERAL = (
    rf"(?P<geometry>geography'[^']*')|(?P<duration>duration'[^']*')|(?P<text>'(?:[^']|'')*')"
    rf"|(?P<period>(?:{_INSTANT})/(?:{_INSTANT}|{_SPAN})|{_SPAN}/(?:{_INSTANT}))"
    rf"|(?P<time>{_INSTANT})|(?P<date>\d{{4}}-\d\d-\d\d(?![\dT]))|(?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?(?![\w.]))"
)
_SPAN_PARTS = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {"years": 31_557_600, "months": 2_629_800, "weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60}
MOST_TIME = microseconds(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
LEAST_TIME = microseconds(datetime(1, 1, 1, tzinfo=UTC))
_MOST_GEOMETRY = 100_000


def literal(kind: str, text: str, at: int, option: str) -> Literal:
    """The value of a token; raises Invalid naming option and character."""
    with suppress(ValueError, OverflowError):
        return Literal(kind, _value(kind, text), at)
    raise query_fault(option, "literal", at, given=text[:80])


def _value(kind: str, text: str) -> Any:
    readers = {"period": _period, "time": _instant, "date": _date, "clock": _clock}
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "number":
        return number(text)
    if kind == "duration":
        return span(text[len("duration'") : -1])
    if kind == "geometry":
        return _geometry(text[len("geography'") : -1])
    return readers[kind](text)


def number(text: str) -> int | float:
    """A whole number that fits 64 bits, or one with a point; raises ValueError for others."""
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    found = float(text)
    if found in (float("inf"), float("-inf")) or found != found:  # noqa: PLR0124  # NaN alone differs from itself
        raise ValueError(text)
    return found


def _instant(text: str) -> int:
    text = text.upper().replace(",", ".")
    text = text[:16] + text[16:].replace(" ", "+")  # an unescaped plus sign arrives as a space
    fraction = re.search(r"\.(\d+)", text)
    if fraction and len(fraction.group(1)) > 6:
        text = text.replace(fraction.group(0), f".{fraction.group(1)[:6]}")
    return microseconds(datetime.fromisoformat(text))


def _period(text: str) -> tuple[int, int]:
    start, end = text.split("/")
    if start[0] in "P+-":
        last = _instant(end)
        first = last - span(start)
    else:
        first = _instant(start)
        last = first + span(end) if end[0] in "P+-" else _instant(end)
    if last < first:
        raise ValueError(text)
    return first, last


def _date(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


def _clock(text: str) -> int:
    parts = [*text.split(":"), "0"]
    hours, minutes, seconds = int(parts[0]), int(parts[1]), float(parts[2])
    if hours > 23 or minutes > 59 or seconds >= 60:
        raise ValueError(text)
    return round((hours * 3600 + minutes * 60 + seconds) * 1_000_000)


def span(text: str) -> int:
    """An ISO 8601 duration in µs; a year counts 365.25 days, a month a twelfth of it. Raises ValueError."""
    matched = _SPAN_PARTS.fullmatch(text)
    if matched is None or text.rstrip("+-PT") == "" or text.endswith(("P", "T")):
        raise ValueError(text)
    found = matched.groupdict()
    whole = sum(int(found[name] or 0) * seconds for name, seconds in _SECONDS.items())
    total = whole * 1_000_000 + round(float(found["seconds"] or 0) * 1_000_000)
    if total > MOST_TIME - LEAST_TIME:
        raise ValueError(text)
    return -total if found["sign"] == "-" else total


def _geometry(text: str) -> str:
    """Well-known text; SensorThings examples also write `POINT(-122, 43)` with a comma."""
    from shapely import from_wkt
    from shapely.errors import ShapelyError

    if len(text) > _MOST_GEOMETRY:
        raise ValueError(text)
    loose = re.sub(r"(?i)^\s*(?:SRID=\d+;)?\s*(POINT\s*\(\s*[-\d.eE]+)\s*,", r"\1 ", text)
    try:
        found = from_wkt(loose)
    except ShapelyError:
        raise ValueError(text) from None
    if found is None or found.is_empty:
        raise ValueError(text)
    return str(found.wkt)
