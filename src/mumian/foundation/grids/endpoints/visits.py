"""Visits over HTTP: open them, see what is to be done, say what was found."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.grids import models
from mumian.foundation.grids.endpoints.grids import CURSOR, LIMIT
from mumian.foundation.grids.endpoints.registers import detail, listed
from mumian.foundation.grids.service import visiting
from mumian.foundation.grids.store import VISITS
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid
from mumian.kernel.web import Page, PlatformDep

router = APIRouter(prefix="/api/v1/foundation/grids", tags=["grids"])
_READ = Annotated[Caller, Depends(permit("visit:read"))]
_OPEN = Annotated[Caller, Depends(permit("visit:open"))]
_MAKE = Annotated[Caller, Depends(permit("visit:make"))]
_CODE = Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]
_WORD = Annotated[str | None, Query(max_length=80)]


@router.get("/visits")
async def list_visits(
    platform: PlatformDep,
    _: _READ,
    state: Annotated[str | None, Query(pattern=r"^(open|done|cancelled)$")] = None,
    subject: _WORD = None,
    organisation: _WORD = None,
    assignee: _WORD = None,
    after: CURSOR = None,
    limit: LIMIT = 100,
) -> Page[dict[str, Any]]:
    """Visits by id, which is the order in which they were opened."""
    filters = {"state": state, "subject": subject, "organisation": organisation, "assignee": assignee}
    return await listed(platform, VISITS, filters, after, limit)


@router.post("/visits", status_code=201)
async def open_visits(platform: PlatformDep, caller: _OPEN, body: models.VisitsBody) -> Page[dict[str, Any]]:
    """Open a visit for each subject."""
    if body.due is not None and (body.due.tzinfo is None or not 1970 <= body.due.year < 9999):
        raise Invalid.field("due", "field.type", expected="2014-01-02T03:04:05Z")
    due = iso(body.due) if body.due else ""
    values = {"purpose": body.purpose, "organisation": body.organisation, "assignee": body.assignee, "due": due}
    subjects = [(subject.kind, subject.code) for subject in body.subjects]
    addresses = platform.get(Addresses)
    made = await platform.records.write(lambda tx: visiting.open_visits(tx, addresses, subjects, values), caller.actor)
    return Page(items=[models.shown(visit) for visit in made])


@router.get("/visits/{code}")
async def get_visit(platform: PlatformDep, _: _READ, code: _CODE) -> dict[str, Any]:
    """A visit with its versions."""
    return await detail(platform, VISITS, code)


@router.post("/visits/{code}/finding")
async def make_visit(platform: PlatformDep, caller: _MAKE, code: _CODE, body: models.FindingBody) -> dict[str, Any]:
    """Say what was found; a component or building takes the state that this proves. 409 when the visit is closed already."""
    values = body.model_dump(exclude={"result"})
    return models.shown(await platform.records.write(lambda tx: visiting.make_visit(tx, code, body.result, values), caller.actor))


@router.post("/visits/{code}/cancel")
async def call_off(platform: PlatformDep, caller: _OPEN, code: _CODE, body: models.NoteBody) -> dict[str, Any]:
    """Call a visit off. 409 when it is closed already."""
    return models.shown(await platform.records.write(lambda tx: visiting.call_off(tx, code, body.note), caller.actor))
