"""Faults of queries: each names the option, the character and the fix."""

from typing import Any

from mumian.kernel.errors import Invalid


def query_fault(option: str, what: str, at: int, **values: Any) -> Invalid:
    """The error of an option's text at a character (from 1); `what` ends the translation key."""
    return Invalid.field(option, f"sensing.query.{what}", at=at, **values)
