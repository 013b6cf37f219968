"""Endpoints of addresses: understand a text, find points and addresses, and keep the library."""

import asyncio
import io
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from mumian.foundation.addresses import models, store
from mumian.foundation.addresses.api import Addresses
from mumian.foundation.addresses.contracts import StandardAddress
from mumian.foundation.addresses.service import finding, keeping
from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Invalid, Malformed, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/addresses", tags=["addresses"])
_READ = Annotated[Caller, Depends(permit("address:read"))]
_WRITE = Annotated[Caller, Depends(permit("address:write"))]
_CODE = Annotated[str, Path(max_length=40, pattern=r"^[0-9A-Za-z.-]+$")]
_DIVISION = Annotated[str, Query(max_length=9, pattern=r"^[0-9]*$")]
_PART = Annotated[str | None, Query(max_length=60)]
_IMPORT = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.post("/parse")
async def parse(platform: PlatformDep, _: _READ, body: models.TextBody) -> dict[str, Any]:
    """Take an address apart, and write it in its standard form."""
    return models.parsed_out(await asyncio.to_thread(platform.get(Addresses).parse, body.text))


@router.post("/match")
async def match(platform: PlatformDep, _: _READ, body: models.TextBody) -> dict[str, Any]:
    """The standard addresses that a text may mean, with confidence and reasons, the best first."""
    addresses = platform.get(Addresses)
    parsed = await asyncio.to_thread(addresses.parse, body.text)
    day = _day(addresses, body.date)
    return models.match_out(await platform.records.read(lambda session: finding.match(session, parsed, day, body.limit)))


@router.post("/geocode")
async def geocode(platform: PlatformDep, _: _READ, body: models.TextBody) -> dict[str, Any]:
    """The point that a text means; `result` is null where the library knows nothing near it."""
    addresses = platform.get(Addresses)
    parsed = await asyncio.to_thread(addresses.parse, body.text)
    day = _day(addresses, body.date)
    found = await platform.records.read(lambda session: finding.locate(session, parsed, day))
    return {"parsed": models.parsed_out(parsed), "result": models.located_out(found)}


@router.post("/reverse")
async def reverse(platform: PlatformDep, _: _READ, body: models.PointBody) -> dict[str, Any]:
    """What is at a point: its district, the street of the nearest address, and the nearest standard addresses."""
    addresses = platform.get(Addresses)
    day = _day(addresses, body.date)
    near = await platform.records.read(lambda session: finding.nearest(session, body.longitude, body.latitude, day, body.limit))
    district = await asyncio.to_thread(platform.get(Spatial).district_at, body.longitude, body.latitude)
    return {
        "district": {"code": district.code, "title": district.title} if district else None,
        "street": near[0].address.street if near else None,
        "addresses": [models.near_out(found) for found in near],
    }


@router.post("/bulk")
async def bulk(platform: PlatformDep, _: _READ, body: models.BulkBody) -> dict[str, Any]:
    """Parse, match or geocode many texts (10,000 by default) in one request; one result for each, in their order."""
    addresses = platform.get(Addresses)
    if len(body.texts) > addresses.settings.bulk_lines:
        raise Invalid.field("texts", "field.length", expected=f"≤ {addresses.settings.bulk_lines}")
    day = _day(addresses, body.date)
    await asyncio.to_thread(addresses.parser)
    work = _task(addresses, body.task, day)
    return {"results": await platform.records.read(lambda session: [work(session, text) for text in body.texts])}


def _task(addresses: Addresses, task: str, day: str) -> Callable[[Session, str], Any]:
    parser = addresses.parser()
    if task == "parse":
        return lambda _, text: models.parsed_out(parser.parse(text))
    if task == "match":
        return lambda session, text: models.match_out(finding.match(session, parser.parse(text), day, 3))
    return lambda session, text: models.located_out(finding.locate(session, parser.parse(text), day))


@router.get("/divisions")
async def divisions(platform: PlatformDep, _: _READ, within: _DIVISION = "", name: _PART = None) -> Page[models.DivisionOut]:
    """Divisions 行政区划 directly below a code (empty: provinces), or everything that has a name, by code."""
    table = (await asyncio.to_thread(platform.get(Addresses).parser)).divisions
    if name is not None:
        codes = sorted({found.code for found in table.having(name)})
    else:
        length = {0: 2, 2: 4, 4: 6, 6: 9}.get(len(within), 0)
        codes = sorted(code for code in table.names if len(code) == length and code.startswith(within))
    shown = [models.DivisionOut(code=c, name=table.names[c], names=list(table.chain(c))) for c in codes[:MOST]]
    return Page(items=shown)


@router.get("/aliases")
async def aliases(platform: PlatformDep, _: _READ) -> Page[dict[str, Any]]:
    """Former and other names of divisions, roads and compounds."""
    return Page(items=await platform.records.read(store.aliases))


@router.get("/summary")
async def summary(platform: PlatformDep, _: _READ) -> dict[str, Any]:
    """How many addresses, roads, compounds and communities the library holds."""
    return await platform.records.read(store.counts)


@router.get("")
async def list_addresses(
    platform: PlatformDep,
    _: _READ,
    district: _DIVISION = "",
    road: _PART = None,
    poi: _PART = None,
    as_of: date | None = None,
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[dict[str, Any]]:
    """Standard addresses by code, as they hold on a day."""
    keys = parse_cursor(after, str)
    filters = {name: value for name, value in (("district", district), ("road", road), ("poi", poi)) if value}
    day = _day(platform.get(Addresses), as_of)
    found = await platform.records.read(lambda session: store.page(session, keys[0] if keys else "", limit + 1, filters, day))
    shown = found[:limit]
    following = cursor(shown[-1].code) if len(found) > limit else None
    return Page(items=[models.address_out(address) for address in shown], next=following)


@router.post("", status_code=201)
async def add_address(platform: PlatformDep, caller: _WRITE, body: models.AddressBody, response: Response) -> dict[str, Any]:
    """Add a standard address; 409 where it is there already."""
    address = await _composed(platform, body)
    made = await platform.records.write(lambda tx: keeping.add(tx, address, body.division), caller.actor)
    response.headers["Location"] = f"{router.prefix}/{made.code}"
    return models.address_out(made)


@router.post("/import", openapi_extra=_IMPORT)
async def import_addresses(
    platform: PlatformDep, caller: _WRITE, request: Request, source: Annotated[str, Query(max_length=80)] = "import"
) -> dict[str, Any]:
    """Import a library from a CSV body with a header; rows that do not fit are listed with line, field and fix."""
    try:
        text = (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed.field("body", "field.syntax", reason="not UTF-8") from error
    lines = io.StringIO(text, newline="")
    report = await asyncio.to_thread(platform.get(Addresses).import_now, lines, source, caller.actor)
    shown: dict[str, Any] = msgspec.to_builtins(report)
    return shown


@router.post("/renames")
async def rename_road(platform: PlatformDep, caller: _WRITE, body: models.RenameBody) -> models.RenamedOut:
    """Rename a road of a district from a day on: its addresses get new versions, the old name stays findable."""
    parser = await asyncio.to_thread(platform.get(Addresses).parser)
    day = body.date.isoformat()
    count = await platform.records.write(
        lambda tx: keeping.rename_road(tx, parser, body.district, body.old, body.new, day), caller.actor
    )
    return models.RenamedOut(addresses=count)


@router.get("/{code}")
async def get_address(platform: PlatformDep, _: _READ, code: _CODE, as_of: date | None = None) -> dict[str, Any]:
    """One address as it holds on a day, with all its versions."""
    day = _day(platform.get(Addresses), as_of)
    found = await platform.records.read(lambda session: (store.current(session, code, day), store.history(session, code)))
    if not found[1]:
        raise NotFound(kind="address", name=code)
    versions = [models.address_out(version) for version in found[1]]
    return {"address": None if found[0] is None else models.address_out(found[0]), "versions": versions}


@router.put("/{code}")
async def change_address(platform: PlatformDep, caller: _WRITE, code: _CODE, body: models.AddressBody) -> dict[str, Any]:
    """A new version of an address, from `valid_from` on."""
    address = await _composed(platform, body)
    return models.address_out(await platform.records.write(lambda tx: keeping.change(tx, code, address), caller.actor))


@router.post("/{code}/retire", status_code=204)
async def retire_address(platform: PlatformDep, caller: _WRITE, code: _CODE, body: models.RetireBody) -> None:
    """From a day on there is no such address."""
    await platform.records.write(lambda tx: keeping.retire(tx, code, body.date.isoformat(), body.reason), caller.actor)


async def _composed(platform: Platform, body: models.AddressBody) -> StandardAddress:
    addresses = platform.get(Addresses)
    parser = await asyncio.to_thread(addresses.parser)
    values = body.model_dump() | {"valid_from": _day(addresses, body.valid_from)}
    if body.longitude is None or body.latitude is None:
        values |= {"longitude": None, "latitude": None}
    return keeping.compose(parser, values, addresses.today())


def _day(addresses: Addresses, day: date | None) -> str:
    return day.isoformat() if day else addresses.today()
