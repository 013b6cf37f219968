"""Endpoints of the platform as a whole: declarations, live events, health and metrics."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, StreamingResponse

from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.declarations.documents import Document, read_text
from mumian.kernel.declarations.kinds import Declared, json_schema
from mumian.kernel.declarations.planning import Plan
from mumian.kernel.errors import MumianError
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.live import event_stream

router = APIRouter()
_READ = Annotated[Caller, Depends(permit("declaration:read"))]
_APPLY = Annotated[Caller, Depends(permit("declaration:apply"))]
_EVENTS = permit("event:read")


class OpenMetrics(PlainTextResponse):
    """OpenMetrics 1.0 text."""

    media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class DeclarationOut(BaseModel):
    """A declaration in force."""

    kind: str
    name: str
    title: dict[str, str]
    spec: dict[str, Any]
    version: int
    source: str


class DocumentsIn(BaseModel):
    """YAML or JSON documents; `source` is the label under which they are kept."""

    documents: str = Field(max_length=4_000_000)
    source: str = Field("api", min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")


class ChangeOut(BaseModel):
    """One change of a plan."""

    action: str
    kind: str
    name: str


class PlanOut(BaseModel):
    """What a plan would change, or changed."""

    changes: list[ChangeOut]
    lines: list[str]
    revision: int


@router.get("/api/v1/declarations", tags=["declarations"])
async def list_declarations(
    platform: PlatformDep, _: _READ, kind: Annotated[str | None, Query(max_length=80)] = None
) -> dict[str, list[DeclarationOut]]:
    """All declarations in force, or those of one kind."""
    kinds = list(platform.declarations.kinds) if kind is None else [platform.declarations.kind(kind).name]
    return {"items": [_out(d) for k in kinds for d in platform.declarations.all(k)]}


@router.get("/api/v1/declarations/{kind}/{name}", tags=["declarations"])
async def get_declaration(platform: PlatformDep, _: _READ, kind: str, name: str) -> DeclarationOut:
    """One declaration in force."""
    return _out(platform.declarations.get(kind, name))


@router.get("/api/v1/schemas/{kind}", tags=["declarations"])
async def get_schema(platform: PlatformDep, _: _READ, kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind."""
    return json_schema(platform.declarations.kind(kind))


@router.post("/api/v1/declarations/diff", tags=["declarations"])
async def diff_declarations(platform: PlatformDep, _: _READ, body: DocumentsIn) -> PlanOut:
    """What applying the documents would change; nothing is changed."""
    documents = await _read(body)
    return _plan(platform, await asyncio.to_thread(platform.declarations.plan, documents, body.source))


@router.post("/api/v1/declarations/apply", tags=["declarations"])
async def apply_declarations(platform: PlatformDep, caller: _APPLY, body: DocumentsIn) -> PlanOut:
    """Put the documents into force, all or nothing."""
    documents = await _read(body)
    return _plan(platform, await platform.declarations.apply(documents, body.source, caller.actor))


@router.get("/api/v1/events", tags=["events"], response_class=StreamingResponse)
async def events(
    request: Request,
    platform: PlatformDep,
    _: Annotated[Caller, Depends(_EVENTS)],
    after: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    types: Annotated[str, Query(max_length=2000)] = "",
) -> StreamingResponse:
    """Server-sent events; `Last-Event-ID` or `after` resumes, `types` (comma-separated, `.*` at the end allowed) selects.

    The stream ends when its reader may no longer read.
    """

    async def may_read() -> bool:
        try:
            await _EVENTS(request)
        except MumianError:
            return False
        return True

    last = request.headers.get("last-event-id", "")
    position = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else after
    wanted = [t for t in types.split(",") if t]
    stream = event_stream(platform, position, wanted, lambda event: not event.type.startswith("identity."), may_read)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get("/healthz", tags=["operations"], dependencies=[Depends(permit("health:read"))])
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", tags=["operations"], dependencies=[Depends(permit("health:read"))])
async def readyz(platform: PlatformDep) -> dict[str, str]:
    """The records answer, too; otherwise 503."""
    await platform.records.read(lambda session: session.value("SELECT 1"))
    return {"status": "ready"}


@router.get("/metrics", tags=["operations"], dependencies=[Depends(permit("metrics:read"))], response_class=OpenMetrics)
async def metrics(platform: PlatformDep) -> OpenMetrics:
    """OpenMetrics text: what was committed and what waits."""
    rows = await platform.records.read(lambda s: s.rows("SELECT name, value FROM kernel_sequence ORDER BY name"))
    dead = await platform.records.read(lambda s: s.value("SELECT COUNT(*) FROM kernel_dead_letter"))
    lines = ["# TYPE mumian_sequence counter", "# HELP mumian_sequence Last number taken from each sequence."]
    lines += [f'mumian_sequence_total{{name="{row["name"]}"}} {row["value"]}' for row in rows]
    lines += ["# TYPE mumian_dead_letters gauge", f"mumian_dead_letters {dead}", "# EOF", ""]
    return OpenMetrics("\n".join(lines))


async def _read(body: DocumentsIn) -> list[Document]:
    return await asyncio.to_thread(read_text, body.documents.encode("utf-8", "surrogatepass"))


def _out(declared: Declared[Any]) -> DeclarationOut:
    return DeclarationOut(**declared.body, version=declared.version, source=declared.source)


def _plan(platform: Platform, plan: Plan) -> PlanOut:
    changes = [ChangeOut(action=c.action, kind=c.kind, name=c.name) for c in plan.changes]
    return PlanOut(changes=changes, lines=plan.lines(), revision=platform.declarations.revision)
