"""Endpoints for files: facilities brought in from CSV, XLSX and GeoJSON with a preview and a report, and taken out again."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.api import Infrastructure, Source
from mumian.foundation.infrastructure.contracts import Facility
from mumian.foundation.infrastructure.endpoints.facilities import Cursor, Filters, Limit, Name, Narrowed, Reads
from mumian.foundation.tables.api import csv_lines, described, fault_table, workbook
from mumian.kernel.i18n import preferred
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/infrastructure", tags=["infrastructure"])
Imports = Annotated[Caller, Depends(permit("facility:import"))]
Language = Annotated[str | None, Header(max_length=1000)]
Id = Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE = {"schema": {"type": "string", "format": "binary"}}
_KINDS = {"text/csv": _FILE, _XLSX: _FILE, "application/geo+json": _FILE, "application/octet-stream": _FILE}
_BODY = {"requestBody": {"required": True, "content": _KINDS}}
_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
COLUMNS = "code kind name owner operator address longitude latitude district state built devices ends plane note".split()
_PAGE = 2000
_SHOWN = 1000
_MOST = 200_000


class Upload:
    """A file sent as the body of a request: what it is called, and kind and owner for rows that name none."""

    def __init__(
        self,
        file: Annotated[str, Query(min_length=1, max_length=200, description="The name of the file.")] = "facilities",
        kind: Name = None,
        owner: Name = None,
        crs: Annotated[
            str, Query(max_length=100, description="The system of its positions: CRS84 (WGS 84), GCJ-02, BD-09, EPSG:4547 …")
        ] = "CRS84",
    ) -> None:
        self._crs = crs
        self._file = re.sub(r"[\x00-\x1f\x7f]", "", file) or "facilities"
        self._defaults = {name: given for name, given in (("kind", kind), ("owner", owner)) if given}

    async def source(self, request: Request) -> Source:
        """The file with the request's body."""
        return Source(await request.body(), self._file, self._defaults, self._crs)


Sent = Annotated[Upload, Depends()]


@router.post("/imports/preview", openapi_extra=_BODY)
async def preview_import(
    platform: PlatformDep, caller: Imports, upload: Sent, request: Request, accept_language: Language = None
) -> dict[str, Any]:
    """What a file would do: how many facilities it would make or change, and every row that is not right."""
    importing = platform.get(Infrastructure).importing
    report = await importing.preview(await upload.source(request), allowed(caller))
    return report.as_dict(preferred(accept_language), _SHOWN)


@router.post("/imports", status_code=201, openapi_extra=_BODY)
async def import_facilities(
    platform: PlatformDep, caller: Imports, upload: Sent, request: Request, accept_language: Language = None
) -> dict[str, Any]:
    """Bring a file in: good rows in, bad rows out and told; the same file again changes nothing."""
    importing = platform.get(Infrastructure).importing
    report = await importing.run(await upload.source(request), allowed(caller), caller.actor)
    return report.as_dict(preferred(accept_language), _SHOWN)


@router.get("/imports")
async def list_imports(platform: PlatformDep, _: Imports, after: Cursor = None, limit: Limit = 100) -> Page[dict[str, Any]]:
    """Imports, the newest first."""
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda session: store.imports(session, keys[0] if keys else None, limit + 1))
    page = rows[:limit]
    return Page(items=page, next=cursor(page[-1]["id"]) if len(rows) > limit else None)


@router.get("/imports/{id}")
async def get_import(platform: PlatformDep, _: Imports, id: Id, accept_language: Language = None) -> dict[str, Any]:  # noqa: A002
    """One import with its faults."""
    row, faults = await platform.records.read(lambda session: store.find_import(session, id))
    language = preferred(accept_language)
    return {**row, "faults": [described(fault, language) for fault in faults[:_SHOWN]]}


@router.get("/imports/{id}/faults.csv", response_class=Response, responses=_CSV)
async def import_faults(platform: PlatformDep, _: Imports, id: Id, accept_language: Language = None) -> Response:  # noqa: A002
    """The faults of an import as a table: line, column, value, fault, fix."""
    row, faults = await platform.records.read(lambda session: store.find_import(session, id))
    text = fault_table(faults, preferred(accept_language))
    return Response(text, media_type="text/csv", headers=_attachment(f"{row['file']}-faults.csv"))


@router.get("/exports/facilities.csv", response_class=StreamingResponse, responses=_CSV)
async def export_csv(platform: PlatformDep, _: Reads, filters: Narrowed) -> StreamingResponse:
    """Facilities as CSV that a spreadsheet opens safely and that can be imported again."""
    pages = _exported(platform, filters, lambda rows, first: ("\ufeff" if first else "") + csv_lines(rows))
    return StreamingResponse(pages, media_type="text/csv", headers=_attachment("facilities.csv"))


@router.get("/exports/facilities.xlsx", response_class=Response, responses={200: {"content": {_XLSX: _FILE}}})
async def export_workbook(platform: PlatformDep, _: Reads, filters: Narrowed) -> Response:
    """Facilities as a workbook, at most 200,000."""
    rows: list[list[Any]] = []
    async for page in _exported(platform, filters, lambda rows, _: rows):
        rows += page
        if len(rows) > _MOST:
            break
    content = await asyncio.to_thread(workbook, rows[: _MOST + 1])
    return Response(content, media_type=_XLSX, headers=_attachment("facilities.xlsx"))


@router.get(
    "/exports/facilities.geojson", response_class=StreamingResponse, responses={200: {"content": {"application/geo+json": {}}}}
)
async def export_geojson(platform: PlatformDep, _: Reads, filters: Narrowed) -> StreamingResponse:
    """Facilities as a GeoJSON FeatureCollection that can be imported again."""

    async def pages() -> AsyncIterator[str]:
        yield '{"type":"FeatureCollection","features":['
        after = comma = ""
        while found := await platform.records.read(lambda s, after=after: filters.page(s, after, _PAGE)):  # type: ignore[misc]
            yield comma + ",".join(json.dumps(_feature(facility), ensure_ascii=False) for facility in found)
            after, comma = found[-1].code, ","
        yield "]}"

    return StreamingResponse(pages(), media_type="application/geo+json", headers=_attachment("facilities.geojson"))


def allowed(caller: Caller) -> Callable[[str], bool]:
    """Whether the caller may bring in facilities of an owner."""
    return lambda owner: caller.allowed("facility:import", owner) and caller.allowed("facility:write", owner)


def _feature(facility: Facility) -> dict[str, Any]:
    point = [facility.longitude, facility.latitude]
    geometry = None if facility.longitude is None else {"type": "Point", "coordinates": point}
    members = {name: getattr(facility, name) for name in COLUMNS if name not in ("longitude", "latitude", "district")}
    return {
        "type": "Feature",
        "id": facility.code,
        "geometry": geometry,
        "properties": {**members, "properties": facility.properties},
    }


async def _exported(platform: Platform, filters: Filters, write: Callable[[list[list[Any]], bool], Any]) -> AsyncIterator[Any]:
    """Facilities page by page as rows, the header first; the properties of all kinds stand behind."""
    keys = sorted({key for spec in platform.get(Infrastructure).keeping.kinds().values() for key in spec.fields})
    yield write([[*COLUMNS, *keys]], True)
    after = ""
    while found := await platform.records.read(lambda s, after=after: filters.page(s, after, _PAGE)):  # type: ignore[misc]
        yield write([_cells(facility, keys) for facility in found], False)
        after = found[-1].code


def _cells(facility: Facility, keys: list[str]) -> list[Any]:
    values = [*(getattr(facility, name) for name in COLUMNS), *(facility.properties.get(key) for key in keys)]
    return ["; ".join(map(str, value)) if isinstance(value, list) else value for value in values]


def _attachment(name: str) -> dict[str, str]:
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}
