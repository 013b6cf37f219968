"""Routing over HTTP: groups and who answers for them, silences, why somebody was told, and rules tried out on the past."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mumian.brain.vitals.api import Vitals
from mumian.brain.warnings.events import GroupAcknowledged, WarningsSilenced
from mumian.brain.warnings.kinds import Match, WarningSpec
from mumian.brain.warnings.routing import explaining, store
from mumian.brain.warnings.routing.rules import Group
from mumian.brain.warnings.rules import LEVELS
from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.sensing.api import instant
from mumian.kernel.clock import iso
from mumian.kernel.errors import Conflict, Invalid, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Row, Session, Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
_Reader = Annotated[Caller, Depends(permit("warning:read"))]
_Watch = Annotated[Caller, Depends(permit("warning:acknowledge"))]
_Silencer = Annotated[Caller, Depends(permit("warning:silence"))]
_Curious = Annotated[Caller, Depends(permit("warning:explain"))]
_Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
_Limit = Annotated[int, Query(ge=1, le=MOST)]
_MOST_VALUES = 500_000
_LONGEST = timedelta(days=366)


class GroupView(BaseModel):
    """Warnings that people are told of together; `level` is the worst they were told of."""

    id: str
    route: str
    labels: dict[str, str]
    level: str | None
    standing: int
    first_told_at: str | None
    told_at: str | None
    acknowledged: str | None
    next_look: str | None


class Acknowledgement(BaseModel):
    """What who answers for a group has to say."""

    comment: str = Field("", max_length=1000)


class SilenceIn(BaseModel):
    """Which warnings nobody is told of, how long, and why."""

    model_config = ConfigDict(extra="forbid")
    match: Match
    starts: AwareDatetime | None = None
    ends: AwareDatetime
    comment: str = Field(min_length=1, max_length=1000)


class SilenceView(BaseModel):
    """A silence; `state` is pending, active or ended."""

    id: str
    match: dict[str, list[str]]
    starts: str
    ends: str
    author: str
    comment: str
    created: str
    state: Literal["pending", "active", "ended"]


class ReplayIn(BaseModel):
    """A warning's spec, and the time over which to try it out."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    spec: WarningSpec
    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")


class RaisedView(BaseModel):
    """A warning that would have been raised."""

    key: str
    level: str
    start: str
    end: str | None
    worst: float | None


class Replay(BaseModel):
    """What a rule would have done: how many values it saw, how many warnings a week, by level, and the first 1,000 of them."""

    values: int
    warnings: int
    per_week: float
    by_level: dict[str, int]
    raised: list[RaisedView]


@router.get("/groups")
async def groups(platform: PlatformDep, _: _Reader, after: _Cursor = None, limit: _Limit = 100) -> Page[GroupView]:
    """The groups of warnings that stand."""
    keys = parse_cursor(after, str)

    def work(session: Session) -> list[tuple[Group, Row, int]]:
        found = store.groups(session, keys[0] if keys else "", limit + 1)
        return [(group, row, store.standing(session, row["id"])) for group, row in found]

    found = await platform.records.read(work)
    views = [_group(group, row, standing) for group, row, standing in found[:limit]]
    return Page(items=views, next=cursor(views[-1].id) if len(found) > limit else None)


@router.post("/groups/{group}/acknowledgement")
async def acknowledge(platform: PlatformDep, caller: _Watch, group: str, given: Acknowledgement) -> GroupView:
    """Answer for a group: it is neither repeated nor escalated until something worse comes; a second person gets a conflict."""

    def work(tx: Transaction) -> GroupView:
        found = store.group(tx.session, group)
        if found is None:
            raise NotFound(kind="group", name=group)
        state, row = found
        by = caller.login or caller.actor.id
        if state.acknowledged not in (None, by):
            raise AlreadyAcknowledged(by=state.acknowledged)
        state = msgspec.structs.replace(state, acknowledged=by)
        store.put_group(tx.session, group, row["route"], row["labels"], state, tx.now_text)
        tx.emit(GroupAcknowledged(subject=group, by=by, comment=given.comment))
        return _group(state, row, store.standing(tx.session, group))

    return await platform.records.write(work, caller.actor)


@router.get("/silences")
async def silences(
    platform: PlatformDep, _: _Reader, active: bool = False, after: _Cursor = None, limit: _Limit = 100
) -> Page[SilenceView]:
    """Silences, newest first."""
    keys = parse_cursor(after, str)
    now = iso(platform.clock.now())
    rows = await platform.records.read(
        lambda session: store.silences(session, now if active else None, keys[0] if keys else "~", limit + 1)
    )
    views = [_silence(row, now) for row in rows[:limit]]
    return Page(items=views, next=cursor(views[-1].id) if len(rows) > limit else None)


@router.post("/silences", status_code=201)
async def silence(platform: PlatformDep, caller: _Silencer, given: SilenceIn) -> SilenceView:
    """Have nobody told of certain warnings for a time; they stand all the same."""
    now = platform.clock.now()
    starts = max(given.starts or now, now)
    if given.ends <= starts:
        raise Invalid.field("ends", "warnings.silence.ends")
    if given.ends - starts > _LONGEST:
        raise Invalid.field("ends", "warnings.silence.long", days=_LONGEST.days)
    wanted = {name: values for name, values in given.match.wanted().items() if values}
    if not wanted:
        raise Invalid.field("match", "warnings.silence.all")
    row = {
        "id": new_id(),
        "wanted": wanted,
        "starts": iso(starts),
        "ends": iso(given.ends),
        "author": caller.login or caller.actor.id,
        "comment": given.comment,
        "created": iso(now),
    }
    await platform.records.write(lambda tx: _keep(tx, row), caller.actor)
    return _silence(row, iso(now))


@router.delete("/silences/{silence_id}")
async def end_silence(platform: PlatformDep, caller: _Silencer, silence_id: str) -> SilenceView:
    """End a silence now; it stays on record."""

    def work(tx: Transaction) -> Row:
        row = store.silence(tx.session, silence_id)
        if row is None:
            raise NotFound(kind="silence", name=silence_id)
        if row["ends"] > tx.now_text:
            row["ends"] = max(tx.now_text, row["starts"])
            _keep(tx, row)
        return row

    row = await platform.records.write(work, caller.actor)
    return _silence(row, iso(platform.clock.now()))


@router.get("/rules/{rule}/explanation")
async def explain_rule(
    platform: PlatformDep, _: _Curious, rule: str, key: Annotated[str, Query(max_length=200)]
) -> dict[str, Any]:
    """Why a rule does or does not warn about a key now."""
    return await platform.records.read(lambda session: explaining.explained(platform, session, rule, key))


@router.get("/{warning}/explanation")
async def explain_warning(platform: PlatformDep, _: _Curious, warning: str) -> dict[str, Any]:
    """Who was told of a warning and when, or why nobody was."""
    return await platform.records.read(lambda session: explaining.told(platform, session, warning))


@router.post("/replays")
async def replay(platform: PlatformDep, _: _Curious, given: ReplayIn) -> Replay:
    """Try a rule out on the past before it is switched on: what it would have raised, and how often."""
    if given.end <= given.start:
        raise Invalid.field("to", "warnings.silence.ends")
    start, end = iso(given.start), iso(given.end)
    if not any(vital.name == given.spec.vital for vital in platform.declarations.all("Vital")):
        raise Invalid.field("spec.vital", "field.reference", kind="Vital", name=given.spec.vital)
    vitals = platform.get(Vitals)
    rows = await platform.records.read(lambda s: vitals.history(s, given.spec.vital, start, end, _MOST_VALUES + 1))
    if len(rows) > _MOST_VALUES:
        raise Invalid.field("to", "warnings.replay.much", most=_MOST_VALUES)
    raised = explaining.replayed(given.spec, rows)
    levels = [each.level for each in raised]
    return Replay(
        values=len(rows),
        warnings=len(raised),
        per_week=round(explaining.per_week(len(raised), start, end), 3),
        by_level={level: levels.count(level) for level in dict.fromkeys(levels)},
        raised=[RaisedView(**vars(each)) for each in raised[:1000]],
    )


class AlreadyAcknowledged(Conflict):
    """Somebody else answers for this group already; values: `by`."""

    key = "warnings.acknowledged"


def _keep(tx: Transaction, row: Row) -> None:
    store.put_silence(tx.session, row)
    told = {name: row[name] for name in ("wanted", "starts", "ends", "author", "comment")}
    tx.emit(WarningsSilenced(subject=row["id"], **told))


def _group(group: Group, row: Row, standing: int) -> GroupView:
    return GroupView(
        id=row["id"],
        route=row["route"],
        labels=row["labels"],
        level=None if group.level < 0 else LEVELS[group.level],
        standing=standing,
        first_told_at=_text(group.first_told_at),
        told_at=_text(group.told_at),
        acknowledged=group.acknowledged,
        next_look=row["look_at"],
    )


def _silence(row: Row, now: str) -> SilenceView:
    state: Literal["pending", "active", "ended"] = (
        "ended" if row["ends"] <= now else "pending" if row["starts"] > now else "active"
    )
    shown = {name: row[name] for name in ("id", "starts", "ends", "author", "comment", "created")}
    return SilenceView(match=row["wanted"], state=state, **shown)


def _text(time: int | None) -> str | None:
    return None if time is None else iso(instant(time))
