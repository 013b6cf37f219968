"""Events of lineage."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class LineageRecorded(Event):
    """A run of `job` told where the dataset `subject` comes from.

    `edges` are [source dataset, source field, target field, kind]; fields are empty where only datasets are known.
    """

    type: ClassVar[str] = "elements.lineage.recorded"
    job: str
    run: int
    inputs: list[str]
    edges: list[list[str]]
