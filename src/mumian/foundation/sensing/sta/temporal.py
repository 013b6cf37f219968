"""Time comparisons of query expressions: instants and half-open periods, as OGC 18-088 orders them, in SQL.

A time is a pair of expressions, start and end; an instant's are the same. All are µs since 1970.
"""

from collections.abc import Callable

Pair = tuple[str, str]


def _instant(pair: Pair) -> str:
    return "1 = 1" if pair[0] == pair[1] else f"{pair[0]} = {pair[1]}"


def _past(pair: Pair) -> str:
    """The first µs after a time: an instant covers one."""
    start, end = pair
    return f"({start} + 1)" if start == end else f"CASE WHEN {start} = {end} THEN {start} + 1 ELSE {end} END"


def before(left: Pair, right: Pair) -> str:
    """An instant lies before the start; a period ends at or before it."""
    if left[0] == left[1]:
        return f"({left[0]} < {right[0]})"
    exact = f"({_instant(left)} AND {left[0]} < {right[0]}) OR ({left[0]} <> {left[1]} AND {left[1]} <= {right[0]})"
    return f"({left[0]} <= {right[0]} AND ({exact}))"  # the first half lets the lake skip files


def after(left: Pair, right: Pair) -> str:
    """The other lies before."""
    return before(right, left)


def equal(left: Pair, right: Pair) -> str:
    """Start and end are the same."""
    if left[0] == left[1] and right[0] == right[1]:
        return f"({left[0]} = {right[0]})"
    return f"({left[0]} = {right[0]} AND {left[1]} = {right[1]})"


def unequal(left: Pair, right: Pair) -> str:
    """Start or end differ."""
    return f"(NOT {equal(left, right)})"


def up_to(left: Pair, right: Pair) -> str:
    """Neither start nor end are later."""
    if left[0] == left[1] and right[0] == right[1]:
        return f"({left[0]} <= {right[0]})"
    return f"({left[0]} <= {right[0]} AND {left[1]} <= {right[1]})"


def from_on(left: Pair, right: Pair) -> str:
    """Neither start nor end are earlier."""
    return up_to(right, left)


def meets(left: Pair, right: Pair) -> str:
    """The end of one is the start of the other."""
    return f"({left[1]} = {right[0]} OR {right[1]} = {left[0]})"


def during(left: Pair, right: Pair) -> str:
    """The first lies in the second, which is a period."""
    return f"({left[0]} >= {right[0]} AND {left[0]} < {right[1]} AND {left[1]} <= {right[1]})"


def overlaps(left: Pair, right: Pair) -> str:
    """Some point is in both."""
    return f"({left[0]} < {_past(right)} AND {right[0]} < {_past(left)})"


def starts(left: Pair, right: Pair) -> str:
    """Both start together."""
    return f"({left[0]} = {right[0]})"


def finishes(left: Pair, right: Pair) -> str:
    """Both end together."""
    return f"({left[1]} = {right[1]})"


OPERATORS: dict[str, Callable[[Pair, Pair], str]] = {
    "lt": before,
    "gt": after,
    "eq": equal,
    "ne": unequal,
    "le": up_to,
    "ge": from_on,
}
FUNCTIONS: dict[str, Callable[[Pair, Pair], str]] = {
    "before": before,
    "after": after,
    "meets": meets,
    "during": during,
    "overlaps": overlaps,
    "starts": starts,
    "finishes": finishes,
}
