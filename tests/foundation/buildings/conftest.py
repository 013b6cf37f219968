"""A town with grids, buildings and a lake, on every engine; and small files made for tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from mumian.foundation.buildings import endpoints
from mumian.foundation.buildings import tasks as buildings
from mumian.foundation.grids import endpoints as grid_endpoints
from mumian.foundation.grids import tasks as grids
from mumian.foundation.spatial import kinds as spatial_kinds
from mumian.foundation.storage.contracts import Lake
from mumian.foundation.storage.lake.opening import open_lake
from tests.foundation.addresses.town import Town, open_town
from tests.foundation.engines import ENGINES, records_url

B = "/api/v1/foundation/buildings"
WEST, SOUTH = 113.26, 23.13


def block(west: int, south: int, width: int = 10, depth: int = 10, height: int = 12) -> list[list[int]]:
    """The eight corners of a block in whole metres."""
    floor = [[west, south, 0], [west + width, south, 0], [west + width, south + depth, 0], [west, south + depth, 0]]
    return floor + [[x, y, height] for x, y, _ in floor]


FACES = [[[3, 2, 1, 0]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]


def made_city(**attributes: Any) -> dict[str, Any]:
    """A CityJSON file of two blocks in the 3° zone of 114° E (CGCS2000): one by itself, one as a part of a building."""
    faces = [[[i + 8 for i in ring] for ring in face] for face in FACES]
    semantics = {"surfaces": [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}]}
    solid = {"type": "Solid", "lod": "2.2", "boundaries": [FACES], "semantics": semantics | {"values": [[0, 1, 2, 2, 2, 2]]}}
    part = {"type": "MultiSurface", "lod": "2", "boundaries": faces}
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [1, 1, 1], "translate": [424_000, 2_559_000, 5]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/4547"},
        "CityObjects": {
            "one": {"type": "Building", "attributes": {"measuredHeight": 12, "usage": "住宅"} | attributes, "geometry": [solid]},
            "two": {"type": "Building", "attributes": {"name": "二号楼"}, "children": ["two-a"]},
            "two-a": {"type": "BuildingPart", "parents": ["two"], "geometry": [part]},
        },
        "vertices": block(0, 0) + block(30, 0, height=30),
    }


def content(document: Any) -> bytes:
    """A document as the bytes of a file."""
    return msgspec.json.encode(document)


def rectangle(column: float, row: float, size: float = 0.0002) -> dict[str, Any]:
    """A GeoJSON square of about twenty metres."""
    west, south = WEST + column * 0.001, SOUTH + row * 0.001
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture(params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town without a building."""
    made = open_town(tmp_path / "home", records_url(request.param, "buildings_test"), spatial_kinds.KINDS)
    lake = open_lake("local", tmp_path / "home")
    made.platform.provide(Lake, lake)  # type: ignore[type-abstract]
    grids.register(made.platform)
    buildings.register(made.platform)
    for work in made.platform.registered:
        work()
    made.app.include_router(grid_endpoints.router)
    made.app.include_router(endpoints.router)
    yield made
    for close in reversed(made.platform.closers):
        close()
    lake.close()
    made.platform.records.close()


@pytest_asyncio.fixture
async def http(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client."""
    async with town.client() as client:
        yield client
