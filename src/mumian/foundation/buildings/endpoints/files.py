"""Files of buildings over HTTP: CityJSON, IFC and footprints brought in, each with a report on every object."""

import asyncio
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from mumian.foundation.buildings import models
from mumian.foundation.buildings.api import Buildings
from mumian.foundation.buildings.endpoints.asking import Import, Language, anchor
from mumian.foundation.buildings.files import drafting
from mumian.foundation.buildings.files.bodies import unpacked
from mumian.foundation.buildings.files.drafting import Drafted, Names
from mumian.foundation.buildings.files.job import Place
from mumian.foundation.buildings.files.running import read_ifc
from mumian.foundation.buildings.service import importing
from mumian.foundation.buildings.service.importing import Origin
from mumian.foundation.identity.api import Caller, require
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import TooLarge
from mumian.kernel.i18n import preferred
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep

router = APIRouter(prefix="/api/v1/foundation/buildings/imports", tags=["buildings"])
_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": _FILE, "application/gzip": _FILE}}}
_Crs = Annotated[
    str | None, Query(max_length=200, description="The system, where the file does not name it: EPSG:4547, GCJ-02 …")
]
_Field = Annotated[str, Query(max_length=200)]


class Came:
    """Where a file comes from, and whether it is only looked at."""

    def __init__(
        self,
        source: Annotated[str, Query(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$", description="The data set.")],
        owner: Annotated[str, Query(max_length=200)] = "",
        complete: Annotated[bool, Query(description="The file names all objects of the source: others are withdrawn.")] = False,
        dry: Annotated[bool, Query(description="Only say what would be done.")] = False,
    ) -> None:
        self.origin = Origin(source, owner, complete)
        self.dry = dry


_Came = Annotated[Came, Depends()]


async def _bring(
    platform: Platform, caller: Caller, came: Came, drafted: Drafted, file: bytes, language: str | None
) -> dict[str, Any]:
    if came.origin.owner:
        require(caller, "building:import", came.origin.owner)
    if came.dry:
        prepared = await asyncio.to_thread(importing.prepare, platform, drafted, came.origin)
        report = await platform.records.read(lambda session: importing.preview(session, prepared, came.origin))
    else:
        report = await importing.run(platform, drafted, came.origin, file, caller.actor)
    return models.report_out(report, preferred(language))


@router.post("/cityjson", openapi_extra=_BODY)
async def import_cityjson(
    platform: PlatformDep, caller: Import, came: _Came, request: Request, crs: _Crs = None, accept_language: Language = None
) -> dict[str, Any]:
    """Bring a CityJSON file in (1.0, 1.1, 2.0; gzip or plain): every object with all its levels of detail.

    An object that the source gave before is changed, or stays as it is; the same file again changes nothing.
    """
    body, limits = await request.body(), platform.get(Buildings).settings

    def work() -> Drafted:
        return drafting.of_cityjson(unpacked(body, limits.file_bytes), crs, limits.objects)

    return await _bring(platform, caller, came, await asyncio.to_thread(work), body, accept_language)


@router.post("/geojson", openapi_extra=_BODY)
async def import_footprints(
    platform: PlatformDep,
    caller: Import,
    came: _Came,
    request: Request,
    crs: _Crs = None,
    id_field: _Field = "",
    name_field: _Field = "",
    height_field: _Field = "",
    storeys_field: _Field = "",
    use_field: _Field = "",
    year_field: _Field = "",
    storey_metres: Annotated[float, Query(gt=1, le=20)] = 3.0,
    accept_language: Language = None,
) -> dict[str, Any]:
    """Bring footprints with heights in from GeoJSON; without a height, storeys times `storey_metres` is one."""
    body, limits = await request.body(), platform.get(Buildings).settings
    names = Names(id_field, name_field, height_field, storeys_field, use_field, year_field, storey_metres)

    def work() -> Drafted:
        return drafting.of_geojson(unpacked(body, limits.file_bytes), names, crs, limits.objects)

    return await _bring(platform, caller, came, await asyncio.to_thread(work), body, accept_language)


@router.post("/ifc", openapi_extra=_BODY)
async def import_ifc(
    platform: PlatformDep,
    caller: Import,
    came: _Came,
    request: Request,
    at: Annotated[str | None, Query(alias="anchor", max_length=60, description="longitude,latitude of its origin.")] = None,
    accept_language: Language = None,
) -> dict[str, Any]:
    """Bring the buildings of an IFC file in (STEP form; gzip or plain): footprint, height, storeys, spaces, products by class.

    The file is read in a process of its own within limits of time and memory.
    """
    body, limits = await request.body(), platform.get(Buildings).settings
    point = anchor(at)
    place = None if point is None else Place(crs="CRS84", x=point[0], y=point[1])

    def work() -> Drafted:
        content = unpacked(body, limits.file_bytes)
        return drafting.of_ifc(read_ifc(content, limits), place, sha256(content).hexdigest())

    return await _bring(platform, caller, came, await asyncio.to_thread(work), body, accept_language)


@router.post("/layer")
async def import_layer(
    platform: PlatformDep, caller: Import, body: models.LayerBody, accept_language: Language = None
) -> dict[str, Any]:
    """Bring the polygons of a layer in as buildings, by the names of its fields."""
    spatial, limits = platform.get(Spatial), platform.get(Buildings).settings
    info = await asyncio.to_thread(spatial.info, body.layer)
    require(caller, "layer:read", info.owner)
    if info.count > limits.objects:
        raise TooLarge(limit=f"{limits.objects} objects")
    fields = (body.id_field, body.name_field, body.height_field, body.storeys_field, body.use_field, body.year_field)
    names = Names(*fields, body.storey_metres)

    def work() -> Drafted:
        found = spatial.features(body.layer)
        listed = [(one.id, {"id": one.id, "geometry": one.geometry, "properties": one.properties}) for one in found]
        return drafting.of_features(listed, names, "CRS84")

    came = Came(body.source, body.owner, body.complete, body.dry)
    told = f"{body.layer}#{info.version}".encode()
    return await _bring(platform, caller, came, await asyncio.to_thread(work), told, accept_language)
