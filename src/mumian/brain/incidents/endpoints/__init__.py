"""Endpoints of incidents: list, look, report, act."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field

from mumian.brain.incidents import rules, store
from mumian.brain.incidents.contracts import Incident
from mumian.brain.incidents.endpoints import views
from mumian.brain.incidents.kinds import Severity
from mumian.brain.incidents.service.life import Incidents, Report, due_times
from mumian.foundation.identity.api import Caller, Identity, permit, require
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, Stale
from mumian.kernel.i18n import preferred
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import MOST, Page, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/brain/incidents", tags=["brain"])
_READ = Annotated[Caller, Depends(permit("incident:read"))]
_REPORT = Annotated[Caller, Depends(permit("incident:report"))]
_NUMBER = Annotated[str, Path(max_length=60, pattern=r"^[0-9A-Za-z-]+$")]
_LANGUAGE = Annotated[str | None, Header()]
Action = Literal["file", "dispatch", "take", "resolve", "verify", "return", "close", "supervise", "note"]


class PlaceIn(BaseModel):
    """Where it is: WGS 84 degrees, and words for the place."""

    model_config = {"extra": "forbid"}
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    label: str | None = Field(None, max_length=200)


class ReportIn(BaseModel):
    """What a person reports."""

    model_config = {"extra": "forbid"}
    type: str = Field(max_length=80)
    title: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=4000)
    severity: Severity = "minor"
    place: PlaceIn


class ActionIn(BaseModel):
    """What is to be done; `dispatch` needs another `organisation`, `take` is for oneself unless `assignee` says otherwise."""

    model_config = {"extra": "forbid"}
    action: Action
    note: str = Field("", max_length=4000)
    organisation: str | None = Field(None, max_length=80)
    assignee: str | None = Field(None, min_length=1, max_length=80)


@router.get("")
async def list_incidents(
    platform: PlatformDep,
    _: _READ,
    state: Literal["open", "closed"] | None = None,
    district: Annotated[str | None, Query(max_length=12)] = None,
    cursor_text: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[dict[str, Any]]:
    """Incidents, the newest first."""
    keys = parse_cursor(cursor_text, str, str)
    before = (keys[0], keys[1]) if keys else None
    found = await platform.records.read(lambda session: store.page(session, state, district, before, limit))
    now = iso(platform.clock.now())
    following = cursor(found[-1].opened_at, found[-1].number) if len(found) == limit else None
    return Page(items=[views.summary(incident, now) for incident in found], next=following)


@router.get("/{number}")
async def get_incident(
    platform: PlatformDep, caller: _READ, number: _NUMBER, response: Response, accept_language: _LANGUAGE = None
) -> dict[str, Any]:
    """One incident with its history, its evidence and what the caller may do now."""
    incident = await platform.records.read(lambda session: platform.get(Incidents).find(session, number))
    response.headers["ETag"] = f'"{incident.version}"'
    return await views.detail(platform, caller, incident, preferred(accept_language))


@router.post("", status_code=201)
async def report_incident(
    platform: PlatformDep, caller: _REPORT, body: ReportIn, response: Response, accept_language: _LANGUAGE = None
) -> dict[str, Any]:
    """Report an incident."""
    if all(declared.name != body.type for declared in platform.declarations.all("IncidentType")):
        raise Invalid.field("type", "field.reference", kind="IncidentType", name=body.type)
    label = {"zh": body.place.label, "en": body.place.label} if body.place.label else None
    report = Report(
        type=body.type,
        title={"zh": body.title, "en": body.title},
        severity=body.severity,
        label=label,
        description=body.description,
        longitude=body.place.longitude,
        latitude=body.place.latitude,
    )
    incident = await platform.records.write(lambda tx: platform.get(Incidents).open(tx, report), caller.actor)
    response.headers["ETag"] = f'"{incident.version}"'
    response.headers["Location"] = f"{router.prefix}/{incident.number}"
    return await views.detail(platform, caller, incident, preferred(accept_language))


@router.post("/{number}/actions")
async def act_on_incident(
    platform: PlatformDep,
    caller: _READ,
    number: _NUMBER,
    body: ActionIn,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40)] = None,
    accept_language: _LANGUAGE = None,
) -> dict[str, Any]:
    """Take a step; `If-Match` holds the version that the caller saw. 409: not possible now; 412: somebody else was faster."""
    version = _version(if_match)
    if body.organisation is not None and all(d.name != body.organisation for d in platform.declarations.all("Organisation")):
        raise Invalid.field("organisation", "field.reference", kind="Organisation", name=body.organisation)
    if body.action == "dispatch" and body.organisation is None:
        raise Invalid.field("organisation", "field.missing")
    if body.assignee is not None and body.assignee != caller.login and body.assignee not in await platform.get(Identity).titles():
        raise Invalid.field("assignee", "incidents.assignee_unknown", name=body.assignee)
    after = await platform.records.write(lambda tx: _act(tx, platform, caller, number, body, version), caller.actor)
    response.headers["ETag"] = f'"{after.version}"'
    return await views.detail(platform, caller, after, preferred(accept_language))


def _act(tx: Transaction, platform: Platform, caller: Caller, number: str, body: ActionIn, version: int) -> Incident:
    incidents = platform.get(Incidents)
    incident = incidents.find(tx.session, number)
    require(caller, f"incident:{body.action}", views.owner(platform, incident))
    if version != incident.version:
        raise Stale(expected=version, found=incident.version)
    if body.action == "dispatch" and body.organisation == incident.organisation:
        raise Invalid.field("organisation", "incidents.same_organisation", name=body.organisation)
    step = rules.Step(
        body.action,
        tx.now_text,
        tx.actor.id,
        note=body.note,
        organisation=body.organisation,
        assignee=body.assignee or caller.login or caller.actor.id,
        due=due_times(tx.now, incidents.deadlines(incident)) if body.action == "dispatch" else None,
    )
    return incidents.act(tx, incident, step, expected=version)


def _version(if_match: str | None) -> int:
    if if_match is None:
        raise Invalid.field("If-Match", "incidents.version_missing")
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid.field("If-Match", "field.pattern", expected='"3"')
    return int(text)
