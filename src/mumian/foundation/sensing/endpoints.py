"""Endpoints of sensing: the list of streams, and the SensorThings face."""

import asyncio
from collections.abc import Callable
from math import isnan
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.types import ASGIApp

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.charts.endpoints import router as charts
from mumian.foundation.sensing.contracts import StreamInfo
from mumian.foundation.sensing.flags import names_of
from mumian.foundation.sensing.mqtt.endpoints import router as mqtt
from mumian.foundation.sensing.rules import instant
from mumian.foundation.sensing.sta.app import PREFIX, SensorThings
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/sensing", tags=["sensing"])
router.include_router(charts)
router.include_router(mqtt)
MOUNTS: list[tuple[str, Callable[[Platform], ASGIApp]]] = [(PREFIX, SensorThings)]


class LatestView(BaseModel):
    """The newest observation of a stream; a missing result is null, `flags` say what speaks against it."""

    time: str
    result: float | None
    flags: list[str]


class StreamView(BaseModel):
    """A stream with its newest observation."""

    id: int
    name: str
    title: dict[str, str]
    observed_property: str
    unit: str
    owner: str | None
    thing: str
    longitude: float | None
    latitude: float | None
    frequency_seconds: int | None
    origin: str
    latest: LatestView | None


@router.get("/streams")
async def streams(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("stream:read"))],
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> Page[StreamView]:
    """The streams that take observations, by id, each with its newest observation."""
    sensing = platform.get(Sensing)
    keys = parse_cursor(after, int)
    known = await asyncio.to_thread(sensing.page, keys[0] if keys else 0, limit + 1)
    shown = known[:limit]
    latest = sensing.latest([info.id for info in shown])
    columns = zip(latest.times.tolist(), latest.results.tolist(), latest.flags.tolist(), strict=True)
    newest = dict(zip(latest.streams.tolist(), columns, strict=True))
    items = [_view(info, newest.get(info.id)) for info in shown]
    return Page(items=items, next=cursor(shown[-1].id) if len(known) > limit else None)


def _view(info: StreamInfo, newest: tuple[int, float, int] | None) -> StreamView:
    latest = None
    if newest is not None:
        time, result, flags = newest
        latest = LatestView(time=iso(instant(time)), result=None if isnan(result) else result, flags=names_of(flags))
    fields = {name: getattr(info, name) for name in StreamView.model_fields if name != "latest"}
    return StreamView(**fields, latest=latest)
