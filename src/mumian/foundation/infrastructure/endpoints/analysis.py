"""Endpoints that look at the whole: statistics, measures against targets, renewals, topology, and plans of the next places."""

import asyncio
from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field, model_validator

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.api import Infrastructure, stream_name
from mumian.foundation.infrastructure.endpoints.facilities import Cursor, Limit, Name, Reads
from mumian.foundation.infrastructure.endpoints.views import Body
from mumian.foundation.infrastructure.rules.measuring import target_for
from mumian.kernel.errors import NotFound
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/infrastructure", tags=["infrastructure"])
Plans = Annotated[Caller, Depends(permit("facility:plan"))]
Kinds = Annotated[list[Annotated[str, Query(max_length=80)]], Query(min_length=1, max_length=50)]
Degrees = Annotated[float, Field(ge=-180, le=180)]
Weight = Annotated[float, Field(ge=0, le=1e15)]
Resolution = Annotated[int, Field(ge=4, le=11)]


class DemandBody(Body):
    """What shall be served: points with weights, or a layer's property, or H3 cells that share a figure (none: area) evenly."""

    points: list[tuple[Degrees, Degrees, Weight]] = Field(default=[], max_length=50_000)
    layer: str | None = Field(None, max_length=80)
    property: str | None = Field(None, max_length=80)
    figure: str | None = Field(None, max_length=80)
    resolution: Resolution = 8


class CandidatesBody(Body):
    """Where facilities may stand: points, the features of a layer, or the middles of H3 cells."""

    points: list[tuple[Degrees, Degrees]] = Field(default=[], max_length=20_000)
    layer: str | None = Field(None, max_length=80)
    resolution: Resolution = 7


class PlanBody(Body):
    """Where would the next `count` facilities of a kind serve most? Existing ones (also of `also`) serve already."""

    kind: str = Field(max_length=80)
    also: list[Annotated[str, Field(max_length=80)]] = Field(default=[], max_length=20)
    count: int = Field(ge=1, le=1000)
    radius: float | None = Field(None, ge=1, le=200_000)
    area: str | None = Field(None, max_length=12)
    demand: DemandBody = DemandBody()
    candidates: CandidatesBody = CandidatesBody()
    count_planned: bool = True
    method: Literal["best", "greedy"] = "best"
    seconds: float = Field(10.0, gt=0, le=600)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.demand.layer and self.demand.points:
            raise ValueError("demand has points and a layer; give one of them")
        if self.candidates.layer and self.candidates.points:
            raise ValueError("candidates have points and a layer; give one of them")
        return self


@router.get("/kinds")
async def list_kinds(platform: PlatformDep, _: Reads) -> list[dict[str, Any]]:
    """All kinds of facility as declared."""
    declared = platform.declarations.all("FacilityKind")
    return [{"name": d.name, "title": d.title, **d.spec.model_dump(mode="json")} for d in declared]


@router.get("/statistics")
async def facility_statistics(platform: PlatformDep, _: Reads) -> list[dict[str, Any]]:
    """How many facilities there are of each kind, owner, state and district."""
    return await platform.records.read(store.statistics)


@router.get("/measures")
async def list_measures(platform: PlatformDep, _: Reads, measure: Name = None) -> list[dict[str, Any]]:
    """Every measure by area with the stream that carries it, and the next target."""
    kept = await platform.records.read(lambda session: store.measurements(session, measure))
    year = platform.clock.now().year
    found = []
    for declared in platform.declarations.all("FacilityMeasure"):
        if measure not in (None, declared.name):
            continue
        spec, target = declared.spec, target_for(year, declared.spec.targets)
        areas = [
            {**msgspec.structs.asdict(each), "stream": stream_name(each.measure, each.area)}
            for each in kept
            if each.measure == declared.name
        ]
        told = {"name": declared.name, "title": declared.title, "unit": spec.unit, "direction": spec.direction}
        found.append(
            {**told, "target": target and {"year": target[0], "value": target[1]}, "source": spec.source, "areas": areas}
        )
    return found


@router.get("/renewals")
async def list_renewals(
    platform: PlatformDep, _: Reads, kind: Kinds, after: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """Facilities of these kinds that are due for renewal by the declared reasons, those with most reasons first."""
    infrastructure = platform.get(Infrastructure)
    keys = parse_cursor(after, int, str)
    today = infrastructure.keeping.today(platform.clock.now())
    every = await asyncio.to_thread(infrastructure.looking.renewals, kind, today)
    position = (-keys[0], keys[1]) if keys else None
    left = [each for each in every if position is None or (-len(each["reasons"]), each["facility"].code) > position]
    page = left[:limit]
    items = [{"facility": msgspec.to_builtins(each["facility"]), "reasons": each["reasons"]} for each in page]
    last = page[-1] if len(left) > limit else None
    return Page(items=items, next=last and cursor(len(last["reasons"]), last["facility"].code))


@router.get("/topology")
async def network_topology(platform: PlatformDep, _: Reads, kind: Kinds, plane: Name = None) -> dict[str, Any]:
    """The network of these kinds (in one plane, or in all): its parts, single points of failure, and nodes that miss a plane."""
    looking = platform.get(Infrastructure).looking
    found, missing, planes = await asyncio.to_thread(looking.topology, kind, plane)
    weak = [{"code": w.code, "type": w.type, "alone": w.alone} for w in found.weak]
    parts = [{"size": len(part), "nodes": part[:1000]} for part in found.parts[:1000]]
    told = {"nodes": found.nodes, "links": found.links, "parts": parts, "single_points_of_failure": weak}
    return {**told, "loose_links": found.loose, "planes": planes, "missing_planes": missing}


@router.post("/plans", status_code=201)
async def make_plan(platform: PlatformDep, caller: Plans, body: PlanBody) -> dict[str, Any]:
    """Search for the next places, and keep the answer: picks best first, each with what it adds, and how good they are."""
    id_, solution = await platform.get(Infrastructure).planning.plan(body.model_dump(mode="json"), caller.actor)
    return {"id": id_, **msgspec.to_builtins(solution)}


@router.get("/plans")
async def list_plans(platform: PlatformDep, _: Plans, after: Cursor = None, limit: Limit = 50) -> Page[dict[str, Any]]:
    """Plans, the newest first."""
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda session: store.plans(session, keys[0] if keys else None, limit + 1))
    page = rows[:limit]
    return Page(items=page, next=cursor(page[-1]["id"]) if len(rows) > limit else None)


@router.get("/plans/{id}")
async def get_plan(
    platform: PlatformDep,
    _: Plans,
    id: Annotated[str, Path(pattern="^[0-9A-Z]{26}$")],  # noqa: A002
) -> dict[str, Any]:
    """One plan with its question and its answer."""
    found = await platform.records.read(lambda session: store.plans(session, None, 1, id))
    if not found:
        raise NotFound(kind="plan", name=id)
    return found[0]
