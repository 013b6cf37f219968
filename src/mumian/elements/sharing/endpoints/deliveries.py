"""Deliveries over HTTP: setting them up, stopping them, and changes as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import Answer, Gate, Limits
from mumian.elements.sharing.api import Asked, Sharing, request_digest
from mumian.elements.sharing.delivery import hooks, pages
from mumian.elements.sharing.delivery.setting_up import SettingUp
from mumian.elements.sharing.endpoints.bodies import DeliveryView, view
from mumian.elements.sharing.errors import OtherWay
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import MumianError
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep

router = APIRouter()
User = Annotated[Caller, Depends(permit("grant:use"))]
Reader = Annotated[Caller, Depends(permit("sharing:read"))]
Id = Annotated[str, Path(max_length=80)]
_USES = permit("grant:use")
_PAGE = 500
_LOOK = 1.0
_HEARTBEAT = 15.0


class DeliveryBody(BaseModel):
    """Where rows shall go: a table of a PushTarget, or an address that takes webhooks."""

    model_config = ConfigDict(extra="forbid")
    way: Literal["push", "webhook"]
    address: str = Field(min_length=1, max_length=1000)
    place: str = Field("", max_length=63)


class DeliveryMade(DeliveryView):
    """A delivery just set up; `secret` is what webhooks are signed with (Standard Webhooks, v1), shown this once."""

    secret: str | None


class DeliveryStepBody(BaseModel):
    """Stop, or start again."""

    model_config = ConfigDict(extra="forbid")
    action: Literal["stop", "start"]


@router.post("/grants/{grant_id}/deliveries", status_code=201)
async def make(platform: PlatformDep, caller: User, grant_id: Id, body: DeliveryBody) -> DeliveryMade:
    """Have a grant's rows delivered: those that are there, and then those of every load."""
    setting_up = SettingUp(platform, platform.get(Sharing).terms)
    made = await platform.records.write(
        lambda tx: setting_up.make(tx, caller, grant_id, body.way, body.address, body.place), caller.actor
    )
    key = platform.get(Gate).keys.key(f"webhook:{made.number}") if body.way == "webhook" else None
    return DeliveryMade(**view(made), secret=None if key is None else hooks.secret(key))


@router.get("/grants/{grant_id}/deliveries")
async def deliveries(platform: PlatformDep, caller: Reader, grant_id: Id) -> list[DeliveryView]:
    """The deliveries of a grant, and how far they are."""
    found = await platform.records.read(lambda session: SettingUp.list(session, caller, grant_id))
    return [DeliveryView(**view(each)) for each in found]


@router.post("/deliveries/{number}/steps")
async def step(platform: PlatformDep, caller: User, number: Id, body: DeliveryStepBody) -> DeliveryView:
    """Stop a delivery, or start it again from where it was."""
    setting_up = SettingUp(platform, platform.get(Sharing).terms)
    moved = await platform.records.write(lambda tx: setting_up.step(tx, caller, number, body.action), caller.actor)
    return DeliveryView(**view(moved))


@router.get("/grants/{grant_id}/changes", response_class=StreamingResponse)
async def changes(
    request: Request,
    platform: PlatformDep,
    caller: User,
    grant_id: Id,
    purpose: Annotated[str, Query(max_length=80)],
    after: Annotated[int | None, Query(ge=0, lt=2**62, description="The last row had; empty: rows from now on.")] = None,
) -> StreamingResponse:
    """New rows as server-sent events `rows`, a page at a time; `Last-Event-ID` or `after` resumes behind the last row had."""
    grant, _ = await platform.get(Sharing).reading.open(caller, grant_id)
    if grant.way != "events":
        raise OtherWay.field("way", "sharing.way", way=grant.way)
    last = request.headers.get("last-event-id", "")
    position = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else after
    target = request.url.path + ("?" + request.url.query if request.url.query else "")
    asked = Asked(caller, grant_id, purpose, request_digest("GET", target, b""))
    begun = await _last(platform, grant.dataset) if position is None else position
    stream = _changes(platform, request, asked, begun)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _changes(platform: Platform, request: Request, asked: Asked, position: int) -> AsyncIterator[bytes]:
    """Ends when the caller may use the grant no more, or its quota is used up: the last event says why."""
    beat = time.monotonic() + _HEARTBEAT
    yield b"retry: 2000\n\n"
    while True:
        try:
            await _USES(request)
            grant, _ = await platform.get(Sharing).reading.open(asked.caller, asked.grant)
            if await _last(platform, grant.dataset) > position:
                content, position = await _next(platform, asked, position)
                yield content
                continue
        except MumianError as error:
            yield b"event: end\ndata: %s\n\n" % msgspec.json.encode({"key": error.key, "detail": str(error)})
            return
        if time.monotonic() > beat:
            yield b": still here\n\n"
            beat = time.monotonic() + _HEARTBEAT
        await asyncio.sleep(_LOOK)


async def _next(platform: Platform, asked: Asked, position: int) -> tuple[bytes, int]:
    sharing = platform.get(Sharing)
    grant, _ = await sharing.reading.open(asked.caller, asked.grant)
    declared = [field.name for field in sharing.terms.dataset(grant.dataset).fields]
    reached = [position]

    def write(answer: Answer) -> bytes:
        page = pages.Page.of(answer)
        reached[0] = page.last or position
        data: dict[str, Any] = {
            "columns": [column.name for column in page.columns[2:]],
            "rows": [row[2:] for row in page.rows],
            "load": page.rows[-1][1] if page.rows else None,
        }
        return b"id: %d\nevent: rows\ndata: %s\n\n" % (reached[0], msgspec.json.encode(data))

    limits = Limits(rows=_PAGE, seconds=platform.get(Gate).settings.seconds)
    sql, params = pages.sql(grant, declared, _PAGE, 0), {"after": position}
    content, _proof = await sharing.query(asked, sql, limits, write, params)
    if reached[0] == position:
        # None of the new rows is for this grant: do not look at them again.
        reached[0] = await _last(platform, grant.dataset)
    return content, reached[0]


async def _last(platform: Platform, dataset: str) -> int:
    """The `_id` of the last row that was ever loaded into a dataset."""
    return await platform.records.read(lambda session: platform.get(Tables).last_row(session, dataset))
