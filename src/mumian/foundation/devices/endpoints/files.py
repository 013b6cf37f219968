"""Endpoints for files: devices brought in from CSV and XLSX with a preview and a report, and taken out again."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from mumian.foundation.devices import store
from mumian.foundation.devices.api import Devices, Source
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.endpoints.ledger import Cursor, Limit, Name, Narrowed, Reads
from mumian.foundation.devices.service import files
from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.tables.api import csv_lines, described, fault_table, workbook
from mumian.kernel.i18n import preferred
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/devices", tags=["devices"])
Imports = Annotated[Caller, Depends(permit("device:import"))]
Language = Annotated[str | None, Header(max_length=1000)]
Id = Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": {"text/csv": _FILE, _XLSX: _FILE, "application/octet-stream": _FILE}}}
AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {_XLSX: _FILE}}}
COLUMNS = (
    "code kind name model maker serial owner operator address grid district longitude latitude state installed maintained "
    "retired firmware share note due"
).split()
_PAGE = 2000
_SHOWN = 1000
_MOST = 200_000


class Upload:
    """A file sent as the body of a request: what it is called, and kind and owner for rows that name none."""

    def __init__(
        self,
        file: Annotated[str, Query(min_length=1, max_length=200, description="The name of the file.")] = "devices",
        kind: Name = None,
        owner: Name = None,
        crs: Annotated[
            str, Query(max_length=100, description="The system of its positions: CRS84 (WGS 84), GCJ-02, BD-09, EPSG:4547 …")
        ] = "CRS84",
    ) -> None:
        self._crs = crs
        self._file = re.sub(r"[\x00-\x1f\x7f]", "", file) or "devices"
        self._defaults = {name: given for name, given in (("kind", kind), ("owner", owner)) if given}

    async def source(self, request: Request) -> Source:
        """The file with the request's body."""
        return Source(await request.body(), self._file, self._defaults, self._crs)


@router.post("/imports/preview", openapi_extra=_BODY)
async def preview_import(
    platform: PlatformDep,
    caller: Imports,
    upload: Annotated[Upload, Depends()],
    request: Request,
    accept_language: Language = None,
) -> dict[str, Any]:
    """What a file would do: what its columns are taken for, how many devices it would make, and every row that is not right."""
    importing = platform.get(Devices).importing
    report = await importing.preview(await upload.source(request), allowed(caller))
    return report.as_dict(preferred(accept_language), _SHOWN)


@router.post("/imports", status_code=201, openapi_extra=_BODY)
async def import_devices(
    platform: PlatformDep,
    caller: Imports,
    upload: Annotated[Upload, Depends()],
    request: Request,
    accept_language: Language = None,
) -> dict[str, Any]:
    """Bring a file of devices in: good rows in, bad rows out and told; the same file again changes nothing."""
    importing = platform.get(Devices).importing
    report = await importing.run(await upload.source(request), allowed(caller), caller.actor)
    return report.as_dict(preferred(accept_language), _SHOWN)


@router.get("/imports")
async def list_imports(platform: PlatformDep, _: Imports, after: Cursor = None, limit: Limit = 100) -> Page[dict[str, Any]]:
    """Imports, the newest first."""
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda session: files.page(session, keys[0] if keys else None, limit + 1))
    page = rows[:limit]
    return Page(items=page, next=cursor(page[-1]["id"]) if len(rows) > limit else None)


@router.get("/imports/{id}")
async def get_import(platform: PlatformDep, _: Imports, id: Id, accept_language: Language = None) -> dict[str, Any]:  # noqa: A002
    """One import with its faults."""
    row, faults = await platform.records.read(lambda session: files.find(session, id))
    language = preferred(accept_language)
    return {**row, "faults": [described(fault, language) for fault in faults[:_SHOWN]]}


@router.get("/imports/{id}/faults.csv", response_class=Response, responses=AS_CSV)
async def import_faults(platform: PlatformDep, _: Imports, id: Id, accept_language: Language = None) -> Response:  # noqa: A002
    """The faults of an import as a table: line, column, value, fault, fix."""
    row, faults = await platform.records.read(lambda session: files.find(session, id))
    text = fault_table(faults, preferred(accept_language))
    return Response(text, media_type="text/csv", headers=attachment(f"{row['file']}-faults.csv"))


@router.get("/exports/devices.csv", response_class=StreamingResponse, responses=AS_CSV)
async def export_devices(platform: PlatformDep, _: Reads, filters: Narrowed) -> StreamingResponse:
    """Devices as CSV that a spreadsheet opens safely and that can be imported again."""
    pages = exported(platform, filters.chosen, lambda rows, first: ("\ufeff" if first else "") + csv_lines(rows))
    return StreamingResponse(pages, media_type="text/csv", headers=attachment("devices.csv"))


@router.get("/exports/devices.xlsx", response_class=Response, responses=_WORKBOOK)
async def export_workbook(platform: PlatformDep, _: Reads, filters: Narrowed) -> Response:
    """Devices as a workbook, at most 200,000."""
    import asyncio

    rows: list[list[Any]] = []
    async for page in exported(platform, filters.chosen, lambda rows, _: rows):
        rows += page
        if len(rows) > _MOST:
            break
    content = await asyncio.to_thread(workbook, rows[: _MOST + 1])
    return Response(content, media_type=_XLSX, headers=attachment("devices.xlsx"))


def allowed(caller: Caller) -> Callable[[str], bool]:
    """Whether the caller may bring in devices of an owner."""
    return lambda owner: caller.allowed("device:import", owner) and caller.allowed("device:write", owner)


async def exported(
    platform: Platform, filters: dict[str, Any], write: Callable[[list[list[Any]], bool], Any]
) -> AsyncIterator[Any]:
    """Devices page by page as rows, the header first; the properties of all kinds stand behind."""
    keys = sorted({key for spec in platform.get(Devices).lives.kinds().values() for key in spec.properties})
    yield write([[*COLUMNS, *keys]], True)
    after = ""
    while found := await platform.records.read(lambda session, after=after: store.page(session, filters, after, _PAGE)):  # type: ignore[misc]
        yield write([_cells(device, keys) for device, _ in found], False)
        after = found[-1][0].code


def _cells(device: Device, keys: list[str]) -> list[Any]:
    return [*(getattr(device, name) for name in COLUMNS), *(device.properties.get(key) for key in keys)]


def attachment(name: str) -> Row:
    """The header that lets a browser keep an answer as a file."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}
