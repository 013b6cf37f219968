"""Layers and coordinates over HTTP: what layers there are, a layer as a file, and points turned from one system into another."""

from hashlib import sha256
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, Field

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.contracts import Bounds, LayerInfo
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/spatial", tags=["spatial"])
_Reader = Annotated[Caller, Depends(permit("layer:read"))]


class PropertyView(BaseModel):
    """A property of a layer's features."""

    name: str
    type: str
    title: dict[str, str] | None
    required: bool


class LayerView(BaseModel):
    """A layer as it stands; `bounds` are west, south, east, north in WGS 84 degrees."""

    name: str
    title: dict[str, str]
    version: int
    count: int
    bounds: Bounds | None
    editable: bool
    owner: str | None
    properties: list[PropertyView]


class PointsIn(BaseModel):
    """Points of the system `source`, x (easting or longitude) before y, to be turned into `target`."""

    source: str = Field(max_length=200)
    target: str = Field(max_length=200)
    points: list[tuple[float, float]] = Field(max_length=100_000)


class PointsOut(BaseModel):
    """The points in the target system; null where one has no image there."""

    points: list[tuple[float, float] | None]


@router.get("/layers")
def list_layers(
    platform: PlatformDep,
    caller: _Reader,
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> Page[LayerView]:
    """The layers that the caller may read, by name."""
    spatial, keys = platform.get(Spatial), parse_cursor(after, str)
    names = [name for name in spatial.layers.names() if caller.allowed("layer:read", spatial.layers.spec(name).owner)]
    left = [name for name in names if keys is None or name > keys[0]]
    items = [_view(spatial.info(name)) for name in left[:limit]]
    return Page(items=items, next=cursor(items[-1].name) if len(left) > limit else None)


def _view(info: LayerInfo) -> LayerView:
    properties = [PropertyView(name=p.name, type=p.type, title=p.title, required=p.required) for p in info.properties]
    fields = {name: getattr(info, name) for name in LayerView.model_fields if name != "properties"}
    return LayerView(**fields, properties=properties)


@router.post("/convert", dependencies=[Depends(permit("layer:read"))])
def convert(platform: PlatformDep, body: PointsIn) -> PointsOut:
    """Points turned from one coordinate reference system into another: EPSG codes, CRS84, GCJ-02, BD-09."""
    at = np.array(body.points, np.float64).reshape(-1, 2)
    x, y = platform.get(Spatial).convert(at[:, 0], at[:, 1], body.source, body.target)
    made = zip(x.tolist(), y.tolist(), np.isfinite(x + y).tolist(), strict=True)
    return PointsOut(points=[(a, b) if fine else None for a, b, fine in made])


@router.get(
    "/layers/{name}",
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
