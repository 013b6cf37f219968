"""Kinds of values: what the text of a cell looks like, and which type suits a whole column."""

import re
from collections.abc import Iterable

TYPES = ("boolean", "integer", "number", "date", "time", "json", "text")
BLANK = frozenset({"", "-", "--", "—", "null", "none", "n/a", "na", "nan", "\\n", "无", "空", "#n/a"})
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d+,\d+")
_AMOUNT = re.compile(r"[$€£¥￥]\s?-?\d[\d,.]*|-?\d[\d,.]*\s?(%|‰|[$€£¥元万亿])")
_DATE = re.compile(
    r"\d{4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?|月)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|(19|20)\d{2}(0[1-9]|1[0-2])[0-3]\d"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?")
_INSTANT = re.compile(
    r"(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/]\d{1,2}[-/]\d{4})[T ]"
    r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm]| ?Z|[+-]\d{2}:?\d{2})?"
)
_WEB = re.compile(r"(https?|ftp)://\S+|www\.\S+|[\w.+-]+@[\w-]+(\.[\w-]+)+", re.IGNORECASE)
_WORDS = re.compile(r"[\w .'’()（）/&+#·、°²³*-]{1,80}")
_TRUTH = frozenset({"true", "false", "yes", "no", "是", "否"})


def sort_of(cell: str) -> str:
    """What a cell looks like: blank, integer, number, date, time, clock, boolean, amount, web, words or text."""
    text = cell.strip()
    if text.casefold() in BLANK:
        return "blank"
    if text.casefold() in _TRUTH:
        return "boolean"
    for name, pattern in (
        ("integer", _INTEGER),
        ("date", _DATE),
        ("number", _NUMBER),
        ("clock", _CLOCK),
        ("time", _INSTANT),
        ("amount", _AMOUNT),
        ("web", _WEB),
        ("words", _WORDS),
    ):
        if pattern.fullmatch(text):
            return name
    return "text"


def cleanliness(cells: Iterable[str]) -> float:
    """The share of cells that look like something by themselves: what a wrong delimiter leaves does not."""
    total = good = 0.0
    for cell in cells:
        total += 1
        sort = sort_of(cell) if len(cell) <= 200 else "text"
        good += 0.5 if cell == "" else 0.2 if sort == "text" else 1.0
    return good / total if total else 0.0


def column_type(cells: Iterable[str], share: float = 0.9) -> str:
    """The narrowest type that at least `share` of the values which are there have; text where there is none."""
    sorts = [sort_of(cell) for cell in cells]
    sorts = [sort for sort in sorts if sort != "blank"]
    if not sorts:
        return "text"
    count = {sort: sorts.count(sort) for sort in set(sorts)}
    least = share * len(sorts)
    if count.get("integer", 0) >= least:
        return "integer"
    if count.get("integer", 0) + count.get("number", 0) >= least:
        return "number"
    for name in ("boolean", "date", "time"):
        if count.get(name, 0) >= least:
            return name
    return "time" if count.get("date", 0) + count.get("time", 0) >= least else "text"
