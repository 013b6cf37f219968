"""Objections, demands, what is overdue and figures, over HTTP."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.sharing import store
from mumian.elements.sharing.api import Sharing
from mumian.elements.sharing.endpoints.bodies import (
    CursorText,
    DemandBody,
    DemandStepBody,
    DemandView,
    Many,
    ObjectionBody,
    ObjectionStepBody,
    ObjectionView,
    view,
)
from mumian.elements.sharing.service import figures as counting
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("sharing:read"))]
Number = Annotated[str, Path(max_length=80)]


class MatchView(BaseModel):
    """A duty or a dataset that may meet a demand, and how well it fits (0 – 1)."""

    kind: str
    name: str
    organisation: str
    score: float
    elements: list[str]


class OverdueView(BaseModel):
    """Something that should have been answered: by whom (`stage`), since when."""

    what: str
    number: str
    stage: str
    owner: str | None
    organisation: str | None
    due: str


class OwnerView(BaseModel):
    """How an owner answers: `on_time` are first answers by the deadline, `late` applications that wait beyond it."""

    owner: str
    applications: int
    answered: int
    on_time: int
    late: int
    granted: int
    refused: int


class UseView(BaseModel):
    """How much of a dataset was had."""

    dataset: str
    owner: str
    calls: int
    rows: int
    bytes: int


class DayUseView(BaseModel):
    """How much was had on a day."""

    day: str
    calls: int
    rows: int
    bytes: int


class FiguresView(BaseModel):
    """Counts by state since a day, owners, the most used datasets, and use day by day."""

    since: str
    applications: dict[str, int]
    grants: dict[str, int]
    objections: dict[str, int]
    demands: dict[str, int]
    owners: list[OwnerView]
    datasets: list[UseView]
    days: list[DayUseView]


@router.post("/objections", status_code=201)
async def object_(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("objection:make"))], body: ObjectionBody
) -> ObjectionView:
    """Say that data are wrong."""
    given = body.model_dump() | {"fields": tuple(body.fields)}
    filed = await platform.records.write(lambda tx: platform.get(Sharing).objecting.file(tx, caller, given), caller.actor)
    return ObjectionView(**view(filed))


@router.get("/objections")
async def objections(
    platform: PlatformDep,
    caller: Reader,
    side: Literal["mine", "owner", "all"] = "mine",
    state: Annotated[str | None, Query(max_length=20)] = None,
    after: CursorText = None,
    limit: Many = 100,
) -> Page[ObjectionView]:
    """Objections, newest first: one's own, those to one's own data, or all (for who supervises sharing)."""
    keys = parse_cursor(after, str)
    wanted: dict[str, Any] = {"state": state}
    if side == "mine":
        wanted["reporter"] = caller.person or caller.actor.id
    elif side == "owner":
        require(caller, "objection:decide", caller.organisation or "")
        wanted["owner"] = caller.organisation
    else:
        require(caller, "sharing:supervise")
    rows = await platform.records.read(
        lambda session: store.OBJECTIONS.page(session, wanted, limit + 1, None if keys is None else keys[0], newest=True)
    )
    following = cursor(rows[limit - 1].number) if len(rows) > limit else None
    return Page(items=[ObjectionView(**view(row)) for row in rows[:limit]], next=following)


@router.get("/objections/{number}")
async def objection(platform: PlatformDep, caller: Reader, number: Number) -> ObjectionView:
    """One objection."""
    found = await platform.records.read(lambda session: platform.get(Sharing).objecting.get(session, caller, number))
    return ObjectionView(**view(found))


@router.post("/objections/{number}/steps")
async def objection_step(platform: PlatformDep, caller: Reader, number: Number, body: ObjectionStepBody) -> ObjectionView:
    """Take a step with an objection, as it was seen."""
    objecting = platform.get(Sharing).objecting
    moved = await platform.records.write(
        lambda tx: objecting.step(tx, caller, number, body.seen, body.action, body.answer), caller.actor
    )
    return ObjectionView(**view(moved))


@router.post("/demands", status_code=201)
async def demand(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("demand:make"))], body: DemandBody
) -> DemandView:
    """Ask for data that nobody lists yet."""
    given = body.model_dump() | {"elements": tuple(body.elements)}
    asked = await platform.records.write(lambda tx: platform.get(Sharing).demanding.ask(tx, caller, given), caller.actor)
    return DemandView(**view(asked))


@router.get("/demands")
async def demands(
    platform: PlatformDep,
    caller: Reader,
    state: Annotated[str | None, Query(max_length=20)] = None,
    provider: Annotated[str | None, Query(max_length=80)] = None,
    after: CursorText = None,
    limit: Many = 100,
) -> Page[DemandView]:
    """The list of demands 需求清单, newest first, for all organisations; others see their own."""
    keys = parse_cursor(after, str)
    own = None if caller.organisation is not None or caller.allowed("sharing:supervise") else caller.person or caller.actor.id
    wanted = {"state": state, "provider": provider, "applicant": own}
    rows = await platform.records.read(
        lambda session: store.DEMANDS.page(session, wanted, limit + 1, None if keys is None else keys[0], newest=True)
    )
    following = cursor(rows[limit - 1].number) if len(rows) > limit else None
    return Page(items=[DemandView(**view(row)) for row in rows[:limit]], next=following)


@router.get("/demands/{number}")
async def one_demand(platform: PlatformDep, caller: Reader, number: Number) -> DemandView:
    """One demand."""
    found = await platform.records.read(lambda session: platform.get(Sharing).demanding.get(session, number))
    if caller.organisation is None and not caller.allowed("sharing:supervise") and found.applicant != caller.person:
        raise NotFound(kind="demand", name=number)
    return DemandView(**view(found))


@router.get("/demands/{number}/matches")
async def matches(platform: PlatformDep, caller: Reader, number: Number) -> list[MatchView]:
    """Duties and datasets that may meet a demand, best first."""
    if caller.organisation is None:
        require(caller, "demand:match")
    demanding = platform.get(Sharing).demanding
    found = await platform.records.read(lambda session: demanding.suggestions(demanding.get(session, number)))
    return [MatchView(**msgspec.to_builtins(match)) for match in found]


@router.post("/demands/{number}/steps")
async def demand_step(platform: PlatformDep, caller: Reader, number: Number, body: DemandStepBody) -> DemandView:
    """Take a step with a demand, as it was seen."""
    demanding, given = platform.get(Sharing).demanding, body.model_dump(include={"duty", "dataset", "answer"})
    moved = await platform.records.write(
        lambda tx: demanding.step(tx, caller, number, body.seen, body.action, given), caller.actor
    )
    return DemandView(**view(moved))


@router.get("/overdue", dependencies=[Depends(permit("sharing:supervise"))])
async def overdue(platform: PlatformDep, after: CursorText = None, limit: Many = 100) -> Page[OverdueView]:
    """The supervision list 督办清单: everything that should have been answered, the longest first."""
    keys, now = parse_cursor(after, str, str), iso(platform.clock.now())
    place = None if keys is None else (keys[0], keys[1])
    rows = await platform.records.read(lambda session: counting.overdue(session, now, place, limit + 1))
    following = cursor(rows[limit - 1]["due"], rows[limit - 1]["number"]) if len(rows) > limit else None
    return Page(items=[OverdueView(**row) for row in rows[:limit]], next=following)


@router.get("/figures", dependencies=[Depends(permit("sharing:supervise"))])
async def figures(platform: PlatformDep, days: Annotated[int, Query(ge=1, le=3650)] = 30) -> FiguresView:
    """Figures for a dashboard over the last days."""
    now, zone = platform.clock.now(), platform.get(Sharing).terms.zone
    since = now - timedelta(days=days)
    first = since.astimezone(zone).date().isoformat()
    found = await platform.records.read(lambda session: counting.figures(session, iso(since), first, iso(now)))
    return FiguresView(since=iso(since), **found)
