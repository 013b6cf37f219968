"""Compute for other components: `platform.get(Compute)` takes jobs, tells where they are and how they ended."""

from collections.abc import Mapping
from typing import Any

from mumian.foundation.compute import store
from mumian.foundation.compute.contracts import Ask, Job
from mumian.foundation.compute.service.jobs import Jobs
from mumian.foundation.compute.service.looking_after import LookingAfter
from mumian.foundation.compute.service.placing import Placing
from mumian.foundation.compute.service.pools import Pools
from mumian.foundation.compute.service.running import Runner
from mumian.foundation.compute.settings import ComputeSettings
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

__all__ = ["Ask", "Compute", "Job"]


class Compute:
    """Jobs and pools; `jobs`, `pools`, `placing`, `runner` and `looking_after` are for this component's own faces."""

    def __init__(self, platform: Platform, settings: ComputeSettings | None = None) -> None:
        settings = settings or ComputeSettings()
        self._platform = platform
        self.pools = Pools(platform)
        self.jobs = Jobs(platform, self.pools, settings.queued_most)
        self.placing = Placing(platform, self.pools, self.jobs, settings)
        self.runner = Runner(platform, settings)
        self.looking_after = LookingAfter(platform, self.pools, self.jobs, self.placing, self.runner, settings)

    def submit(self, tx: Transaction, fields: Mapping[str, Any]) -> Job:
        """Hand in a job: `type`, `organisation`, `person`, `parameters` and the fields of Ask.

        Raises Invalid with every fault, NotFound for the type, NowhereFits, TooMany. Who may is for the caller to check.
        """
        return self.jobs.submit(tx, self.jobs.draft(fields))

    def job(self, session: Session, id_: str) -> Job:
        """The job of that id; raises NotFound."""
        return self.jobs.find(session, id_)

    def output(self, job: Job, number: int) -> bytes:
        """The content of one of the job's `result["files"]`; raises NotFound. Blocks: not on the event loop."""
        if not any(file["number"] == number for file in job.result.get("files", [])):
            raise NotFound(kind="result file", name=str(number))
        return self._platform.get(Objects).get(f"compute/{job.id}/{job.attempt}/{number}")  # type: ignore[type-abstract]

    def usage(self, session: Session, organisation: str | None = None) -> list[Row]:
        """What organisations used by month of UTC and pool: jobs, core_hours, gpu_hours, memory_hours (GB·h), cost."""
        return store.usage(session, organisation)
