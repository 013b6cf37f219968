"""Scoring: from what rules found to a score from 0 to 100 in each dimension of GB/T 36344-2018, and in all.

A rule's score is 100 × the share of judged rows that do not fail; of rules that judge no rows, 100 where they hold, else
100 × bound / measure (or measure / bound, where too little was found). A dimension's score is the mean over its rules, weighted
by their severity (3, 2, 1) or own weight; the total is the plain mean of the dimensions that were judged.
"""

from collections.abc import Iterable, Sequence

from mumian.elements.quality.contracts import DIMENSIONS, Outcome, Rule, Score, State
from mumian.elements.quality.models import Dimension, RowsSpec

WEIGHTS = {"critical": 3.0, "major": 2.0, "minor": 1.0}
LAST_RUNS = 30
_USUAL: dict[str, Dimension] = {
    "not_null": "completeness",  # 0201 completeness of data elements
    "volume": "completeness",  # 0202 completeness of records
    "unique": "accuracy",  # 0304 uniqueness
    "range": "accuracy",  # 0302 conformity of type, range, length and precision
    "drift": "accuracy",  # 0301 correctness of content
    "codes": "normativity",  # 0105 authoritative reference data
    "condition": "normativity",  # 0104 business rules
    "sql": "normativity",  # 0104 business rules
    "reference": "consistency",  # 0402 consistency of related data
    "consistency": "consistency",  # 0401 consistency of the same data
    "freshness": "timeliness",  # 0502 timeliness at a point in time
}


def dimension(rule: Rule) -> Dimension:
    """The dimension of a rule: its own, or the usual one of its check.

    Formats that a standard defines belong to normativity (0101 data standards), those of a pattern to accuracy (0302).
    """
    check = rule.check
    if check.dimension is not None:
        return check.dimension
    if check.check == "format":
        return "normativity" if check.format is not None else "accuracy"
    return _USUAL[check.check]


def weight(rule: Rule) -> float:
    """The weight of a rule."""
    return rule.check.weight or WEIGHTS[rule.check.severity]


def rows_state(check: RowsSpec, checked: int, failing: int) -> tuple[State, float | None]:
    """Whether a row rule holds, and its score; neither while there are no rows to judge."""
    if not checked:
        return "unknown", None
    state: State = "passed" if failing <= check.tolerance * checked else "failed"
    return state, 100.0 * (1 - failing / checked)


def at_most(measure: float, bound: float) -> tuple[State, float]:
    """Whether a measure stays within what is the most allowed, and the score."""
    return ("passed", 100.0) if measure <= bound else ("failed", 100.0 * bound / measure)


def volume(
    rows: int, least: int | None, most: int | None, change: float | None, before: Sequence[int]
) -> tuple[State, float, float]:
    """Whether there are as many rows as expected, the score, and the bound that counts (the violated one, if any).

    `before` are the numbers of the loads before; without any a change cannot be judged and does not count.
    """
    low, high = float(least or 0), float("inf") if most is None else float(most)
    if change is not None and before:
        mean = sum(before) / len(before)
        low, high = max(low, mean * (1 - change)), min(high, mean * (1 + change))
    if rows < low:
        return "failed", 100.0 * rows / low, low
    if rows > high:
        return "failed", 100.0 * high / rows, high
    return "passed", 100.0, high if least is None and most is not None else low


def score(rules: Iterable[Rule], outcomes: Iterable[Outcome], readable: Sequence[bool]) -> Score:
    """The score of a dataset; `readable` says of its last runs (30 at most) whether its rows could be read (accessibility).

    None in all while no rule has a score.
    """
    known = {rule.name: rule for rule in rules}
    sums: dict[str, tuple[float, float]] = {}
    for outcome in outcomes:
        if outcome.score is None or outcome.rule not in known:
            continue
        name, own = dimension(known[outcome.rule]), weight(known[outcome.rule])
        total, weights = sums.get(name, (0.0, 0.0))
        sums[name] = (total + own * outcome.score, weights + own)
    if not sums:
        return Score(None, {})
    found = {name: total / weights for name, (total, weights) in sums.items()}
    if readable and "accessibility" not in found:
        last = readable[-LAST_RUNS:]
        found["accessibility"] = 100.0 * sum(last) / len(last)
    ordered: dict[str, float] = {name: round(found[name], 2) for name in DIMENSIONS if name in found}
    return Score(round(sum(found.values()) / len(found), 2), ordered)
