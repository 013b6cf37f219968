"""Applications over HTTP: the cart, sending off, lists for each side, steps and their history, and terms of datasets."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.sharing import store
from mumian.elements.sharing.api import Sharing
from mumian.elements.sharing.contracts import Application, Decision, Draft, Item, canonical
from mumian.elements.sharing.endpoints.bodies import (
    ApplicationView,
    CursorText,
    DraftBody,
    ItemBody,
    Many,
    QuotaBody,
    Side,
    StepBody,
    StepView,
    view,
)
from mumian.elements.sharing.rules import applications as rules
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.unit_of_work import Session, Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Applicant = Annotated[Caller, Depends(permit("application:make"))]
Reader = Annotated[Caller, Depends(permit("sharing:read"))]
Dataset = Annotated[str, Path(max_length=80)]
Number = Annotated[str, Path(max_length=80)]


class CartView(BaseModel):
    """A dataset in the cart, and since when."""

    item: ItemBody
    added_at: str


class OfferView(BaseModel):
    """On what terms a dataset is shared: `labelled` fields need a reason, `tokens` only go out as tokens, `core` not at all."""

    dataset: str
    owner: str
    access: str
    refusal_basis: str | None
    fields: list[str]
    labelled: list[str]
    core: list[str]
    tokens: list[str]
    purposes: dict[str, list[str]]
    bureau: str | None
    answer_days: int
    longest_days: int
    quota: QuotaBody


@router.get("/offers/{dataset}")
async def offer(platform: PlatformDep, _: Reader, dataset: Dataset) -> OfferView:
    """On what terms a dataset is shared."""
    terms = platform.get(Sharing).terms
    offered = await platform.records.read(lambda session: terms.offered(session, dataset, "sharing"))
    rule, owner = terms.rule(dataset, terms.dataset(dataset).owner), terms.dataset(dataset).owner
    return OfferView(
        dataset=dataset,
        owner=owner,
        access=offered.access,
        refusal_basis=rule.refusal_basis,
        fields=list(offered.fields),
        labelled=sorted(offered.labelled),
        core=sorted(offered.core),
        tokens=list(offered.tokens),
        purposes=rule.purposes,
        bureau=rule.bureau,
        answer_days=rule.days["answer_days"],
        longest_days=rule.longest_days,
        quota=QuotaBody(**msgspec.to_builtins(rule.quota)),
    )


@router.get("/cart")
async def cart(platform: PlatformDep, caller: Applicant) -> list[CartView]:
    """What the caller put into the cart."""
    rows = await platform.records.read(lambda session: store.cart(session, _person(caller)))
    return [CartView(item=ItemBody(**msgspec.json.decode(row["item"])), added_at=row["added_at"]) for row in rows]


@router.put("/cart/{dataset}", status_code=204)
async def put_in_cart(platform: PlatformDep, caller: Applicant, dataset: Dataset, body: ItemBody) -> None:
    """Put a dataset into the cart, in the place of what was there of it."""
    platform.get(Sharing).terms.dataset(dataset)
    item = canonical(msgspec.structs.replace(body.item(), dataset=dataset))
    await platform.records.write(lambda tx: store.put_in_cart(tx, _person(caller), dataset, item), caller.actor)


@router.delete("/cart/{dataset}", status_code=204)
async def drop_from_cart(platform: PlatformDep, caller: Applicant, dataset: Dataset) -> None:
    """Take a dataset out of the cart."""
    await platform.records.write(lambda tx: store.drop_from_cart(tx, _person(caller), dataset), caller.actor)


@router.post("/applications", status_code=201)
async def apply(platform: PlatformDep, caller: Applicant, body: DraftBody) -> list[ApplicationView]:
    """Send off an application: one for each owner comes of it."""

    def work(tx: Transaction) -> list[Application]:
        items = tuple(each.item() for each in body.items)
        if not items:
            rows = store.cart(tx.session, _person(caller))
            items = tuple(msgspec.json.decode(row["item"], type=Item) for row in rows)
            store.drop_from_cart(tx, _person(caller), None)
        draft = Draft(**{**body.model_dump(exclude={"items", "quota"}), "items": items, "quota": body.quota.quota()})
        return platform.get(Sharing).apply(tx, caller, draft)

    return [_shown(application) for application in await platform.records.write(work, caller.actor)]


@router.get("/applications")
async def applications(
    platform: PlatformDep,
    caller: Reader,
    side: Side = "mine",
    owner: Annotated[str | None, Query(max_length=80)] = None,
    state: Annotated[str | None, Query(max_length=20)] = None,
    after: CursorText = None,
    limit: Many = 100,
) -> Page[ApplicationView]:
    """Applications, newest first: one's own, those to decide on as owner or as bureau, or all (for who supervises sharing)."""
    keys = parse_cursor(after, str)
    wanted = sided(caller, side, owner) | {"state": state}
    rows = await platform.records.read(
        lambda session: store.APPLICATIONS.page(session, wanted, limit + 1, None if keys is None else keys[0], newest=True)
    )
    following = cursor(rows[limit - 1].number) if len(rows) > limit else None
    return Page(items=[_shown(row) for row in rows[:limit]], next=following)


@router.get("/applications/{number}")
async def application(platform: PlatformDep, caller: Reader, number: Number) -> ApplicationView:
    """One application."""
    return _shown(await platform.records.read(lambda session: platform.get(Sharing).application(session, caller, number)))


@router.get("/applications/{number}/history")
async def history(platform: PlatformDep, caller: Reader, number: Number) -> list[StepView]:
    """The steps of an application, oldest first."""

    def work(session: Session) -> list[dict[str, Any]]:
        platform.get(Sharing).application(session, caller, number)
        return store.history(session, number)

    return [StepView(**row) for row in await platform.records.read(work)]


@router.post("/applications/{number}/steps")
async def step(platform: PlatformDep, caller: Reader, number: Number, body: StepBody) -> ApplicationView:
    """Take a step with an application, as it was seen."""
    items = None if body.items is None else tuple(each.item() for each in body.items)
    quota = None if body.quota is None else body.quota.quota()
    decision = Decision(body.action, body.seen, body.reason, body.basis, items, quota, body.days)
    sharing = platform.get(Sharing)
    return _shown(await platform.records.write(lambda tx: sharing.decide(tx, caller, number, decision), caller.actor))


def sided(caller: Caller, side: str, owner: str | None) -> dict[str, Any]:
    """What narrows a list to what a caller may see from one side; raises Forbidden."""
    if side == "all":
        require(caller, "sharing:supervise")
        return {"owner": owner}
    if side == "mine":
        mine = {"organisation": caller.organisation} if caller.organisation else {"applicant": _person(caller)}
        return mine | {"owner": owner}
    whose = owner or caller.organisation or ""
    require(caller, "application:decide" if side == "owner" else "application:settle", whose)
    return {side: whose}


def _person(caller: Caller) -> str:
    return caller.person or caller.actor.id


def _shown(application: Application) -> ApplicationView:
    return ApplicationView(**view(application), next=rules.allowed(application))
