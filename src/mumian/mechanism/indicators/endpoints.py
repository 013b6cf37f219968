"""Indicators over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.foundation.identity.api import permit
from mumian.kernel.web import Page, PlatformDep
from mumian.mechanism.indicators.api import Indicator, Indicators

router = APIRouter(prefix="/api/v1/mechanism/indicators", tags=["indicators"], dependencies=[Depends(permit("indicator:read"))])


class IndicatorView(BaseModel):
    """An indicator; `target` is the one that holds now, `series` lists [time, value] in the order of time."""

    name: str
    title: dict[str, str]
    theme: str
    unit: str
    direction: str
    measured: bool
    target: float | None
    targets: dict[int, float]
    value: float | None
    previous: float | None
    measured_at: str | None
    status: str
    series: list[tuple[str, float | None]]


@router.get("")
async def indicators(
    platform: PlatformDep,
    theme: Annotated[str | None, Query(max_length=40)] = None,
    measured: bool | None = None,
) -> Page[IndicatorView]:
    """All indicators, those that the platform measures first; `theme` and `measured` select."""
    now = platform.clock.now()
    found = await platform.records.read(lambda session: platform.get(Indicators).all(session, now))
    chosen = [i for i in found if theme in (None, i.theme) and measured in (None, i.measured)]
    return Page(items=[_view(indicator) for indicator in chosen])


@router.get("/{name}")
async def indicator(platform: PlatformDep, name: Annotated[str, Path(max_length=80)]) -> IndicatorView:
    """One indicator."""
    now = platform.clock.now()
    return _view(await platform.records.read(lambda session: platform.get(Indicators).get(session, name, now)))


def _view(indicator: Indicator) -> IndicatorView:
    return IndicatorView(**indicator.__dict__)
