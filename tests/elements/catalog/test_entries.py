"""Behaviour of the catalogue on a platform: streams enter by themselves, and freshness follows the clock."""

from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

NAME = "air.us-post.pm25"
PATH = "/api/v1/elements/catalog/datasets"


@pytest_asyncio.fixture
async def http(city: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A reader who is not signed in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(city)), base_url="http://test") as client:
        yield client


async def _observe(platform: Platform, result: float) -> None:
    sensing = platform.get(Sensing)
    stream, now = sensing.stream(NAME).id, microseconds(platform.clock.now())
    await sensing.record(Observations(np.array([stream]), np.array([now]), np.array([result])))


async def test_every_declared_stream_stands_in_the_catalogue_by_itself(city: Platform, http: httpx.AsyncClient) -> None:
    items = {item["name"]: item for item in (await http.get(PATH)).json()["items"]}
    assert {info.name for info in city.get(Sensing).streams()} < items.keys()
    entry = items[NAME]
    assert (entry["kind"], entry["owner"], entry["unit"], entry["frequency_seconds"]) == ("stream", "ecology", "ug/m3", 3600)
    assert (entry["freshness"], entry["last_observed"], entry["observations"]) == ("unknown", None, 0)


async def test_freshness_follows_the_clock(city: Platform, clock: ManualClock, http: httpx.AsyncClient) -> None:
    await _observe(city, 12.0)
    seen = []
    for hours in (0, 3, 30):
        clock.advance(hours=hours)
        seen.append((await http.get(f"{PATH}/{NAME}")).json()["freshness"])
    assert seen == ["fresh", "late", "silent"]


async def test_a_value_recorded_as_missing_is_a_sign_of_life(city: Platform, http: httpx.AsyncClient) -> None:
    await _observe(city, float("nan"))
    entry = (await http.get(f"{PATH}/{NAME}")).json()
    assert (entry["freshness"], entry["observations"]) == ("fresh", 1)


async def test_a_dataset_made_of_streams_is_as_fresh_as_its_newest_member(city: Platform, http: httpx.AsyncClient) -> None:
    await _observe(city, 12.0)
    entry = (await http.get(f"{PATH}/air-pm25-hourly")).json()
    assert (entry["kind"], entry["freshness"], entry["observations"], len(entry["members"])) == ("dataset", "fresh", 1, 3)
    assert entry["licence"] == "CC BY 4.0"


async def test_a_stream_that_is_no_longer_declared_leaves_the_catalogue_and_may_come_back(
    city: Platform, http: httpx.AsyncClient
) -> None:
    text = "{kind: Stream, name: test.rain, title: {zh: 雨, en: Rain}, spec: {thing: a, observed_property: rain, unit: mm}}"
    for documents, status in ((text, 200), ("", 404), (text, 200)):
        await city.declarations.apply(read_text(documents.encode()), "test", prune=True)
        await city.settle()
        assert (await http.get(f"{PATH}/test.rain")).status_code == status


async def test_the_list_is_paged_by_name(http: httpx.AsyncClient) -> None:
    names, following = [], None
    while True:
        page = (await http.get(PATH, params={"limit": "4"} | ({"cursor": following} if following else {}))).json()
        names += [item["name"] for item in page["items"]]
        following = page["next"]
        if following is None:
            break
    assert names == sorted(names)
    assert names == [item["name"] for item in (await http.get(PATH)).json()["items"]]
    assert (await http.get(PATH, params={"cursor": "x"})).status_code == 422
