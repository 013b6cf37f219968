"""Endpoints of analysis: duplicate building, gaps of coverage, and the list of sensing-data products."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from mumian.foundation.devices.api import AreaCoverage, Cluster, Devices, Search, Target
from mumian.foundation.devices.endpoints.files import AS_CSV, attachment
from mumian.foundation.devices.endpoints.ledger import Name, Reads
from mumian.foundation.devices.endpoints.views import Share, Text
from mumian.foundation.tables.api import csv_lines
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep

router = APIRouter(prefix="/api/v1/foundation/devices", tags=["devices"])
Metres = Annotated[float, Query(ge=0, le=10_000, allow_inf_nan=False)]
Most = Annotated[int, Query(ge=1, le=1000)]


class DuplicatesOut(BaseModel):
    """Clusters of near devices of different owners, the greatest saving first, and the sums over all of them."""

    clusters: int
    devices: int
    spared: int
    saving: float
    items: list[dict[str, Any]]


class AreaOut(BaseModel):
    """How well an area is covered."""

    code: str
    title: Text
    area: float
    devices: int
    density: float
    covered: float | None
    missing: int
    gap: bool


class CoverageOut(BaseModel):
    """Areas, the worst gap first, and how many there are and have gaps."""

    areas: int
    gaps: int
    missing: int
    items: list[AreaOut]


class ProductOut(BaseModel):
    """One line of the list of sensing-data products."""

    kind: str
    title: Text
    category: str
    owner: str
    observed_property: str
    unit: str
    frequency_seconds: int | None
    share: str
    devices: int
    streams: int
    online: int
    latest: str | None
    age_seconds: float | None
    fresh: float | None


class Wanted:
    """Which duplicates are looked for."""

    def __init__(
        self,
        metres: Metres = 50.0,
        by: Literal["kind", "category"] = "kind",
        only: Annotated[str | None, Query(max_length=80, description="One kind or category.")] = None,
        district: Annotated[str | None, Query(max_length=12)] = None,
        years: Annotated[float, Query(ge=0, le=50, allow_inf_nan=False, description="Years of upkeep in the saving.")] = 5.0,
    ) -> None:
        self.search = Search(metres, by, only, district, years)


class Asked:
    """What coverage is asked for: a declared target, or a kind or category with a density, a radius or both."""

    def __init__(
        self,
        target: Name = None,
        kind: Name = None,
        category: Name = None,
        layer: Name = None,
        density: Annotated[float | None, Query(gt=0, le=1e6, allow_inf_nan=False)] = None,
        radius: Annotated[float | None, Query(ge=1, le=100_000, allow_inf_nan=False)] = None,
        share: Annotated[float, Query(gt=0, le=1)] = 0.9,
        resolution: Annotated[int | None, Query(ge=4, le=11, description="H3 cells of this resolution.")] = None,
    ) -> None:
        if sum(each is not None for each in (target, kind, category)) != 1:
            raise Invalid.field("kind", "devices.either", names="target, kind, category")
        self.target, self.kind, self.category, self.layer = target, kind, category, layer
        self.wanted, self.resolution = Target(density, radius, share), resolution

    def answer(self, platform: Platform) -> list[AreaCoverage]:
        """The coverage of every area."""
        analysis = platform.get(Devices).analysis
        if self.target is None:
            return analysis.coverage(self.wanted, self.kind, self.category, self.layer, self.resolution)
        spec = platform.declarations.get("CoverageTarget", self.target).spec
        wanted = Target(spec.density, spec.radius, spec.share)
        return analysis.coverage(wanted, spec.kind, spec.category, self.layer or spec.layer, self.resolution)


@router.get("/duplicates")
async def find_duplicates(
    platform: PlatformDep, _: Reads, wanted: Annotated[Wanted, Depends()], limit: Most = 100
) -> DuplicatesOut:
    """Devices of one kind or category that different owners put close to each other, clustered, with what could be saved."""
    found = await asyncio.to_thread(platform.get(Devices).analysis.duplicates, wanted.search)
    return DuplicatesOut(
        clusters=len(found),
        devices=sum(len(cluster.members) for cluster in found),
        spared=sum(len(cluster.spared) for cluster in found),
        saving=round(sum(cluster.saving for cluster in found), 2),
        items=[asdict(cluster) for cluster in found[:limit]],
    )


@router.get("/exports/duplicates.csv", response_class=Response, responses=AS_CSV)
async def export_duplicates(platform: PlatformDep, _: Reads, wanted: Annotated[Wanted, Depends()]) -> Response:
    """All clusters as CSV, one line for each device."""
    found = await asyncio.to_thread(platform.get(Devices).analysis.duplicates, wanted.search)
    text = await asyncio.to_thread(_duplicate_lines, platform, found)
    return Response(text, media_type="text/csv", headers=attachment("duplicates.csv"))


@router.get("/coverage")
async def find_gaps(
    platform: PlatformDep, _: Reads, asked: Annotated[Asked, Depends()], gaps: bool = False, limit: Most = 200
) -> CoverageOut:
    """How well districts, other areas or H3 cells are covered with a kind of device; `gaps` leaves out what is well."""
    found = await asyncio.to_thread(asked.answer, platform)
    short = [each for each in found if each.gap]
    items = [AreaOut(**asdict(each)) for each in (short if gaps else found)[:limit]]
    return CoverageOut(areas=len(found), gaps=len(short), missing=sum(each.missing for each in found), items=items)


@router.get("/exports/coverage.csv", response_class=Response, responses=AS_CSV)
async def export_gaps(platform: PlatformDep, _: Reads, asked: Annotated[Asked, Depends()]) -> Response:
    """The coverage of all areas as CSV, the worst gap first."""
    found = await asyncio.to_thread(asked.answer, platform)
    header = ["code", "title_zh", "title_en", "area_km2", "devices", "density", "covered", "missing", "gap"]
    rows = [[e.code, e.title["zh"], e.title["en"], e.area, e.devices, e.density, e.covered, e.missing, e.gap] for e in found]
    return Response("\ufeff" + csv_lines([header, *rows]), media_type="text/csv", headers=attachment("coverage.csv"))


class Offered:
    """Which products are listed."""

    def __init__(self, kind: Name = None, owner: Name = None, share: Share | None = None) -> None:
        self.chosen = (kind, owner, share or None)


@router.get("/products")
async def list_products(platform: PlatformDep, _: Reads, offered: Annotated[Offered, Depends()]) -> list[ProductOut]:
    """The list of sensing-data products: what the devices of each kind and owner offer, how fresh, how shared."""
    found = await asyncio.to_thread(platform.get(Devices).products.listed, *offered.chosen)
    return [ProductOut(**asdict(product)) for product in found]


@router.get("/exports/products.csv", response_class=Response, responses=AS_CSV)
async def export_products(platform: PlatformDep, _: Reads, offered: Annotated[Offered, Depends()]) -> Response:
    """The list of sensing-data products as CSV."""
    found = await asyncio.to_thread(platform.get(Devices).products.listed, *offered.chosen)
    names = [name for name in ProductOut.model_fields if name != "title"]
    rows = [[product.title["zh"], product.title["en"], *(getattr(product, name) for name in names)] for product in found]
    text = "\ufeff" + csv_lines([["title_zh", "title_en", *names], *rows])
    return Response(text, media_type="text/csv", headers=attachment("products.csv"))


def _duplicate_lines(platform: Platform, clusters: list[Cluster]) -> str:
    roster = platform.get(Devices).roster
    rows: list[list[Any]] = [
        ["cluster", "saving", "nearest_m", "device", "kind", "owner", "state", "longitude", "latitude", "spare"]
    ]
    for number, cluster in enumerate(clusters, 1):
        for code in cluster.members:
            entry = roster.get(code)
            if entry is not None:
                place = [entry.kind, entry.owner, entry.state, entry.longitude, entry.latitude]
                rows.append([number, cluster.saving, cluster.nearest, code, *place, code in cluster.spared])
    return "\ufeff" + csv_lines(rows)
