"""Behaviour of the OGC face: searches, pages, systems and documents, and clients that nobody here wrote."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import pytest_asyncio
from owslib.ogcapi.features import Features

from mumian.app.platform import create_platform
from mumian.app.server import serving
from mumian.foundation.spatial.coordinates.transform import convert
from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.spatial.conftest import LAYERS, declare, token_for

ITEMS = "/collections/lamps/items"
FEATURES = [
    {
        "type": "Feature",
        "id": f"p{i:02}",
        "properties": {
            "watts": None if i % 10 == 9 else i % 5 * 10,
            "street": f"路{i % 3}",
            "lit": f"2014-01-{i % 28 + 1:02}T08:00:00Z",
            "on": i % 2 == 0,
        },
        "geometry": {"type": "Point", "coordinates": [113 + i / 100, 23 + i % 10 / 100]},
    }
    for i in range(50)
]


async def _fill(editor: httpx.AsyncClient) -> None:
    content = json.dumps({"type": "FeatureCollection", "features": FEATURES})
    answer = await editor.post("/collections/lamps/imports?file=a.geojson", content=content)
    assert answer.status_code == 201, answer.text


@pytest_asyncio.fixture
async def filled(editor: httpx.AsyncClient) -> httpx.AsyncClient:
    """A face with fifty lamps."""
    await _fill(editor)
    return editor


async def _ids(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get(ITEMS, params={"limit": 1000, **{k.replace("_", "-"): v for k, v in params.items()}})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["numberMatched"] == found["numberReturned"] == len(found["features"])
    return [feature["id"] for feature in found["features"]]


async def test_pages_by_any_order_hold_every_feature_once(filled: httpx.AsyncClient) -> None:
    for order in ("", "watts", "-watts,street", "lit,-on"):
        address: str | None = f"{ITEMS}?limit=7" + (f"&sortby={order}" if order else "")
        seen: list[str] = []
        keys: list[Any] = []
        while address is not None:
            page = (await filled.get(address)).json()
            seen += [feature["id"] for feature in page["features"]]
            keys += [feature["properties"]["watts"] for feature in page["features"]]
            following = [link["href"] for link in page["links"] if link["rel"] == "next"]
            address = following[0].removeprefix("http://test/ogc") if following else None
        assert sorted(seen) == [feature["id"] for feature in FEATURES]
        if order.lstrip("-").startswith("watts"):
            known = [key for key in keys if key is not None]
            assert known == sorted(known, reverse=order.startswith("-"))
            assert keys[len(known) :] == [None] * 5


async def test_searches_find_what_they_ask_for(filled: httpx.AsyncClient) -> None:
    inside = [f["id"] for f in FEATURES if 113.1 <= f["geometry"]["coordinates"][0] <= 113.2]  # type: ignore[index]
    assert sorted(await _ids(filled, bbox="113.095,22,113.205,24")) == sorted(inside)
    assert sorted(await _ids(filled, bbox="170,22,113.205,24")) == [f"p{i:02}" for i in range(21)]
    uri = "http://www.opengis.net/def/crs/EPSG/0/4326"
    assert sorted(await _ids(filled, bbox="22,113.095,24,113.205", bbox_crs=uri)) == sorted(inside)
    x, y = convert([113.095, 113.205], [22.9, 23.5], parse_crs("CRS84"), parse_crs("EPSG:3857"))
    box = f"{x[0]},{y[0]},{x[1]},{y[1]}"
    mercator = "http://www.opengis.net/def/crs/EPSG/0/3857"
    assert sorted(await _ids(filled, bbox=box, bbox_crs=mercator)) == sorted(inside)
    assert await _ids(filled, street="路1", watts="30") == await _ids(filled, filter="street='路1' AND watts=30")
    assert len(await _ids(filled, on="true")) == 25
    assert sorted(await _ids(filled, datetime="2014-01-28/..")) == ["p27"]
    assert sorted(await _ids(filled, datetime="2014-01-01")) == ["p00", "p28"]
    assert len(await _ids(filled, datetime="../2014-01-10T08:00:00Z")) == 20
    tree = json.dumps({"op": "in", "args": [{"property": "watts"}, [10, 20]]})
    assert await _ids(filled, filter=tree, filter_lang="cql2-json") == await _ids(filled, filter="watts IN (10,20)")


async def test_answers_come_in_the_system_that_is_asked_for(filled: httpx.AsyncClient) -> None:
    plain = {f["id"]: f["geometry"]["coordinates"] for f in (await filled.get(f"{ITEMS}?limit=99")).json()["features"]}
    offered = (await filled.get("/collections/lamps")).json()["crs"]
    assert len(offered) == 8
    for uri in offered:
        answer = await filled.get(ITEMS, params={"crs": uri, "limit": 99})
        assert answer.headers["content-crs"] == f"<{uri}>"
        crs = parse_crs(uri)
        found = np.array([f["geometry"]["coordinates"] for f in answer.json()["features"]])
        x, y = found.T[::-1] if crs.northing_first else found.T
        back = np.column_stack(convert(x, y, crs, parse_crs("CRS84")))
        assert back == pytest.approx(np.array([plain[f["id"]] for f in answer.json()["features"]]), abs=1e-7)
    one = await filled.get(f"{ITEMS}/p03", params={"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"})
    assert one.json()["geometry"]["coordinates"] == [23.03, 113.03]


async def test_a_search_may_leave_out_properties_and_geometries(filled: httpx.AsyncClient) -> None:
    answer = await filled.get(ITEMS, params={"properties": "street", "skipGeometry": "true", "limit": 1})
    (feature,) = answer.json()["features"]
    assert feature["geometry"] is None
    assert set(feature["properties"]) == {"street"}


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3",
        "bbox=1,5,2,4",
        "bbox=a,b,c,d",
        "bbox=1,2,3,4,5",
        "bbox=1,2,3,nan",
        "bbox=500,2,600,4",
        "bbox-crs=urn:x",
        "crs=http://www.opengis.net/def/crs/EPSG/0/4978",
        "limit=0",
        "limit=-1",
        "limit=x",
        "datetime=yesterday",
        "datetime=2014-02-01/2014-01-01",
        "datetime=2014-01-01T00:00:00",
        "filter=watts>",
        "filter-lang=sql&filter=1",
        "filter-lang=cql2-json&filter={",
        "sortby=nothing",
        "properties=nothing",
        "cursor=!!",
        "cursor=WzFd&sortby=watts",
        "nothing=1",
        "watts=many",
        "watts=99999999999999999999",
        "on=perhaps",
        "lit=x",
        "f=xml",
        "limit=1&limit=2",
        "skipGeometry=1",
    ],
)
async def test_a_parameter_that_cannot_be_understood_is_refused_by_name(
    reader: httpx.AsyncClient, editor: httpx.AsyncClient, query: str
) -> None:
    first = {"type": "Feature", "geometry": None, "properties": {"watts": 1, "on": True, "lit": "2014-01-01T00:00:00Z"}}
    assert (await editor.post(ITEMS, json=first)).status_code == 201
    answer = await reader.get(f"{ITEMS}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] in query


async def test_every_document_has_links_that_lead_somewhere(filled: httpx.AsyncClient) -> None:
    seen: set[str] = set()
    waiting = ["http://test/ogc"]
    while waiting:
        address = waiting.pop()
        if address in seen or "{" in address or "cursor=" in address:
            continue
        seen.add(address)
        answer = await filled.get(address)
        assert answer.status_code == 200, address
        if "json" in answer.headers["content-type"]:
            waiting += _addresses(answer.json())
        else:
            assert answer.text.startswith("<!doctype html>")
    assert len(seen) > 30


def _addresses(content: Any) -> list[str]:
    if isinstance(content, dict):
        own = [content["href"]] if isinstance(content.get("href"), str) else []
        return own + [a for value in content.values() for a in _addresses(value)]
    return [a for value in content for a in _addresses(value)] if isinstance(content, list) else []


async def test_pages_for_people_speak_their_language_and_escape_what_they_show(editor: httpx.AsyncClient) -> None:
    await editor.post(ITEMS, json={"type": "Feature", "geometry": None, "properties": {"name": "<script>alert(1)</script>"}})
    chinese = await editor.get(f"{ITEMS}?f=html", headers={"Accept-Language": "zh"})
    english = await editor.get(ITEMS, headers={"Accept-Language": "en", "Accept": "text/html,*/*"})
    assert "共 1 个要素" in chinese.text
    assert "1 features in all" in english.text
    assert "<script>" not in chinese.text + english.text


async def test_the_definition_names_every_route_and_only_those(filled: httpx.AsyncClient) -> None:
    definition = (await filled.get("/api")).json()
    values = {"collectionId": "lamps", "featureId": "p01", "tileMatrix": "9", "tileRow": "222", "tileCol": "416"}
    for path, operations in definition["paths"].items():
        if path.endswith("/live"):
            continue
        address = path.format(**values)
        assert (await filled.get(address)).status_code in (200, 204), path
        allowed = (await filled.options(address)).headers["allow"].lower().split(", ")
        assert set(allowed) - {"options", "head"} == set(operations) - {"parameters"}
    conforms = (await filled.get("/conformance")).json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in conforms
    assert len(conforms) == len(set(conforms))


async def test_who_may_not_read_a_layer_does_not_see_it(layered: Platform, reader: httpx.AsyncClient) -> None:
    assert (await reader.get("/collections/secret")).status_code == 404
    assert (await reader.delete("/collections/lamps")).status_code == 405
    assert (await reader.get("/nothing")).status_code == 404


@pytest_asyncio.fixture
async def address(settings: Settings, clock: ManualClock) -> AsyncIterator[str]:
    """The address of a real server with the fifty lamps."""
    platform = create_platform(settings, clock)
    async with serving(platform, "127.0.0.1", 0) as served:
        await declare(platform, **LAYERS)
        headers = await token_for(platform, "gis", "administrator")
        async with httpx.AsyncClient(base_url=f"{served}/ogc", headers=headers, timeout=60) as client:
            await _fill(client)
        yield f"{served}/ogc"


async def test_owslib_finds_its_way(address: str) -> None:
    def ask() -> tuple[Any, ...]:
        face = Features(address)
        found = face.collection_items("lamps", bbox=[113.095, 22, 113.205, 24], limit=5)
        filtered = face.collection_items("lamps", filter="watts = 30 AND on = true")
        one = face.collection_item("lamps", "p03")
        return face.feature_collections(), found, filtered, one, face.collection_queryables("lamps"), face.api()

    names, found, filtered, one, queryables, api = await asyncio.to_thread(ask)
    assert set(names) == {"fixed", "lamps", "strict"}
    assert (found["numberMatched"], found["numberReturned"]) == (11, 5)
    assert filtered["numberMatched"] == 5
    assert one["properties"]["street"] == "路0"
    assert set(queryables["properties"]) == {"geometry", "watts", "street", "lit", "on"}
    assert urlsplit(api["servers"][0]["url"]).path == "/ogc"


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's programmes are not here")
async def test_gdal_reads_all_pages_boxes_and_fields(address: str) -> None:
    def run(*words: str) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    source = f"OAPIF:{address}"
    told = await asyncio.to_thread(run, "ogrinfo", "-ro", "-al", "-so", source, "lamps", "-oo", "PAGE_SIZE=7")
    assert "Feature Count: 50" in told
    assert "watts: Integer" in told
    assert "lit: DateTime" in told
    words = (
        "ogr2ogr",
        "-f",
        "GeoJSON",
        "/vsistdout/",
        source,
        "lamps",
        "-oo",
        "PAGE_SIZE=7",
        "-spat",
        "113.095",
        "22",
        "113.205",
        "24",
    )
    found = json.loads(await asyncio.to_thread(run, *words))
    assert sorted(f["properties"]["id"] for f in found["features"]) == [f"p{i}" for i in range(10, 21)]
