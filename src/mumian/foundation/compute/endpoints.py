"""Endpoints of compute: pools and how they are used, jobs handed in, explained, cancelled and reported on, and their results."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from mumian.foundation.compute import store
from mumian.foundation.compute.api import Compute
from mumian.foundation.compute.contracts import Job
from mumian.foundation.compute.errors import NotPossible
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/compute", tags=["compute"])
Reads = Annotated[Caller, Depends(permit("job:read"))]
Submits = Annotated[Caller, Depends(permit("job:submit"))]
Cancels = Annotated[Caller, Depends(permit("job:cancel"))]
Operates = Annotated[Caller, Depends(permit("pool:operate"))]
Looks = Annotated[Caller, Depends(permit("pool:read"))]
Id = Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Annotated[str | None, Query(max_length=80)]
State = Literal["queued", "placed", "running", "done", "failed", "cancelled"]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


class Body(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class JobBody(Body):
    """A job to hand in; without an organisation it is the caller's own."""

    type: str = Field(max_length=80)
    organisation: str | None = Field(None, max_length=80)
    parameters: dict[str, Any] = Field(default_factory=dict, max_length=50)
    cores: float = Field(1, gt=0, le=1e7)
    memory: float = Field(1, ge=0.1, le=1e8)
    hours: float = Field(1, gt=0, le=24 * 366)
    gpus: int = Field(0, ge=0, le=1_000_000)
    gpu_model: str = Field("", max_length=60)
    grade: Literal["general", "important", "core"] = "general"
    personal: bool = False
    datasets: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=1000)
    deadline: str = Field("", max_length=40)
    priority: int = Field(5, ge=0, le=9)


class ReportBody(Body):
    """What the agent of a pool tells of an attempt."""

    attempt: int = Field(ge=0)
    state: Literal["running", "done", "failed", "cancelled", "dead"]
    result: dict[str, Any] = Field(default_factory=dict, max_length=50)


@router.get("/pools")
async def list_pools(platform: PlatformDep, _: Looks) -> list[dict[str, Any]]:
    """All pools with what is taken of them now."""
    held = await platform.records.read(lambda session: store.in_states(session, ("placed", "running")))
    found = []
    for declared in platform.declarations.all("ComputePool"):
        asks = [job.ask for job in held if job.pool == declared.name]
        taken = {"cores": sum(a.cores for a in asks), "memory": sum(a.memory for a in asks), "gpus": sum(a.gpus for a in asks)}
        spec = declared.spec.model_dump(mode="json")
        found.append({"name": declared.name, "title": declared.title, **spec, "taken": taken, "jobs": len(asks)})
    return found


@router.get("/pools/{name}/utilisation")
async def pool_utilisation(
    platform: PlatformDep, _: Looks, name: str, after: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """How much of a pool was taken after each change, the newest first."""
    platform.declarations.get("ComputePool", name)
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda s: store.utilisation(s, name, keys[0] if keys else None, limit + 1))
    page = rows[:limit]
    return Page(items=page, next=cursor(page[-1]["id"]) if len(rows) > limit else None)


@router.get("/pools/{name}/work")
async def pool_work(platform: PlatformDep, caller: Operates, name: str) -> list[dict[str, Any]]:
    """What the agent of a pool has to do: jobs that are placed there, run there, or are asked to stop."""
    spec = platform.declarations.get("ComputePool", name).spec
    require(caller, "pool:operate", spec.owner)
    held = await platform.records.read(lambda session: store.in_states(session, ("placed", "running")))
    return [shown(job) for job in held if job.pool == name]


@router.get("/types")
async def list_types(platform: PlatformDep, _: Reads) -> list[dict[str, Any]]:
    """The types of job that may run."""
    declared = platform.declarations.all("JobType")
    return [{"name": d.name, "title": d.title, **d.spec.model_dump(mode="json")} for d in declared]


@router.get("/usage")
async def list_usage(platform: PlatformDep, caller: Reads, organisation: Name = None) -> list[dict[str, Any]]:
    """What organisations used by month and pool, of those that the caller may read."""
    rows = await platform.records.read(lambda session: platform.get(Compute).usage(session, organisation))
    return [row for row in rows if caller.allowed("job:read", row["organisation"])]


@router.post("/jobs", status_code=201)
async def submit_job(platform: PlatformDep, caller: Submits, body: JobBody) -> dict[str, Any]:
    """Hand in a job. 404: no such type; 422: what is wrong, or why no pool could ever take it."""
    organisation = body.organisation or caller.organisation
    if organisation is None:
        raise Invalid.field("organisation", "field.missing")
    require(caller, "job:submit", organisation)
    compute = platform.get(Compute)
    fields = {**body.model_dump(), "organisation": organisation, "person": caller.person or caller.actor.id}
    job = await asyncio.to_thread(compute.jobs.draft, fields)
    return shown(await platform.records.write(lambda tx: compute.jobs.submit(tx, job), caller.actor))


@router.get("/jobs")
async def list_jobs(
    platform: PlatformDep,
    caller: Reads,
    state: State | None = None,
    organisation: Name = None,
    type: Name = None,  # noqa: A002 - it is the name of the filter
    pool: Name = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[dict[str, Any]]:
    """Jobs of the organisations that the caller may read, the newest first."""
    filters = {"state": state, "organisation": organisation, "type": type, "pool": pool}
    keys = parse_cursor(after, str)

    def read(session: Session) -> list[Job]:
        found: list[Job] = []
        before = keys[0] if keys else None
        while len(found) <= limit and (page := store.page(session, filters, before, MOST)):
            found += [job for job in page if caller.allowed("job:read", job.organisation)]
            before = page[-1].id
        return found

    jobs = await platform.records.read(read)
    page = jobs[:limit]
    return Page(items=[shown(job) for job in page], next=cursor(page[-1].id) if len(jobs) > limit else None)


@router.get("/jobs/{id}")
async def get_job(platform: PlatformDep, caller: Reads, id: Id) -> dict[str, Any]:  # noqa: A002
    """One job; while it waits, `placement` tells what speaks for and against each pool now, and when it could start."""
    compute = platform.get(Compute)
    job = await _readable(platform, caller, id)
    told = shown(job)
    if job.state == "queued":
        decisions = await platform.records.read(compute.placing.decisions)
        found = next((decision for waiting, decision in decisions if waiting.id == id), None)
        told["placement"] = {} if found is None else compute.placing.explained(found)
    return told


@router.post("/jobs/{id}/cancel")
async def cancel_job(platform: PlatformDep, caller: Cancels, id: Id) -> dict[str, Any]:  # noqa: A002
    """Cancel a job: what waits is over at once, what runs is asked to stop. 409: it has ended."""
    compute = platform.get(Compute)

    def work(tx: Transaction) -> Job:
        job = compute.jobs.find(tx.session, id)
        require(caller, "job:cancel", job.organisation)
        return compute.jobs.cancel(tx, job)

    return shown(await platform.records.write(work, caller.actor))


@router.post("/jobs/{id}/report")
async def report_job(platform: PlatformDep, caller: Operates, id: Id, body: ReportBody) -> dict[str, Any]:  # noqa: A002
    """The agent of a pool tells that it starts a job (with the attempt it saw), or how an attempt ended. 409: it is too late."""
    compute = platform.get(Compute)
    jobs = compute.jobs

    def work(tx: Transaction) -> Job:
        job = jobs.find(tx.session, id)
        spec = compute.pools.specs().get(job.pool)
        require(caller, "pool:operate", spec.owner if spec else None)
        if spec is None or spec.runner == "local":
            raise NotPossible(action="report", state=job.state)
        if body.state == "running":
            return jobs.start(tx, job, caller.actor.id)
        job = jobs.present(job, body.attempt)
        return jobs.again(tx, job, "dead") if body.state == "dead" else jobs.end(tx, job, body.state, body.result)

    return shown(await platform.records.write(work, caller.actor))


@router.get("/jobs/{id}/files/{number}", response_class=Response, responses=_FILE)
async def get_file(
    platform: PlatformDep,
    caller: Reads,
    id: Id,  # noqa: A002
    number: Annotated[int, Path(ge=0, le=100_000)],
) -> Response:
    """The content of one of a job's files: 0 is its output, 1 its errors, the others are its results."""
    job = await _readable(platform, caller, id)
    content = await asyncio.to_thread(platform.get(Compute).output, job, number)
    headers = {"Content-Disposition": f'attachment; filename="{id}-{number}"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _readable(platform: Platform, caller: Caller, id_: str) -> Job:
    job = await platform.records.read(lambda session: platform.get(Compute).job(session, id_))
    if not caller.allowed("job:read", job.organisation):
        raise NotFound(kind="job", name=id_)
    return job


def shown(job: Job) -> dict[str, Any]:
    """A job for an answer."""
    told: dict[str, Any] = msgspec.to_builtins(job)
    return told
