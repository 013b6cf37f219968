"""Patterns: regular expressions of strangers, matched in time linear in the text, whatever they say (RE2)."""

from functools import lru_cache
from typing import Protocol, cast

from mumian.foundation.context.errors import BadRequestData

_LONGEST = 1000
_MEMORY = 1 << 20


class Pattern(Protocol):
    """A compiled pattern."""

    pattern: str

    def search(self, text: str) -> object | None:
        """Whether the pattern occurs in the text."""
        ...


@lru_cache(maxsize=512)
def compiled(text: str, field: str) -> Pattern:
    """A pattern of RE2's syntax; raises BadRequestData."""
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    if len(text) > _LONGEST:
        raise BadRequestData.field(field, "field.length", expected=f"≤ {_LONGEST}")
    try:
        return cast(Pattern, re2.compile(text, options))
    except re2.error as error:
        raise BadRequestData.field(field, "context.pattern", reason=str(error)[:200]) from error
