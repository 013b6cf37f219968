"""Lineage over HTTP: OpenLineage events in, runs, and graphs to draw."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from mumian.elements.lineage import store
from mumian.elements.lineage.api import Column, Graph, Lineage
from mumian.elements.lineage.rules import openlineage
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Malformed
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
own = APIRouter(prefix="/api/v1/elements/lineage", tags=["lineage"])


class RunView(BaseModel):
    """One run of a job."""

    number: int
    id: str
    job: str
    state: str
    producer: str
    started_at: str
    ended_at: str | None
    analysed: bool


class NodeView(BaseModel):
    """A column, or a whole dataset where `field` is empty; `own` says whether the dataset is declared in this city."""

    id: str
    dataset: str
    field: str
    own: bool


class EdgeView(BaseModel):
    """`target` comes from `source`, both by the id of the node."""

    source: str
    target: str
    kind: str
    job: str
    run: int


class GraphView(BaseModel):
    """A graph to draw; `cut` says that there is more than the bounds let through."""

    nodes: list[NodeView]
    edges: list[EdgeView]
    cut: bool


@router.post("/openlineage/api/v1/lineage", status_code=201, tags=["lineage"])
async def take(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("lineage:write"))], request: Request
) -> dict[str, Any]:
    """Take an OpenLineage RunEvent, as Marquez does at this path."""
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise Malformed(reason="not JSON") from error
    lineage = platform.get(Lineage)
    event = openlineage.read(body, lineage.settings.namespace)
    number = await platform.records.write(lambda tx: lineage.told(tx, event), caller.actor)
    return {"run": event.run, "number": number}


@own.get("/runs", dependencies=[Depends(permit("lineage:read"))])
async def runs(
    platform: PlatformDep,
    job: Annotated[str | None, Query(max_length=500)] = None,
    cursor_text: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[RunView]:
    """Runs, newest first."""
    keys = parse_cursor(cursor_text, int)
    before = None if keys is None else keys[0]
    found = await platform.records.read(lambda session: store.runs(session, job, before, limit + 1))
    following = cursor(found[limit - 1].number) if len(found) > limit else None
    return Page(items=[RunView(**run.__dict__) for run in found[:limit]], next=following)


@own.get("/graph", dependencies=[Depends(permit("lineage:read"))])
async def graph(
    platform: PlatformDep,
    dataset: Annotated[str, Query(min_length=1, max_length=1001)],
    field: Annotated[str, Query(max_length=500)] = "",
    direction: Literal["upstream", "downstream", "both"] = "both",
    depth: Annotated[int, Query(ge=1, le=20)] = 3,
) -> GraphView:
    """What a column, or a whole dataset, comes from and what depends on it."""
    found = await platform.get(Lineage).graph(Column(dataset, field), direction, depth)
    declared = {one.name for one in platform.declarations.all("Dataset")}
    return _view(found, declared)


def _view(found: Graph, declared: set[str]) -> GraphView:
    nodes = [NodeView(id=str(n), dataset=n.dataset, field=n.field, own=n.dataset in declared) for n in found.nodes]
    edges = [EdgeView(source=str(e.source), target=str(e.target), kind=e.kind, job=e.job, run=e.run) for e in found.edges]
    return GraphView(nodes=nodes, edges=edges, cut=found.cut)


router.include_router(own)
