"""Buildings and components over HTTP: register, list, change, import, count."""

import asyncio
import io
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from mumian.foundation.grids import models
from mumian.foundation.grids.api import Grids
from mumian.foundation.grids.classes import categories
from mumian.foundation.grids.contracts import Versioned
from mumian.foundation.grids.endpoints.grids import CURSOR, LIMIT, READ
from mumian.foundation.grids.service import registering
from mumian.foundation.grids.store import BUILDINGS, COMPONENTS, Register
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import iso
from mumian.kernel.errors import Malformed, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/grids", tags=["grids"])
_READ = Annotated[Caller, Depends(permit("component:read"))]
_WRITE = Annotated[Caller, Depends(permit("component:write"))]
_BUILD = Annotated[Caller, Depends(permit("building:write"))]
_CODE = Annotated[str, Path(max_length=40, pattern=r"^[0-9A-Za-z-]+$")]
_GRID = Annotated[str | None, Query(pattern=r"^[0-9]{4,15}$")]
_BASE = "/api/v1/foundation/grids"


@router.get("/categories")
async def list_categories(_: _READ) -> Page[dict[str, str]]:
    """The classes of components 部件分类 by code."""
    return Page(items=[category._asdict() for category in categories().values()])


@router.get("/buildings")
async def list_buildings(
    platform: PlatformDep, _: READ, grid: _GRID = None, address: str | None = None, after: CURSOR = None, limit: LIMIT = 100
) -> Page[dict[str, Any]]:
    """Buildings by code."""
    return await listed(platform, BUILDINGS, {"grid": grid, "address": address}, after, limit)


@router.post("/buildings", status_code=201)
async def add_building(platform: PlatformDep, caller: _BUILD, body: models.BuildingBody, response: Response) -> dict[str, Any]:
    """Register a building."""
    place, values = await _place(platform), body.model_dump()
    made = await platform.records.write(lambda tx: registering.add_building(tx, place, values), caller.actor)
    response.headers["Location"] = f"{_BASE}/buildings/{made.code}"
    return models.shown(made)


@router.get("/buildings/{code}")
async def get_building(platform: PlatformDep, _: READ, code: _CODE) -> dict[str, Any]:
    """A building with its versions."""
    return await detail(platform, BUILDINGS, code)


@router.patch("/buildings/{code}")
async def change_building(platform: PlatformDep, caller: _BUILD, code: _CODE, body: models.BuildingPatch) -> dict[str, Any]:
    """Change a building; its code stays."""
    values = body.model_dump()
    return models.shown(await platform.records.write(lambda tx: registering.change_building(tx, code, values), caller.actor))


@router.get("/components")
async def list_components(
    platform: PlatformDep,
    _: _READ,
    grid: _GRID = None,
    category: Annotated[str | None, Query(pattern=r"^[0-9]{4}$")] = None,
    state: Annotated[str | None, Query(pattern=r"^[a-z]{1,20}$")] = None,
    after: CURSOR = None,
    limit: LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Components by code."""
    return await listed(platform, COMPONENTS, {"grid": grid, "category": category, "state": state}, after, limit)


@router.post("/components", status_code=201)
async def add_component(platform: PlatformDep, caller: _WRITE, body: models.ComponentBody, response: Response) -> dict[str, Any]:
    """Register a component."""
    place, values = await _place(platform), body.model_dump()
    made = await platform.records.write(lambda tx: registering.add_component(tx, place, values), caller.actor)
    response.headers["Location"] = f"{_BASE}/components/{made.code}"
    return models.shown(made)


@router.post(
    "/components/import",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def import_components(
    platform: PlatformDep, caller: _WRITE, request: Request, source: Annotated[str, Query(max_length=80)] = "import"
) -> dict[str, Any]:
    """Import components from a CSV body with a header; rows that do not fit are listed with line, field and fix."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed.field("body", "field.syntax", reason="not UTF-8") from error
    place, lines = platform.get(Grids).place, io.StringIO(text, newline="")
    work = registering.import_components_now
    report = await asyncio.to_thread(work, platform.records, place, lines, source, caller.actor)
    shown: dict[str, Any] = msgspec.to_builtins(report)
    return shown


@router.get("/components/summary")
async def summary(platform: PlatformDep, _: _READ) -> dict[str, Any]:
    """How many components there are of each class and in each state."""
    now = iso(platform.clock.now())
    found = await platform.records.read(lambda s: (COMPONENTS.counts(s, "category", now), COMPONENTS.counts(s, "state", now)))
    return {"categories": found[0], "states": found[1]}


@router.get("/components/{code}")
async def get_component(platform: PlatformDep, _: _READ, code: _CODE) -> dict[str, Any]:
    """A component with its versions: the record of its inspections."""
    return await detail(platform, COMPONENTS, code)


@router.patch("/components/{code}")
async def change_component(platform: PlatformDep, caller: _WRITE, code: _CODE, body: models.ComponentPatch) -> dict[str, Any]:
    """Change owner, keeper, title or state of a component."""
    values = body.model_dump()
    return models.shown(await platform.records.write(lambda tx: registering.change_component(tx, code, values), caller.actor))


async def _place(platform: Platform) -> registering.Place:
    """The index of grids, made before a writer would have to wait for it."""
    grids = platform.get(Grids)
    await platform.records.read(lambda session: grids.where(session, 0.0, 0.0))
    return grids.place


async def listed(
    platform: Platform, register: Register[Any], filters: dict[str, str | None], after: str | None, limit: int
) -> Page[dict[str, Any]]:
    """A page of what a register holds now."""
    keys, now = parse_cursor(after, str), iso(platform.clock.now())
    equal = {name: value for name, value in filters.items() if value}
    found = await platform.records.read(lambda s: register.page(s, keys[0] if keys else "", limit + 1, equal, now))
    part = found[:limit]
    return Page(items=[models.brief(version) for version in part], next=cursor(part[-1].code) if len(found) > limit else None)


async def detail(platform: Platform, register: Register[Any], code: str) -> dict[str, Any]:
    """The newest version of a thing with all before it; raises NotFound."""
    versions: list[Versioned] = await platform.records.read(lambda session: register.history(session, code))
    if not versions:
        raise NotFound(kind=register.name, name=code)
    return {register.name: models.shown(versions[-1]), "versions": [models.brief(version) for version in versions]}
