"""Evidence of compute: jobs and scripts must be what the events told, results what was kept."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.compute import store
from mumian.foundation.ledger.api import Fault, differences
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT subject, payload FROM kernel_outbox WHERE type LIKE :type ORDER BY id"


def checking(platform: Platform) -> Callable[[Session], Iterator[Fault]]:
    """The check of a platform's jobs."""

    def faults(session: Session) -> Iterator[Fault]:
        jobs: dict[str, dict[str, Any]] = {}
        for event in session.rows(_EVENTS, type="compute.job.%"):
            told = msgspec.json.decode(event["payload"])
            jobs[event["subject"]] = {name: told[name] for name in ("state", "version", "digest")}
        yield from differences("compute_job", jobs, _jobs(session))
        scripts = {}
        for event in session.rows(_EVENTS, type="compute.script.kept"):
            told = msgspec.json.decode(event["payload"])
            scripts[event["subject"]] = {"file": told["file"], "sha256": told["sha256"], "computed": told["sha256"]}
        rows = session.rows("SELECT type, file, sha256, content FROM compute_script ORDER BY type")
        kept = ((row["type"], {**row, "computed": sha256(row["content"].encode()).hexdigest()}) for row in rows)
        yield from differences("compute_script", {name: told for name, told in scripts.items() if told["sha256"]}, kept)
        yield from _results(session, platform.get(Objects))  # type: ignore[type-abstract]

    return faults


def _jobs(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    before: str | None = None
    while page := store.page(session, {}, before, 1000):
        for job in page:
            yield job.id, {"state": job.state, "version": job.version, "digest": store.digest(job)}
        before = page[-1].id


def _results(session: Session, objects: Objects) -> Iterator[Fault]:
    """Files of ended jobs that are not what they were."""
    before: str | None = None
    while page := store.page(session, {}, before, 1000):
        for job in page:
            for file in job.result.get("files", []):
                key = f"compute/{job.id}/{job.attempt}/{file['number']}"
                try:
                    found = sha256(objects.get(key)).hexdigest()
                except NotFound:
                    found = "nothing"
                if found != file["sha256"]:
                    yield Fault("objects", key, "sha256", file["sha256"], found)
        before = page[-1].id
