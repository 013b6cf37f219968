"""What compute hands out: jobs as kept, and how they were placed."""

from typing import Any

import msgspec

STATES = ("queued", "placed", "running", "done", "failed", "cancelled")
ENDED = ("done", "failed", "cancelled")
GRADES = ("general", "important", "core")


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a job asks for: cores, memory in GB, GPUs (of a model, empty: any), at most so many hours, and what data it reads.

    `grade` and `personal` label the data (GB/T 43697: general 一般, important 重要, core 核心); `datasets` are names of the
    catalogue; `deadline` an ISO instant by which it shall have ended (empty: none); `priority` 0–9, within the organisation.
    """

    cores: float
    memory: float
    hours: float
    gpus: int = 0
    gpu_model: str = ""
    grade: str = "general"
    personal: bool = False
    datasets: list[str] = []
    deadline: str = ""
    priority: int = 5


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job 作业: times are ISO instants (empty: not yet), `placement` explains the pool, `result` tells how it ended.

    `attempt` counts the starts; `core_hours`, `gpu_hours`, `memory_hours` and `cost` are metered over all of them.
    """

    id: str
    type: str
    organisation: str
    person: str
    parameters: dict[str, Any]
    ask: Ask
    state: str = "queued"
    pool: str = ""
    placement: dict[str, Any] = {}
    attempt: int = 0
    cancelling: bool = False
    runner: str = ""
    submitted: str = ""
    placed: str = ""
    started: str = ""
    ended: str = ""
    result: dict[str, Any] = {}
    core_hours: float = 0.0
    gpu_hours: float = 0.0
    memory_hours: float = 0.0
    cost: float = 0.0
    version: int = 1
