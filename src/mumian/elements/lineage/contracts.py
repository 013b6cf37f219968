"""What lineage hands out: columns, edges between them, runs of jobs, and graphs to draw."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["identity", "transformation", "aggregation", "dataset"]
Direction = Literal["upstream", "downstream", "both"]


@dataclass(frozen=True, order=True)
class Column:
    """A field of a dataset; an empty `field` is the dataset as a whole. Datasets of others are called `namespace/name`."""

    dataset: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.dataset}#{self.field}" if self.field else self.dataset


@dataclass(frozen=True)
class Edge:
    """`target` comes from `source`.

    `kind`: `identity` (taken over as it is), `transformation` (calculated from single rows), `aggregation` (from many rows),
    `dataset` (known for the whole datasets only).
    """

    source: Column
    target: Column
    kind: Kind
    job: str = ""
    run: int = 0


@dataclass(frozen=True)
class Run:
    """One run of a job; `id` is its UUID, `state` started, completed, failed or aborted. `analysed`: its columns are known."""

    number: int
    id: str
    job: str
    state: str
    producer: str
    started_at: str
    ended_at: str | None
    analysed: bool


@dataclass(frozen=True)
class Graph:
    """What is around some column: nodes in order of distance, edges, and whether the bounds cut anything off."""

    nodes: tuple[Column, ...]
    edges: tuple[Edge, ...]
    cut: bool
