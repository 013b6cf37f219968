"""Events of compute: a job's way from state to state, and the scripts that may run."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class JobEvent(Event):
    """A job is in `state` now, in that pool and attempt; `digest` is SHA-256 over its whole record after it."""

    state: str
    pool: str
    attempt: int
    organisation: str
    version: int
    digest: str
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobSubmitted(JobEvent):
    """A job was handed in."""

    type: ClassVar[str] = "compute.job.submitted"


@dataclass(frozen=True, kw_only=True)
class JobMoved(JobEvent):
    """A job was placed, started, sent back to the queue, ended, or is asked to stop."""

    type: ClassVar[str] = "compute.job.moved"


@dataclass(frozen=True, kw_only=True)
class ScriptKept(Event):
    """The script of the job type named by the subject is this one from now on (an empty digest: none any more)."""

    type: ClassVar[str] = "compute.script.kept"
    file: str
    sha256: str
