"""Quality for other components: `platform.get(Quality)` judges datasets and tells how they stand."""

from mumian.elements.quality.contracts import DIMENSIONS, Outcome, Rule, Run, Score
from mumian.elements.quality.service.judging import Judging
from mumian.elements.quality.service.profiling import Profiling
from mumian.elements.quality.service.tickets import Tickets
from mumian.elements.quality.store import runs
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Session

__all__ = ["DIMENSIONS", "Outcome", "Quality", "Rule", "Run", "Score"]


class Quality:
    """`platform.get(Quality)`: rules, scores, tickets and profiles of datasets."""

    def __init__(self, platform: Platform, judging: Judging, tickets: Tickets, profiling: Profiling) -> None:
        self._platform = platform
        self._judging = judging
        self.tickets = tickets
        self.profiling = profiling

    def rules(self, dataset: str) -> list[Rule]:
        """The rules of a dataset in force, declared ones first; raises NotFound."""
        return self._judging.asking.rules(dataset)

    async def judge(self, dataset: str, actor: Actor = SYSTEM) -> Run | None:
        """Judge all rows of a dataset now; None while it never had anything to judge.

        Raises NotFound, NoRules, BeingLoaded (a load is just being finished), CannotRead (the rows cannot be read now).
        """
        return await self._judging.judge(dataset, "asked", actor)

    @staticmethod
    def score(session: Session, dataset: str) -> Score | None:
        """How a dataset stands, from 0 to 100; None while it was not judged."""
        row = runs.state(session, dataset)
        return None if row is None else runs.score_of(row)
