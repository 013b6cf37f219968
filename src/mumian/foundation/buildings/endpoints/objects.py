"""Buildings over HTTP: list, find near a point, show with all that is known, register, change, link, take out as CityJSON."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from mumian.foundation.buildings import models
from mumian.foundation.buildings.api import Buildings
from mumian.foundation.buildings.contracts import BUILDING_KINDS, Building
from mumian.foundation.buildings.endpoints.asking import (
    BASE,
    Box,
    Code,
    Cursor,
    Expected,
    Latitude,
    Limit,
    Longitude,
    Read,
    Write,
    box,
)
from mumian.foundation.buildings.service import exporting, facts
from mumian.foundation.buildings.service.keeping import found
from mumian.foundation.buildings.service.shapes import Shapes
from mumian.foundation.buildings.store import BUILDINGS, STANDS, children, within
from mumian.foundation.identity.api import require
from mumian.kernel.errors import Invalid, TooLarge
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/buildings", tags=["buildings"])
_Kind = Annotated[str, Query(max_length=60, pattern=r"^[0-9A-Za-z+_-]+$", description="Building, BuildingPart, Road, …")]
_Word = Annotated[str | None, Query(max_length=200)]
_MOST_LINKED = 2_000


class Narrowed:
    """What a list of buildings is narrowed to."""

    def __init__(
        self,
        kind: _Kind = "Building",
        use: _Word = None,
        source: _Word = None,
        owner: _Word = None,
        state: _Word = None,
        parent: _Word = None,
        bbox: Box = None,
    ) -> None:
        given = {"kind": kind, "use": use, "source": source, "owner": owner, "state": state, "parent": parent}
        self.equal = {name: value for name, value in given.items() if value is not None}
        area = box(bbox)
        self.where, self.params = ("", {}) if area is None else within(area)

    async def page(self, platform: Platform, after: str | None, limit: int) -> tuple[list[Building], str | None]:
        """A page and the cursor behind it."""
        keys = parse_cursor(after, str)
        start = keys[0] if keys else ""
        rows = await platform.records.read(
            lambda session: BUILDINGS.page(session, start, limit + 1, self.equal, self.where, **self.params)
        )
        return rows[:limit], cursor(rows[limit - 1].code) if len(rows) > limit else None


_Filters = Annotated[Narrowed, Depends()]


@router.get("")
async def list_buildings(
    platform: PlatformDep, _: Read, filters: _Filters, cursor: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """City objects of a kind by code; buildings where none is named."""
    rows, following = await filters.page(platform, cursor, limit)
    return Page(items=[models.brief(building) for building in rows], next=following)


@router.get("/features")
async def list_features(
    platform: PlatformDep, _: Read, filters: _Filters, cursor: Cursor = None, limit: Limit = 1000
) -> dict[str, Any]:
    """The same as a GeoJSON FeatureCollection; `next` is the cursor of the next page."""
    rows, following = await filters.page(platform, cursor, limit)
    return {"type": "FeatureCollection", "features": [models.as_feature(building) for building in rows], "next": following}


@router.get("/summary")
async def summary(platform: PlatformDep, _: Read) -> dict[str, Any]:
    """How many objects there are of each kind, and buildings by use, state and source; where they lie, how high."""

    def counted(session: Session) -> dict[str, Any]:
        own = " AND kind = 'Building'"
        edges = session.row(
            "SELECT MIN(west) AS west, MIN(south) AS south, MAX(east) AS east, MAX(north) AS north, "
            "MAX(height) AS highest FROM buildings_building "
            f"WHERE newest = 1{STANDS}{own}"
        )
        by = {name: BUILDINGS.counts(session, name, own) for name in ("use", "state", "source")}
        box = None if edges is None or edges["west"] is None else [edges[name] for name in ("west", "south", "east", "north")]
        return {"kinds": BUILDINGS.counts(session, "kind"), **by, "bounds": box, "highest": edges and edges["highest"]}

    return await platform.records.read(counted)


@router.get("/near")
async def near(
    platform: PlatformDep,
    _: Read,
    longitude: Longitude,
    latitude: Latitude,
    metres: Annotated[float, Query(gt=0, le=2000)] = 100.0,
    kind: _Kind = "Building",
    limit: Annotated[int, Query(ge=1, le=200)] = 10,
) -> Page[dict[str, Any]]:
    """Objects near a point (WGS 84), the nearest first, with the metres to their footprint; 0 is inside."""
    rows = await platform.records.read(lambda session: facts.near(session, longitude, latitude, metres, kind, limit))
    return Page(items=[{"metres": metres, **models.brief(building)} for metres, building in rows])


@router.get("/export", response_class=Response, responses={200: {"content": {"application/city+json": {}}}})
async def export_area(
    platform: PlatformDep,
    _: Read,
    bbox: Annotated[str, Query(max_length=200)],
    crs: Annotated[str | None, Query(max_length=100, description="A projected system, such as EPSG:4547.")] = None,
    kind: Annotated[str | None, Query(max_length=60, pattern=r"^[0-9A-Za-z+_-]+$")] = None,
) -> Response:
    """The objects of an area as CityJSON 2.0, at most 20,000: all levels of detail that are known."""
    area = box(bbox)
    assert area is not None
    where, params = within(area)
    equal = {"kind": kind} if kind else {}

    def chosen(session: Session) -> list[Building]:
        rows = BUILDINGS.page(session, "", exporting.MOST + 1, equal, where + STANDS, **params)
        held = {building.code for building in rows}
        parts = [part for part in children(session, [b.code for b in rows if b.kind == "Building"]) if part.code not in held]
        return rows + (parts if kind in (None, *BUILDING_KINDS) else [])

    rows = await platform.records.read(chosen)
    if len(rows) > exporting.MOST:
        raise TooLarge(limit=f"{exporting.MOST} objects")
    made = await asyncio.to_thread(lambda: exporting.document(platform, rows, exporting.system_for(rows, crs)))
    headers = {"Content-Disposition": 'attachment; filename="area.city.json"'}
    return Response(await asyncio.to_thread(msgspec.json.encode, made), media_type="application/city+json", headers=headers)


@router.post("", status_code=201)
async def add_building(platform: PlatformDep, caller: Write, body: models.BuildingBody, response: Response) -> dict[str, Any]:
    """Register a building by its footprint."""
    require(caller, "building:write", body.owner or None)
    values, keeping = body.model_dump(), platform.get(Buildings).keeping
    made = await platform.records.write(lambda tx: keeping.add(tx, values), caller.actor)
    response.headers["Location"] = f"{BASE}/{made.code}"
    return models.shown(made)


@router.post("/links")
async def link_addresses(platform: PlatformDep, caller: Write, body: models.AreaBody) -> dict[str, Any]:
    """Give buildings of an area that have no address the one standard address inside their footprint.

    Answers how many were linked and which hold several addresses, so that a person must decide; at most 2,000 buildings.
    """
    west, south, east, north = body.bbox
    if west > east or south > north:
        raise Invalid.field("bbox", "spatial.bbox")
    where, params = within((west, south, east, north))
    keeping = platform.get(Buildings).keeping
    chosen = {"kind": "Building", "address": ""}

    def read(session: Session) -> list[Building]:
        return BUILDINGS.page(session, "", _MOST_LINKED, chosen, where + STANDS, **params)

    linked, several = await platform.records.write(lambda tx: keeping.link(tx, read(tx.session)), caller.actor)
    return {"linked": linked, "several": several}


@router.get("/{code}")
async def get_building(platform: PlatformDep, _: Read, code: Code, response: Response) -> dict[str, Any]:
    """A building."""
    building = await platform.records.read(lambda session: found(session, code))
    response.headers["ETag"] = f'"{building.version}"'
    return models.shown(building)


@router.get("/{code}/facts")
async def get_facts(platform: PlatformDep, caller: Read, code: Code) -> dict[str, Any]:
    """All that is known of a building: parts, grids, addresses, model; and premises and pipes for those who may see them."""
    may = {name: caller.allowed(f"{action}:read") for name, action in (("premises", "premises"), ("pipes", "pipe"))}
    made = await platform.records.read(lambda session: facts.facts(platform, session, code, may))
    return made | {"building": models.shown(made["building"])}


@router.get("/{code}/versions")
async def versions(platform: PlatformDep, _: Read, code: Code, cursor: Cursor = None, limit: Limit = 100) -> Page[dict[str, Any]]:
    """The versions of a building, the newest first."""
    keys = parse_cursor(cursor, int)
    before = keys[0] if keys else 2**62
    rows = await platform.records.read(lambda session: BUILDINGS.history(session, code, before, limit + 1))
    if not rows and keys is None:
        await platform.records.read(lambda session: found(session, code))
    following = _cursor(rows[limit - 1].version) if len(rows) > limit else None
    return Page(items=[models.shown(building) for building in rows[:limit]], next=following)


def _cursor(key: int) -> str:
    return cursor(key)


@router.get("/{code}/geometry")
async def geometry(
    platform: PlatformDep, _: Read, code: Code, lod: Annotated[str | None, Query(max_length=10)] = None
) -> dict[str, Any]:
    """The surfaces of a building's levels of detail as they came, in the system `crs`."""
    building = await platform.records.read(lambda session: found(session, code))
    shapes = await asyncio.to_thread(Shapes(platform).read, [building.shapes])
    chosen = [shape for shape in shapes.get(building.shapes, []) if lod is None or shape.lod == lod]
    return {"code": code, "crs": building.crs, "digest": building.shapes, "shapes": msgspec.to_builtins(chosen)}


@router.patch("/{code}")
async def change_building(
    platform: PlatformDep, caller: Write, code: Code, body: models.BuildingPatch, expected: Expected, response: Response
) -> dict[str, Any]:
    """Change a building; `If-Match` with its version makes sure that nobody else did meanwhile (409)."""
    old = await platform.records.read(lambda session: found(session, code))
    for owner in {old.owner, body.owner or old.owner}:
        require(caller, "building:write", owner or None)
    values, keeping = body.model_dump(), platform.get(Buildings).keeping
    made = await platform.records.write(lambda tx: keeping.change(tx, code, values, expected), caller.actor)
    response.headers["ETag"] = f'"{made.version}"'
    return models.shown(made)
