"""Operands of CQL2: SQL texts that know their type, and how values of different types meet."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from mumian.kernel.errors import Invalid

_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_TIME = re.compile(_DATE.pattern + r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)")
TEMPORAL = ("date", "datetime")
NUMERIC = ("integer", "number")


@dataclass(frozen=True)
class Operand:
    """A SQL expression and its type; a literal keeps its `value`."""

    sql: str
    type: str
    value: object = None
    literal: bool = False


def refuse(reason: str) -> Invalid:
    """The error for a filter that cannot be understood."""
    return Invalid.field("filter", "spatial.filter", reason=reason[:300])


def date_text(text: object) -> str:
    """A date literal itself, if it is one."""
    if not isinstance(text, str) or not _DATE.fullmatch(text) or not _exists(date, text):
        raise refuse(f"{text!r} is no date; write it like 2014-01-31")
    return text


def time_text(text: object) -> str:
    """A timestamp literal itself, if it is one."""
    if not isinstance(text, str) or not _TIME.fullmatch(text) or not _exists(datetime, text):
        raise refuse(f"{text!r} is no timestamp; write it like 2014-01-31T08:00:00Z")
    return text


def _exists(kind: type[date], text: str) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return not text.startswith("0000")


def numeric(operand: Operand) -> str:
    """The SQL of an operand that must be a number, as DOUBLE: products of whole numbers would overflow."""
    if operand.type not in NUMERIC:
        raise refuse(f"arithmetic wants numbers, not {operand.type}")
    return f"CAST({operand.sql} AS DOUBLE)"


def textual(operand: Operand) -> str:
    """The SQL of an operand that must be text."""
    if operand.type not in ("string", "json"):
        raise refuse(f"text is wanted here, not {operand.type}")
    return operand.sql


def as_time(operand: Operand) -> str:
    """An instant as TIMESTAMP in UTC; a date is its midnight."""
    if operand.type == "datetime":
        return operand.sql
    if operand.type == "date":
        return f"CAST({operand.sql} AS TIMESTAMP)"
    if operand.literal and isinstance(operand.value, str):
        text = operand.value
        kind = "DATE" if _DATE.fullmatch(text) else "TIMESTAMPTZ"
        date_text(text) if kind == "DATE" else time_text(text)
        cast = f"CAST({operand.sql} AS {kind})"
        return f"CAST({cast} AS TIMESTAMP)" if kind == "DATE" else f"({cast} AT TIME ZONE 'UTC')"
    raise refuse(f"a time is wanted here, not {operand.type}")


def comparable(a: Operand, b: Operand) -> tuple[str, str]:
    """Both operands as SQL that may be compared; raises Invalid where types do not go together."""
    if a.type in TEMPORAL or b.type in TEMPORAL:
        return as_time(a), as_time(b)
    if a.type in NUMERIC and b.type in NUMERIC:
        return a.sql, b.sql
    if a.type == b.type and a.type in ("string", "boolean"):
        return a.sql, b.sql
    if {a.type, b.type} <= {"string", "json"}:
        return a.sql, b.sql
    raise refuse(f"{a.type} and {b.type} cannot be compared")
