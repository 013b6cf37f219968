"""Jobs handed in, moved from state to state and ended; each step one row and one event, and metered where it ends."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from mumian.foundation.compute import store
from mumian.foundation.compute.contracts import ENDED, GRADES, Ask, Job
from mumian.foundation.compute.errors import NotPossible, NowhereFits, Superseded
from mumian.foundation.compute.events import JobMoved, JobSubmitted
from mumian.foundation.compute.models import JobTypeSpec
from mumian.foundation.compute.rules.pricing import cost
from mumian.foundation.compute.rules.scheduling import impossible
from mumian.foundation.compute.service.pools import Pools
from mumian.foundation.tables.contracts import checked
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import Fault, Invalid, NotFound, Stale, TooMany
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_SUBMITTED_FAST = 60


class Jobs:
    """Changes jobs inside the caller's transaction."""

    def __init__(self, platform: Platform, pools: Pools, queued_most: int) -> None:
        self._platform = platform
        self._pools = pools
        self._queued_most = queued_most

    def find(self, session: Session, id_: str) -> Job:
        """The job of that id; raises NotFound."""
        found = store.find(session, id_)
        if found is None:
            raise NotFound(kind="job", name=id_[:40])
        return found

    def draft(self, fields: Mapping[str, Any]) -> Job:
        """A job from `type`, `organisation`, `person`, `parameters` and the fields of Ask.

        Raises Invalid, NotFound, NowhereFits.
        """
        spec: JobTypeSpec = self._platform.declarations.get("JobType", fields["type"]).spec
        values, faults = checked(spec.parameters, fields["parameters"], "parameters")
        given = {name: fields[name] for name in Ask.__struct_fields__ if name in fields}
        given["grade"] = max(given.get("grade", "general"), spec.grade, key=GRADES.index)
        given["personal"] = bool(given.get("personal")) or spec.personal
        ask = Ask(**given)
        faults += _limits(ask, spec)
        if ask.deadline:
            faults += self._deadline(ask)
        if not any(each.name == fields["organisation"] for each in self._platform.declarations.all("Organisation")):
            faults.append(Fault("organisation", "field.reference", {"kind": "Organisation", "name": fields["organisation"]}))
        if faults:
            raise Invalid(*faults)
        refused = {pool.name: impossible(pool, ask) for pool in self._pools.all()}
        if all(refused.values()):
            raise NowhereFits(*(Fault(f"pools.{name}", f"compute.refused.{why}", {}) for name, why in refused.items()))
        return Job(
            id=new_id(),
            type=fields["type"],
            organisation=fields["organisation"],
            person=fields["person"],
            parameters=values,
            ask=ask,
        )

    def _deadline(self, ask: Ask) -> list[Fault]:
        try:
            moment = parse_iso(ask.deadline)
            enough = (moment - self._platform.clock.now()).total_seconds() >= ask.hours * 3600
        except (ValueError, TypeError):
            return [Fault("deadline", "field.type", {"expected": "an instant like 2014-01-02T03:04:05Z"})]
        return [] if enough else [Fault("deadline", "compute.deadline", {"hours": f"{ask.hours:g}"})]

    def submit(self, tx: Transaction, job: Job) -> Job:
        """Put a job into the queue; raises TooMany."""
        if store.waiting(tx.session, job.organisation) >= self._queued_most:
            raise TooMany(seconds=_SUBMITTED_FAST)
        job = replace(job, submitted=tx.now_text)
        store.insert(tx.session, job)
        tx.emit(JobSubmitted(subject=job.id, **_told(job), detail={"type": job.type, "person": job.person}))
        return job

    def move(self, tx: Transaction, job: Job, detail: Mapping[str, Any], **changes: Any) -> Job:
        """The next version of a job; raises Stale where somebody else was faster."""
        after = replace(job, **changes, version=job.version + 1)
        if not store.update(tx.session, after):
            raise Stale(expected=job.version, found=self.find(tx.session, job.id).version)
        tx.emit(JobMoved(subject=job.id, **_told(after), detail=dict(detail)))
        held = ("placed", "running")
        if (job.state in held) != (after.state in held):
            store.note_utilisation(tx, [job.pool, after.pool])
        return after

    def cancel(self, tx: Transaction, job: Job) -> Job:
        """Cancel what waits at once, and ask what runs to stop; raises NotPossible."""
        if job.state in ENDED:
            raise NotPossible(action="cancel", state=job.state)
        if job.state != "running":
            return self.move(tx, job, {"by": tx.actor.id}, state="cancelled", ended=tx.now_text)
        return job if job.cancelling else self.move(tx, job, {"by": tx.actor.id, "asked": "cancel"}, cancelling=True)

    def start(self, tx: Transaction, job: Job, runner: str) -> Job:
        """A placed job begins its next attempt; raises NotPossible."""
        if job.state != "placed":
            raise NotPossible(action="start", state=job.state)
        return self.move(tx, job, {}, state="running", attempt=job.attempt + 1, started=tx.now_text, runner=runner)

    def present(self, job: Job, attempt: int) -> Job:
        """The job, if it runs in that attempt; raises Superseded, NotPossible."""
        if job.attempt != attempt:
            raise Superseded(attempt=attempt, present=job.attempt)
        if job.state != "running":
            raise NotPossible(action="report", state=job.state)
        return job

    def end(self, tx: Transaction, job: Job, state: str, result: Mapping[str, Any]) -> Job:
        """A running job ends; what it used is metered and priced."""
        return self.move(tx, job, result, state=state, ended=tx.now_text, result=dict(result), **self._metered(job, tx.now))

    def again(self, tx: Transaction, job: Job, reason: str) -> Job:
        """A job that was found dead goes back to the queue while it has attempts left, else it fails."""
        spec: JobTypeSpec | None = next((d.spec for d in self._platform.declarations.all("JobType") if d.name == job.type), None)
        if job.cancelling:
            return self.end(tx, job, "cancelled", {"reason": reason})
        if spec is None or job.attempt >= spec.attempts:
            return self.end(tx, job, "failed", {"reason": reason})
        cleared = {"pool": "", "placement": {}, "placed": "", "started": "", "runner": ""}
        return self.move(tx, job, {"reason": reason}, state="queued", **cleared, **self._metered(job, tx.now))

    def _metered(self, job: Job, now: datetime) -> dict[str, float]:
        hours = max((now - parse_iso(job.started)).total_seconds(), 0.0) / 3600
        pool = next((pool for pool in self._pools.all() if pool.name == job.pool), None)
        start = self._pools.local_hours(parse_iso(job.started))
        price = 0.0 if pool is None else cost(pool, job.ask.cores, job.ask.gpus, start, hours)
        return {
            "core_hours": job.core_hours + job.ask.cores * hours,
            "gpu_hours": job.gpu_hours + job.ask.gpus * hours,
            "memory_hours": job.memory_hours + job.ask.memory * hours,
            "cost": job.cost + price,
        }


def _told(job: Job) -> dict[str, Any]:
    names = ("state", "pool", "attempt", "organisation", "version")
    return {**{name: getattr(job, name) for name in names}, "digest": store.digest(job)}


def _limits(ask: Ask, spec: JobTypeSpec) -> list[Fault]:
    most = {"cores": spec.most_cores, "memory": spec.most_memory, "gpus": spec.most_gpus, "hours": spec.most_hours}
    return [
        Fault(name, "field.range", {"expected": f"≤ {limit:g}"}) for name, limit in most.items() if getattr(ask, name) > limit
    ]
