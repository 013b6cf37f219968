"""A small town with grids: a district of four grids in two communities, on every engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import shapely

from mumian.foundation.grids import endpoints, kinds, tasks
from mumian.foundation.grids.service import importing
from mumian.kernel.platform import Platform
from tests.foundation.addresses.town import Town, open_town
from tests.foundation.engines import ENGINES, records_url

WEST, SOUTH, STEP = 113.0, 23.0, 0.01


def square(column: float, row: float, width: float = 1, height: float = 1) -> dict[str, Any]:
    """A GeoJSON rectangle in units of a hundredth of a degree."""
    west, south = WEST + column * STEP, SOUTH + row * STEP
    box = shapely.box(west, south, west + width * STEP, south + height * STEP)
    return {"type": "Polygon", "coordinates": [[list(point) for point in box.exterior.coords]]}


def feature(code: str, geometry: Any, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature of a grid."""
    return {"type": "Feature", "geometry": geometry, "properties": {"code": code, "name": f"网格{code}", **properties}}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


TOWN = collection(
    feature("9901", square(0, 0, 2, 2), organisation="city"),
    feature("990101", square(0, 0, 2, 2), organisation="district"),
    feature("990101001", square(0, 0, 2, 2)),
    feature("990101001001", square(0, 0, 1, 2), organisation="west"),
    feature("990101001002", square(1, 0, 1, 2), people=[{"role": "网格长", "name": "甲"}]),
    feature("990101001001001", square(0, 0)),
    feature("990101001001002", square(0, 1), kind="special"),
    feature("990101001002001", square(1, 0)),
    feature("990101001002002", square(1, 1), organisation="corner"),
)


@pytest.fixture(params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town without a grid."""
    made = open_town(tmp_path / "home", records_url(request.param, "grids_test"), kinds.KINDS)
    tasks.register(made.platform)
    made.app.include_router(endpoints.router)
    yield made
    made.platform.records.close()


@pytest.fixture
def gridded(town: Town) -> Platform:
    """The platform of a town with TOWN since 2013."""
    import_now(town.platform, TOWN, "2013-01-01")
    return town.platform


def import_now(platform: Platform, features: dict[str, Any], date: str) -> Any:
    """Import grids."""
    prepared = platform.records.read_now(lambda session: importing.prepare(session, features, date))
    return platform.records.write_now(lambda tx: importing.keep(tx, prepared, features, date))


@pytest_asyncio.fixture
async def http(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client."""
    async with town.client() as client:
        yield client
