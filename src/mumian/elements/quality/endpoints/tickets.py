"""Tickets over HTTP: the list, one ticket with its history, what people do with it, and the ranking of departments."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from mumian.elements.quality.api import Quality
from mumian.elements.quality.endpoints.views import WITHOUT_NUL, title
from mumian.elements.quality.rules.ranking import Standing, ranked
from mumian.elements.quality.rules.ticketing import on_time
from mumian.elements.quality.store import runs
from mumian.elements.quality.store import tickets as store
from mumian.foundation.identity.api import Caller, Identity, permit, require
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
Number = Annotated[int, Path(ge=1, lt=2**63)]
Named = Annotated[str | None, Query(max_length=300, pattern=WITHOUT_NUL)]
Handler = Annotated[Caller, Depends(permit("quality-ticket:handle"))]


class TicketView(BaseModel):
    """A ticket to the owner of a dataset; `on_time` is null while that is open, `state` is open, closed or withdrawn.

    `title` is that of its rule, or the rule's name where it is no more.
    `holding_since`: the rule of a ticket that was opened again and again holds since then; it closes when that lasts.
    """

    number: int
    dataset: str
    rule: str
    title: dict[str, str]
    owner: str
    severity: str
    state: str
    opened_at: str
    due_at: str
    closed_at: str | None
    reopened: int
    holding_since: str | None
    assignee: str | None
    on_time: bool | None


class StepView(BaseModel):
    """Something that happened to a ticket."""

    number: int
    time: str
    actor: str
    action: str
    note: str


class WholeTicketView(TicketView):
    """A ticket with its history."""

    steps: list[StepView]


class Comment(BaseModel):
    """What somebody has to say."""

    text: str = Field(min_length=1, max_length=4000, pattern=WITHOUT_NUL)


class Assignment(BaseModel):
    """Who takes a ticket on, by login; null for nobody in particular."""

    assignee: str | None = Field(max_length=64, pattern=WITHOUT_NUL)
    note: str = Field("", max_length=1000, pattern=WITHOUT_NUL)


class Extension(BaseModel):
    """Another deadline, and why."""

    due_at: AwareDatetime
    reason: str = Field(min_length=1, max_length=1000, pattern=WITHOUT_NUL)


class StandingView(BaseModel):
    """An organisation in the ranking: `points` = 0.7 × mean score of its datasets + 0.3 × percent of tickets in time."""

    place: int | None
    organisation: str
    title: dict[str, str]
    points: float | None
    score: float | None
    timeliness: float | None
    datasets: int
    opened: int
    open: int
    timely: int
    late: int


@router.get("/tickets", dependencies=[Depends(permit("quality-ticket:read"))])
async def tickets(
    platform: PlatformDep,
    owner: Named = None,
    dataset: Named = None,
    rule: Named = None,
    state: Literal["open", "closed", "withdrawn"] | None = None,
    assignee: Named = None,
    late: bool = False,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[TicketView]:
    """Tickets, newest first; `late`: only open ones beyond their deadline."""
    keys, now = parse_cursor(after, int), platform.clock.now()
    wanted = {"owner": owner, "dataset": dataset, "rule": rule, "state": state, "assignee": assignee}
    before = None if keys is None else keys[0]
    rows = await platform.records.read(lambda s: store.page(s, wanted, iso(now) if late else None, before, limit + 1))
    titles = _titles(platform, {row["dataset"] for row in rows})
    items = [TicketView(**_told(row, now, titles)) for row in rows[:limit]]
    return Page(items=items, next=cursor(items[-1].number) if len(rows) > limit else None)


@router.get("/tickets/{number}", dependencies=[Depends(permit("quality-ticket:read"))])
async def ticket(platform: PlatformDep, number: Number) -> WholeTicketView:
    """One ticket with its history."""
    return await _whole(platform, number)


@router.post("/tickets/{number}/comments", status_code=201)
async def comment(platform: PlatformDep, caller: Handler, number: Number, comment: Comment) -> WholeTicketView:
    """Say something about a ticket."""
    quality = platform.get(Quality)

    def work(tx: Transaction) -> None:
        _owned(tx.session, caller, number, "quality-ticket:handle")
        quality.tickets.comment(tx, number, comment.text)

    await platform.records.write(work, caller.actor)
    return await _whole(platform, number)


@router.post("/tickets/{number}/assignment")
async def assign(platform: PlatformDep, caller: Handler, number: Number, assignment: Assignment) -> WholeTicketView:
    """Give a ticket to somebody."""
    quality = platform.get(Quality)
    if assignment.assignee is not None and assignment.assignee not in await platform.get(Identity).titles():
        raise Invalid.field("assignee", "quality.login", name=assignment.assignee)

    def work(tx: Transaction) -> None:
        _owned(tx.session, caller, number, "quality-ticket:handle")
        quality.tickets.assign(tx, number, assignment.assignee, assignment.note)

    await platform.records.write(work, caller.actor)
    return await _whole(platform, number)


@router.post("/tickets/{number}/extension")
async def extend(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("quality-ticket:manage"))],
    number: Number,
    extension: Extension,
) -> WholeTicketView:
    """Give a ticket another deadline."""
    quality = platform.get(Quality)

    def work(tx: Transaction) -> None:
        _owned(tx.session, caller, number, "quality-ticket:manage")
        quality.tickets.extend(tx, number, extension.due_at, extension.reason)

    await platform.records.write(work, caller.actor)
    return await _whole(platform, number)


@router.get("/ranking", dependencies=[Depends(permit("quality:read"))])
async def ranking(platform: PlatformDep, days: Annotated[int, Query(ge=1, le=3660)] = 90) -> list[StandingView]:
    """Departments by the quality of their data and by how timely they mended it in the last days."""
    now = platform.clock.now()
    since = iso(now - timedelta(days=days))

    def read(session: Session) -> tuple[list[Row], dict[str, Row]]:
        return runs.scores(session), store.standing(session, since, iso(now))

    rows, decided = await platform.records.read(read)
    scores: dict[str, list[float]] = {}
    for row in rows:
        scores.setdefault(row["owner"], [])
        if row["score"] is not None:
            scores[row["owner"]].append(row["score"])
    standings = []
    for name in sorted(scores.keys() | decided.keys()):
        own = decided.get(name, {"opened": 0, "still_open": 0, "timely": 0, "late": 0})
        counts = {key: int(own[key]) for key in ("opened", "timely", "late")}
        standings.append(Standing(name, tuple(scores.get(name, ())), open=int(own["still_open"]), **counts))
    return [_standing(platform, place, one) for place, one in ranked(standings)]


def _owned(session: Session, caller: Caller, number: int, action: str) -> None:
    row = store.find(session, number)
    if row is None:
        raise NotFound(kind="Ticket", name=str(number))
    require(caller, action, row["owner"])


async def _whole(platform: Platform, number: int) -> WholeTicketView:
    def read(session: Session) -> tuple[Row | None, list[Row]]:
        return store.find(session, number), store.steps(session, number)

    row, steps = await platform.records.read(read)
    if row is None:
        raise NotFound(kind="Ticket", name=str(number))
    told = _told(row, platform.clock.now(), _titles(platform, {row["dataset"]}))
    return WholeTicketView(**told, steps=[StepView(**step) for step in steps])


def _told(row: Row, now: datetime, titles: dict[str, dict[str, str]]) -> dict[str, Any]:
    told = {name: row[name] for name in TicketView.model_fields if name not in ("on_time", "title")}
    title = titles.get(row["rule"], {"zh": row["rule"], "en": row["rule"]})
    return told | {"on_time": on_time(store.ticket(row), now), "title": title}


def _titles(platform: Platform, datasets: Iterable[str]) -> dict[str, dict[str, str]]:
    """The titles of the rules of these datasets, by name."""
    found: dict[str, dict[str, str]] = {}
    for dataset in datasets:
        with suppress(NotFound):
            found |= {rule.name: title(rule) for rule in platform.get(Quality).rules(dataset)}
    return found


def _standing(platform: Platform, place: int | None, one: Standing) -> StandingView:
    try:
        title = platform.declarations.get("Organisation", one.organisation).title
    except NotFound:
        title = {"zh": one.organisation, "en": one.organisation}
    numbers = {
        name: None if (value := getattr(one, name)) is None else round(value, 2) for name in ("points", "score", "timeliness")
    }
    return StandingView(
        place=place,
        organisation=one.organisation,
        title=title,
        datasets=len(one.scores),
        opened=one.opened,
        open=one.open,
        timely=one.timely,
        late=one.late,
        **numbers,
    )
