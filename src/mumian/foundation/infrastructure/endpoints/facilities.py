"""Endpoints of the ledger itself: list, look, enter, change, step by step through a facility's life, and its live state."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.api import Infrastructure
from mumian.foundation.infrastructure.contracts import Facility
from mumian.foundation.infrastructure.endpoints import views
from mumian.foundation.infrastructure.endpoints.views import FacilityOut
from mumian.foundation.infrastructure.models import State
from mumian.foundation.infrastructure.rules.facility import is_day
from mumian.foundation.infrastructure.service.keeping import SCOPE
from mumian.foundation.search.api import Search
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/infrastructure", tags=["infrastructure"])
Reads = Annotated[Caller, Depends(permit("facility:read"))]
Writes = Annotated[Caller, Depends(permit("facility:write"))]
Reports = Annotated[Caller, Depends(permit("facility:report"))]
Code = Annotated[str, Path(max_length=80)]
IfMatch = Annotated[str | None, Header(max_length=40)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Annotated[str | None, Query(max_length=80)]


class Filters:
    """What a list of facilities is narrowed to; `text` finds words in codes, names, places, operators and properties."""

    def __init__(
        self,
        platform: PlatformDep,
        kind: Name = None,
        theme: Name = None,
        owner: Name = None,
        operator: Annotated[str | None, Query(max_length=200)] = None,
        state: State | None = None,
        district: Annotated[str | None, Query(max_length=12)] = None,
        plane: Name = None,
        bbox: Annotated[str | None, Query(max_length=200)] = None,
        text: Annotated[str | None, Query(max_length=200)] = None,
    ) -> None:
        self._search = platform.get(Search)
        self._text = text
        self.chosen: dict[str, Any] = {"kind": kind, "owner": owner, "operator": operator, "state": state}
        self.chosen |= {"district": district, "plane": plane, **views.box(bbox)}
        if theme is not None:
            kinds = platform.get(Infrastructure).keeping.kinds()
            self.chosen["kinds"] = [name for name, spec in kinds.items() if spec.theme == theme]

    def page(self, session: Session, after: str, limit: int) -> list[Facility]:
        """Facilities by code after one."""
        if self._text is None:
            return store.page(session, self.chosen, after, limit)
        selected = self._search.select(session, SCOPE, self._text)
        return [] if selected is None else store.page(session, self.chosen, after, limit, selected)


Narrowed = Annotated[Filters, Depends()]


async def lively(platform: Platform, facilities: list[Facility]) -> list[FacilityOut]:
    """Facilities with their live states."""
    looking, now = platform.get(Infrastructure).looking, platform.clock.now()
    live = await asyncio.to_thread(looking.live, facilities, now)
    return [views.shown(facility, live.get(facility.code)) for facility in facilities]


@router.get("/facilities")
async def list_facilities(
    platform: PlatformDep, _: Reads, filters: Narrowed, after: Cursor = None, limit: Limit = 100
) -> Page[FacilityOut]:
    """Facilities by code."""
    keys = parse_cursor(after, str)
    found = await platform.records.read(lambda session: filters.page(session, keys[0] if keys else "", limit + 1))
    items = await lively(platform, found[:limit])
    return Page(items=items, next=cursor(items[-1].code) if len(found) > limit else None)


@router.post("/facilities", status_code=201)
async def register_facility(platform: PlatformDep, caller: Writes, body: views.FacilityBody, response: Response) -> FacilityOut:
    """Enter a facility. 409: another has its code."""
    keeping = platform.get(Infrastructure).keeping
    facility = await asyncio.to_thread(keeping.draft, body.given())
    require(caller, "facility:write", facility.owner)
    made = await platform.records.write(lambda tx: keeping.register(tx, facility), caller.actor)
    response.headers["Location"] = f"{router.prefix}/facilities/{made.code}"
    response.headers["ETag"] = f'"{made.version}"'
    return views.shown(made)


@router.get("/facilities/{code}")
async def get_facility(platform: PlatformDep, _: Reads, code: Code, response: Response) -> FacilityOut:
    """One facility; its version is the ETag."""
    facility = await platform.records.read(lambda session: platform.get(Infrastructure).facility(session, code))
    response.headers["ETag"] = f'"{facility.version}"'
    return (await lively(platform, [facility]))[0]


@router.patch("/facilities/{code}")
async def change_facility(
    platform: PlatformDep,
    caller: Writes,
    code: Code,
    body: views.FacilityPatch,
    response: Response,
    if_match: IfMatch = None,
) -> FacilityOut:
    """Change a facility; properties that are sent replace those of their names. 412: somebody else was faster."""
    keeping, expected, changes = platform.get(Infrastructure).keeping, views.version(if_match), body.given()

    def work(tx: Transaction) -> Facility:
        before = keeping.find(tx.session, code)
        for owner in {before.owner, changes.get("owner", before.owner)}:
            require(caller, "facility:write", owner)
        wanted = dict(changes)
        if "properties" in wanted:
            merged = {**before.properties, **wanted["properties"]}
            wanted["properties"] = {name: value for name, value in merged.items() if value is not None}
        return keeping.change(tx, before, wanted, expected)

    facility = await platform.records.write(work, caller.actor)
    response.headers["ETag"] = f'"{facility.version}"'
    return views.shown(facility)


@router.post("/facilities/{code}/steps")
async def step_facility(
    platform: PlatformDep, caller: Writes, code: Code, body: views.StepBody, response: Response, if_match: IfMatch = None
) -> FacilityOut:
    """Begin to build, open, renew, reopen or retire a facility. 409: its state does not allow it."""
    keeping, expected = platform.get(Infrastructure).keeping, views.version(if_match)
    if body.day is not None and not is_day(body.day):
        raise Invalid.field("day", "infrastructure.day", given=body.day)

    def work(tx: Transaction) -> Facility:
        before = keeping.find(tx.session, code)
        require(caller, "facility:write", before.owner)
        return keeping.step(tx, before, body.step, body.day, body.note, expected)

    facility = await platform.records.write(work, caller.actor)
    response.headers["ETag"] = f'"{facility.version}"'
    return views.shown(facility)


@router.put("/facilities/{code}/status", status_code=204)
async def report_status(platform: PlatformDep, caller: Reports, code: Code, body: views.StatusBody) -> None:
    """Report the live state of a facility, such as free, busy or fault."""
    keeping = platform.get(Infrastructure).keeping

    def work(tx: Transaction) -> None:
        facility = keeping.find(tx.session, code)
        require(caller, "facility:report", facility.owner)
        keeping.report(tx, facility, body.status, body.note)

    await platform.records.write(work, caller.actor)


@router.get("/facilities/{code}/history")
async def facility_history(
    platform: PlatformDep, _: Reads, code: Code, after: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """All steps of a facility, the newest first."""
    keys = parse_cursor(after, int)
    await platform.records.read(lambda session: platform.get(Infrastructure).facility(session, code))
    rows = await platform.records.read(lambda s: store.history(s, code, keys[0] if keys else None, limit + 1))
    page = rows[:limit]
    return Page(items=page, next=cursor(page[-1]["version"]) if len(rows) > limit else None)
