"""Deleting over SensorThings: what the standard says goes with an entity goes; observations rest as evidence, never shown."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.clock import ManualClock
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import build, token_for
from tests.foundation.sensing.writing import CELSIUS, FEATURE, PROPERTY, SENSOR, STREAM, THING, Client

HOURS = [f"2013-12-31T{hour:02}:00:00Z" for hour in range(20, 24)]
MULTI = {
    "name": "wind",
    "description": "",
    "unitOfMeasurements": [CELSIUS, CELSIUS],
    "multiObservationDataTypes": ["a", "b"],
    "Sensor": SENSOR,
    "ObservedProperties": [PROPERTY, {**PROPERTY, "name": "speed"}],
}


async def whole(sta: Client) -> dict[str, int]:
    """A thing with everything that can hang on it; the id of each entity by its set."""
    made = {"Things": await sta.make("/Things", {**THING, "MultiDatastreams": [MULTI]})}
    links = "Locations,HistoricalLocations,Datastreams/Sensor,Datastreams/ObservedProperty,MultiDatastreams"
    found = await sta.get(f"/Things({made['Things']})?$expand={links}")
    for name in ("Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams"):
        made[name] = found[name][0]["@iot.id"]
    made["Sensors"] = found["Datastreams"][0]["Sensor"]["@iot.id"]
    made["ObservedProperties"] = found["Datastreams"][0]["ObservedProperty"]["@iot.id"]
    stream, multi = made["Datastreams"], made["MultiDatastreams"]
    made["Observations"] = await sta.make(f"/Datastreams({stream})/Observations", {"result": 1, "FeatureOfInterest": FEATURE})
    await sta.make(f"/Datastreams({stream})/Observations", {"result": 2, "phenomenonTime": HOURS[0]})
    await sta.make(f"/MultiDatastreams({multi})/Observations", {"result": [1, 2]})
    feature = await sta.get(f"/Observations({made['Observations']})/FeatureOfInterest")
    made["FeaturesOfInterest"] = feature["@iot.id"]
    body = {"name": "c", "description": "", "taskingParameters": {}, "Thing": {"@iot.id": made["Things"]}, "Actuator": SENSOR}
    made["TaskingCapabilities"] = await sta.make("/TaskingCapabilities", body)
    made["Actuators"] = (await sta.get(f"/TaskingCapabilities({made['TaskingCapabilities']})/Actuator"))["@iot.id"]
    made["Tasks"] = await sta.make(f"/TaskingCapabilities({made['TaskingCapabilities']})/Tasks", {"taskingParameters": {}})
    return made


@pytest.mark.parametrize(
    ("deleted", "with_it", "observations"),
    [
        ("Things", ["HistoricalLocations", "Datastreams", "MultiDatastreams", "TaskingCapabilities", "Tasks"], 0),
        ("Locations", ["HistoricalLocations"], 3),
        ("HistoricalLocations", [], 3),
        ("Datastreams", [], 1),
        ("MultiDatastreams", [], 2),
        ("Sensors", ["Datastreams"], 1),
        ("ObservedProperties", ["Datastreams"], 1),
        ("FeaturesOfInterest", ["Observations"], 2),
        ("Observations", [], 2),
        ("Actuators", ["TaskingCapabilities", "Tasks"], 3),
        ("TaskingCapabilities", ["Tasks"], 3),
        ("Tasks", [], 3),
    ],
)
async def test_an_entity_takes_with_it_what_the_standard_says(
    sta: Client, deleted: str, with_it: list[str], observations: int
) -> None:
    made = await whole(sta)
    await sta.ask("DELETE", f"/{deleted}({made[deleted]})")
    if deleted == "Datastreams":
        with_it = ["Observations"]
    for name, number in made.items():
        gone = name == deleted or name in with_it or (name == "Observations" and observations < 2)
        await sta.get(f"/{name}({number})", 404 if gone else 200)
    assert await sta.count("/Observations") == observations
    sensing: Sensing = sta.http.platform.get(Sensing)  # type: ignore[attr-defined]
    await sta.http.platform.settle()  # type: ignore[attr-defined]
    assert sensing.faults() == []
    assert await sta.count("/Observations") == observations
    events = "SELECT payload FROM kernel_outbox WHERE type = 'sensing.entity.deleted' AND subject = :name"
    records = sta.http.platform.records  # type: ignore[attr-defined]
    assert records.read_now(lambda s: s.value(events, name=f"{deleted}({made[deleted]})")) is not None


async def test_what_was_deleted_is_in_no_answer_of_sensing_and_may_be_observed_anew(sta: Client) -> None:
    sensing: Sensing = sta.http.platform.get(Sensing)  # type: ignore[attr-defined]
    rows = [{"result": hour, "phenomenonTime": text} for hour, text in enumerate(HOURS)]
    made = [await sta.make("/Datastreams(1)/Observations", row) for row in rows]
    for settled in (False, True):
        if settled:
            await sta.http.platform.settle()  # type: ignore[attr-defined]
        await sta.ask("DELETE", f"/Observations({made[3]})")
        assert await sta.results(1) == [0, 1, 2]
        assert sensing.window([1], 0, 2**60).results.tolist() == [0, 1, 2]
        assert sensing.latest([1]).results.tolist() == [2]
        assert sensing.counts([1]) == {1: 3}
        assert (await sta.get("/Datastreams(1)"))["phenomenonTime"].startswith("2013-12-31T20:00:00.000Z/2013-12-31T22")
        await sta.ask("DELETE", f"/Observations({made[3]})", status=404)
        made[3] = await sta.make("/Datastreams(1)/Observations", rows[3])
        assert await sta.results(1) == [0, 1, 2, 3]
    assert sensing.numbered(1, 4).results.tolist() == [0, 1, 2, 3]


async def test_a_changed_observation_keeps_its_number_and_what_it_was_stays_as_evidence(sta: Client) -> None:
    sensing: Sensing = sta.http.platform.get(Sensing)  # type: ignore[attr-defined]
    number = await sta.make("/Datastreams(1)/Observations", {"result": 1, "phenomenonTime": HOURS[0]})
    other = await sta.make("/Datastreams(1)/Observations", {"result": 9, "phenomenonTime": HOURS[3]})
    changes: list[tuple[dict[str, Any], Any]] = [
        ({"result": 2}, 2),
        ({"phenomenonTime": HOURS[1], "parameters": {"by": "hand"}}, 2),
        ({"validTime": f"{HOURS[0]}/{HOURS[1]}", "resultQuality": "good", "result": 3}, 3),
    ]
    for body, result in changes:
        shown = await sta.ask("PATCH", f"/Observations({number})", body)
        assert (shown["@iot.id"], shown["result"]) == (number, result)
        assert await sta.count("/Observations") == 2
        await sta.http.platform.settle()  # type: ignore[attr-defined]
    found = await sta.get(f"/Observations({number})")
    assert found["parameters"] == {"by": "hand"}
    assert found["validTime"] == "2013-12-31T20:00:00.000Z/2013-12-31T21:00:00.000Z"
    assert sensing.window([1], 0, 2**60).ids.tolist() == [number, other]
    patch = [{"op": "replace", "path": "/result", "value": 4}]
    await sta.ask("PATCH", f"/Observations({number})", patch, headers={"Content-Type": "application/json-patch+json"})
    assert await sta.results(1) == [4, 9]
    await sta.ask("PATCH", f"/Observations({number})", {"result": None, "phenomenonTime": "noon"}, 422)
    await sta.ask("PUT", f"/Observations({number})", {"result": 9, "phenomenonTime": HOURS[3]}, 409)
    await sta.ask("PUT", f"/Observations({number})", {"result": 5, "phenomenonTime": HOURS[2]})
    assert "parameters" not in await sta.get(f"/Observations({number})")
    await sta.ask("DELETE", f"/Observations({number})")
    assert await sta.results(1) == [9]
    assert sensing.numbered(1, 20).results.tolist()[:2] == [1, 9]
    assert sensing.faults() == []


async def test_what_was_amended_is_so_after_a_restart(settings: Settings, clock: ManualClock) -> None:
    token = ""
    for round_ in range(2):
        platform = build(settings, clock)
        token = token or token_for(platform, "sensing:*")
        await platform.start()
        transport = httpx.ASGITransport(create_asgi(platform), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as http:
            sta, sensing = Client(http), platform.get(Sensing)
            if round_ == 0:
                made = [await sta.make("/Datastreams(1)/Observations", {"result": 1, "phenomenonTime": t}) for t in HOURS]
                await platform.settle()
                await sta.ask("PATCH", f"/Observations({made[0]})", {"result": 7})
                await sta.ask("DELETE", f"/Observations({made[3]})")
                thing = await sta.make("/Things", {**THING, "Datastreams": [{**STREAM, "Observations": [{"result": 5}]}]})
                await sta.ask("DELETE", f"/Things({thing})")
            assert await sta.results(1) == [7, 1, 1]
            assert sensing.latest().results.tolist() == [1]
            assert sensing.counts([1]) == {1: 3}
            assert await sta.count("/Observations") == 3
            await sta.ask("POST", "/Datastreams(4)/Observations", {"result": 5}, 422)
            assert sensing.faults() == []
        await platform.stop()
    number = create_platform(settings, clock)
    assert [info.id for info in number.get(Sensing).streams()] == [1, 2, 3]
    for closer in number.closers:
        closer()
    number.records.close()


async def test_what_is_told_of_a_deletion_is_what_was_there(sta: Client) -> None:
    number = await sta.make("/Datastreams(1)/Observations", {"result": 1.5, "phenomenonTime": HOURS[0]})
    await sta.ask("DELETE", f"/Datastreams(1)/Observations({number})")
    await sta.ask("DELETE", f"/Datastreams(2)/Observations({number})", status=404)
    sql = "SELECT payload FROM kernel_outbox WHERE type = 'sensing.entity.deleted'"
    told = json.loads(sta.http.platform.records.read_now(lambda s: s.value(sql)))  # type: ignore[attr-defined]
    assert (told["properties"]["result"], told["links"]) == (1.5, {"Datastream": 1})
    assert np.isfinite(told["number"])
