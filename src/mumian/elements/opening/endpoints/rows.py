"""Rows and files over HTTP: records with filters, and downloads with ETag and ranges."""

import re
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from mumian.elements.opening.api import Asker, Opening, Question
from mumian.elements.opening.endpoints.datasets import Name, address, peer
from mumian.elements.opening.rules.asking import Refused, parse_sort
from mumian.elements.opening.rules.formats import FORMS
from mumian.elements.opening.service.making import Making, ready, stream
from mumian.elements.opening.store import records
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Fault, Forbidden, Invalid, NotFound
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("open:download"))]
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_MEDIA: dict[str, Any] = {"content": {form.media: {} for form in FORMS.values()}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", **_MEDIA},
    206: {"description": "The part that was asked for.", **_MEDIA},
    304: {"description": "It is as the caller has it."},
    416: {"description": "The file is not that long."},
}
_UPLOADED: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": {"*/*": {}}}}


class RecordsView(BaseModel):
    """One page of rows; `total` counts all that match."""

    items: list[dict[str, Any]]
    next: str | None
    total: int | None
    fields: dict[str, str]


@router.get("/datasets/{name}/records")
async def rows(
    platform: PlatformDep,
    caller: Reader,
    request: Request,
    name: Name,
    filters: Annotated[
        str | None, Query(max_length=20_000, description="JSON: a value or a list of values for each field.")
    ] = None,
    q: Annotated[str, Query(max_length=500)] = "",
    fields: Annotated[str | None, Query(max_length=20_000)] = None,
    sort: Annotated[str, Query(max_length=2000)] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    total: bool = True,
) -> RecordsView:
    """Rows by filters and words, in the order asked for; with a key (a token of identity) more requests are let through."""
    opening = platform.get(Opening)
    opening.admit(caller, peer(request))
    await opening.opened.dataset(name, caller)
    info = await opening.asking.table(name)
    asker = Asker(caller)
    keys = parse_cursor(after, int)
    start = 0 if keys is None else max(keys[0], 0)
    order = _refused(lambda: parse_sort(sort))
    question = Question(
        filters=_filters(filters),
        words={None: q} if q.strip() else {},
        fields=None if fields is None else ["_id", *(part.strip() for part in fields.split(",") if part.strip() != "_id")],
        sort=order,
        limit=limit,
        offset=start if order else 0,
        after=None if order or keys is None else start,
    )
    try:
        found = await opening.asking.rows(asker, info, question, total)
    except Refused as error:
        raise _fault(error) from None
    except Forbidden as error:
        raise await opening.opened.explained(name, error) from None
    opening.counting.count(name, "records")
    names = [column.name for column in found.answer.columns]
    items = [dict(zip(names, row, strict=True)) for row in found.answer.rows]
    following = None
    if len(items) == limit:
        following = cursor(start + limit) if order else cursor(int(items[-1]["_id"]))
    types = {column.name: column.type for column in found.answer.columns}
    return RecordsView(items=items, next=following, total=found.total, fields=types)


@router.get("/datasets/{name}/data.{ending}", responses=_FILE, response_class=Response)
@router.head("/datasets/{name}/data.{ending}", include_in_schema=False)
async def file(
    platform: PlatformDep,
    caller: Reader,
    request: Request,
    name: Name,
    ending: Annotated[str, Path(max_length=20)],
    bom: Annotated[bool, Query(description="Whether CSV begins with a byte order mark, as spreadsheets like it.")] = False,
) -> Response:
    """All rows of a dataset as a file: csv, xlsx, json, jsonl, parquet, geojson, nt or ttl."""
    opening = platform.get(Opening)
    opening.admit(caller, peer(request))
    asker = Asker(caller)
    made = await opening.opened.file(name, ending, asker, address(request), bom and ending == "csv")
    etag = f'"{made.etag}"'
    private = not caller.anonymous
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache" if private else "public, no-cache",
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{ending}')}",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range")
    if asked is not None and request.headers.get("if-range", etag) == etag:
        await ready(made)
    if request.method == "GET" and asked is None:
        opening.counting.count(name, ending)
    return await _answer(made, headers, request.method, asked if request.headers.get("if-range", etag) == etag else None)


@router.get("/files/{resource}/{name}", responses=_UPLOADED, response_class=Response)
async def uploaded(
    platform: PlatformDep, caller: Reader, request: Request, resource: Annotated[str, Path(max_length=100)], name: Name
) -> Response:
    """A file that was uploaded as a resource over CKAN's API."""
    opening = platform.get(Opening)
    opening.admit(caller, peer(request))
    package = await platform.records.read(lambda session: records.package_of(session, resource))
    row = await platform.records.read(lambda session: records.file(session, resource))
    if package is None or row is None:
        raise NotFound(kind="File", name=resource)
    found = await opening.opened.dataset(package, caller)
    if found.opened != "unconditional" and not caller.allowed("row:read", found.owner):
        raise Forbidden(action="row:read")
    opening.counting.count(package, "file")
    from starlette.responses import FileResponse

    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['name'])}", "ETag": f'"{row["sha256"][:40]}"'}
    return FileResponse(platform.home / row["path"], media_type=row["media"], headers=headers)


async def _answer(made: Making, headers: dict[str, str], method: str, asked: str | None) -> Response:
    media = made.form.media + ("; charset=utf-8" if made.form.media.startswith("text/") else "")
    start, end, status = 0, None, 200
    if method == "HEAD":
        await ready(made)
    if made.done.is_set():
        await ready(made)
        length = made.length
        start, end, status = 0, length, 200
        if asked is not None:
            part = _range(asked, length)
            if part is None:
                return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{length}"})
            (start, end), status = part, 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{length}"
        headers["Content-Length"] = str(end - start)
    if method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media)
    if not made.form.growing:
        await ready(made)
    return StreamingResponse(stream(made, start, end), status, headers, media)


def _range(asked: str, length: int) -> tuple[int, int] | None:
    """The bytes of a Range header (RFC 9110 section 14), one range only; None where it cannot be met."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or (not match[1] and not match[2]):
        return (0, length) if match is None else None
    if not match[1]:
        start, end = max(length - int(match[2]), 0), length
    else:
        start = int(match[1])
        end = min(int(match[2]) + 1, length) if match[2] else length
    return (start, end) if start < end else None


def _filters(text: str | None) -> dict[str, list[Any]]:
    if text is None:
        return {}
    try:
        given = msgspec.json.decode(text, type=dict[str, list[str | int | float | bool | None] | str | int | float | bool | None])
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Invalid.field("filters", "opening.filters") from None
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def _refused(work: Any) -> Any:
    try:
        return work()
    except Refused as error:
        raise _fault(error) from None


def _fault(error: Refused) -> Invalid:
    return Invalid(Fault(error.part, "opening.question", {"value": error.value}))
