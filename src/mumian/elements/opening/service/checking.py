"""Checking: how easily rows could be told to be about somebody, and what generalisation would help, computed in the lake."""

from dataclasses import asdict
from typing import Any

from mumian.elements.opening.rules import privacy
from mumian.elements.opening.rules.privacy import Plan, Step
from mumian.elements.protection.api import Delivery
from mumian.foundation.storage.contracts import Lake

_TABLE = "opening_groups"
_QUERIES = 120  # at most so many ways to generalise are tried


def check(lake: Lake, delivery: Delivery, plan: Plan) -> dict[str, Any]:
    """What is found of the rows that the public would see: one pass over them, all else over their combinations."""
    types = {column.name: column.type for column in delivery.columns}
    lake.rows(f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS {privacy.groups(plan, delivery.sql)}", **delivery.params)
    try:
        return Checker(lake, _TABLE, plan, types).run()
    finally:
        lake.rows(f"DROP TABLE IF EXISTS temp.main.{_TABLE}")


class Checker:
    """Measures combinations that stand in a temporary table of the caller's connection."""

    def __init__(self, lake: Lake, table: str, plan: Plan, types: dict[str, str]) -> None:
        self._lake = lake
        self._table = table
        self._plan = plan
        self._types = types
        self._left = _QUERIES

    def run(self) -> dict[str, Any]:
        """All figures, whether they are good enough, and what would help if not."""
        plan = self._plan
        found = self.measure({})
        if plan.t is not None and plan.sensitive:
            found["t"] = {
                name: round(float(self._lake.rows(privacy.closeness(plan, self._table, j))[0][0] or 0.0), 6)
                for j, name in enumerate(plan.sensitive)
            }
        reasons = self.reasons(found)
        found |= {"quasi": list(plan.quasi), "sensitive": list(plan.sensitive), "asked": self._asked(), "reasons": reasons}
        if reasons:
            found["help"] = self._help(found)
        return found

    def measure(self, steps: dict[str, Step]) -> dict[str, Any]:
        """The figures after some steps."""
        self._left -= 1
        row = self._lake.rows(privacy.measures(self._plan, self._table, steps))[0]
        rows, classes, least, below, unique = (int(value) for value in row[:5])
        rest = [int(value or 0) for value in row[5:]]
        diversity = {name: {"least": rest[2 * j], "below": rest[2 * j + 1]} for j, name in enumerate(self._plan.sensitive)}
        return {
            "rows": rows,
            "classes": classes,
            "k": least,
            "below_k": below,
            "unique": unique,
            "risk": round(classes / rows, 6) if rows else 0.0,
            "diversity": diversity,
        }

    def reasons(self, found: dict[str, Any]) -> list[dict[str, Any]]:
        """Why the figures are not good enough; none if they are."""
        plan, tolerated = self._plan, self._plan.tolerated * found["rows"]
        reasons = []
        if found["below_k"] > tolerated:
            reasons.append({"rule": "k", "asked": plan.k, "found": found["k"], "rows": found["below_k"]})
        for name, told in found["diversity"].items():
            if told["below"] > tolerated:
                reasons.append({"rule": "l", "field": name, "asked": plan.l, "found": told["least"], "rows": told["below"]})
        for name, far in found.get("t", {}).items():
            if plan.t is not None and far > plan.t:
                reasons.append({"rule": "t", "field": name, "asked": plan.t, "found": far})
        return reasons

    def _asked(self) -> dict[str, Any]:
        return {"k": self._plan.k, "l": self._plan.l, "t": self._plan.t, "tolerated": self._plan.tolerated}

    def _help(self, found: dict[str, Any]) -> dict[str, Any]:
        """Step by step the generalisation that brings most rows out of small groups for what it costs."""
        facts, best = self._facts(), found
        steps: dict[str, Step] = {}
        while self._left > 0 and self.reasons(best | {"t": {}}):
            options = privacy.candidates(facts, self._plan, steps)
            if not options:
                break
            tried = [(step, self.measure({**steps, step.field: step})) for step in options]
            step, best = max(tried, key=lambda one: ((_bad(best) - _bad(one[1])) / one[0].cost, one[0].field))
            steps[step.field] = step
        for name in list(steps):  # a step taken early may not be needed any more
            fewer = {other: step for other, step in steps.items() if other != name}
            without = self.measure(fewer)
            if not self.reasons(without | {"t": {}}):
                steps, best = fewer, without
        taken = [asdict(step) for step in steps.values()]
        return {"steps": taken, "k": best["k"], "below_k": best["below_k"], "enough": not self.reasons(best | {"t": {}})}

    def _facts(self) -> dict[str, tuple[str, float, int]]:
        """Of each quasi-identifier its type, the range of numbers or the length of codes, and how many values it has."""
        facts = {}
        for i, name in enumerate(self._plan.quasi):
            type_, column = self._types[name], f"q{i}"
            text = f"CAST({column} AS VARCHAR)"
            spread = f"CASE WHEN bool_and(regexp_full_match({text}, '[0-9A-Z-]+')) AND min(length({text})) = max(length({text})) "
            spread += f"THEN max(length({text})) ELSE 0 END"
            if type_ in ("integer", "number"):
                spread = f"CAST(max({column}) AS DOUBLE) - CAST(min({column}) AS DOUBLE)"
            elif type_ in ("date", "time"):
                spread = "0"
            found, distinct = self._lake.rows(f"SELECT {spread}, count(DISTINCT {column}) FROM {self._table}")[0]
            facts[name] = (type_, float(found or 0), int(distinct))
        return facts


def _bad(found: dict[str, Any]) -> int:
    """How many rows stand in groups that are too small or too much alike."""
    return int(found["below_k"]) + sum(int(told["below"]) for told in found["diversity"].values())
