"""Judging: a dataset's rules are held against its rows, and what was found is kept, told and put into tickets in one commit."""

import time
from datetime import timedelta

from mumian.elements.quality.contracts import Outcome, Rule, Run, Score
from mumian.elements.quality.errors import BeingLoaded, CannotRead, NoRules, Stopping
from mumian.elements.quality.events import DatasetScored, RunFailed
from mumian.elements.quality.models import Query
from mumian.elements.quality.rules import scoring
from mumian.elements.quality.service.asking import Asked, Asking
from mumian.elements.quality.service.finding import Finding, Found, Moved, earliest
from mumian.elements.quality.service.querying import Querying
from mumian.elements.quality.service.reading import Reader
from mumian.elements.quality.service.tickets import Tickets
from mumian.elements.quality.settings import QualitySettings
from mumian.elements.quality.store import runs
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Transaction, next_value

SEQUENCE = "quality.run"
_DAILY = timedelta(days=1)


class Judging:
    """Judges datasets, one after the other."""

    def __init__(self, platform: Platform, reader: Reader, tickets: Tickets, settings: QualitySettings) -> None:
        self._platform = platform
        self._reader = reader
        self._tickets = tickets
        self._settings = settings
        self._querying = Querying(platform)
        self.asking = Asking(platform)

    async def judge(self, dataset: str, trigger: str, actor: Actor = SYSTEM) -> Run | None:
        """Judge a dataset now; None where there never was anything to judge, or nothing has changed on a schedule.

        `trigger` is loaded, declared, target, schedule or asked; what is asked for is judged as a whole. Raises NotFound,
        NoRules, BeingLoaded, and CannotRead, which is kept as a run.
        """
        asked = await self.asking.ask(dataset)
        if not asked.rules:
            await self._platform.records.write(lambda tx: self._nothing(tx, asked), actor)
            raise NoRules(name=dataset)
        begun = time.perf_counter()
        try:
            recheck = timedelta(seconds=self._settings.recheck_seconds)
            found = await self._reader.work(lambda snapshot: Finding(asked, snapshot, trigger == "asked", recheck).run())
            await self._queries(asked, found, trigger)
        except Moved:
            raise BeingLoaded(name=dataset) from None
        except Stopping:
            raise
        except CannotRead as error:
            reason = str(error)
            await self._platform.records.write(lambda tx: self._unreadable(tx, asked, trigger, reason), actor)
            raise
        outcomes = [found.outcomes[rule.name] for rule in asked.rules]
        if asked.last is None and all(outcome.state == "unknown" for outcome in outcomes):
            await self._platform.records.write(lambda tx: self._unjudged(tx, asked, outcomes))
            return None
        if trigger == "schedule" and not _news(asked, found):
            due = earliest(outcomes)
            await self._platform.records.write(lambda tx: runs.put_due(tx, dataset, due))
            return None
        seconds = round(time.perf_counter() - begun, 4)
        return await self._platform.records.write(lambda tx: self._keep(tx, asked, found, trigger, seconds), actor)

    async def _queries(self, asked: Asked, found: Found, trigger: str) -> None:
        for rule in asked.rules:
            if isinstance(rule.check, Query):
                before = asked.before.get(rule.name)
                kept = trigger == "schedule" and before is not None and before.digest == asked.asked[rule.name]
                found.outcomes[rule.name] = before if kept and before else await self._querying.find(rule, asked)

    def _keep(self, tx: Transaction, asked: Asked, found: Found, trigger: str, seconds: float) -> Run:
        outcomes = [found.outcomes[rule.name] for rule in asked.rules]
        readable = [*asked.readable, True] if asked.load or asked.reached is not None else []
        score = scoring.score(asked.rules, outcomes, readable)
        run = _run(next_value(tx.session, SEQUENCE), asked, trigger, score, outcomes, seconds)
        digest = runs.keep(tx, run, readable=True, reason=None)
        failed = [outcome.rule for outcome in outcomes if outcome.state == "failed"]
        runs.sum_up(tx, run, asked.spec.owner, len(failed), earliest(outcomes))
        runs.prune(tx, asked.dataset, self._settings.history)
        for rule, (load, bins) in found.baselines.items():
            runs.put_baseline(tx, asked.dataset, rule, asked.asked[rule], load, bins)
        self._tickets.judged(tx, asked.dataset, asked.spec.owner, _paired(asked.rules, outcomes), run.number)
        tx.emit(
            DatasetScored(
                subject=asked.dataset,
                run=run.number,
                trigger=trigger,
                load=run.load,
                rows=run.rows,
                score=score.total,
                dimensions=dict(score.dimensions),
                failed=failed[:100],
                digest=digest,
            )
        )
        return run

    def _unjudged(self, tx: Transaction, asked: Asked, outcomes: list[Outcome]) -> None:
        """There was never anything to judge: that is no run, but it may have to be looked at again."""
        run = _run(0, asked, "declared", Score(None, {}), outcomes)
        runs.sum_up(tx, run, asked.spec.owner, 0, earliest(outcomes))

    def _unreadable(self, tx: Transaction, asked: Asked, trigger: str, reason: str) -> None:
        last = asked.last
        score = Score(None, {}) if last is None else runs.score_of(last)
        run = _run(next_value(tx.session, SEQUENCE), asked, trigger, score, [])
        runs.keep(tx, run, readable=False, reason=reason[:300])
        tx.emit(RunFailed(subject=asked.dataset, run=run.number, reason=reason[:300]))

    def _nothing(self, tx: Transaction, asked: Asked) -> None:
        """The last rule of a dataset was taken away."""
        self._tickets.judged(tx, asked.dataset, asked.spec.owner, [], 0)
        state = runs.state(tx.session, asked.dataset)
        runs.forget(tx, asked.dataset)
        if state is None or not state["run"]:
            return
        run = _run(next_value(tx.session, SEQUENCE), asked, "declared", Score(None, {}), [])
        digest = runs.keep(tx, run, readable=True, reason=None)
        tx.emit(
            DatasetScored(
                subject=asked.dataset,
                run=run.number,
                trigger=run.trigger,
                load=run.load,
                rows=run.rows,
                score=None,
                dimensions={},
                failed=[],
                digest=digest,
            )
        )


def _run(number: int, asked: Asked, trigger: str, score: Score, outcomes: list[Outcome], seconds: float = 0.0) -> Run:
    return Run(
        number=number,
        dataset=asked.dataset,
        trigger=trigger,
        at=iso(asked.now),
        load=asked.load,
        rows=0 if asked.info is None else asked.info.rows,
        seconds=seconds,
        score=score,
        outcomes=tuple(outcomes),
    )


def _paired(rules: list[Rule], outcomes: list[Outcome]) -> list[tuple[Rule, Outcome]]:
    return list(zip(rules, outcomes, strict=True))


def _news(asked: Asked, found: Found) -> bool:
    """Whether a scheduled look found anything that is worth a run: a rule turned, or the last run is a day old."""
    if asked.last is None or asked.now - parse_iso(asked.last["at"]) >= _DAILY:
        return True
    if asked.before.keys() != found.outcomes.keys():
        return True
    return any(outcome.state != asked.before[name].state for name, outcome in found.outcomes.items())
