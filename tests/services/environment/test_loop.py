"""The application at work: from hourly readings to the incident of the branch office that has to act."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.demo.accounts import Accounts
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform

STATION = "air.fifth-middle-school.pm25"
MISSING = float("nan")


@pytest_asyncio.fixture
async def http(city: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The operation centre's door to the city."""
    headers = (await Accounts(city).desk()).headers
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_asgi(city)), base_url="http://test/api/v1/brain", headers=headers
    ) as client:
        yield client


async def _hours(city: Platform, clock: ManualClock, *results: float) -> None:
    """One reading an hour, each at the hour."""
    sensing = city.get(Sensing)
    stream = np.array([sensing.stream(STATION).id])
    for result in results:
        clock.advance(hours=1)
        await sensing.record(Observations(stream, np.array([microseconds(clock.now())]), np.array([result])))
        await city.settle()


async def _value(http: httpx.AsyncClient, vital: str, key: str = STATION) -> dict[str, Any]:
    items = (await http.get("/vitals")).json()["items"]
    values = next(item for item in items if item["name"] == vital)["values"]
    return dict(next(value for value in values if value["key"] == key))


async def test_the_mean_and_the_index_of_a_station_are_those_worked_out_by_hand(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    await _hours(city, clock, *[72.0, 100.0] * 12)
    assert (await _value(http, "air-pm25-24h"))["value"] == pytest.approx(86)
    index = await _value(http, "air-aqi")
    assert (index["value"], index["level"]["name"], index["level"]["title"]["zh"]) == (114, "light", "轻度污染")
    assert (await _value(http, "air-aqi", "city"))["value"] == 114


async def test_nineteen_of_twenty_four_hours_make_no_daily_mean_and_twenty_do(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    await _hours(city, clock, *[MISSING] * 5, *[40.0] * 19)
    assert (await _value(http, "air-pm25-24h"))["state"] == "missing"
    await _hours(city, clock, 40.0)
    assert (await _value(http, "air-pm25-24h"))["value"] == pytest.approx(40)


async def test_a_polluted_day_gives_one_warning_and_one_incident_for_the_districts_branch(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    await _hours(city, clock, *[120.0] * 30)
    warnings = (await http.get("/warnings", params={"state": "active"})).json()["items"]
    ours = [w for w in warnings if w["subject"] == STATION]
    assert [(w["rule"], w["level"], w["threshold"]) for w in ours] == [("air-pollution", "yellow", 151)]
    incident = (await http.get(f"/incidents/{ours[0]['incident']}")).json()
    assert (incident["type"], incident["place"]["district"]) == ("air-pollution", "440105")
    assert (incident["organisation"], incident["state"]) == ("440105-ecology", "dispatched")
    evidence = incident["evidence"]
    assert (evidence["vital"], evidence["value"]) == ("air-aqi", ours[0]["value"])
    assert {o["stream"] for o in evidence["observations"]} == {STATION}
    assert evidence["ledger"]


async def test_clean_air_lifts_the_warning_again(city: Platform, clock: ManualClock, http: httpx.AsyncClient) -> None:
    await _hours(city, clock, *[120.0] * 24, *[5.0] * 24)
    assert (await http.get("/warnings", params={"state": "active"})).json()["items"] == []
    assert (await http.get("/warnings", params={"state": "lifted"})).json()["items"]
