"""Checks over HTTP: what was found of re-identification and what would help, and how well the city opens its data."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from mumian.elements.opening.api import Opening
from mumian.elements.opening.endpoints.datasets import Name
from mumian.elements.opening.service.assessing import assess
from mumian.elements.opening.store import checks
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()


class CheckView(BaseModel):
    """The check of a dataset: `state` none, due, passed, failed or exempt; `result` has k, rows in small groups, unique rows,
    diversity, reasons, and under `help` the generalisation that would be enough.
    """

    dataset: str
    state: str
    withheld: bool
    load: int | None
    checked_at: str | None
    result: dict[str, Any]


class IndicatorView(BaseModel):
    """One indicator of the self-assessment: `value` from 0 to 1 (null: nothing to measure), counted as `part` of `whole`."""

    name: str
    title: dict[str, str]
    dimension: str
    formula: dict[str, str]
    after: str
    value: float | None
    part: float
    whole: float


class AssessmentView(BaseModel):
    """The self-assessment: indicators, the mean of each dimension, and what of the public indices is not measured here."""

    indicators: list[IndicatorView]
    dimensions: dict[str, float | None]
    left_out: list[dict[str, str]]


@router.get("/datasets/{name}/check")
async def check(platform: PlatformDep, caller: Annotated[Caller, Depends(permit("open:read"))], name: Name) -> CheckView:
    """What the last check for re-identification found."""
    opening = platform.get(Opening)
    await opening.opened.dataset(name, caller)
    return CheckView(dataset=name, **await opening.opened.state(name))


@router.post("/datasets/{name}/check")
async def check_again(platform: PlatformDep, caller: Annotated[Caller, Depends(permit("open:check"))], name: Name) -> CheckView:
    """Check a dataset now."""
    require(caller, "open:check", platform.declarations.get("Dataset", name).spec.owner)
    opening = platform.get(Opening)
    await opening.asking.table(name)
    await opening.examining.examine(name)
    return CheckView(dataset=name, **await opening.opened.state(name))


@router.get("/checks", dependencies=[Depends(permit("open:check"))])
async def all_checks(
    platform: PlatformDep,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[CheckView]:
    """All checks, by dataset."""
    keys = parse_cursor(after, str)
    rows = await platform.records.read(lambda session: checks.checks(session, "" if keys is None else keys[0], limit + 1))
    held = set(await platform.records.read(checks.withheld))
    items = [
        CheckView(
            dataset=row["dataset"],
            state=row["state"],
            withheld=row["dataset"] in held,
            load=row["load_number"],
            checked_at=row["checked_at"],
            result=json.loads(row["result"]),
        )
        for row in rows[:limit]
    ]
    return Page(items=items, next=cursor(items[-1].dataset) if len(rows) > limit else None)


@router.get("/assessment", dependencies=[Depends(permit("open:read"))])
async def assessment(platform: PlatformDep) -> AssessmentView:
    """How well the city opens its data, by the dimensions of public indices, each indicator with its formula."""
    found = await assess(platform)
    return AssessmentView(
        indicators=[IndicatorView(**one) for one in found["indicators"]],
        dimensions=found["dimensions"],
        left_out=found["left_out"],
    )
