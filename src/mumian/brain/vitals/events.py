"""Events of vitals."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class VitalsEvaluated(Event):
    """A round of values, new or changed; `subject` is the observed property they rest on.

    `values` lists {vital, key, time, value (null: missing), level, version} in the order of their times; `time` is the newest of
    them and `digest` the SHA-256 of the canonical JSON of the list.
    """

    type: ClassVar[str] = "brain.vitals.evaluated"
    time: str
    count: int
    digest: str
    values: list[dict[str, Any]]
