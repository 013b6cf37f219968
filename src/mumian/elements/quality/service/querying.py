"""Querying: SQL rules go through the gate, which lets nothing but one bounded SELECT over datasets pass and proves each look."""

from typing import Any

from mumian.elements.protection.api import Gate, Limits, RowRequest
from mumian.elements.quality.contracts import Outcome, Rule
from mumian.elements.quality.models import Query
from mumian.elements.quality.rules.compiling import KEPT
from mumian.elements.quality.service.asking import Asked
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import Forbidden, Invalid, MumianError, NotFound, TooLarge
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor

PURPOSE = "quality"
JUDGE = Actor("elements.quality", "system")


class Querying:
    """Runs SQL rules as the system itself: what they give out are numbers of rows and `_id`s, nothing else."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def find(self, rule: Rule, asked: Asked) -> Outcome:
        """The outcome of a SQL rule; raises Unavailable."""
        check = rule.check
        assert isinstance(check, Query)
        if not asked.load:
            return Outcome(rule.name, "unknown", None, asked.asked[rule.name], asked.load)
        try:
            try:
                failing, rows = await self._count(check, f'SELECT q."_id" AS id, count(*) OVER () AS n FROM ({check.sql}\n) AS q')
            except Invalid:
                failing, rows = await self._count(check, f"SELECT NULL AS id, count(*) AS n FROM ({check.sql}\n) AS q")
        except (Invalid, NotFound, Forbidden, TooLarge) as error:
            detail = {"reason": _reason(error)}
            return Outcome(rule.name, "error", None, asked.asked[rule.name], asked.load, detail=detail)
        total = 0 if asked.info is None else asked.info.rows
        held = failing <= check.most
        score = 100.0 if held else 100.0 * max(0.0, 1 - failing / total) if total else 0.0
        return Outcome(
            rule.name,
            "passed" if held else "failed",
            score,
            asked.asked[rule.name],
            asked.load,
            failing=failing,
            measure=float(failing),
            bound=float(check.most),
            rows=tuple(rows),
        )

    async def _count(self, check: Query, sql: str) -> tuple[int, list[int]]:
        limits = Limits(rows=KEPT, seconds=check.seconds)
        answer = await self._platform.get(Gate).query(RowRequest(_judge(), PURPOSE, sql, limits=limits))
        counts: list[Any] = [row[1] for row in answer.rows]
        ids = sorted(row[0] for row in answer.rows if isinstance(row[0], int) and not isinstance(row[0], bool))
        return (int(counts[0]) if counts else 0), ids


def _judge() -> Caller:
    return Caller(JUDGE, decide=lambda caller, action, resource: True)


def _reason(error: MumianError) -> str:
    return str(error).replace("\n", " ").strip()[:300]
