"""What search hands out."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Selection:
    """What a question selects, as SQL: a query with the columns `key` and `score` (greater is better), and its parameters.

    A component joins it with its own tables for filters, facets and order. `read_as` is the question as it was understood,
    where a word was taken for a mistyped one; `relaxed` tells that not every part of the question had to be found.
    """

    sql: str
    params: dict[str, Any]
    read_as: str | None = None
    relaxed: bool = False


@dataclass(frozen=True)
class Found:
    """One page of what was found: keys with their scores, best first; `total` of all that match."""

    hits: tuple[tuple[str, float], ...]
    total: int
    read_as: str | None
    relaxed: bool
