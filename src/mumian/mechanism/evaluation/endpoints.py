"""Evaluation over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from mumian.foundation.identity.api import permit
from mumian.kernel.web import Page, PlatformDep
from mumian.mechanism.evaluation.api import By, Evaluation, Group

router = APIRouter(prefix="/api/v1/mechanism/evaluation", tags=["evaluation"])


class GroupView(BaseModel):
    """The figures of a district or organisation: `on_time_rate` = on time / closed, in 0…1; medians in hours."""

    key: str
    label: dict[str, str]
    closed: int
    on_time: int
    on_time_rate: float | None
    median_hours: float | None
    open: int
    overdue: int


@router.get("", dependencies=[Depends(permit("evaluation:read"))])
async def evaluation(
    platform: PlatformDep, by: By = "district", days: Annotated[int | None, Query(ge=1, le=3660)] = None
) -> Page[GroupView]:
    """How incidents are handled, by district or organisation: all, or those closed in the last `days` and those open."""
    part, now = platform.get(Evaluation), platform.clock.now()
    groups = await platform.records.read(lambda session: part.groups(session, by, now, days))
    return Page(items=[_view(group) for group in groups])


def _view(group: Group) -> GroupView:
    return GroupView(key=group.key, label=group.label, **group.figures.__dict__)
