"""Credit over HTTP: facts recorded and withdrawn, reports on legal persons, what the public may see, and repairs."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.registers.credit import rules, store
from mumian.elements.registers.credit.keeping import Credit, FactDraft
from mumian.elements.registers.events import EntityRead
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/registers/credit", tags=["credit"])
Id = Annotated[str, Path(max_length=40)]
Code = Annotated[str, Path(max_length=40)]
Recorder = Annotated[Caller, Depends(permit("credit:record"))]
CursorText = Annotated[str | None, Query(alias="cursor", max_length=400)]
Many = Annotated[int, Query(ge=1, le=500)]


class FactBody(BaseModel):
    """A fact to record."""

    kind: str = Field(max_length=80)
    subject: str = Field(min_length=1, max_length=40, description="The unified social credit code.")
    subject_name: str = Field(min_length=1, max_length=300)
    organisation: str = Field(max_length=80)
    document: str = Field(min_length=1, max_length=200, description="The number of the document 文号.")
    content: str = Field(min_length=1, max_length=10_000)
    decided_on: date = Field(ge=date(1949, 10, 1), le=date(2200, 1, 1))


class ReasonBody(BaseModel):
    """A reason, or the grounds of an application."""

    reason: str = Field(min_length=1, max_length=5000)


class DecisionBody(ReasonBody):
    """What is decided of a repair, and why."""

    grant: bool


class FactView(BaseModel):
    """A credit fact; `state` is that of today: active, expired, repaired or withdrawn."""

    id: str
    kind: str
    category: str
    subject: str
    subject_name: str
    organisation: str
    document: str
    content: str
    decided_on: str
    expires_on: str
    state: str
    repairable_from: str | None
    reason: str | None


class RepairView(BaseModel):
    """An application for a repair."""

    id: str
    fact: str
    grounds: str
    state: str
    applied_at: str
    applied_by: str
    decided_at: str | None
    decided_by: str | None
    reason: str | None


@router.post("/facts", status_code=201)
async def record(platform: PlatformDep, caller: Recorder, body: FactBody) -> FactView:
    """Record a fact."""
    require(caller, "credit:record", body.organisation)
    credit = platform.get(Credit)
    row = await platform.records.write(lambda tx: credit.record(tx, FactDraft(**body.model_dump())), caller.actor)
    return _view(credit, row)


@router.post("/facts/{fact_id}/withdrawal")
async def withdraw(platform: PlatformDep, caller: Recorder, fact_id: Id, body: ReasonBody) -> FactView:
    """Take back a fact that was recorded wrongly."""
    credit = platform.get(Credit)
    row = await platform.records.read(lambda session: credit.fact(session, fact_id))
    require(caller, "credit:record", row["organisation"])
    row = await platform.records.write(lambda tx: credit.withdraw(tx, fact_id, body.reason), caller.actor)
    return _view(credit, row)


@router.get("/subjects/{code}")
async def report(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("credit:read"))],
    code: Code,
    purpose: Annotated[str, Query(min_length=1, max_length=200, description="What for: it goes into the ledger.")],
    after: CursorText = None,
    limit: Many = 100,
) -> Page[FactView]:
    """All facts about a legal person, also those that are not shown any more; who looked is in the ledger."""
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda s: store.facts(s, code.upper(), keys[0] if keys else "", limit + 1))
    event = EntityRead(subject=f"credit/{code.upper()}", organisation=caller.organisation, purpose=purpose, what="credit report")
    await platform.records.write(lambda tx: tx.emit(event), caller.actor)
    credit = platform.get(Credit)
    following = cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[_view(credit, row) for row in rows[:limit]], next=following)


@router.get("/public/{code}")
async def shown(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("credit:see"))],
    code: Code,
    after: CursorText = None,
    limit: Many = 100,
) -> Page[FactView]:
    """The facts about a legal person that are public and in force."""
    keys = parse_cursor(after, str)
    credit = platform.get(Credit)
    rows = await platform.records.read(lambda s: store.facts(s, code.upper(), keys[0] if keys else "", limit + 1))
    views = [_view(credit, row) for row in rows[:limit] if credit.kind(row["kind"]).spec.public]
    following = cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[view for view in views if view.state == "active"], next=following)


@router.post("/facts/{fact_id}/repairs", status_code=201)
async def apply(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("credit:apply"))], fact_id: Id, body: ReasonBody
) -> RepairView:
    """Apply for the repair of a fact."""
    credit = platform.get(Credit)

    def work(tx: Any) -> Row:
        return credit.repair(tx.session, credit.apply(tx, fact_id, body.reason))

    return RepairView(**await platform.records.write(work, caller.actor))


@router.get("/repairs")
async def repairs(platform: PlatformDep, caller: Recorder, after: CursorText = None, limit: Many = 100) -> Page[RepairView]:
    """Applications that wait for the caller's organisation."""
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda s: store.open_repairs(s, keys[0] if keys else "", limit + 1))
    mine = [row for row in rows[:limit] if caller.allowed("credit:record", row["organisation"])]
    items = [RepairView(**{key: row[key] for key in RepairView.model_fields}) for row in mine]
    return Page(items=items, next=cursor(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.post("/repairs/{repair_id}/decision")
async def decide(platform: PlatformDep, caller: Recorder, repair_id: Id, body: DecisionBody) -> FactView:
    """Grant or refuse a repair, as the organisation that recorded the fact."""
    credit = platform.get(Credit)
    found = await platform.records.read(lambda s: credit.fact(s, credit.repair(s, repair_id)["fact"]))
    require(caller, "credit:record", found["organisation"])
    row = await platform.records.write(lambda tx: credit.decide(tx, repair_id, body.grant, body.reason), caller.actor)
    return _view(credit, row)


def _view(credit: Credit, row: Row) -> FactView:
    spec = credit.kind(row["kind"]).spec
    first = rules.repairable_from(row["decided_on"], spec.least_days) if spec.repairable else None
    state = rules.state_on(row["status"], row["expires_on"], credit.today())
    names = [name for name in rules.CONTENT if name in FactView.model_fields]
    return FactView(
        **{name: row[name] for name in names}, category=spec.category, state=state, repairable_from=first, reason=row["reason"]
    )
