"""Endpoints of analysis: detections with their evidence, and how tasks stand on cameras."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.video import store
from mumian.foundation.video.api import Detection, Video, Why
from mumian.foundation.video.endpoints.bodies import Purpose
from mumian.foundation.video.endpoints.pictures import instant
from mumian.foundation.video.service.analysis import MISSING
from mumian.foundation.video.service.errands import installed
from mumian.kernel.errors import NotFound
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/video", tags=["video"])
_READ = Annotated[Caller, Depends(permit("detection:read"))]
_ID = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.get("/detections")
async def list_detections(
    platform: PlatformDep,
    _: _READ,
    camera: Annotated[str | None, Query(pattern="^[0-9]{20}$")] = None,
    task: Annotated[str | None, Query(min_length=1, max_length=80)] = None,
    since: Annotated[datetime | None, Query()] = None,
    until: Annotated[datetime | None, Query()] = None,
    cursor_text: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[dict[str, Any]]:
    """What tasks found, the newest first; `since` and `until` are instants (ISO 8601)."""
    keys = parse_cursor(cursor_text, str, str)
    filters = {"camera": camera, "task": task, "since": instant("since", since), "until": instant("until", until)}
    before = (keys[0], keys[1]) if keys else None
    found = await platform.records.read(lambda session: store.detections(session, filters, before, limit))
    following = cursor(found[-1].time, found[-1].id) if len(found) == limit else None
    return Page(items=[_shown(detection) for detection in found], next=following)


@router.get("/detections/{id}")
async def get_detection(platform: PlatformDep, _: _READ, id: _ID) -> dict[str, Any]:  # noqa: A002
    """One detection."""
    return _shown(await _found(platform, id))


@router.get("/detections/{id}/picture", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def detection_picture(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("camera:view"))],
    id: _ID,  # noqa: A002
    purpose: Annotated[Purpose, Query()],
    note: Annotated[str, Query(max_length=500, pattern=r"^[^\x00-\x1f]*$")] = "",
    unmasked: bool = False,
) -> Response:
    """The evidence picture (JPEG); the look is in the evidence ledger before the picture leaves."""
    found = await _found(platform, id)
    require(caller, "camera:view", found.owner)
    if unmasked:
        require(caller, "camera:unmask", found.owner)
    picture = await platform.get(Video).pictures.evidence(id, Why(caller.actor, purpose, note, unmasked))
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.get("/tasks")
async def list_tasks(platform: PlatformDep, _: _READ) -> dict[str, Any]:
    """Every analytic task with its state on each camera, and the workers; `missing` says what must be installed."""
    runs = await platform.records.read(store.runs)
    by_task: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        by_task.setdefault(run.pop("task"), []).append(run)
    tasks = [
        {"name": d.name, "title": d.title, "version": d.version, "algorithm": d.spec.algorithm, "runs": by_task.get(d.name, [])}
        for d in platform.declarations.all("AnalyticTask")
    ]
    return {"items": tasks, "missing": None if installed() else MISSING, **platform.get(Video).analysis.state()}


async def _found(platform: PlatformDep, id_: str) -> Detection:
    found = await platform.records.read(lambda session: store.detection(session, id_))
    if found is None:
        raise NotFound(kind="detection", name=id_)
    return found


def _shown(detection: Detection) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(detection)
    plain["picture"] = plain["picture"] is not None
    return plain
