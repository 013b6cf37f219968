"""Grids over HTTP: import, list, history, change, and where points lie."""

import asyncio
import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request

from mumian.foundation.grids import models, store
from mumian.foundation.grids.api import Grids
from mumian.foundation.grids.contracts import Grid
from mumian.foundation.grids.service import changing, importing
from mumian.foundation.grids.store import GRIDS
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Invalid, Malformed, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/grids", tags=["grids"])
READ = Annotated[Caller, Depends(permit("grid:read"))]
WRITE = Annotated[Caller, Depends(permit("grid:write"))]
CODE = Annotated[str, Path(max_length=15, pattern=r"^[0-9]+$")]
CURSOR = Annotated[str | None, Query(alias="cursor", max_length=200)]
LIMIT = Annotated[int, Query(ge=1, le=MOST)]
_IMPORT = {"requestBody": {"required": True, "content": {"application/geo+json": {"schema": {"type": "object"}}}}}
_Longitude = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
_Latitude = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
_Title = dict[str, str] | None


@router.get("/where")
async def where(
    platform: PlatformDep, _: READ, longitude: _Longitude, latitude: _Latitude, as_of: dt.date | None = None
) -> dict[str, Any]:
    """Where a point lies: the chain of grids from the city down, and who is responsible."""
    grids, date = platform.get(Grids), day(platform, as_of)
    return models.where_out(await platform.records.read(lambda session: grids.where(session, longitude, latitude, date)))


@router.post("/locate")
async def locate(platform: PlatformDep, _: READ, body: models.PointsBody) -> dict[str, Any]:
    """The grid codes of many points, in their order; null outside of all grids."""
    if len(body.longitudes) != len(body.latitudes):
        raise Invalid.field("latitudes", "field.length", expected=str(len(body.longitudes)))
    grids, date = platform.get(Grids), day(platform, body.date)
    found = await platform.records.read(lambda session: grids.codes(session, body.longitudes, body.latitudes, body.level, date))
    return {"codes": found.tolist()}


@router.post("/import", openapi_extra=_IMPORT)
async def import_grids(
    platform: PlatformDep, caller: WRITE, request: Request, date: dt.date | None = None, dry: bool = False
) -> dict[str, Any]:
    """Import grids from a GeoJSON FeatureCollection; each fault names its feature. `dry` only says what would happen."""
    try:
        collection = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed.field("body", "field.syntax", reason=str(error)[:200]) from error
    on = day(platform, date)
    prepared = await platform.records.read(lambda session: importing.prepare(session, collection, on))
    if dry:
        report = prepared[0].report("")
    else:
        report = await platform.records.write(lambda tx: importing.keep(tx, prepared, collection, on), caller.actor)
    shown: dict[str, Any] = msgspec.to_builtins(report)
    return shown


@router.post("/merge")
async def merge(platform: PlatformDep, caller: WRITE, body: models.MergeBody) -> dict[str, Any]:
    """Grids become one from a day on."""
    title = body.title.model_dump() if body.title else None
    work = changing.merge
    on = body.date.isoformat()
    return models.shown(await platform.records.write(lambda tx: work(tx, body.codes, body.code, title, on), caller.actor))


@router.get("/summary")
async def summary(platform: PlatformDep, _: READ, as_of: dt.date | None = None) -> dict[str, Any]:
    """How many grids of each level and kind there are on a day."""
    date = day(platform, as_of)
    levels, kinds = await platform.records.read(lambda s: (GRIDS.counts(s, "level", date), GRIDS.counts(s, "kind", date)))
    return {"date": date, "levels": levels, "kinds": kinds}


@router.get("/lineage")
async def lineage(platform: PlatformDep, _: READ) -> Page[dict[str, Any]]:
    """Which codes turned into which, by day."""
    return Page(items=await platform.records.read(store.lineage))


@router.get("")
async def list_grids(
    platform: PlatformDep,
    _: READ,
    level: Annotated[str | None, Query(pattern=r"^(city|district|street|community|grid)$")] = None,
    parent: Annotated[str | None, Query(pattern=r"^[0-9]{4,12}$")] = None,
    as_of: dt.date | None = None,
    after: CURSOR = None,
    limit: LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Grids by code, as they are on a day, without their boundaries."""
    keys = parse_cursor(after, str)
    equal = {name: value for name, value in (("level", level), ("parent", parent)) if value}
    date = day(platform, as_of)
    found = await platform.records.read(lambda s: GRIDS.page(s, keys[0] if keys else "", limit + 1, equal, date))
    part = found[:limit]
    return Page(items=[models.brief(grid) for grid in part], next=cursor(part[-1].code) if len(found) > limit else None)


@router.get("/{code}")
async def get_grid(platform: PlatformDep, _: READ, code: CODE, as_of: dt.date | None = None) -> dict[str, Any]:
    """A grid as it is on a day, its versions, and what its code has turned into."""
    date = day(platform, as_of)
    present, versions, future = await platform.records.read(
        lambda s: (GRIDS.at(s, code, date), GRIDS.history(s, code), changing.future(s, code, date))
    )
    if not versions:
        raise NotFound(kind="grid", name=code)
    shown = models.shown(present) if present else None
    return {"grid": shown, "versions": [models.brief(version) for version in versions], "today": future}


@router.patch("/{code}")
async def change_grid(platform: PlatformDep, caller: WRITE, code: CODE, body: models.ChangeBody) -> dict[str, Any]:
    """Other people in charge, another title or kind, from a day on."""
    values = body.model_dump(exclude={"date"})
    on = body.date.isoformat()
    return models.shown(await platform.records.write(lambda tx: changing.change(tx, code, values, on), caller.actor))


@router.post("/{code}/split")
async def split(platform: PlatformDep, caller: WRITE, code: CODE, body: models.SplitBody) -> Page[dict[str, Any]]:
    """A grid is divided from a day on; its parts must cover its ground once."""
    on = body.date.isoformat()
    parts = await asyncio.to_thread(lambda: [_part(part, on) for part in body.parts])
    made = await platform.records.write(lambda tx: changing.split(tx, code, parts, on), caller.actor)
    return Page(items=[models.shown(grid) for grid in made])


def _part(part: models.PartBody, date: str) -> Grid:
    more = {"kind": part.kind, "organisation": part.organisation}
    return changing.compose(part.code, part.title.model_dump(), date, part.geometry, **more)


@router.post("/{code}/recode")
async def recode(platform: PlatformDep, caller: WRITE, code: CODE, body: models.RecodeBody) -> dict[str, Any]:
    """A grid goes on under another code from a day on."""
    on = body.date.isoformat()
    return models.shown(await platform.records.write(lambda tx: changing.recode(tx, code, body.code, on), caller.actor))


@router.post("/{code}/end", status_code=204)
async def end_grid(platform: PlatformDep, caller: WRITE, code: CODE, body: models.EndBody) -> None:
    """From a day on there is no such grid."""
    on = body.date.isoformat()
    await platform.records.write(lambda tx: changing.end(tx, code, on, body.reason), caller.actor)


def day(platform: Platform, date: dt.date | None) -> str:
    """The day asked for, or today."""
    return date.isoformat() if date else platform.get(Grids).today()
