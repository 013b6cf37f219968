"""Connectors over HTTP: what is declared, how far each came, and when it runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.collection import store
from mumian.elements.collection.contracts import Run
from mumian.elements.collection.models import ConnectorSpec
from mumian.elements.collection.reports.runs import RunView, run_view
from mumian.elements.collection.rules import marks
from mumian.elements.collection.service.runner import Runner, due_at
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("connector:read"))]
Name = Annotated[str, Path(max_length=80)]


class ConnectorView(BaseModel):
    """A connector: its source by kind, when it runs next, how far it came, and its last run."""

    name: str
    title: dict[str, str]
    dataset: str
    source: str
    mode: str
    watermark_column: str | None
    watermark: str | None
    every_seconds: int | None
    due_at: str | None
    drift: str
    last: RunView | None


class WholeConnectorView(ConnectorView):
    """A connector with its declaration and the columns that are expected of its source."""

    spec: dict[str, Any]
    columns: dict[str, str]


class RunBody(BaseModel):
    """How a run begins; `everything`: forget how far the connector came."""

    everything: bool = Field(False)


@router.get("/connectors")
async def connectors(
    platform: PlatformDep,
    _: Reader,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[ConnectorView]:
    """All connectors, by name."""
    keys = parse_cursor(after, str)
    found = [d for d in platform.declarations.all("Connector") if keys is None or d.name > keys[0]]
    told = await platform.records.read(lambda session: [_told(session, each) for each in found[:limit]])
    following = cursor(found[limit - 1].name) if len(found) > limit else None
    return Page(items=[ConnectorView(**each) for each in told], next=following)


@router.get("/connectors/{name}")
async def connector(platform: PlatformDep, _: Reader, name: Name) -> WholeConnectorView:
    """One connector."""
    declared: Declared[ConnectorSpec] = platform.declarations.get("Connector", name)
    told, columns = await platform.records.read(lambda session: (_told(session, declared), store.schema(session, name)))
    return WholeConnectorView(**told, spec=declared.spec.model_dump(mode="json", exclude_none=True), columns=columns)


@router.post("/connectors/{name}/runs", status_code=202)
async def run_connector(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("connector:run"))], name: Name, body: RunBody
) -> RunView:
    """Queue a run."""
    _require_owner(platform, caller, name)
    runner = platform.get(Runner)
    id_ = await platform.records.write(lambda tx: runner.queue(tx, name, "person", None, body.everything), caller.actor)
    runner.wake()
    row = await platform.records.read(lambda session: store.whole(session, id_))
    assert row is not None
    return run_view(store.run_of(row))


def _require_owner(platform: Platform, caller: Caller, name: str) -> None:
    spec: ConnectorSpec = platform.declarations.get("Connector", name).spec
    require(caller, "connector:run", platform.declarations.get("Dataset", spec.dataset).spec.owner)


def _told(session: Session, declared: Declared[ConnectorSpec]) -> dict[str, Any]:
    spec, found = declared.spec, store.runs(session, declared.name, None, None, 1)
    last: Run | None = found[0] if found else None
    return {
        "name": declared.name,
        "title": declared.title,
        "dataset": spec.dataset,
        "source": spec.source.kind,
        "mode": spec.mode,
        "watermark_column": spec.watermark,
        "watermark": marks.shown(store.watermark(session, declared.name)),
        "every_seconds": spec.every_seconds,
        "due_at": due_at(declared, last.queued_at if last else None),
        "drift": spec.drift,
        "last": None if last is None else run_view(last),
    }
