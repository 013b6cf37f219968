"""Surviving: which of the values that sources have for an attribute stands in the golden record, as SQL over members.

The relation `members` has the columns entity, record, revision, rank, updated (µs or NULL), expires (µs or NULL) and a column
`a_<attribute>` for each attribute: the value as the source has it, in the standard form for identifiers, phones and dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_DAY = 86_400_000_000


@dataclass(frozen=True)
class Survival:
    """How one attribute survives: its name, the rules in their order, and after how many days a value is stale."""

    attribute: str
    rules: Sequence[str]
    most_days: int | None = None


def survivor_sql(survival: Survival, members: str) -> str:
    """entity, value, record, revision, variants and rule of the surviving value; entities without any value are left out.

    `$now` is the time in µs. `variants` is how many different values there were, `rule` the first rule that told the winner from
    every other value (`only` where there was but one).
    """
    column = f"a_{survival.attribute}"
    stale = f"CASE WHEN updated < $now - {survival.most_days * _DAY} THEN 1 ELSE 0 END" if survival.most_days else "0"
    scores = [_score(rule, column) for rule in survival.rules]
    names = [f"s{i}" for i in range(len(scores))]
    scored = ", ".join(f"{score} AS {name}" for score, name in zip(scores, names, strict=True))
    order = ", ".join(["expired", "stale", *names, "record"])
    return (
        f"WITH v AS (SELECT entity, record, revision, {column} AS value, rank, updated, "
        f"CASE WHEN expires <= $now THEN 1 ELSE 0 END AS expired, {stale} AS stale, "
        f"count(*) OVER (PARTITION BY entity, {column}) AS often FROM {members} WHERE {column} IS NOT NULL), "
        f"w AS (SELECT *, {scored} FROM v), "
        f"o AS (SELECT *, row_number() OVER (PARTITION BY entity ORDER BY {order}) AS place, "
        f"first_value(value) OVER (PARTITION BY entity ORDER BY {order}) AS best FROM w) "
        f"SELECT entity, arg_min(value, place) AS value, arg_min(record, place) AS record, "
        f"arg_min(revision, place) AS revision, count(DISTINCT value) AS variants, {_rule(survival.rules, names)} AS rule "
        f"FROM o GROUP BY entity"
    )


def _score(rule: str, column: str) -> str:
    """What is ordered by, the best first."""
    return {
        "rank": "rank",
        "newest": "coalesce(-updated, 9223372036854775807)",
        "complete": "-length(value)",
        "frequent": "-often",
    }[rule]


def _rule(rules: Sequence[str], names: Sequence[str]) -> str:
    """The first rule whose score sets the winner apart from all other values."""
    cases = ["WHEN count(DISTINCT value) = 1 THEN 'only'"]
    for name, rule in zip(("expired", "stale", *names), ("validity", "staleness", *rules), strict=True):
        winner = f"arg_min({name}, place)"
        cases.append(f"WHEN min({name}) FILTER (value <> best) > {winner} THEN '{rule}'")
    return f"CASE {' '.join(cases)} ELSE 'oldest' END"
