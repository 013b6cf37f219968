"""Premises over HTTP 四实: counts by building, address, unit and room, told by whoever holds the registers."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query

from mumian.foundation.buildings import models
from mumian.foundation.buildings.api import Buildings
from mumian.foundation.buildings.endpoints.asking import Cursor, Limit
from mumian.foundation.buildings.store import PREMISES
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor as behind
from mumian.kernel.web.paging import parse_cursor

router = APIRouter(prefix="/api/v1/foundation/buildings", tags=["buildings"])
_READ = Annotated[Caller, Depends(permit("premises:read"))]
_WRITE = Annotated[Caller, Depends(permit("premises:write"))]
_Word = Annotated[str | None, Query(max_length=80)]


@router.get("/premises")
async def list_premises(
    platform: PlatformDep,
    _: _READ,
    building: _Word = None,
    address: _Word = None,
    source: _Word = None,
    finding: _Word = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[dict[str, Any]]:
    """Premises by place; `finding` narrows to what visits found, an empty one to those that nobody visited."""
    given = {"building": building, "address": address, "source": source, "finding": finding}
    equal = {name: value for name, value in given.items() if value is not None}
    keys = parse_cursor(cursor, str)
    rows = await platform.records.read(lambda session: PREMISES.page(session, keys[0] if keys else "", limit + 1, equal))
    page = [msgspec.to_builtins(row) for row in rows[:limit]]
    return Page(items=page, next=behind(rows[limit - 1].code) if len(rows) > limit else None)


@router.post("/premises")
async def tell_premises(platform: PlatformDep, caller: _WRITE, body: models.PremisesList) -> dict[str, int]:
    """Tell counts of places; what the same source told of the same place before is replaced. No personal data."""
    rows = [item.model_dump() | {"as_of": item.as_of.isoformat(), "source": body.source} for item in body.items]
    buildings = platform.get(Buildings)
    added, changed, repeated = await platform.records.write(lambda tx: buildings.keep_premises(tx, rows), caller.actor)
    return {"added": added, "changed": changed, "repeated": repeated}
