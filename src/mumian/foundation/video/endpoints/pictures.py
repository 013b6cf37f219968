"""Endpoints of pictures: snapshots, clips, playback by range, evidence, and who looked."""

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response

from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.video import store
from mumian.foundation.video.api import Video, Why
from mumian.foundation.video.contracts import Clip
from mumian.foundation.video.endpoints.bodies import LookIn, Purpose, RecordIn
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/video", tags=["video"])
_VIEW = Annotated[Caller, Depends(permit("camera:view"))]
_RECORD = Annotated[Caller, Depends(permit("camera:record"))]
_CODE = Annotated[str, Path(pattern="^[0-9]{20}$")]
_ID = Annotated[str, Path(pattern="^[0-9A-Za-z]{26,32}$")]
_PURPOSE = Annotated[Purpose, Query()]
_CURSOR = Annotated[str | None, Query(alias="cursor", max_length=400)]
_LIMIT = Annotated[int, Query(ge=1, le=MOST)]
_TIME = Annotated[datetime | None, Query()]
_PRIVATE = {"Cache-Control": "no-store"}
_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
_MP4: dict[int | str, dict[str, Any]] = {
    200: {"content": {"video/mp4": {}}},
    206: {"content": {"video/mp4": {}}},
    416: {"description": "The range lies outside of the clip."},
}
_RANGE = re.compile(r"^bytes=(\d{0,15})-(\d{0,15})$")


@router.post("/cameras/{code}/snapshot", response_class=Response, responses=_JPEG)
async def snapshot(platform: PlatformDep, caller: _VIEW, code: _CODE, body: LookIn) -> Response:
    """A picture of now (JPEG), privacy areas hidden; the look is in the evidence ledger before the picture leaves."""
    why = await _why(platform, caller, code, "camera:view", body)
    picture = await platform.get(Video).pictures.snapshot(code, body.at, why)
    return Response(picture, media_type="image/jpeg", headers=_PRIVATE)


@router.post("/cameras/{code}/clips", status_code=201)
async def record(platform: PlatformDep, caller: _RECORD, code: _CODE, body: RecordIn) -> dict[str, Any]:
    """Record a clip; answers when it is whole."""
    why = await _why(platform, caller, code, "camera:record", body)
    video = platform.get(Video)
    if body.seconds > video.settings.clip_seconds:
        raise Invalid.field("seconds", "field.range", expected=f"≤ {video.settings.clip_seconds}")
    return _shown(await video.pictures.record(code, body.at, body.seconds, why))


@router.put("/cameras/{code}/clips", status_code=201)
async def hand_in(
    platform: PlatformDep,
    caller: _RECORD,
    code: _CODE,
    purpose: _PURPOSE,
    begins: datetime,
    content: Annotated[bytes, Body(media_type="application/octet-stream")],
) -> dict[str, Any]:
    """Hand in a recording of a camera that has no privacy areas: they could not be hidden in it."""
    if begins.tzinfo is None:
        raise Invalid.field("begins", "field.type", expected="an instant with an offset from UTC, like 2014-01-02T03:04:05Z")
    look = LookIn(purpose=purpose)
    why = await _why(platform, caller, code, "camera:record", look)
    return _shown(await platform.get(Video).pictures.hand_in(code, begins, content, why))


@router.get("/clips")
async def list_clips(
    platform: PlatformDep,
    _: Annotated[Caller, Depends(permit("camera:read"))],
    camera: Annotated[str | None, Query(pattern="^[0-9]{20}$")] = None,
    since: _TIME = None,
    until: _TIME = None,
    cursor_text: _CURSOR = None,
    limit: _LIMIT = 100,
) -> Page[dict[str, Any]]:
    """The index of recordings, the newest first; those past their time are listed without content."""
    keys = parse_cursor(cursor_text, str, str)
    filters = {"camera": camera, "since": instant("since", since), "until": instant("until", until)}
    before = (keys[0], keys[1]) if keys else None
    found = await platform.records.read(lambda session: store.clips(session, filters, before, limit))
    following = cursor(found[-1].begins, found[-1].id) if len(found) == limit else None
    return Page(items=[_shown(clip) for clip in found], next=following)


@router.get("/clips/{id}/content", response_class=Response, responses=_MP4)
async def clip_content(
    platform: PlatformDep,
    caller: _VIEW,
    id: _ID,  # noqa: A002
    purpose: _PURPOSE,
    note: Annotated[str, Query(max_length=500, pattern=r"^[^\x00-\x1f]*$")] = "",
    range_text: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """A clip, whole or a range of its bytes (RFC 9110); every read is in the evidence ledger."""
    made = await platform.records.read(lambda session: store.clip(session, id))
    if made is None:
        raise NotFound(kind="clip", name=id)
    look = LookIn(purpose=purpose, note=note)
    why = await _why(platform, caller, made.camera, "camera:view", look, unmask=not made.masked)
    span = _span(range_text, made.bytes)
    headers = {**_PRIVATE, "Accept-Ranges": "bytes", "ETag": f'"{made.sha256}"'}
    if span is None:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{made.bytes}"})
    start, end = span
    _, content = await platform.get(Video).pictures.clip(id, why, start, end)
    if range_text is None or (start, end) == (0, None):
        return Response(content, media_type="video/mp4", headers=headers)
    headers["Content-Range"] = f"bytes {start}-{start + len(content) - 1}/{made.bytes}"
    return Response(content, 206, media_type="video/mp4", headers=headers)


@router.get("/cameras/{code}/looks")
async def list_looks(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("camera:audit"))],
    code: _CODE,
    cursor_text: _CURSOR = None,
    limit: _LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Who looked at this camera's pictures, when and for what, the newest first; each is an entry of the evidence ledger, too."""
    camera = await platform.records.read(lambda session: store.camera(session, code))
    if camera is None:
        raise NotFound(kind="camera", name=code)
    require(caller, "camera:audit", camera.owner)
    keys = parse_cursor(cursor_text, str)
    found = await platform.records.read(lambda session: store.looks(session, code, keys[0] if keys else None, limit))
    return Page(items=[msgspec.to_builtins(look) for look in found], next=cursor(found[-1].id) if len(found) == limit else None)


def instant(field: str, value: datetime | None) -> str | None:
    """An instant of a query as the records keep it; one without an offset is refused."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise Invalid.field(field, "field.type", expected="an instant with an offset from UTC, like 2014-01-02T03:04:05Z")
    try:
        return iso(value)
    except OverflowError:
        raise Invalid.field(field, "field.range", expected="0001 … 9999") from None


async def _why(platform: Platform, caller: Caller, code: str, action: str, look: LookIn, unmask: bool = False) -> Why:
    """Who looks for what, if they may on this camera; what was kept without masks needs the right to see it so."""
    camera = await platform.records.read(lambda session: store.camera(session, code))
    if camera is None:
        raise NotFound(kind="camera", name=code)
    require(caller, action, camera.owner)
    if look.unmasked or (unmask and camera.masks):
        require(caller, "camera:unmask", camera.owner)
    return Why(caller.actor, look.purpose, look.note, look.unmasked or (unmask and bool(camera.masks)))


def _span(text: str | None, size: int) -> tuple[int, int | None] | None:
    """The bytes that a Range header asks for; all where there is none or several are asked; None outside of the clip."""
    if text is None or "," in text:
        return 0, None
    found = _RANGE.match(text.strip())
    if found is None:
        return 0, None
    first, last = found.groups()
    if not first:
        count = int(last or 0)
        return (max(0, size - count), size - 1) if count else None
    start, end = int(first), int(last) if last else size - 1
    return (start, min(end, size - 1)) if start < size and end >= start else None


def _shown(clip: Clip) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(clip)
    plain["available"] = plain.pop("object") is not None
    return plain
