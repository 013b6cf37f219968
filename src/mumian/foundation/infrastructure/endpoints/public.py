"""Endpoints for everybody: facilities of kinds that are declared public, with their live state, as a map shows them."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.api import Infrastructure
from mumian.foundation.infrastructure.endpoints import views
from mumian.foundation.infrastructure.endpoints.facilities import Cursor, Limit, Name
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/infrastructure", tags=["infrastructure"])
Looks = Annotated[Caller, Depends(permit("facility:look"))]


@router.get("/public")
async def public_map(
    platform: PlatformDep,
    _: Looks,
    kind: Name = None,
    district: Annotated[str | None, Query(max_length=12)] = None,
    bbox: Annotated[str | None, Query(max_length=200)] = None,
    after: Cursor = None,
    limit: Limit = 500,
) -> dict[str, Any]:
    """A GeoJSON FeatureCollection of public facilities in use; `next` leads to more."""
    infrastructure = platform.get(Infrastructure)
    public = {name: spec.public for name, spec in infrastructure.keeping.kinds().items() if spec.public is not None}
    chosen = {"state": "in_use", "district": district, "kinds": [k for k in public if kind in (None, k)], **views.box(bbox)}
    keys = parse_cursor(after, str)
    found = await platform.records.read(lambda s: store.page(s, chosen, keys[0] if keys else "", limit + 1))
    page = found[:limit]
    live = await asyncio.to_thread(infrastructure.looking.live, page, platform.clock.now())
    features = []
    for facility in page:
        fields = {name: facility.properties[name] for name in public[facility.kind] or () if name in facility.properties}
        told = {"kind": facility.kind, "name": facility.name, "operator": facility.operator, "address": facility.address}
        state = live.get(facility.code)
        shown = {} if state is None else {"status": state["status"], "status_title": state["title"], "status_time": state["time"]}
        place = None if facility.longitude is None else [facility.longitude, facility.latitude]
        geometry = None if place is None else {"type": "Point", "coordinates": place}
        features.append({"type": "Feature", "id": facility.code, "geometry": geometry, "properties": {**fields, **told, **shown}})
    following = cursor(page[-1].code) if len(found) > limit else None
    return {"type": "FeatureCollection", "features": features, "next": following}
