"""Recording: runs and their edges, from SQL that ran here, from loads, and from what others tell."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid4, uuid5

from mumian.elements.lineage import store
from mumian.elements.lineage.contracts import Column, Direction, Edge, Graph, Run
from mumian.elements.lineage.events import LineageRecorded
from mumian.elements.lineage.rules import openlineage
from mumian.elements.lineage.settings import LineageSettings
from mumian.kernel.clock import iso
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Session, Transaction

_LOADS = UUID("6a1d6f54-4a0c-5a6e-9a53-0d5c7d2f6b11")
MOST_NODES = 2000
_MOST_BESIDE = 5000


class Lineage:
    """`platform.get(Lineage)`: who moves data by SQL records it here; who changes something asks what depends on it."""

    def __init__(self, platform: Platform, settings: LineageSettings) -> None:
        self._platform = platform
        self.settings = settings

    async def record(
        self, job: str, sql: str, inputs: Sequence[str] | Mapping[str, Sequence[str]], output: str, actor: Actor = SYSTEM
    ) -> Run:
        """Record that `job` ran `sql` (DuckDB's) over datasets and filled `output`.

        `inputs` names the datasets that the SQL reads, or gives for each its fields where it is not declared here. SQL that
        cannot be followed leaves edges between whole datasets (`Run.analysed` is false); nothing is raised for it.
        """
        schemas = {name: self._fields(name) for name in inputs} if not isinstance(inputs, Mapping) else dict(inputs)
        fields = self._fields(output) or None
        found = await asyncio.to_thread(_followed, sql, schemas, output, fields)

        def work(tx: Transaction) -> int:
            number = store.note_run(tx, str(uuid4()), job, "completed", openlineage.PRODUCER, tx.now_text)
            self._keep(tx, number, job, list(schemas), output, found, own=True)
            return number

        number = await self._platform.records.write(work, actor)
        return (await self._platform.records.read(lambda session: store.runs(session, None, number + 1, 1)))[0]

    def told(self, tx: Transaction, event: openlineage.RunEvent) -> int:
        """Take over what an OpenLineage event says; returns the number of the run. Its edges count once the run is complete."""
        at = iso(event.time)
        number = store.note_run(tx, event.run, event.job, event.state, event.producer, at)
        if event.state in ("failed", "aborted"):
            return number
        for output in event.outputs:
            mine = [edge for edge in event.edges if edge.target.dataset == output]
            if mine or event.state == "completed":
                self._keep(tx, number, event.job, list(event.inputs), output, mine or None, own=False)
        return number

    def loaded(self, tx: Transaction, event: DeliveredEvent) -> None:
        """A load through the catalogue is a run, too: its source is where the dataset comes from."""
        job, source = f"load.{event.subject}", str(event.data["source"])[:400]
        run = str(uuid5(_LOADS, f"{event.subject}/{event.data['load']}"))
        number = store.note_run(tx, run, job, "completed", openlineage.PRODUCER, iso(event.time))
        if source and source != event.subject:
            self._keep(tx, number, job, [f"source/{source}"], event.subject, None, own=True)

    async def upstream(self, column: Column, depth: int = 5) -> Graph:
        """What a column comes from, `depth` steps back."""
        return await self.graph(column, "upstream", depth)

    async def downstream(self, column: Column, depth: int = 5) -> Graph:
        """What depends on a column 影响分析, `depth` steps ahead."""
        return await self.graph(column, "downstream", depth)

    async def graph(self, column: Column, direction: Direction, depth: int) -> Graph:
        """What is around a column, or around all fields of a dataset; at most 2,000 nodes."""
        return await self._platform.records.read(lambda session: walk(session, column, direction, depth))

    @staticmethod
    def successors(session: Session, column: Column) -> list[Edge]:
        """The edges that begin at a column, within a transaction or snapshot of the caller's."""
        return store.beside(session, column, False, _MOST_BESIDE)

    def _keep(
        self, tx: Transaction, number: int, job: str, inputs: list[str], output: str, edges: list[Edge] | None, own: bool
    ) -> None:
        known = [replace(edge, job=job, run=number) for edge in edges or ()]
        whole = [Edge(Column(name), Column(output), "dataset", job, number) for name in inputs if name != output]
        store.put_edges(tx, [*known, *whole])
        event = None
        if own and self.settings.url:
            run = tx.session.value("SELECT id FROM lineage_run WHERE number = :number", number=number)
            event = openlineage.write(run, job, tx.now_text, inputs, output, known, self.settings.namespace)
        store.note_analysed(tx, number, event, edges is not None)
        rows = [[e.source.dataset, e.source.field, e.target.field, e.kind] for e in (*known, *whole)]
        tx.emit(LineageRecorded(subject=output, job=job, run=number, inputs=inputs, edges=rows))

    def _fields(self, dataset: str) -> list[str]:
        declared = next((d for d in self._platform.declarations.all("Dataset") if d.name == dataset), None)
        return [] if declared is None else [field.name for field in declared.spec.fields]


def walk(session: Session, start: Column, direction: Direction, depth: int) -> Graph:
    """Breadth first, each way by itself: what is both before and after the start is found, but not its siblings."""
    nodes: dict[Column, None] = {start: None}
    edges: dict[tuple[Column, Column, str], Edge] = {}
    cut = False
    for upstream in (True, False):
        if direction == ("downstream" if upstream else "upstream"):
            continue
        seen, level = {start}, [start]
        for _ in range(depth):
            following: dict[Column, None] = {}
            for column in level:
                for edge in store.beside(session, column, upstream, _MOST_BESIDE):
                    if len(nodes) >= MOST_NODES:
                        cut = True
                        break
                    other = edge.source if upstream else edge.target
                    edges[edge.source, edge.target, edge.job] = edge
                    nodes |= dict.fromkeys((edge.source, edge.target))
                    if other not in seen:
                        seen.add(other)
                        following[other] = None
            level = list(following)
        cut = cut or bool(level)
    return Graph(tuple(nodes), tuple(edges.values()), cut)


def _followed(sql: str, schemas: Mapping[str, Sequence[str]], output: str, fields: Sequence[str] | None) -> list[Edge] | None:
    from mumian.elements.lineage.rules import columns

    try:
        return columns.edges(sql, schemas, output, fields)
    except columns.NotAnalysed:
        return None
