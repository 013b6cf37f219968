"""Typed fields: properties of devices and parameters of commands, from JSON values or from the cells of a file."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Protocol

from mumian.kernel.errors import Fault

_TRUE = {"true", "yes", "y", "1", "是", "有", "√", "对"}
_FALSE = {"false", "no", "n", "0", "否", "无", "×", "错"}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_EPOCH = date(1899, 12, 30)  # serial dates of spreadsheets count from here


class Typed(Protocol):
    """What a field takes, as `models.FieldSpec` says it."""

    @property
    def type(self) -> str: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...
    @property
    def choices(self) -> list[str]: ...
    @property
    def length(self) -> int: ...
    @property
    def required(self) -> bool: ...


def plain(text: str) -> str:
    """Text as it is compared: full-width forms made narrow, letters small, spaces single."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def checked(fields: Mapping[str, Typed], given: Mapping[str, Any], at: str) -> tuple[dict[str, Any], list[Fault]]:
    """The values of a JSON object that the fields describe, and what is wrong with them; `at` is its path."""
    values: dict[str, Any] = {}
    faults = [
        Fault(f"{at}.{name}", "field.unknown", {"expected": ", ".join(fields) or "–"}) for name in given if name not in fields
    ]
    for name, field in fields.items():
        if given.get(name) is None:
            if field.required:
                faults.append(Fault(f"{at}.{name}", "field.missing", {}))
            continue
        key, expected = fault(field, given[name])
        if key:
            faults.append(Fault(f"{at}.{name}", key, {"expected": expected}))
        else:
            values[name] = given[name]
    return values, faults


def fault(field: Typed, value: Any) -> tuple[str, str]:
    """The translation key of what is wrong with a value and what was expected; two empty texts when all is well."""
    match field.type:
        case "boolean":
            return ("", "") if isinstance(value, bool) else ("field.type", "true / false")
        case "number" | "integer":
            return _number_fault(field, value)
        case "choice":
            return ("", "") if value in field.choices else ("field.choice", ", ".join(field.choices))
    if not isinstance(value, str) or "\0" in value:
        return "field.type", "text"
    return ("", "") if len(value) <= field.length else ("field.length", f"≤ {field.length}")


def _number_fault(field: Typed, value: Any) -> tuple[str, str]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) >= 1e300:
        return "field.type", "a number"
    if field.type == "integer" and (value != int(value) or abs(value) >= 2**63):
        return "field.type", "a whole number"
    low, high = field.minimum, field.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return "field.range", f"{'-∞' if low is None else f'{low:g}'} … {'∞' if high is None else f'{high:g}'}"
    return "", ""


def from_text(field: Typed, text: str) -> Any:
    """The value that a cell's text means for a field; the text itself where it means none, for `fault` to refuse."""
    match field.type:
        case "boolean":
            word = plain(text)
            return True if word in _TRUE else False if word in _FALSE else text
        case "number":
            number = as_number(text)
            return text if number is None else number
        case "integer":
            number = as_number(text)
            return text if number is None else int(number) if number == int(number) else number
    return text


def as_number(text: str) -> float | None:
    """A finite number written in a cell, full-width digits and thousands separators included; None for anything else."""
    narrow = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", narrow):
        narrow = narrow.replace(",", "")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", narrow) or len(narrow) > 60:
        return None
    number = float(narrow)
    return number if math.isfinite(number) else None


def as_day(text: str) -> str | None:
    """A day written in a cell (2024-01-02, 2024/1/2, 2024年1月2日, 20240102, or a spreadsheet's serial number) as ISO 8601."""
    narrow = unicodedata.normalize("NFKC", text).strip()
    found = _DAY.fullmatch(narrow) or _COMPACT.fullmatch(narrow)
    try:
        if found is not None:
            return date(*map(int, found.groups())).isoformat()
        serial = as_number(narrow)
        if serial is not None and 20_000 <= serial < 80_000:
            return (_EPOCH + timedelta(days=int(serial))).isoformat()
    except ValueError:
        pass
    return None
