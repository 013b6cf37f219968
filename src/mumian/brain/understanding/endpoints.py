"""Endpoints of understanding: what a text says, corrections, retraining, suggestions about incidents, and hot issues."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from mumian.brain.understanding import store
from mumian.brain.understanding.api import Report, Understanding
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/brain/understanding", tags=["brain"])
Reads = Annotated[Caller, Depends(permit("text:read"))]
Corrects = Annotated[Caller, Depends(permit("text:correct"))]
Reviews = Annotated[Caller, Depends(permit("text:review"))]
Trains = Annotated[Caller, Depends(permit("text:train"))]
Sees = Annotated[Caller, Depends(permit("incident:read"))]
Limit = Annotated[int, Query(ge=1, le=MOST)]


class Body(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TextBody(Body):
    """A text as a person wrote it; `time` (with its offset) is when, now if it is left out; the point is WGS 84."""

    title: str = Field("", max_length=400)
    text: str = Field(min_length=1, max_length=20_000)
    time: str | None = Field(None, max_length=40)
    longitude: float | None = Field(None, ge=-180, le=180)
    latitude: float | None = Field(None, ge=-90, le=90)


class CorrectionBody(Body):
    """What the category of a text is; `said` is what the model had said, `incident` the one it is about."""

    title: str = Field("", max_length=400)
    text: str = Field(min_length=1, max_length=20_000)
    label: str = Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")
    said: str = Field("", max_length=200)
    incident: str = Field("", max_length=60)


@router.post("/texts")
async def read_text(platform: PlatformDep, _: Reads, body: TextBody) -> dict[str, Any]:
    """What a text says: category candidates with confidence and reasons, places, times, urgency, emotion, the same event."""
    try:
        now = parse_iso(body.time) if body.time is not None else platform.clock.now()
    except (ValueError, OverflowError) as error:
        raise Invalid.field("time", "field.pattern", expected="2014-01-02T03:04:05Z") from error
    report = Report(number="", time=now, longitude=body.longitude, latitude=body.latitude)
    understanding = platform.get(Understanding)
    found = await platform.records.read(lambda session: understanding.understand(session, body.title, body.text, report))
    told: dict[str, Any] = msgspec.to_builtins(found)
    return told


@router.get("/incidents/{number}")
async def get_suggestion(
    platform: PlatformDep, _: Sees, number: Annotated[str, Path(max_length=60, pattern=r"^[0-9A-Za-z-]+$")]
) -> dict[str, Any]:
    """What was read from the text of an incident when it was opened."""
    understanding = platform.get(Understanding)
    found = await platform.records.read(lambda session: understanding.suggestion(session, number))
    if found is None:
        raise NotFound(kind="suggestion", name=number)
    return found


@router.get("/hot")
async def list_hot_issues(
    platform: PlatformDep,
    _: Sees,
    days: Annotated[float, Query(gt=0, le=366)] = 30,
    until: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[dict[str, Any]]:
    """The hot issues of the days before an instant, the hottest first: what many people reported lately of one event."""
    try:
        end = parse_iso(until) if until is not None else platform.clock.now()
    except (ValueError, OverflowError) as error:
        raise Invalid.field("until", "field.pattern", expected="2014-01-02T03:04:05Z") from error
    understanding = platform.get(Understanding)
    found = await platform.records.read(lambda session: understanding.hot(session, end, days, limit))
    told: list[dict[str, Any]] = msgspec.to_builtins(found)
    return told


@router.post("/corrections", status_code=201)
async def correct_text(platform: PlatformDep, caller: Corrects, body: CorrectionBody) -> dict[str, Any]:
    """Say what the category of a text is."""
    understanding = platform.get(Understanding)
    made = await platform.records.write(
        lambda tx: understanding.correct(tx, body.title, body.text, body.said, body.label, body.incident), caller.actor
    )
    told: dict[str, Any] = msgspec.to_builtins(made)
    return told


@router.get("/corrections")
async def list_corrections(
    platform: PlatformDep,
    _: Reviews,
    cursor_text: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Limit = 100,
) -> Page[dict[str, Any]]:
    """The corrections there are, oldest first."""
    keys = parse_cursor(cursor_text, str)
    name = platform.get(Understanding).settings.category_model
    found = await platform.records.read(lambda session: store.corrections(session, name, keys[0] if keys else "", limit))
    items: list[dict[str, Any]] = msgspec.to_builtins(found)
    return Page(items=items, next=cursor(found[-1].id) if len(found) == limit else None)


@router.post("/retraining", status_code=201)
async def retrain(platform: PlatformDep, caller: Trains) -> dict[str, Any]:
    """Learn from the corrections: a new draft of the model, held against the one in use; takes minutes. 404: none is in use."""
    made = await platform.get(Understanding).retrain(caller.actor)
    told: dict[str, Any] = msgspec.to_builtins(made)
    return told
