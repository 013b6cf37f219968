"""Writing over SensorThings: what the standard's examples create, change and delete is there, changed and gone."""

import asyncio
from typing import Any

import httpx
import pytest

from mumian.foundation.sensing.api import Sensing
from tests.foundation.sensing.writing import FEATURE, PLACE, PROPERTY, SENSOR, STREAM, THING, TYPE, Client

POINT = {"type": "Point", "coordinates": [113.5, 23.2]}


async def test_each_entity_is_made_by_the_standards_example_and_found_along_its_links(sta: Client) -> None:
    thing = await sta.make("/Things", {"name": "Oven", "description": "an oven", "properties": {"colour": "black"}})
    location = await sta.make("/Locations", {**PLACE, "Things": [{"@iot.id": thing}]})
    sensor, observed = await sta.make("/Sensors", SENSOR), await sta.make("/ObservedProperties", PROPERTY)
    links = {"Thing": {"@iot.id": thing}, "Sensor": {"@iot.id": sensor}, "ObservedProperty": {"@iot.id": observed}}
    stream = await sta.make("/Datastreams", {**STREAM, **links})
    feature = await sta.make("/FeaturesOfInterest", FEATURE)
    body = {"phenomenonTime": "2013-04-18T16:15:00-06:00", "result": 124, "resultTime": "2013-04-18T16:15:00-06:00"}
    links = {"Datastream": {"@iot.id": stream}, "FeatureOfInterest": {"@iot.id": feature}}
    observation = await sta.make("/Observations", {**body, **links})
    found = await sta.get(f"/Observations({observation})?$expand=Datastream/Thing/Locations,FeatureOfInterest")
    assert (found["result"], found["phenomenonTime"]) == (124, "2013-04-18T22:15:00.000Z")
    assert found["FeatureOfInterest"]["@iot.id"] == feature
    assert found["Datastream"]["Thing"]["Locations"][0]["@iot.id"] == location
    assert found["Datastream"]["Thing"]["properties"] == {"colour": "black"}
    stream_ = await sta.get(f"/Datastreams({stream})")
    assert stream_["phenomenonTime"] == "2013-04-18T22:15:00.000Z/2013-04-18T22:15:00.000Z"
    assert stream_["resultTime"] == "2013-04-18T22:15:00.000Z/2013-04-18T22:15:00.000Z"
    assert stream_["unitOfMeasurement"] == STREAM["unitOfMeasurement"]


async def test_a_thing_with_all_inside_of_it_is_made_at_once_or_not_at_all(sta: Client) -> None:
    inner = [
        {"result": 1, "phenomenonTime": "2013-12-31T20:00:00Z"},
        {"result": 2, "phenomenonTime": "2013-12-31T21:00:00Z/2013-12-31T22:00:00Z", "parameters": {"who": "me"}},
    ]
    thing = await sta.make("/Things", {**THING, "Datastreams": [{**STREAM, "Observations": inner}]})
    found = await sta.get(f"/Things({thing})?$expand=Datastreams/Observations/FeatureOfInterest,Locations,HistoricalLocations")
    observations = found["Datastreams"][0]["Observations"]
    assert sorted(one["result"] for one in observations) == [1, 2]
    assert {one["FeatureOfInterest"]["feature"]["coordinates"][0] for one in observations} == {-114.133}
    assert (len(found["Locations"]), len(found["HistoricalLocations"])) == (1, 1)
    before = [await sta.count(name) for name in ("/Things", "/Datastreams", "/Sensors", "/Locations", "/Observations")]
    bad = {**inner[0], "result": "warm"}
    for body, field in (
        ({**THING, "Datastreams": [{**STREAM, "Observations": [inner[0], bad]}]}, "Datastreams[0].Observations[1].result"),
        ({**THING, "Datastreams": [STREAM, {**STREAM, "Sensor": {"@iot.id": 77}}]}, "Datastreams[1].Sensor.@iot.id"),
        ({**THING, "Datastreams": [{**STREAM, "ObservedProperty": {}}]}, "Datastreams[0].ObservedProperty.name"),
    ):
        refused = await sta.ask("POST", "/Things", body, 422)
        assert refused["errors"][0]["field"] == field
    assert [await sta.count(name) for name in ("/Things", "/Datastreams", "/Sensors", "/Locations", "/Observations")] == before


async def test_entities_are_made_through_the_paths_that_lead_to_them(sta: Client) -> None:
    thing = await sta.make("/Things", {"name": "t", "description": ""})
    location = await sta.make(f"/Things({thing})/Locations", PLACE)
    stream = await sta.make(f"/Things({thing})/Datastreams", STREAM)
    assert (await sta.get(f"/Datastreams({stream})/Thing"))["@iot.id"] == thing
    sensor = (await sta.get(f"/Datastreams({stream})/Sensor"))["@iot.id"]
    rest = {key: value for key, value in STREAM.items() if key != "Sensor"}
    second = await sta.make(f"/Sensors({sensor})/Datastreams", {**rest, "Thing": {"@iot.id": thing}})
    assert (await sta.get(f"/Datastreams({second})/Sensor"))["@iot.id"] == sensor
    other = await sta.make(f"/Locations({location})/Things", {"name": "u", "description": ""})
    assert [one["@iot.id"] for one in (await sta.get(f"/Things({other})/Locations"))["value"]] == [location]
    await sta.make(f"/Datastreams({stream})/Observations", {"result": 1})
    await sta.ask("POST", "/Things(999)/Locations", PLACE, 404)
    await sta.ask("POST", "/Datastreams(999)/Observations", {"result": 1}, 422)


async def test_a_change_touches_what_it_names_and_nothing_else(sta: Client) -> None:
    thing = await sta.make("/Things", THING)
    await sta.ask("PATCH", f"/Things({thing})", {"name": "New oven"})
    found = await sta.get(f"/Things({thing})")
    assert (found["name"], found["description"], found["properties"]) == ("New oven", THING["description"], THING["properties"])
    await sta.ask("PUT", f"/Things({thing})", {"name": "Bare", "description": "x"})
    found = await sta.get(f"/Things({thing})")
    assert (found["name"], found["description"], found["properties"]) == ("Bare", "x", {})
    operations = [
        {"op": "add", "path": "/properties/a~1b", "value": [1]},
        {"op": "add", "path": "/properties/a~1b/-", "value": {"x": 2}},
        {"op": "replace", "path": "/name", "value": "Patched"},
        {"op": "test", "path": "/description", "value": "x"},
        {"op": "copy", "from": "/properties/a~1b/1", "path": "/properties/c"},
        {"op": "remove", "path": "/properties/a~1b/0"},
    ]
    header = {"Content-Type": "application/json-patch+json"}
    await sta.ask("PATCH", f"/Things({thing})", operations, headers=header)
    found = await sta.get(f"/Things({thing})")
    assert (found["name"], found["properties"]) == ("Patched", {"a/b": [{"x": 2}], "c": {"x": 2}})
    for bad in ([{"op": "test", "path": "/name", "value": "no"}], [{"op": "remove", "path": "/name"}], [{"op": "fly"}], {}):
        await sta.ask("PATCH", f"/Things({thing})", bad, 422, headers=header)
    assert (await sta.get(f"/Things({thing})"))["name"] == "Patched"
    stream = (await sta.get(f"/Things({thing})/Datastreams"))["value"][0]["@iot.id"]
    unit = {"name": "kelvin", "symbol": "K", "definition": "ucum:K"}
    await sta.ask("PATCH", f"/Datastreams({stream})", {"unitOfMeasurement": unit, "properties": {"owner": "ignored", "a": 1}})
    found = await sta.get(f"/Datastreams({stream})")
    assert (found["unitOfMeasurement"], found["properties"]["a"], found["properties"]["owner"]) == (unit, 1, None)
    sensing: Sensing = sta.http.platform.get(Sensing)  # type: ignore[attr-defined]
    assert next(info for info in sensing.streams() if info.id == stream).unit == "K"


async def test_two_changes_at_once_both_hold(sta: Client) -> None:
    thing = await sta.make("/Things", THING)
    bodies = [{"name": "A"}, {"description": "B"}] * 10
    await asyncio.gather(*(sta.ask("PATCH", f"/Things({thing})", body) for body in bodies))
    found = await sta.get(f"/Things({thing})")
    assert (found["name"], found["description"]) == ("A", "B")
    made = await asyncio.gather(*(sta.make("/Sensors", SENSOR) for _ in range(20)))
    assert len(set(made)) == 20


async def test_every_change_of_place_is_history_and_a_new_feature_of_interest(sta: Client) -> None:
    thing = await sta.make("/Things", THING)
    stream = (await sta.get(f"/Things({thing})/Datastreams"))["value"][0]["@iot.id"]
    first = await sta.make(f"/Datastreams({stream})/Observations", {"result": 1, "phenomenonTime": "2013-12-31T20:00:00Z"})
    again = await sta.make(f"/Datastreams({stream})/Observations", {"result": 2, "phenomenonTime": "2013-12-31T21:00:00Z"})
    moved = await sta.make(f"/Things({thing})/Locations", {**PLACE, "location": POINT})
    later = await sta.make(f"/Datastreams({stream})/Observations", {"result": 3, "phenomenonTime": "2013-12-31T22:00:00Z"})
    features = [(await sta.get(f"/Observations({n})/FeatureOfInterest"))["@iot.id"] for n in (first, again, later)]
    assert features[0] == features[1] != features[2]
    assert (await sta.get(f"/FeaturesOfInterest({features[2]})"))["feature"] == POINT
    assert [one["@iot.id"] for one in (await sta.get(f"/Things({thing})/Locations"))["value"]] == [moved]
    history = await sta.get(f"/Things({thing})/HistoricalLocations?$expand=Locations&$orderby=id")
    assert [one["Locations"][0]["location"]["coordinates"][0] for one in history["value"]] == [-114.133, 113.5]
    await sta.ask("PATCH", f"/Locations({moved})", {"location": {"type": "Point", "coordinates": [113.6, 23.2]}})
    assert await sta.count(f"/Things({thing})/HistoricalLocations") == 3
    area = (await sta.get(f"/Datastreams({stream})"))["observedArea"]
    longitudes = [corner[0] for corner in area["coordinates"][0]]
    assert (min(longitudes), max(longitudes)) == (-114.133, 113.6)
    past = {"time": "2013-06-01T00:00:00Z", "Thing": {"@iot.id": thing}, "Locations": [{"@iot.id": moved}]}
    await sta.make("/HistoricalLocations", past)
    assert [one["@iot.id"] for one in (await sta.get(f"/Things({thing})/Locations"))["value"]] == [moved]


async def test_links_are_added_set_and_removed_by_reference(sta: Client) -> None:
    thing, place = await sta.make("/Things", {"name": "t", "description": ""}), await sta.make("/Locations", PLACE)
    await sta.ask("POST", f"/Things({thing})/Locations/$ref", {"@iot.id": place}, 204)
    assert await sta.count(f"/Locations({place})/Things") == 1
    await sta.ask("DELETE", f"/Things({thing})/Locations({place})/$ref")
    assert await sta.count(f"/Things({thing})/Locations") == 0
    stream, sensor = await sta.make(f"/Things({thing})/Datastreams", STREAM), await sta.make("/Sensors", SENSOR)
    await sta.ask("PUT", f"/Datastreams({stream})/Sensor/$ref", {"@iot.selfLink": f"http://x/v1.1/Sensors({sensor})"}, 204)
    assert (await sta.get(f"/Datastreams({stream})/Sensor"))["@iot.id"] == sensor
    await sta.ask("DELETE", f"/Datastreams({stream})/Sensor/$ref", status=409)
    await sta.ask("PUT", f"/Datastreams({stream})/Sensor/$ref", {"@iot.id": 999}, 422)
    await sta.ask("POST", f"/Datastreams({stream})/Sensor/$ref", {"@iot.id": sensor}, 405)
    other = await sta.make("/Things", {"name": "u", "description": ""})
    await sta.ask("POST", f"/Things({other})/Datastreams/$ref", {"@iot.id": stream}, 204)
    assert (await sta.get(f"/Datastreams({stream})/Thing"))["@iot.id"] == other
    await sta.ask("PATCH", f"/Datastreams({stream})", {"Thing": {"@iot.id": thing}})
    assert (await sta.get(f"/Datastreams({stream})/Thing"))["@iot.id"] == thing


async def test_what_is_declared_changes_by_its_declaration_alone(sta: Client) -> None:
    for method, path, body in [
        ("PATCH", "/Datastreams(1)", {"name": "x"}),
        ("DELETE", "/Datastreams(1)", None),
        ("DELETE", "/Things(1)", None),
        ("DELETE", "/Sensors(1)", None),
        ("PATCH", "/Things(1)", {"name": "x"}),
        ("PATCH", "/ObservedProperties(1)", {"name": "x"}),
        ("POST", "/Things(1)/Locations", PLACE),
        ("PATCH", "/Locations(1)", {"location": POINT}),
        ("DELETE", "/Locations(1)", None),
        ("DELETE", "/Things(1)/Locations(1)/$ref", None),
        ("PUT", "/Datastreams(1)/Sensor/$ref", {"@iot.id": 1}),
    ]:
        refused = await sta.ask(method, path, body, 409)
        assert "declar" in refused["detail"], (method, path)
    await sta.ask("PATCH", "/Things(1)", {"properties": {"free": True}})
    assert (await sta.get("/Things(1)"))["properties"] == {"free": True}
    assert await sta.count("/Datastreams") == 3


async def test_a_device_is_commanded_and_tells_how_far_it_came(sta: Client) -> None:
    body = {
        "name": "light",
        "description": "",
        "taskingParameters": {"type": "DataRecord", "field": []},
        "Thing": {"@iot.id": 1},
        "Actuator": {"name": "lamp", "description": "", "encodingType": "application/json", "metadata": {"watt": 5}},
    }
    capability = await sta.make("/TaskingCapabilities", body)
    task = await sta.make(f"/TaskingCapabilities({capability})/Tasks", {"taskingParameters": {"on": True}})
    found = await sta.get(f"/Tasks({task})")
    assert (found["status"], found["taskingParameters"], found["creationTime"][:10]) == ("created", {"on": True}, "2014-01-01")
    await sta.ask("PATCH", f"/Tasks({task})", {"status": "completed"})
    await sta.ask("PATCH", f"/Tasks({task})", {"status": "running"}, 409)
    await sta.ask("PATCH", f"/Tasks({task})", {"status": "flying"}, 422)
    assert (await sta.get(f"/TaskingCapabilities({capability})/Actuator"))["metadata"] == {"watt": 5}
    await sta.ask("DELETE", f"/TaskingCapabilities({capability})")
    await sta.get(f"/Tasks({task})", 404)


BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/Things", {"description": "x"}, 422, "name"),
    ("POST", "/Things", {"name": 5}, 422, "name"),
    ("POST", "/Things", {"name": "x" * 301}, 422, "name"),
    ("POST", "/Things", {"name": "x", "colour": 1}, 422, "colour"),
    ("POST", "/Things", {"name": "x", "properties": [1]}, 422, "properties"),
    ("POST", "/Things", {"name": "x", "Locations": {"name": "y"}}, 422, "Locations"),
    ("POST", "/Things", {"name": "x", "Locations": [{"@iot.id": "1"}]}, 422, "Locations[0].@iot.id"),
    ("POST", "/Things", {"name": "x", "Locations": [{"@iot.id": 2**70}]}, 422, "Locations[0].@iot.id"),
    ("POST", "/Things", [1], 422, ""),
    ("POST", "/Locations", {**PLACE, "location": {"type": "Point", "coordinates": [200, 0]}}, 422, "location.coordinates[0]"),
    ("POST", "/Locations", {**PLACE, "location": {"type": "Circle"}}, 422, "location.type"),
    ("POST", "/Locations", {**PLACE, "location": 5}, 422, "location"),
    (
        "POST",
        "/Locations",
        {**PLACE, "location": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}},
        422,
        "location.coordinates[0][3]",
    ),
    ("POST", "/Sensors", {**SENSOR, "name": None}, 422, "name"),
    ("POST", "/Datastreams", STREAM, 422, "Thing"),
    ("POST", "/Datastreams", {**STREAM, "Thing": {"@iot.id": 1}, "unitOfMeasurement": 5}, 422, "unitOfMeasurement"),
    ("POST", "/HistoricalLocations", {"time": "now", "Thing": {"@iot.id": 1}}, 422, "time"),
    ("POST", "/MultiDatastreams", {**STREAM, "Thing": {"@iot.id": 1}}, 422, "unitOfMeasurement"),
    ("PATCH", "/Things(99)", {"name": "x"}, 404, ""),
    ("PATCH", "/Things(1)", {"Datastreams": [STREAM]}, 422, "Datastreams"),
    ("PATCH", "/Things(1)", {"name": None}, 422, "name"),
    ("PATCH", "/Sensors(1)", {"colour": 1}, 422, "colour"),
    ("DELETE", "/Sensors(99)", None, 404, ""),
    ("PUT", "/Things(1)", {"description": "x"}, 422, "name"),
    ("POST", "/Things(1)/Locations/$ref", {}, 422, "@iot.id"),
    ("POST", "/Things(1)", {"name": "x"}, 405, ""),
    ("PATCH", "/Things", {"name": "x"}, 405, ""),
    ("DELETE", "/Things(1)/name", None, 405, ""),
]


async def test_bad_writing_is_refused_with_its_field_and_changes_nothing(http: httpx.AsyncClient) -> None:
    client = Client(http)
    sets = ("/Things", "/Locations", "/Sensors", "/Datastreams", "/HistoricalLocations")
    before = [await client.count(name) for name in sets]
    for method, path, body, status, field in BAD:
        problem = await client.ask(method, path, body, status)
        assert problem["detail"]
        if status == 422:
            assert problem["errors"][0]["field"] == field, (method, path, problem)
    nested: Any = {"name": "x"}
    for _ in range(40):
        nested = {"name": "x", "Locations": [{**PLACE, "Things": [nested]}]}
    await client.ask("POST", "/Things", nested, 422)
    assert [await client.count(name) for name in sets] == before


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("CountObservation", 5, 5.5),
        ("TruthObservation", True, 1),
        ("CategoryObservation", "rain", 3),
        ("Observation", {"a": [1, None, "雨"]}, None),
    ],
)
async def test_a_result_is_of_the_kind_of_its_stream(http: httpx.AsyncClient, kind: str, good: Any, bad: Any) -> None:
    client = Client(http)
    stream = await client.make("/Datastreams", {**STREAM, "observationType": TYPE + kind, "Thing": {"@iot.id": 1}})
    made = await client.make(f"/Datastreams({stream})/Observations", {"result": good})
    assert (await client.get(f"/Observations({made})"))["result"] == good
    if bad is not None:
        refused = await client.ask("POST", f"/Datastreams({stream})/Observations", {"result": bad}, 422)
        assert refused["errors"][0]["field"] == "result"
