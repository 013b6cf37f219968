"""Behaviour of the spatial base on a platform: the city and its layers over HTTP, and the district of a point."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.declarations.documents import Document, read_path, read_text
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from tests.conftest import ROOT

LAYER = "/api/v1/foundation/spatial/layers/districts"


@pytest_asyncio.fixture
async def http(city: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A reader who is not signed in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(city)), base_url="http://test") as client:
        yield client


async def test_the_city_tells_its_name_clock_bounds_and_eleven_districts(http: httpx.AsyncClient) -> None:
    shown = (await http.get("/api/v1/city")).json()
    assert shown["ready"] is True
    assert shown["title"] == {"zh": "广州", "en": "Guangzhou"}
    assert shown["clock"] == {"now": "2014-01-01T00:00:00.000000Z", "speed": 0.0, "mode": "replay"}
    assert [d["code"] for d in shown["districts"]][:2] == ["440103", "440104"]
    assert len(shown["districts"]) == 11
    west, south, east, north = shown["bounds"]
    assert all(west < d["centre"][0] < east and south < d["centre"][1] < north for d in shown["districts"])


async def test_before_a_city_is_applied_the_platform_says_that_it_is_not_ready(platform: Platform) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(platform)), base_url="http://test") as client:
        shown = (await client.get("/api/v1/city")).json()
        assert (shown["ready"], shown["name"], shown["districts"]) == (False, None, [])
        assert (await client.get(LAYER)).status_code == 404
    assert platform.get(Spatial).district_at(113.3, 23.1) is None


async def test_a_layer_is_geojson_and_is_not_sent_again_while_it_is_the_same(http: httpx.AsyncClient) -> None:
    answer = await http.get(LAYER)
    assert answer.headers["content-type"] == "application/geo+json"
    properties = answer.json()["features"][0]["properties"]
    assert properties["name"] == {"zh": "荔湾区", "en": "Liwan District"}
    again = await http.get(LAYER, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("longitude", "latitude", "district"),
    [(113.2597, 23.1331, "440104"), (113.2612, 23.1050, "440105"), (113.3190, 23.1190, "440106"), (112.0, 23.0, None)],
)
async def test_a_point_has_its_district(city: Platform, longitude: float, latitude: float, district: str | None) -> None:
    found = city.get(Spatial).district_at(longitude, latitude)
    assert (found.code if found else None) == district


async def test_a_point_that_is_no_number_is_refused(city: Platform) -> None:
    with pytest.raises(Invalid):
        city.get(Spatial).district_at(float("nan"), 23.0)


async def test_the_district_of_a_point_can_be_asked_inside_a_read(city: Platform) -> None:
    found = await city.records.read(lambda session: city.get(Spatial).district_at(113.2612, 23.1050))
    assert found is not None
    assert found.title["en"] == "Haizhu District"


async def test_a_layer_cannot_be_applied_without_its_folder_and_a_second_city_not_at_all(city: Platform) -> None:
    layer = "{kind: Layer, name: parks, title: {zh: 公园, en: Parks}, spec: {source: parks.geojson}}"
    with pytest.raises(Invalid) as refused:
        await city.declarations.apply(read_text(layer.encode()), "test")
    assert refused.value.faults[0].key == "spatial.no_folder"
    second = read_path(ROOT / "cities" / "guangzhou" / "city.yaml")[0]
    text = f"{{kind: City, name: other, title: {{zh: 乙, en: B}}, spec: {second.spec!r}}}".replace("None", "null")
    with pytest.raises(Invalid) as refused:
        await city.declarations.apply(read_text(text.encode()), "test")
    assert {fault.key for fault in refused.value.faults} == {"spatial.one_city"}


def _parks(folder: Path, name: str) -> list[Document]:
    """A layer whose only feature is `name`, from a file that is gone at once."""
    folder.mkdir()
    point = {"type": "Point", "coordinates": [113, 23]}
    feature = {"type": "Feature", "properties": {"code": name}, "geometry": point}
    (folder / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    text = f"{{kind: Layer, name: parks, title: {{zh: 公园, en: Parks}}, spec: {{source: {name}.geojson}}}}"
    return read_text(text.encode(), folder=folder)


async def test_a_rollback_brings_an_earlier_layer_back_without_its_file(city: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    revisions = []
    for name in ("a", "b"):
        documents = await asyncio.to_thread(_parks, folder, name)
        await city.declarations.apply(documents, "test")
        revisions.append(city.declarations.revision)
        assert city.get(Spatial).layer("parks")["features"][0]["id"] == name
        await asyncio.to_thread(shutil.rmtree, folder)
    await asyncio.to_thread(city.declarations.rollback_now, revisions[0])
    assert city.get(Spatial).layer("parks")["features"][0]["id"] == "a"
    with pytest.raises(NotFound):
        city.get(Spatial).layer("none")


async def test_the_districts_of_many_points_are_those_of_each_point(city: Platform) -> None:
    spatial = city.get(Spatial)
    x, y = np.random.default_rng(7).uniform([112.9, 22.5], [114.1, 24.0], (400, 2)).T
    single = [d.code if (d := spatial.district_at(a, b)) else None for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert spatial.districts_at(x, y).tolist() == single
    assert {None} < set(single)
