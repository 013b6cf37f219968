"""The city, its layers, their files and coordinates over HTTP; and the OGC face."""

from collections.abc import Callable

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.types import ASGIApp

from mumian.foundation.identity.api import permit
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.endpoints import files, layers
from mumian.foundation.spatial.ogc.app import OgcApi
from mumian.foundation.spatial.ogc.request import PREFIX
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep

router = APIRouter(tags=["spatial"])
router.include_router(layers.router)
router.include_router(files.router)
MOUNTS: list[tuple[str, Callable[[Platform], ASGIApp]]] = [(PREFIX, OgcApi)]


class ClockView(BaseModel):
    """The city's clock; `speed` is 1 when live, 0 when it is moved by hand."""

    now: str
    speed: float
    mode: str


class DistrictView(BaseModel):
    """A district by its code after GB/T 2260."""

    code: str
    title: dict[str, str]
    centre: tuple[float, float]


class CityView(BaseModel):
    """The city that runs here; `ready` is false, and the rest empty, before one is applied."""

    name: str | None = None
    title: dict[str, str]
    code: str | None = None
    clock: ClockView
    bounds: tuple[float, float, float, float] | None = None
    centre: tuple[float, float] | None = None
    timezone: str | None = None
    district_layer: str | None = None
    districts: list[DistrictView]
    ready: bool


@router.get("/api/v1/city", dependencies=[Depends(permit("city:read"))])
def city(platform: PlatformDep) -> CityView:
    """The city's name, clock, map view and districts."""
    spatial, clock = platform.get(Spatial), platform.clock
    view = ClockView(now=iso(clock.now()), speed=getattr(clock, "speed", 1.0), mode=getattr(clock, "mode", "live"))
    declared = spatial.city()
    if declared is None:
        return CityView(title={"zh": "木棉", "en": "Mumian"}, clock=view, districts=[], ready=False)
    return CityView(
        name=declared.name,
        title=declared.title,
        code=declared.code,
        clock=view,
        bounds=declared.bounds,
        centre=declared.centre,
        timezone=declared.timezone,
        district_layer=declared.district_layer,
        districts=[DistrictView(code=d.code, title=d.title, centre=d.centre) for d in spatial.districts()],
        ready=True,
    )
