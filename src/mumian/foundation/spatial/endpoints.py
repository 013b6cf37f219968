"""The city and its layers over HTTP."""

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel

from mumian.foundation.identity.api import permit
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.clock import iso
from mumian.kernel.web import PlatformDep

router = APIRouter(tags=["spatial"])


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


@router.get(
    "/api/v1/foundation/spatial/layers/{name}",
    dependencies=[Depends(permit("layer:read"))],
    response_class=Response,
    responses={
        200: {"content": {"application/geo+json": {}}},
        304: {"description": "The layer is still the one with that ETag."},
    },
)
def layer(platform: PlatformDep, name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """A layer as GeoJSON (RFC 7946): WGS 84, each feature with code, name {zh, en} and centre."""
    content = platform.get(Spatial).layer_text(name).encode()
    headers = {"ETag": f'"{sha256(content).hexdigest()[:32]}"', "Cache-Control": "no-cache"}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/geo+json", headers=headers)
