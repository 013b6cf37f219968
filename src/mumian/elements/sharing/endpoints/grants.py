"""Grants over HTTP: lists, steps, what is left of the quota, receipts and their proofs."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.sharing import store
from mumian.elements.sharing.api import Sharing
from mumian.elements.sharing.contracts import Grant
from mumian.elements.sharing.endpoints.bodies import CursorText, GrantStepBody, GrantView, Many, Side, StepView, view
from mumian.elements.sharing.errors import NoSuchGrant
from mumian.elements.sharing.rules.metering import PERIODS, Use
from mumian.elements.sharing.service.granting import holder_names, sees
from mumian.elements.sharing.service.metering import store as meters
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("sharing:read"))]
Id = Annotated[str, Path(max_length=80)]


class PeriodView(BaseModel):
    """What was had in this day or month, the most that may be had, and when it renews."""

    period: str
    calls: int
    rows: int
    bytes: int
    most_calls: int | None
    most_rows: int | None
    most_bytes: int | None
    renews: str


class DayView(BaseModel):
    """What was had on a day."""

    day: str
    calls: int
    rows: int
    bytes: int


class ReceiptView(BaseModel):
    """A receipt: what was asked and answered, by digest."""

    number: str
    seq: int
    time: str
    grant: str
    dataset: str
    holder: str
    caller: str
    purpose: str
    request: str
    answer: str
    rows: int
    bytes: int


@router.get("/grants")
async def grants(
    platform: PlatformDep,
    caller: Reader,
    side: Side = "mine",
    owner: Annotated[str | None, Query(max_length=80)] = None,
    dataset: Annotated[str | None, Query(max_length=80)] = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
    after: CursorText = None,
    limit: Many = 100,
) -> Page[GrantView]:
    """Grants, newest first: those one may use, those of one's own data, or all (for who supervises sharing)."""
    keys = parse_cursor(after, str)
    wanted = _sided(caller, side, owner) | {"dataset": dataset, "state": state}
    rows = await platform.records.read(
        lambda session: store.GRANTS.page(session, wanted, limit + 1, None if keys is None else keys[0], newest=True)
    )
    following = cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[GrantView(**view(row)) for row in rows[:limit]], next=following)


@router.get("/grants/{grant_id}")
async def grant(platform: PlatformDep, caller: Reader, grant_id: Id) -> GrantView:
    """One grant."""
    return GrantView(**view(await platform.records.read(lambda session: _seen(session, caller, grant_id))))


@router.get("/grants/{grant_id}/history")
async def history(platform: PlatformDep, caller: Reader, grant_id: Id) -> list[StepView]:
    """The steps of a grant, oldest first."""

    def work(session: Session) -> list[Row]:
        _seen(session, caller, grant_id)
        return store.history(session, grant_id)

    return [StepView(**row) for row in await platform.records.read(work)]


@router.post("/grants/{grant_id}/steps")
async def step(platform: PlatformDep, caller: Reader, grant_id: Id, body: GrantStepBody) -> GrantView:
    """Suspend, resume or revoke a grant."""
    sharing = platform.get(Sharing)
    moved = await platform.records.write(
        lambda tx: sharing.granting.step(tx, caller, grant_id, body.action, body.reason), caller.actor
    )
    sharing.proving.forget(grant_id)
    return GrantView(**view(moved))


@router.get("/grants/{grant_id}/quota")
async def quota(platform: PlatformDep, caller: Reader, grant_id: Id) -> list[PeriodView]:
    """What is used and what is left in this day and month."""
    found = await platform.records.read(lambda session: _seen(session, caller, grant_id))
    return await left(platform, found)


@router.get("/grants/{grant_id}/days")
async def days(platform: PlatformDep, caller: Reader, grant_id: Id, after: CursorText = None, limit: Many = 31) -> Page[DayView]:
    """What was had day by day, newest first."""
    keys = parse_cursor(after, str)

    def work(session: Session) -> list[Row]:
        _seen(session, caller, grant_id)
        return meters.days(session, grant_id, None if keys is None else keys[0], limit + 1)

    rows = await platform.records.read(work)
    items = [DayView(day=r["first_day"], calls=r["calls"], rows=r["rows_had"], bytes=r["bytes_had"]) for r in rows[:limit]]
    return Page(items=items, next=cursor(items[-1].day) if len(rows) > limit else None)


@router.get("/grants/{grant_id}/receipts")
async def receipts(
    platform: PlatformDep, caller: Reader, grant_id: Id, after: CursorText = None, limit: Many = 100
) -> Page[ReceiptView]:
    """The receipts of what was had under a grant, newest first."""
    keys = parse_cursor(after, str)

    def work(session: Session) -> list[Row]:
        _seen(session, caller, grant_id)
        return meters.receipts(session, grant_id, None if keys is None else keys[0], limit + 1)

    rows = await platform.records.read(work)
    items = [ReceiptView(**msgspec.json.decode(row["body"])) for row in rows[:limit]]
    return Page(items=items, next=cursor(items[-1].number) if len(rows) > limit else None)


@router.get("/receipts/{number}")
async def proof(platform: PlatformDep, caller: Reader, number: Id) -> dict[str, Any]:
    """The proof of a receipt, for tools/verify_ledger.py; the ledger entry `elements.sharing.answered` has its root, too."""
    found = await platform.get(Sharing).proving.proof(number)
    try:
        await platform.records.read(lambda session: _seen(session, caller, found.receipt.grant))
    except NoSuchGrant:
        raise NotFound(kind="receipt", name=number[:80]) from None
    return found.bundle()


async def left(platform: Platform, grant: Grant) -> list[PeriodView]:
    """What is used and what may be had in each period."""
    proving = platform.get(Sharing).proving
    used = await proving.used(grant.id)
    found = []
    for period in PERIODS:
        use = used.get(period, Use())
        most = {f"most_{what}": getattr(grant.quota, f"{what}_{period}") for what in ("calls", "rows", "bytes")}
        renews = proving.renews(period)
        found.append(PeriodView(period=period, calls=use.calls, rows=use.rows, bytes=use.bytes, renews=renews, **most))
    return found


def _seen(session: Session, caller: Caller, grant_id: str) -> Grant:
    found = store.GRANTS.find(session, grant_id)
    if found is None or not sees(caller, found):
        raise NoSuchGrant(grant=grant_id[:80])
    return found


def _sided(caller: Caller, side: str, owner: str | None) -> dict[str, Any]:
    if side == "mine":
        return {"holder": holder_names(caller), "owner": owner}
    if side == "owner":
        require(caller, "application:decide", owner or caller.organisation or "")
        return {"owner": owner or caller.organisation or ""}
    require(caller, "sharing:supervise")
    return {"owner": owner}
