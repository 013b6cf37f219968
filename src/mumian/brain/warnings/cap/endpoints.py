"""CAP over HTTP: an Atom feed of what went out, each message as XML, and the door for messages of other authorities."""

import xml.etree.ElementTree as ET
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from mumian.brain.warnings.cap import receiving, store
from mumian.brain.warnings.settings import WarningsSettings
from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound, TooLarge
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(tags=["CAP"])
_Reader = Annotated[Caller, Depends(permit("warning:read"))]
_Authority = Annotated[Caller, Depends(permit("warning:receive"))]
_ATOM = "http://www.w3.org/2005/Atom"
_CAP = "application/cap+xml"
_MOST_BYTES = 512 * 1024
_ENTRIES = 200


class ReceivedView(BaseModel):
    """A message of another authority; `replaced_by` refers to the later message that updates or cancels it."""

    identifier: str
    sender: str
    status: str
    message_type: str
    event: str
    severity: str
    headline: str
    area: str
    expires: str | None
    received: str
    replaced_by: str | None


@router.get("/cap/feed.atom", response_class=Response, responses={200: {"content": {"application/atom+xml": {}}}})
async def feed(request: Request, platform: PlatformDep, _: _Reader) -> Response:
    """The newest 200 messages as an Atom feed (RFC 4287)."""
    rows = await platform.records.read(lambda session: store.newest(session, _ENTRIES))
    city = platform.get(Spatial).city()
    base = WarningsSettings().cap_url or str(request.base_url).rstrip("/")
    updated = rows[0]["sent"] if rows else iso(platform.clock.now())
    return Response(_atom(rows, base, city.title["zh"] if city else "Mumian", updated), media_type="application/atom+xml")


@router.get("/cap/{identifier}.xml", response_class=Response, responses={200: {"content": {_CAP: {}}}})
async def message(platform: PlatformDep, _: _Reader, identifier: str) -> Response:
    """One message, as it went out."""
    row = await platform.records.read(lambda session: store.message(session, identifier))
    if row is None:
        raise NotFound(kind="CAP message", name=identifier)
    return Response(row["content"].encode(), media_type=_CAP)


_BODY = {"requestBody": {"required": True, "content": {_CAP: {"schema": {"type": "string"}}}}}


@router.post("/cap", status_code=201, openapi_extra=_BODY, responses={200: {"model": ReceivedView}})
async def receive(request: Request, platform: PlatformDep, caller: _Authority, response: Response) -> ReceivedView:
    """Take in a CAP 1.2 message; one that is known already is answered with 200."""
    content = await request.body()
    if len(content) > _MOST_BYTES:
        raise TooLarge(limit=_MOST_BYTES)
    alert = receiving.parse(content)
    row, fresh = await platform.records.write(lambda tx: receiving.receive(tx, alert, content), caller.actor)
    response.status_code = 201 if fresh else 200
    return _view(row)


@router.get("/api/v1/brain/warnings/received")
async def received(
    platform: PlatformDep,
    _: _Reader,
    active: bool = False,
    after: Annotated[str | None, Query(alias="cursor", max_length=900)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[ReceivedView]:
    """Messages of other authorities, newest first; `active`: only those in force."""
    keys = parse_cursor(after, str, str)
    before = (keys[0], keys[1]) if keys else ("~", "~")
    now = iso(platform.clock.now()) if active else None
    rows = await platform.records.read(lambda session: store.page(session, before, now, limit + 1))
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items=[_view(row) for row in rows[:limit]], next=cursor(last["received"], last["reference"]) if last else None)


def _view(row: Row) -> ReceivedView:
    return ReceivedView(**{name: row[name] for name in ReceivedView.model_fields})


def _atom(rows: list[Row], base: str, author: str, updated: str) -> bytes:
    root = ET.Element("feed", xmlns=_ATOM)
    for name, value in (("id", f"{base}/cap/feed.atom"), ("title", f"CAP · {author}"), ("updated", updated)):
        ET.SubElement(root, name).text = value
    ET.SubElement(ET.SubElement(root, "author"), "name").text = author
    ET.SubElement(root, "link", rel="self", type="application/atom+xml", href=f"{base}/cap/feed.atom")
    for row in rows:
        entry = ET.SubElement(root, "entry")
        address = f"{base}/cap/{row['identifier']}.xml"
        for name, value in (("id", address), ("title", f"{row['message_type']}: {row['headline']}"), ("updated", row["sent"])):
            ET.SubElement(entry, name).text = value
        ET.SubElement(entry, "link", rel="alternate", type=_CAP, href=address)
        ET.SubElement(entry, "summary").text = row["headline"]
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content
