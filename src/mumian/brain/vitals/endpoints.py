"""Endpoints of vitals: all of them with their history, and the observations behind one value."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from mumian.brain.vitals.api import Vitals
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import Page

router = APIRouter(prefix="/api/v1/brain/vitals", tags=["brain"])
_READ = Annotated[Caller, Depends(permit("vital:read"))]


@router.get("")
async def list_vitals(platform: PlatformDep, _: _READ) -> Page[dict[str, Any]]:
    """All vitals: for the city and each station the present value, its state, its level and the last 72 values."""
    return Page(items=await platform.get(Vitals).overview())


@router.get("/{name}/provenance")
async def provenance(
    platform: PlatformDep,
    _: _READ,
    name: str,
    key: Annotated[str, Query(max_length=200)] = "city",
    time: Annotated[str | None, Query(max_length=40)] = None,
) -> dict[str, Any]:
    """The observations that made a value, with the rule and the values in between; without `time` the newest value."""
    platform.declarations.get("Vital", name)
    platform.get(Vitals).subject(key)
    found = await platform.get(Vitals).provenance(name, key, _instant(time))
    if found is None:
        raise NotFound(kind="value", name=f"{name}/{key}" + (f"/{time}" if time else ""))
    return asdict(found)


def _instant(time: str | None) -> str | None:
    if time is None:
        return None
    try:
        return iso(parse_iso(time))
    except (ValueError, OverflowError) as error:
        raise Invalid.field("time", "field.type", expected="an instant like 2014-01-02T03:04:05Z") from error
