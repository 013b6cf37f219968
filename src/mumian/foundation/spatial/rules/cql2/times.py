"""Temporal predicates of CQL2: Allen's relations between instants and intervals, as SQL over their ends."""

from mumian.foundation.spatial.rules.cql2.operands import refuse

_FIRST, _LAST = "TIMESTAMP '-infinity'", "TIMESTAMP 'infinity'"
Interval = tuple[str, str, bool]
_RELATIONS = {
    "t_after": "{a0} > {b1}",
    "t_before": "{a1} < {b0}",
    "t_contains": "{a0} < {b0} AND {a1} > {b1}",
    "t_disjoint": "({a1} < {b0} OR {a0} > {b1})",
    "t_during": "{a0} > {b0} AND {a1} < {b1}",
    "t_equals": "{a0} = {b0} AND {a1} = {b1}",
    "t_finishedby": "{a0} < {b0} AND {a1} = {b1}",
    "t_finishes": "{a0} > {b0} AND {a1} = {b1}",
    "t_intersects": "{a0} <= {b1} AND {a1} >= {b0}",
    "t_meets": "{a1} = {b0}",
    "t_metby": "{a0} = {b1}",
    "t_overlappedby": "{a0} > {b0} AND {a0} < {b1} AND {a1} > {b1}",
    "t_overlaps": "{a0} < {b0} AND {a1} > {b0} AND {a1} < {b1}",
    "t_startedby": "{a0} = {b0} AND {a1} > {b1}",
    "t_starts": "{a0} = {b0} AND {a1} < {b1}",
}
TEMPORAL_OPERATORS = frozenset(_RELATIONS)
_ANY = {"t_after", "t_before", "t_disjoint", "t_equals", "t_intersects"}
_INTERVAL_INSIDE = {"t_contains": 0, "t_during": 1}


def instant(sql: str) -> Interval:
    """An instant as an interval that begins and ends at once."""
    return sql, sql, True


def interval(start: str | None, end: str | None) -> Interval:
    """An interval; None is an open end."""
    return start or _FIRST, end or _LAST, False


def relation(operator: str, a: Interval, b: Interval) -> str:
    """The predicate as SQL; raises Invalid where the standard wants intervals and an instant is given."""
    if operator not in _ANY and (a[2] or b[2]):
        inside = _INTERVAL_INSIDE.get(operator)
        if inside is None or (a, b)[inside][2]:
            raise refuse(f"{operator.upper()} relates intervals, not instants")
    return "(" + _RELATIONS[operator].format(a0=a[0], a1=a[1], b0=b[0], b1=b[1]) + ")"
