"""Scores over HTTP: the list of datasets, one dataset rule by rule, its history, its failing rows, and judging now."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.protection.api import Gate, Limits, RowRequest
from mumian.elements.quality.api import Quality
from mumian.elements.quality.contracts import DIMENSIONS, Outcome, Rule
from mumian.elements.quality.endpoints.views import (
    WITHOUT_NUL,
    DatasetQualityView,
    ResultView,
    RowsView,
    RunView,
    ScoreView,
    rule_view,
)
from mumian.elements.quality.rules.compiling import quoted
from mumian.elements.quality.store import runs, tickets
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("quality:read"))]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Annotated[str, Path(max_length=200, pattern=WITHOUT_NUL)]
RuleName = Annotated[str, Path(max_length=300, pattern=WITHOUT_NUL)]
_PURPOSE = "quality-review"


class OverviewView(BaseModel):
    """The whole city: how many datasets are judged, their mean scores, rules that fail, and open tickets."""

    datasets: int
    judged: int
    score: float | None
    rules: int
    failed: int
    open_tickets: int
    late_tickets: int
    bands: dict[str, int]


@router.get("/overview", dependencies=[Depends(permit("quality:read"))])
async def overview(platform: PlatformDep) -> OverviewView:
    """The whole city in a few numbers; `bands` count datasets with scores of 90 and more, 75, 60, and below."""
    now = platform.clock.now()

    def read(session: Session) -> tuple[list[Row], dict[str, Row]]:
        return runs.scores(session), tickets.standing(session, "", iso(now))

    rows, standing = await platform.records.read(read)
    scores = [row["score"] for row in rows if row["score"] is not None]
    bands = {"90": 0, "75": 0, "60": 0, "0": 0}
    for score in scores:
        bands["90" if score >= 90 else "75" if score >= 75 else "60" if score >= 60 else "0"] += 1
    return OverviewView(
        datasets=len(rows),
        judged=len(scores),
        score=round(sum(scores) / len(scores), 2) if scores else None,
        rules=sum(row["rules"] for row in rows),
        failed=sum(row["failed"] for row in rows),
        open_tickets=sum(int(row["still_open"]) for row in standing.values()),
        late_tickets=await platform.records.read(lambda s: tickets.late_count(s, iso(now))),
        bands=bands,
    )


@router.get("/datasets", dependencies=[Depends(permit("quality:read"))])
async def datasets(
    platform: PlatformDep,
    owner: Annotated[str | None, Query(max_length=80, pattern=WITHOUT_NUL)] = None,
    order: Literal["name", "score"] = "name",
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[ScoreView]:
    """How datasets stand: by name, or the worst first."""
    keys = parse_cursor(after, float, str)
    behind = None if keys is None else (keys[0], keys[1].replace("\0", ""))

    def read(session: Session) -> tuple[list[Row], dict[str, int]]:
        return runs.states(session, owner, order, behind, limit + 1), tickets.counts(session)

    rows, open_ = await platform.records.read(read)
    following = cursor(float(rows[limit - 1]["order_key"]), rows[limit - 1]["dataset"]) if len(rows) > limit else None
    return Page(items=[_score(platform, row, open_) for row in rows[:limit]], next=following)


@router.get("/datasets/{dataset}", dependencies=[Depends(permit("quality:read"))])
async def dataset_quality(platform: PlatformDep, dataset: Name) -> DatasetQualityView:
    """How a dataset stands, rule by rule."""
    return await _whole(platform, dataset)


@router.post("/datasets/{dataset}/runs", status_code=201)
async def judge(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("quality:run"))], dataset: Name
) -> DatasetQualityView:
    """Judge all rows of a dataset now."""
    require(caller, "quality:run", platform.declarations.get("Dataset", dataset).spec.owner)
    await platform.get(Quality).judge(dataset, caller.actor)
    return await _whole(platform, dataset)


@router.get("/datasets/{dataset}/runs", dependencies=[Depends(permit("quality:read"))])
async def trend(platform: PlatformDep, dataset: Name, after: Cursor = None, limit: Limit = 100) -> Page[RunView]:
    """The scores of a dataset over time, newest first."""
    keys = parse_cursor(after, int)
    before = None if keys is None else keys[0]
    platform.declarations.get("Dataset", dataset)
    rows = await platform.records.read(lambda session: runs.runs(session, dataset, before, limit + 1))
    items = [
        RunView(
            run=row["number"],
            trigger=row["trigger_name"],
            rows=row["held_rows"],
            **{name: row[name] for name in ("at", "load", "seconds", "readable", "reason", "score", "dimensions")},
        )
        for row in rows[:limit]
    ]
    return Page(items=items, next=cursor(items[-1].run) if len(rows) > limit else None)


@router.get("/datasets/{dataset}/rules/{rule}/results", dependencies=[Depends(permit("quality:read"))])
async def rule_trend(
    platform: PlatformDep, dataset: Name, rule: RuleName, after: Cursor = None, limit: Limit = 100
) -> Page[ResultView]:
    """What was found for a rule over time, newest first."""
    keys = parse_cursor(after, int)
    before = None if keys is None else keys[0]
    rows = await platform.records.read(lambda session: runs.rule_history(session, dataset, rule, before, limit + 1))
    items = [ResultView(**row) for row in rows[:limit]]
    return Page(items=items, next=cursor(items[-1].run) if len(rows) > limit else None)


@router.get("/datasets/{dataset}/rules/{rule}/rows")
async def failing_rows(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("quality:review"))], dataset: Name, rule: RuleName
) -> RowsView:
    """The rows that were noted as failing, as the gate shows them to the caller: masked where the caller may not see more."""
    found = await platform.records.read(lambda session: _outcomes(session, dataset))
    outcome = found.get(rule)
    if outcome is None:
        raise NotFound(kind="Rule", name=rule)
    if not outcome.rows:
        return RowsView(columns=[], rows=[], kept=0, failing=outcome.failing)
    ids = ", ".join(str(int(number)) for number in outcome.rows)
    gate = platform.get(Gate)
    visible = await gate.query(RowRequest(caller, _PURPOSE, f"SELECT * FROM {quoted(dataset)} LIMIT 0", limits=Limits(rows=1)))
    fields = ", ".join(["_id", *(quoted(column.name) for column in visible.columns)])
    sql = f"SELECT {fields} FROM {quoted(dataset)} WHERE _id IN ({ids}) ORDER BY _id"
    answer = await gate.query(RowRequest(caller, _PURPOSE, sql, limits=Limits(rows=len(outcome.rows))))
    columns = [column.name for column in answer.columns]
    return RowsView(columns=columns, rows=[list(row) for row in answer.rows], kept=len(outcome.rows), failing=outcome.failing)


@router.get("/dimensions", dependencies=[Depends(permit("quality:read"))])
async def dimensions() -> list[str]:
    """The dimensions of GB/T 36344-2018, in its order."""
    return list(DIMENSIONS)


async def _whole(platform: Platform, dataset: str) -> DatasetQualityView:
    rules = platform.get(Quality).rules(dataset)

    def read(session: Session) -> tuple[Row | None, dict[str, Outcome], dict[str, Row], dict[str, int]]:
        return (
            runs.state(session, dataset),
            _outcomes(session, dataset),
            tickets.newest(session, dataset),
            tickets.counts(session),
        )

    row, found, newest, open_ = await platform.records.read(read)
    if row is None:
        raise NotFound(kind="Quality", name=dataset)
    results = [rule_view(rule, found.get(rule.name), _open(newest, rule)) for rule in rules]
    return DatasetQualityView(**_score(platform, row, open_).model_dump(), results=results)


def _open(newest: dict[str, Row], rule: Rule) -> int | None:
    row = newest.get(rule.name)
    return None if row is None or row["state"] != "open" else int(row["number"])


def _outcomes(session: Session, dataset: str) -> dict[str, Outcome]:
    row = runs.state(session, dataset)
    return {} if row is None else runs.outcomes(session, row["run"])


def _score(platform: Platform, row: Row, open_: dict[str, int]) -> ScoreView:
    name = row["dataset"]
    try:
        titles = platform.declarations.get("Dataset", name).title
    except NotFound:
        titles = {"zh": name, "en": name}
    told = {key: row[key] for key in ("dataset", "owner", "score", "dimensions", "rules", "failed", "run", "at")}
    return ScoreView(**told, title=titles, tickets=open_.get(name, 0))
