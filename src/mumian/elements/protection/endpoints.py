"""Protection over HTTP: labels to confirm, their history, the list of important data, and questions to the gate."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.protection import store
from mumian.elements.protection.api import Decision, Gate, Label, Labels, Limits, RowRequest
from mumian.elements.protection.rules.policy import GRADES
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.unit_of_work import Row, Session
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/protection", tags=["protection"])
Name = Annotated[str, Path(max_length=200)]
CursorText = Annotated[str | None, Query(alias="cursor", max_length=600)]
Many = Annotated[int, Query(ge=1, le=MOST)]
Grade = Literal["core", "important", "general"]
Personal = Literal["none", "personal", "sensitive"]


class LabelView(BaseModel):
    """What is proposed or decided about a field; `evidence` has the share of matches and masked examples."""

    dataset: str
    field: str
    state: str
    grade: str
    personal: str
    category: str | None
    origin: str
    evidence: dict[str, Any]
    reason: str | None
    proposed_at: str
    decided_at: str | None
    decided_by: str | None


class HistoryView(BaseModel):
    """One proposal or decision."""

    number: int
    time: str
    actor: str
    state: str
    grade: str
    personal: str
    category: str | None
    origin: str
    evidence: dict[str, Any]
    reason: str | None


class DecisionBody(BaseModel):
    """Confirm (with the label that holds) or reject, with a reason."""

    decision: Literal["confirm", "reject"]
    grade: Grade = "general"
    personal: Personal = "none"
    category: str | None = Field(None, max_length=40)
    reason: str = Field(min_length=1, max_length=1000)


class ImportantView(BaseModel):
    """A field of important or core data 重要数据目录, with the organisation that answers for it."""

    dataset: str
    field: str
    owner: str
    grade: str
    personal: str


class RowsBody(BaseModel):
    """A question for rows in SQL over names of datasets; `match` asks for exact values before masking."""

    sql: str = Field(min_length=1, max_length=20_000)
    purpose: str = Field("", max_length=200)
    params: dict[str, str | int | float | bool | None] = Field(default_factory=dict, max_length=100)
    match: dict[str, str | int | float | bool | None] = Field(default_factory=dict, max_length=20)
    limit: int = Field(1000, ge=1)


class ColumnView(BaseModel):
    """A column of the answer."""

    name: str
    type: str


class RowsView(BaseModel):
    """The rows, and whether there are more than the limit."""

    columns: list[ColumnView]
    rows: list[list[Any]]
    truncated: bool


@router.get("/labels", dependencies=[Depends(permit("label:read"))])
async def labels(
    platform: PlatformDep,
    dataset: Annotated[str | None, Query(max_length=200)] = None,
    state: Literal["proposed", "confirmed", "rejected"] | None = None,
    grade: Grade | None = None,
    personal: Personal | None = None,
    cursor_text: CursorText = None,
    limit: Many = 100,
) -> Page[LabelView]:
    """Labels by dataset and field."""
    keys = parse_cursor(cursor_text, str, str)
    wanted: dict[str, str | None] = {"dataset": dataset, "state": state, "grade": grade, "personal": personal}
    after = None if keys is None else (keys[0], keys[1])
    rows = await platform.records.read(lambda session: store.labels(session, wanted, after, limit + 1))
    following = cursor(rows[limit - 1]["dataset"], rows[limit - 1]["field"]) if len(rows) > limit else None
    return Page(items=[_view(row) for row in rows[:limit]], next=following)


@router.get("/labels/{dataset}/{field}/history", dependencies=[Depends(permit("label:read"))])
async def history(
    platform: PlatformDep, dataset: Name, field: Name, cursor_text: CursorText = None, limit: Many = 100
) -> Page[HistoryView]:
    """What was proposed and decided for a field, newest first."""
    keys = parse_cursor(cursor_text, int)
    before = None if keys is None else keys[0]
    rows = await platform.records.read(lambda session: store.history(session, dataset, field, before, limit + 1))
    following = cursor(rows[limit - 1]["number"]) if len(rows) > limit else None
    return Page(items=[HistoryView(**{**row, "evidence": json.loads(row["evidence"])}) for row in rows[:limit]], next=following)


@router.post("/labels/{dataset}/{field}/decision")
async def decide(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("label:decide"))],
    dataset: Name,
    field: Name,
    body: DecisionBody,
) -> LabelView:
    """Confirm a proposal, give a field another label, or reject."""
    require(caller, "label:decide", platform.declarations.get("Dataset", dataset).spec.owner)
    label = Label(body.grade, body.personal, body.category) if body.decision == "confirm" else None
    decision = Decision(label, body.reason)
    row = await platform.records.write(lambda tx: platform.get(Labels).decide(tx, dataset, field, decision), caller.actor)
    return _view(row)


@router.post("/datasets/{dataset}/examination")
async def examine(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("label:decide"))], dataset: Name
) -> list[LabelView]:
    """Let the detectors look at a sample of a dataset now; returns its labels."""
    require(caller, "label:decide", platform.declarations.get("Dataset", dataset).spec.owner)
    return [_view(row) for row in await platform.get(Labels).examine(dataset)]


@router.get("/important", dependencies=[Depends(permit("label:read"))])
async def important(platform: PlatformDep, cursor_text: CursorText = None, limit: Many = 100) -> Page[ImportantView]:
    """The list of important and core data, field by field: what is declared, and what was proposed and not rejected."""
    keys = parse_cursor(cursor_text, str, str)
    kept = platform.get(Labels)

    def work(session: Session) -> list[ImportantView]:
        found = []
        for declared in platform.declarations.all("Dataset"):
            if not declared.spec.fields or (keys is not None and declared.name < keys[0]):
                continue
            for name, label in sorted(kept.in_force(session, declared.name).items()):
                beyond = keys is None or (declared.name, name) > (keys[0], keys[1])
                if label.grade != GRADES[0] and beyond:
                    owner = declared.spec.owner
                    found.append(
                        ImportantView(dataset=declared.name, field=name, owner=owner, grade=label.grade, personal=label.personal)
                    )
            if len(found) > limit:
                break
        return found

    found = await platform.records.read(work)
    following = cursor(found[limit - 1].dataset, found[limit - 1].field) if len(found) > limit else None
    return Page(items=found[:limit], next=following)


@router.post("/rows")
async def rows(platform: PlatformDep, caller: Annotated[Caller, Depends(permit("dataset:read"))], body: RowsBody) -> RowsView:
    """Ask the gate for rows that the caller may read without a grant."""
    gate = platform.get(Gate)
    limits = Limits(rows=min(body.limit, gate.settings.rows), seconds=gate.settings.seconds)
    request = RowRequest(caller, body.purpose, body.sql, body.params, None, limits, body.match)
    answer = await gate.query(request)
    columns = [ColumnView(name=column.name, type=column.type) for column in answer.columns]
    return RowsView(columns=columns, rows=[list(row) for row in answer.rows], truncated=answer.truncated)


def _view(row: Row) -> LabelView:
    return LabelView(**{**row, "evidence": json.loads(row["evidence"])})
