"""Clerical review over HTTP: what is left for people, and what they decide."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from mumian.elements.registers import store
from mumian.elements.registers.api import Registers
from mumian.elements.registers.endpoints.entities import Number, PairView, pair_view
from mumian.elements.registers.endpoints.registers import CursorText, Name, readable
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/registers", tags=["registers"])
Reviewer = Annotated[Caller, Depends(permit("register:review"))]
RecordNumber = Annotated[int, Field(ge=1, lt=2**62)]


class DecisionBody(BaseModel):
    """What somebody says of two records; null takes back what was said."""

    a: RecordNumber
    b: RecordNumber
    verdict: Literal["same", "different"] | None
    reason: str = Field(min_length=1, max_length=1000)


class MergeBody(BaseModel):
    """Entities that are one."""

    entities: list[RecordNumber] = Field(min_length=2, max_length=50)
    reason: str = Field(min_length=1, max_length=1000)


class SplitBody(BaseModel):
    """Records that are another entity, one together."""

    records: list[RecordNumber] = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)


class DecidedView(BaseModel):
    """A decision as it is kept."""

    a: int
    b: int
    verdict: str
    reason: str
    decided_at: str
    decided_by: str


class AcceptedView(BaseModel):
    """The decision is kept; the next run acts on it."""

    register_name: str
    due: bool = True


@router.get("/{name}/review")
async def review(
    platform: PlatformDep,
    caller: Reviewer,
    name: Name,
    after: CursorText = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[PairView]:
    """Entities that may be one, the likeliest first, each by its strongest pair."""
    known = await readable(platform, caller, name, "register:review")
    keys = parse_cursor(after, float, int, int)
    position = None if keys is None else (keys[0], keys[1], keys[2])
    found = await platform.get(Registers).explaining.review(known, position, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else cursor(float(last.weight), last.a, last.b)
    return Page(items=[pair_view(each) for each in found[:limit]], next=following)


@router.get("/{name}/decisions")
async def decisions(
    platform: PlatformDep,
    caller: Reviewer,
    name: Name,
    after: CursorText = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page[DecidedView]:
    """What people decided, by the numbers of the records."""
    await readable(platform, caller, name, "register:review")
    keys = parse_cursor(after, int, int) or [0, 0]
    rows = await platform.records.read(lambda session: store.decisions(session, name, (keys[0], keys[1]), limit + 1))
    following = cursor(rows[limit - 1]["a"], rows[limit - 1]["b"]) if len(rows) > limit else None
    items = [DecidedView(**{key: row[key] for key in DecidedView.model_fields}) for row in rows[:limit]]
    return Page(items=items, next=following)


@router.post("/{name}/decisions", status_code=202)
async def decide(platform: PlatformDep, caller: Reviewer, name: Name, body: DecisionBody) -> AcceptedView:
    """Confirm or reject that two records are one entity."""
    known = await readable(platform, caller, name, "register:review")
    deciding = platform.get(Registers).deciding
    await deciding.decide(known, body.a, body.b, body.verdict, body.reason, caller.actor)
    return AcceptedView(register_name=name)


@router.post("/{name}/merge", status_code=202)
async def merge(platform: PlatformDep, caller: Reviewer, name: Name, body: MergeBody) -> AcceptedView:
    """Put entities together."""
    known = await readable(platform, caller, name, "register:review")
    await platform.get(Registers).deciding.merge(known, body.entities, body.reason, caller.actor)
    return AcceptedView(register_name=name)


@router.post("/{name}/entities/{entity}/split", status_code=202)
async def split(platform: PlatformDep, caller: Reviewer, name: Name, entity: Number, body: SplitBody) -> AcceptedView:
    """Take records out of an entity."""
    known = await readable(platform, caller, name, "register:review")
    await platform.get(Registers).deciding.split(known, entity, body.records, body.reason, caller.actor)
    return AcceptedView(register_name=name)
