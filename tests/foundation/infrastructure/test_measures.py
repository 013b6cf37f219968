"""Tests of measures: what they come to, who is told, and the streams that carry them on."""

import httpx
import pytest

from mumian.foundation.infrastructure.api import stream_name
from mumian.foundation.sensing.api import Sensing
from tests.foundation.infrastructure.conftest import Town, charger, enter


async def measures(client: httpx.AsyncClient, name: str) -> dict[str, float | None]:
    """The values of a measure by area."""
    found = (await client.get("/measures", params={"measure": name})).json()
    return {each["area"]: each["value"] for each in found[0]["areas"]}


async def test_rates_by_people_and_by_area_follow_the_ledger(town: Town, admin: httpx.AsyncClient) -> None:
    for number in range(4):
        await enter(admin, **charger(f"C{number}"))
    await enter(admin, **charger("PLANNED", state="planned"))
    await town.platform.settle()
    assert await measures(admin, "chargers-per-10k") == pytest.approx({"110100": 4 / 3, "110101": 2.0, "110102": 0.0})
    density = await measures(admin, "chargers-per-km2")
    assert density["110101"] == pytest.approx(4 / (11.12 * 11.12 * 0.9203), rel=0.01)
    assert (await measures(admin, "ipv6")) == {"110100": 70}
    told = (await admin.get("/measures", params={"measure": "chargers-per-10k"})).json()[0]
    assert told["target"] == {"year": 2015, "value": 3}


async def test_a_measure_becomes_an_event_and_a_stream_and_only_when_it_changes(town: Town, admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger())
    await town.platform.settle()
    before = len(town.events("infrastructure.measured"))
    town.clock.advance(seconds=60)
    await admin.patch("/facilities/C1", json={"note": "nothing that counts"})
    await town.platform.settle()
    assert len(town.events("infrastructure.measured")) == before
    await enter(admin, **charger("C2"))
    await town.platform.settle()
    newest = [e for e in town.events("infrastructure.measured") if e["subject"] == "chargers-per-10k"][-1]
    assert newest["areas"]["110101"] == {"value": 1.0, "numerator": 2.0, "denominator": 20000.0}
    sensing = town.platform.get(Sensing)
    stream = sensing.stream(stream_name("chargers-per-10k", "110101"))
    assert (stream.observed_property, stream.unit) == ("chargers-per-10k", "per 10k")
    assert sensing.latest([stream.id]).results.tolist() == [1.0]
    assert sensing.window([stream.id], 0, 2**62).results.tolist() == [0.5, 1.0]


async def test_a_mean_is_weighed_and_nothing_to_average_is_no_value(town: Town, admin: httpx.AsyncClient) -> None:
    centre = {"kind": "data-centre", "owner": "telecom", "state": "in_use", "longitude": 113.25, "latitude": 23.05}
    await enter(admin, code="D1", name="大", properties={"racks": 900, "pue": 1.2}, **centre)
    await enter(admin, code="D2", name="小", properties={"racks": 100, "pue": 2.2}, **centre)
    await town.platform.settle()
    assert await measures(admin, "pue") == {"110100": pytest.approx(1.3), "110101": pytest.approx(1.3), "110102": None}


async def test_the_people_within_reach_are_a_share_of_each_district(town: Town, admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger())
    await town.platform.settle()
    served = await measures(admin, "people-served")
    area = 11.12 * 11.12 * 0.9203
    assert served["110101"] is not None
    assert served["110101"] == pytest.approx(3.1416 / area, rel=0.05)
    assert served["110102"] == 0.0
    assert served["110100"] == pytest.approx(served["110101"] * 2 / 3, rel=1e-6)
