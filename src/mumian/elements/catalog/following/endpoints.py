"""Following over HTTP: what the caller follows, and the caller's notices."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from mumian.elements.catalog.following import noticing, store
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Invalid
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
Follower = Annotated[Caller, Depends(permit("dataset:follow"))]
Team = Annotated[bool, Query(description="For the caller's whole organisation, instead of the caller alone.")]


class Following(BaseModel):
    """A dataset, a theme or an owner, by name."""

    about: Literal["dataset", "theme", "owner"]
    value: str = Field(min_length=1, max_length=500)


class FollowingView(Following):
    """What is followed, and since when."""

    since: str


class NoticeView(BaseModel):
    """What happened to a dataset: `event` is the type of the event that told it."""

    id: int
    event: str
    dataset: str
    detail: dict[str, Any]
    time: str
    read_at: str | None


class ReadUpTo(BaseModel):
    """The number of the newest notice that was read."""

    up_to: int = Field(ge=0, lt=2**63)


class Marked(BaseModel):
    """How many notices were marked."""

    marked: int


@router.get("/following")
async def following(platform: PlatformDep, caller: Follower, team: Team = False) -> Page[FollowingView]:
    """What the caller follows."""
    rows = await platform.records.read(lambda session: store.followed(session, _who(caller, team)))
    return Page(items=[FollowingView(**row) for row in rows])


@router.put("/following", status_code=204)
async def follow(platform: PlatformDep, caller: Follower, wanted: Following, team: Team = False) -> None:
    """Follow a dataset, or all of a theme or an owner."""
    await platform.records.write(
        lambda tx: noticing.follow(tx, _who(caller, team), wanted.about, wanted.value, on=True), caller.actor
    )


@router.delete("/following", status_code=204)
async def unfollow(
    platform: PlatformDep,
    caller: Follower,
    about: Annotated[Literal["dataset", "theme", "owner"], Query()],
    value: Annotated[str, Query(min_length=1, max_length=500)],
    team: Team = False,
) -> None:
    """Follow it no longer."""
    await platform.records.write(lambda tx: noticing.follow(tx, _who(caller, team), about, value, on=False), caller.actor)


@router.get("/notices")
async def notices(
    platform: PlatformDep,
    caller: Follower,
    unread: bool = False,
    team: Team = False,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[NoticeView]:
    """The caller's notices, newest first."""
    keys = parse_cursor(after, int)
    before = 1 << 62 if keys is None else keys[0]
    rows = await platform.records.read(lambda s: store.notices(s, _who(caller, team), before, limit + 1, unread))
    items = [NoticeView(**{**row, "detail": json.loads(row["detail"])}) for row in rows[:limit]]
    return Page(items=items, next=cursor(items[-1].id) if len(rows) > limit else None)


@router.post("/notices/read")
async def read(platform: PlatformDep, caller: Follower, wanted: ReadUpTo, team: Team = False) -> Marked:
    """Mark notices as read."""
    marked = await platform.records.write(lambda tx: store.mark_read(tx, _who(caller, team), wanted.up_to), caller.actor)
    return Marked(marked=marked)


def _who(caller: Caller, team: bool) -> str:
    if not team:
        return caller.person or caller.actor.id
    if caller.organisation is None:
        raise Invalid.field("team", "catalog.no_organisation")
    return f"organisation:{caller.organisation}"
