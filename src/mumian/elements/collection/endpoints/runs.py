"""Runs over HTTP: progress, drift, faults row by row, rows set aside, and what people decide."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from mumian.elements.collection import store
from mumian.elements.collection.events import BadRowsRead
from mumian.elements.collection.reports.runs import RunView, run_view
from mumian.elements.collection.service.execution import folder_of
from mumian.elements.collection.service.runner import Runner
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.errors import NotFound
from mumian.kernel.i18n import preferred, text
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("connector:read"))]
Decider = Annotated[Caller, Depends(permit("connector:run"))]

Language = Annotated[str | None, Header(alias="accept-language", max_length=400)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
State = Literal["queued", "reading", "loading", "done", "failed", "stopped", "quarantined", "cancelled", "discarded"]


class FaultView(BaseModel):
    """What is wrong with a value of a row; values of personal and graded fields show only their shape."""

    number: int
    place: str
    line: int
    field: str
    value: str
    key: str
    message: str


@router.get("/runs")
async def runs(
    platform: PlatformDep,
    _: Reader,
    connector: Annotated[str | None, Query(max_length=600)] = None,
    state: State | None = None,
    language: Language = None,
    after: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[RunView]:
    """Runs, newest first."""
    keys = parse_cursor(after, str)
    before = None if keys is None else keys[0]
    found = await platform.records.read(lambda session: store.runs(session, connector, state, before, limit + 1))
    following = cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[run_view(each, preferred(language)) for each in found[:limit]], next=following)


@router.get("/runs/{id}")
async def run(
    platform: PlatformDep, _: Reader, id_: Annotated[str, Path(alias="id", max_length=40)], language: Language = None
) -> RunView:
    """One run, with its progress."""
    return run_view(store.run_of(await _row(platform, id_)), preferred(language))


@router.get("/runs/{id}/faults")
async def faults(
    platform: PlatformDep,
    _: Reader,
    id_: Annotated[str, Path(alias="id", max_length=40)],
    language: Language = None,
    after: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page[FaultView]:
    """What is wrong with rows of a run: file, line, field and why."""
    await _row(platform, id_)
    keys = parse_cursor(after, int)
    behind = 0 if keys is None else keys[0]
    rows = await platform.records.read(lambda session: store.faults(session, id_, behind, limit + 1))
    items = [_fault(row, preferred(language)) for row in rows[:limit]]
    return Page(items=items, next=cursor(rows[limit - 1]["number"]) if len(rows) > limit else None)


@router.get("/runs/{id}/bad-rows", response_class=StreamingResponse)
async def bad_rows(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("connector:rows"))],
    id_: Annotated[str, Path(alias="id", max_length=40)],
) -> StreamingResponse:
    """The rows that were set aside, as they came, one JSON object a line; that somebody looked at them goes into the ledger."""
    row = await _row(platform, id_)
    require(caller, "connector:rows", _owner(platform, row))
    files = sorted(folder_of(platform, id_).glob("bad-*.jsonl"))
    await platform.records.write(lambda tx: tx.emit(BadRowsRead(subject=row["connector"], run=id_)), caller.actor)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{id_}.jsonl"'}
    return StreamingResponse(_parts(files), media_type="application/x-ndjson", headers=headers)


@router.post("/runs/{id}/{decision}")
async def decide(
    platform: PlatformDep,
    caller: Decider,
    id_: Annotated[str, Path(alias="id", max_length=40)],
    decision: Literal["cancel", "resume", "accept", "discard"],
    language: Language = None,
) -> RunView:
    """Cancel a run; go on with one that failed; accept the columns of one that drifted; drop rows that were kept aside."""
    row = await _row(platform, id_)
    require(caller, "connector:run", _owner(platform, row))
    await getattr(platform.get(Runner), decision)(id_, caller.actor)
    return run_view(store.run_of(await _row(platform, id_)), preferred(language))


async def _row(platform: Platform, id_: str) -> Row:
    row = await platform.records.read(lambda session: store.whole(session, id_))
    if row is None:
        raise NotFound(kind="run", name=id_)
    return row


def _owner(platform: Platform, row: Row) -> str | None:
    try:
        owner: str = platform.declarations.get("Dataset", row["dataset"]).spec.owner
    except NotFound:
        return None
    return owner


def _fault(row: Row, language: str) -> FaultView:
    message = text(row["key"], language, expected=row["expected"])
    return FaultView(**{key: row[key] for key in ("number", "place", "line", "field", "value", "key")}, message=message)


async def _parts(files: list[FilePath]) -> AsyncIterator[bytes]:
    for file in files:
        with file.open("rb") as stream:
            while part := await asyncio.to_thread(stream.read, 1 << 16):
                yield part
    if not files:
        yield json.dumps({"rows": 0}).encode()[:0]
