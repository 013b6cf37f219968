"""Networks of pipes over HTTP: brought in, drawn, traced, isolated, checked."""

import asyncio
import json
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from mumian.foundation.buildings import models
from mumian.foundation.buildings.api import Buildings
from mumian.foundation.buildings.endpoints.asking import Box, Cursor, Language, Limit, anchor, box
from mumian.foundation.buildings.files.bodies import unpacked
from mumian.foundation.buildings.pipes import keeping, store
from mumian.foundation.buildings.pipes.contracts import Edge
from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.i18n import preferred
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor as behind
from mumian.kernel.web.paging import parse_cursor

router = APIRouter(prefix="/api/v1/foundation/buildings/networks", tags=["buildings"])
_READ = Annotated[Caller, Depends(permit("pipe:read"))]
_WRITE = Annotated[Caller, Depends(permit("pipe:write"))]
_Name = Annotated[str, Path(max_length=80, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
_Id = Annotated[str, Query(min_length=1, max_length=100)]
_Kind = Literal["water", "drainage", "gas", "heat", "power", "telecom"]
_Text = Annotated[str, Query(max_length=200)]
_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": _FILE, "application/geo+json": _FILE}}}


class Given:
    """How the file of a network is to be read."""

    def __init__(
        self,
        kind: Annotated[_Kind | None, Query(description="Needed for GeoJSON; EPANET is water, SWMM drainage.")] = None,
        title_zh: _Text = "",
        title_en: _Text = "",
        owner: _Text = "",
        source: _Text = "",
        crs: Annotated[str | None, Query(max_length=100)] = None,
        at: Annotated[str | None, Query(alias="anchor", max_length=60, description="Where the middle of a drawing lies.")] = None,
        tolerance: Annotated[float, Query(gt=0, le=100, description="Metres within which ends of lines meet.")] = 0.1,
        directed: Annotated[bool | None, Query(description="Whether flow follows the lines; drainage does by default.")] = None,
    ) -> None:
        self.title = {"zh": title_zh or title_en, "en": title_en or title_zh}
        self._kind, self._owner, self._source = kind, owner, source
        self._more: dict[str, Any] = {"crs": crs, "anchor": anchor(at), "tolerance": tolerance, "directed": directed}

    def options(self, name: str) -> keeping.Options:
        """The options for a network of this name."""
        title = {language: text or name for language, text in self.title.items()}
        return keeping.Options(self._kind, title, self._owner, self._source, **self._more)


@router.get("")
async def list_networks(
    platform: PlatformDep, _: _READ, kind: _Kind | None = None, cursor: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """Networks by name."""
    keys = parse_cursor(cursor, str)
    rows = await platform.records.read(lambda session: store.networks(session, keys[0] if keys else "", limit + 1, kind))
    page = [msgspec.to_builtins(row) for row in rows[:limit]]
    return Page(items=page, next=behind(rows[limit - 1].name) if len(rows) > limit else None)


@router.get("/features")
async def list_features(
    platform: PlatformDep,
    _: _READ,
    bbox: Box = None,
    network: Annotated[str | None, Query(max_length=80)] = None,
    limit: Limit = 1000,
) -> dict[str, Any]:
    """Pipes that meet an area as a GeoJSON FeatureCollection; `more` tells that there are others."""
    area = box(bbox) or (-180.0, -90.0, 180.0, 90.0)
    rows = await platform.records.read(lambda session: store.within(session, area, limit + 1, network))
    features = [_feature(name, kind, edge) for name, kind, edge in rows[:limit]]
    return {"type": "FeatureCollection", "features": features, "more": len(rows) > limit}


def _feature(network: str, kind: str, edge: Edge) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(edge)
    line = json.loads(values.pop("line"))
    properties = {"network": network, "network_kind": kind, **values}
    return {"type": "Feature", "id": f"{network}:{edge.id}", "geometry": line, "properties": properties}


@router.put("/{name}", openapi_extra=_BODY)
async def bring_in(
    platform: PlatformDep,
    caller: _WRITE,
    name: _Name,
    given: Annotated[Given, Depends()],
    request: Request,
    accept_language: Language = None,
) -> dict[str, Any]:
    """Put a network in place of what it was: EPANET or SWMM input, or GeoJSON lines and points (gzip or plain).

    What is wrong with the lines of an input file refuses it, with the line; features that cannot be used are left out and told.
    """
    options, limits, spatial = given.options(name), platform.get(Buildings).settings, platform.get(Spatial)
    old = await platform.records.read(lambda session: store.network(session, name))
    for owner in {options.owner, options.owner if old is None else old.owner} - {""}:
        require(caller, "pipe:write", owner)
    body = await request.body()

    def work() -> keeping.Read:
        return keeping.read(unpacked(body, limits.file_bytes), options, spatial.convert)

    found = await asyncio.to_thread(work)
    made, changed = await platform.records.write(lambda tx: keeping.keep(tx, name, found, options, body), caller.actor)
    language = preferred(accept_language)
    faults = [models.fault_out(fault, language) for fault in found.faults[:1000]]
    return {"network": msgspec.to_builtins(made), "changed": changed, "refused": len(found.faults), "faults": faults}


@router.get("/{name}")
async def get_network(platform: PlatformDep, _: _READ, name: _Name) -> dict[str, Any]:
    """A network."""
    made: dict[str, Any] = msgspec.to_builtins(await platform.records.read(lambda session: keeping.here(session, name)))
    return made


@router.delete("/{name}", status_code=204)
async def remove(platform: PlatformDep, caller: _WRITE, name: _Name) -> Response:
    """Take a network away."""
    old = await platform.records.read(lambda session: keeping.here(session, name))
    require(caller, "pipe:write", old.owner or None)
    await platform.records.write(lambda tx: keeping.remove(tx, name), caller.actor)
    return Response(status_code=204)


@router.get("/{name}/edges")
async def list_edges(
    platform: PlatformDep, _: _READ, name: _Name, cursor: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """The edges of a network by id."""
    keys = parse_cursor(cursor, str)
    await platform.records.read(lambda session: keeping.here(session, name))
    rows = await platform.records.read(lambda session: store.edges_page(session, name, keys[0] if keys else "", limit + 1))
    page = [msgspec.to_builtins(edge) for edge in rows[:limit]]
    return Page(items=page, next=behind(rows[limit - 1].id) if len(rows) > limit else None)


@router.get("/{name}/trace")
async def trace(
    platform: PlatformDep, _: _READ, name: _Name, node: _Id, direction: Literal["up", "down"] = "down"
) -> dict[str, Any]:
    """What lies up or down of a node."""
    buildings = platform.get(Buildings)
    found = await platform.records.read(lambda session: buildings.trace(session, name, node, direction))
    made: dict[str, Any] = msgspec.to_builtins(found)
    return made


@router.get("/{name}/isolation")
async def isolation(platform: PlatformDep, _: _READ, name: _Name, edge: _Id) -> dict[str, Any]:
    """The valves to close so that an edge can be worked on, and who loses supply then."""
    buildings = platform.get(Buildings)
    made: dict[str, Any] = msgspec.to_builtins(
        await platform.records.read(lambda session: buildings.isolate(session, name, edge))
    )
    return made


@router.get("/{name}/faults")
async def faults(platform: PlatformDep, _: _READ, name: _Name) -> Page[dict[str, Any]]:
    """What does not fit in a network: alone, loop, unsupplied, uphill, narrowing, dead_end."""
    buildings = platform.get(Buildings)
    found = await platform.records.read(lambda session: buildings.faults(session, name))
    return Page(items=[msgspec.to_builtins(fault) for fault in found])
