"""Placing: rounds of scheduling over what waits and what runs, each placement kept with what spoke for and against."""

from datetime import timedelta
from typing import Any

import msgspec

from mumian.foundation.compute import store
from mumian.foundation.compute.contracts import Job
from mumian.foundation.compute.rules.scheduling import Decision, Round, Running, Waiting
from mumian.foundation.compute.service.jobs import Jobs
from mumian.foundation.compute.service.pools import Pools
from mumian.foundation.compute.settings import ComputeSettings
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, next_value

Looked = tuple[Any, list[tuple[Job, Decision]]]


class Placing:
    """Decides and places."""

    def __init__(self, platform: Platform, pools: Pools, jobs: Jobs, settings: ComputeSettings) -> None:
        self._platform = platform
        self._pools = pools
        self._jobs = jobs
        self._settings = settings

    def decisions(self, session: Session) -> list[tuple[Job, Decision]]:
        """What one round decides for each job that waits, now; nothing is changed."""
        moment = self._platform.clock.now()
        now = self._pools.local_hours(moment)
        held = [self._running(job, now) for job in store.in_states(session, ("placed", "running"))]
        queued = {job.id: job for job in store.in_states(session, ("queued",), self._settings.queue_looked_at)}
        round_ = Round(self._pools.all(), held, now, self._settings.patience_hours, self._settings.saving)
        return [(queued[each.id], each) for each in round_.decide([self._waiting(job) for job in queued.values()])]

    def look(self, session: Session) -> Looked:
        """What is held, and where the jobs that wait should go: decided on a snapshot, so that nobody who writes waits for it."""
        return _held(session), [(job, decision) for job, decision in self.decisions(session) if decision.pool is not None]

    def place(self, tx: Transaction, looked: Looked) -> int:
        """Place as was decided, unless something else took or freed room since; returns how many jobs were placed."""
        next_value(tx.session, "compute.round")  # one process after the other
        held, decided = looked
        if _held(tx.session) != held:
            return 0
        placed = 0
        for job, decision in decided:
            found = self._jobs.find(tx.session, job.id)
            if found.version == job.version and found.state == "queued":
                changes = {"state": "placed", "pool": decision.pool, "placement": self.explained(decision), "placed": tx.now_text}
                self._jobs.move(tx, found, {"scores": {v.pool: v.score for v in decision.verdicts}}, **changes)
                placed += 1
        return placed

    def explained(self, decision: Decision) -> dict[str, Any]:
        """A decision for people: the pool, why, when it could start, and each pool's verdict."""
        until = None
        if decision.until is not None:
            moment = self._platform.clock.now()
            until = iso(moment + timedelta(hours=decision.until - self._pools.local_hours(moment)))
        verdicts = [{**msgspec.to_builtins(each)} for each in decision.verdicts]
        return {"pool": decision.pool, "why": decision.why, "until": until, "verdicts": verdicts}

    def _running(self, job: Job, now: float) -> Running:
        begun = self._pools.local_hours(parse_iso(job.started or job.placed))
        ends = begun + job.ask.hours if job.state == "running" else max(begun, now) + job.ask.hours
        return Running(job.id, job.organisation, job.pool, job.ask, ends)

    def _waiting(self, job: Job) -> Waiting:
        since = self._pools.local_hours(parse_iso(job.submitted))
        deadline = self._pools.local_hours(parse_iso(job.ask.deadline)) if job.ask.deadline else None
        return Waiting(job.id, job.organisation, job.ask, since, deadline)


def _held(session: Session) -> Any:
    """What changes whenever a job takes or frees room."""
    sql = "SELECT COUNT(*) AS jobs, SUM(version) AS versions, MAX(id) AS last FROM compute_job "
    return session.row(sql + "WHERE state IN ('placed', 'running')")
