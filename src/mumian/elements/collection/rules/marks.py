"""Marks: values by which a source is read on from where it was left, written so that their type comes back."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any


def write(value: Any) -> str:
    """A value with its type, as text."""
    if isinstance(value, bool) or value is None:
        raise ValueError("neither truth nor nothing can be a mark")
    if isinstance(value, int):
        return f"integer:{value}"
    if isinstance(value, float):
        return f"number:{value!r}"
    if isinstance(value, Decimal):
        return f"decimal:{value}"
    if isinstance(value, datetime):
        return f"time:{value.isoformat()}"
    if isinstance(value, date):
        return f"date:{value.isoformat()}"
    return f"text:{value}"


def read(mark: str) -> Any:
    """The value of a mark; raises ValueError."""
    kind, _, value = mark.partition(":")
    match kind:
        case "integer":
            return int(value)
        case "number":
            return float(value)
        case "decimal":
            return Decimal(value)
        case "time":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case "text":
            return value
    raise ValueError(f"{mark[:40]!r} is no mark")


def shown(mark: str | None) -> str | None:
    """A mark without its type, for people and for query parameters."""
    return None if mark is None else mark.partition(":")[2]
