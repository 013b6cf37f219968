"""Endpoints of warnings: the list of those that are active and those that were."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from mumian.brain.warnings import store
from mumian.brain.warnings.cap.endpoints import router as cap
from mumian.brain.warnings.routing.endpoints import router as routing
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import MOST, Page, cursor, parse_cursor

_own = APIRouter(prefix="/api/v1/brain/warnings", tags=["brain"])
_READ = Annotated[Caller, Depends(permit("warning:read"))]


@_own.get("")
async def list_warnings(
    platform: PlatformDep,
    _: _READ,
    state: Literal["active", "lifted"] | None = None,
    cursor_text: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[dict[str, Any]]:
    """Warnings, the newest first."""
    keys = parse_cursor(cursor_text, str, str)
    before = (keys[0], keys[1]) if keys else None
    rows = await platform.records.read(lambda session: store.page(session, state, before, limit))
    following = cursor(rows[-1]["raised_at"], rows[-1]["id"]) if len(rows) == limit else None
    return Page(items=[_shown(row) for row in rows], next=following)


def _shown(row: Row) -> dict[str, Any]:
    shown = {**row, "title": json.loads(row["title"]), "label": json.loads(row["label"]), "subject": row["key"]}
    del shown["key"]
    return shown


_own.include_router(routing)
router = APIRouter()
router.include_router(cap)
router.include_router(_own)
