"""Endpoints of the ledger of cameras: list, find by place, register, change, retire, import, groups, health."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response

from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.video import store
from mumian.foundation.video.api import Nearby, Video
from mumian.foundation.video.endpoints.bodies import CameraIn, CameraPatch, shown
from mumian.foundation.video.rules import codes
from mumian.foundation.video.service import health
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/video", tags=["video"])
_READ = Annotated[Caller, Depends(permit("camera:read"))]
_WRITE = Annotated[Caller, Depends(permit("camera:write"))]
_CODE = Annotated[str, Path(pattern="^[0-9]{20}$")]
_WORD = Annotated[str | None, Query(min_length=1, max_length=200)]
_LONGITUDE = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
_LATITUDE = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
_CURSOR = Annotated[str | None, Query(alias="cursor", max_length=400)]
_LIMIT = Annotated[int, Query(ge=1, le=MOST)]
_IMPORT = {"text/csv": {"schema": {"type": "string"}}, "application/octet-stream": {"schema": {"type": "string"}}}


class Filters:
    """The facets by which cameras are found; all that are given must hold."""

    def __init__(
        self,
        owner: _WORD = None,
        operator: _WORD = None,
        group: _WORD = None,
        tag: _WORD = None,
        use: _WORD = None,
        health: _WORD = None,
        division: Annotated[str | None, Query(pattern="^([0-9]{2}){1,4}$")] = None,
    ) -> None:
        given = {
            "owner": owner,
            "operator": operator,
            "group": group,
            "tag": tag,
            "use": use,
            "health": health,
            "division": division,
        }
        self.facets = [f"{name}:{value}" for name, value in given.items() if value is not None]


_FILTERS = Annotated[Filters, Depends(Filters)]


@router.get("/cameras")
async def list_cameras(
    platform: PlatformDep,
    caller: _READ,
    filters: _FILTERS,
    words: Annotated[str, Query(max_length=200)] = "",
    cursor_text: _CURSOR = None,
    limit: _LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Cameras by code; `words` must all stand in title, code or tags."""
    keys = parse_cursor(cursor_text, str)
    directory = platform.get(Video).directory
    found = await asyncio.to_thread(directory.page, filters.facets, words, keys[0] if keys else "", limit)
    return Page(items=await _shown(platform, caller, found), next=cursor(found[-1]) if len(found) == limit else None)


@router.get("/cameras/near")
async def cameras_near(
    platform: PlatformDep,
    caller: _READ,
    filters: _FILTERS,
    longitude: _LONGITUDE,
    latitude: _LATITUDE,
    metres: Annotated[float, Query(gt=0, le=50_000, allow_inf_nan=False)] = 500,
    cursor_text: _CURSOR = None,
    limit: _LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Cameras within some metres of a point (WGS 84), the nearest first, each with its distance."""
    keys = parse_cursor(cursor_text, float, str)
    after = (float(keys[0]), str(keys[1])) if keys else (-1.0, "")
    directory = platform.get(Video).directory
    found = await asyncio.to_thread(directory.near, (longitude, latitude), metres, filters.facets, limit, after)
    following = cursor(found[-1].metres, found[-1].code) if len(found) == limit else None
    return Page(items=await _with_distance(platform, caller, found), next=following)


@router.get("/cameras/seeing")
async def cameras_seeing(
    platform: PlatformDep,
    caller: _READ,
    filters: _FILTERS,
    longitude: _LONGITUDE,
    latitude: _LATITUDE,
    limit: _LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Cameras in whose view a point (WGS 84) lies, the nearest first."""
    directory = platform.get(Video).directory
    found = await asyncio.to_thread(directory.seeing, (longitude, latitude), filters.facets, limit)
    return Page(items=await _with_distance(platform, caller, found))


@router.get("/summary")
async def summary(platform: PlatformDep, _: _READ) -> dict[str, Any]:
    """How many cameras there are, in each group, of each health and owner."""

    def work() -> dict[str, Any]:
        directory = platform.get(Video).directory
        counted = {name: directory.counts(name) for name in ("health", "owner", "use", "source")}
        return {"cameras": directory.count([]), "groups": directory.groups(), **counted}

    return await asyncio.to_thread(work)


@router.post("/cameras", status_code=201)
async def create_camera(platform: PlatformDep, caller: _WRITE, body: CameraIn) -> dict[str, Any]:
    """Register a camera; 409 when its code is taken."""
    given = body.given()
    code = given.pop("code")
    require(caller, "camera:write", given.get("owner"))
    video = platform.get(Video)
    made = await platform.records.write(lambda tx: video.cameras.create(tx, code, given), caller.actor)
    return shown(made, True)


@router.post("/cameras/import", openapi_extra={"requestBody": {"content": _IMPORT, "required": True}})
async def import_cameras(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("camera:import"))],
    content: Annotated[bytes, Body(media_type="application/octet-stream", max_length=64 * 1024 * 1024)],
    dry: bool = False,
) -> dict[str, Any]:
    """Import a CSV or XLSX file with a header line; good rows are taken, bad ones told by line and field. `dry` only looks."""
    importing = platform.get(Video).importing
    report = await importing.run(content, "", caller.actor, dry, lambda owner: caller.allowed("camera:import", owner))
    return report.as_dict()


@router.get("/cameras/{code}")
async def get_camera(platform: PlatformDep, caller: _READ, code: _CODE, response: Response) -> dict[str, Any]:
    """One camera; its address, without credentials, is shown to those who may change it."""
    found = await platform.records.read(lambda session: store.camera(session, code))
    if found is None:
        raise NotFound(kind="camera", name=code)
    response.headers["ETag"] = f'"{found.version}"'
    return shown(found, caller.allowed("camera:write", found.owner))


@router.patch("/cameras/{code}")
async def change_camera(
    platform: PlatformDep, caller: _WRITE, code: _CODE, body: CameraPatch, if_match: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    """Change a camera; with If-Match only the version that was seen."""
    given, expected, video = body.given(), _version(if_match), platform.get(Video)

    def work(tx: Transaction) -> dict[str, Any]:
        known = video.cameras.find(tx, code, expected)
        require(caller, "camera:write", known.owner)
        if "owner" in given:
            require(caller, "camera:write", given["owner"])
        return shown(video.cameras.change(tx, code, given, expected), True)

    return await platform.records.write(work, caller.actor)


@router.delete("/cameras/{code}", status_code=204)
async def retire_camera(
    platform: PlatformDep, caller: _WRITE, code: _CODE, if_match: Annotated[str | None, Header()] = None
) -> None:
    """Take a camera out of use; its history stays."""
    expected, video = _version(if_match), platform.get(Video)

    def work(tx: Transaction) -> None:
        require(caller, "camera:write", video.cameras.find(tx, code, expected).owner)
        video.cameras.retire(tx, code, expected)

    await platform.records.write(work, caller.actor)


@router.get("/cameras/{code}/health")
async def camera_health(platform: PlatformDep, _: _READ, code: _CODE) -> dict[str, Any]:
    """How a camera does."""
    now = iso(platform.clock.now())
    found = await platform.records.read(lambda s: health.of(s, code, now) if store.camera(s, code) is not None else None)
    if found is None:
        raise NotFound(kind="camera", name=code)
    return {name: getattr(found, name) for name in found.__struct_fields__}


@router.post("/cameras/{code}/probe")
async def probe_camera(platform: PlatformDep, caller: _WRITE, code: _CODE) -> dict[str, Any]:
    """Look now whether a camera delivers, and tell its health."""
    found = await platform.records.read(lambda session: store.camera(session, code))
    if found is None or found.retired:
        raise NotFound(kind="camera", name=code)
    require(caller, "camera:write", found.owner)
    await platform.get(Video).health.probe([code])
    return await camera_health(platform, caller, code)


@router.get("/industries")
async def industries(_: _READ) -> dict[str, str]:
    """The industry codes of GB/T 28181 Annex D that bodies of government use."""
    return codes.INDUSTRIES


async def _shown(platform: Platform, caller: Caller, found: list[str]) -> list[dict[str, Any]]:
    cameras = await platform.records.read(lambda session: store.cameras(session, found))
    return [shown(camera, caller.allowed("camera:write", camera.owner)) for camera in cameras]


async def _with_distance(platform: Platform, caller: Caller, found: list[Nearby]) -> list[dict[str, Any]]:
    metres = {near.code: round(near.metres, 2) for near in found}
    return [{**item, "metres": metres[item["code"]]} for item in await _shown(platform, caller, list(metres))]


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Invalid.field("If-Match", "field.pattern", expected='"3"')
    return int(text)
