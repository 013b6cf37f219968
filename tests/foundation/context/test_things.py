"""Things: what is sensed is an entity with the newest values; writing such an attribute records an observation."""

import httpx
import numpy as np

from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import parse_iso
from tests.foundation.context.conftest import ROOT, STATION

AT = f"{ROOT}/entities/{STATION}"


async def observe(http: httpx.AsyncClient, stream: int, time: str, result: float) -> None:
    sensing = http.platform.get(Sensing)  # type: ignore[attr-defined]
    at = microseconds(parse_iso(time))
    await sensing.record(Observations(np.array([stream]), np.array([at]), np.array([result])))


async def test_a_station_is_an_entity_with_the_newest_observation_of_each_stream(http: httpx.AsyncClient) -> None:
    await observe(http, 1, "2013-12-31T21:00:00Z", 30)
    await observe(http, 1, "2013-12-31T22:00:00Z", 35.5)
    await observe(http, 3, "2013-12-31T20:00:00Z", 12)
    found = (await http.get(AT)).json()
    assert found["type"] == "AirQualityObserved"
    assert found["location"]["value"] == {"type": "Point", "coordinates": [113.3, 23.1]}
    default, other = found["pm25"]
    assert (default["value"], default["observedAt"], default["unitCode"]) == (35.5, "2013-12-31T22:00:00.000Z", "GQ")
    assert (other["value"], other["datasetId"]) == (12, "urn:ngsi-ld:Dataset:c")
    assert "no2" not in found
    listed = await http.get(f"{ROOT}/entities?type=AirQualityObserved&q=pm25>35&count=true")
    assert (listed.headers["ngsild-results-count"], listed.json()) == ("1", [found])
    assert (await http.get(f"{ROOT}/entities?type=AirQualityObserved&q=pm25>36")).json() == []


async def test_writing_a_streams_attribute_records_an_observation(http: httpx.AsyncClient) -> None:
    body = {"pm25": {"type": "Property", "value": 41.5, "observedAt": "2013-12-31T23:00:00Z"}}
    assert (await http.patch(f"{AT}/attrs", json=body)).status_code == 204
    assert (await http.patch(f"{AT}/attrs/no2", json={"value": 7})).status_code == 404
    assert (await http.post(f"{AT}/attrs", json={"no2": {"value": 7, "observedAt": "2013-12-31T23:00:00Z"}})).status_code == 204
    streams = (await http.get("/sta/v1.1/Datastreams(1)/Observations")).json()["value"]
    assert [(o["phenomenonTime"], o["result"]) for o in streams] == [("2013-12-31T23:00:00.000Z", 41.5)]
    found = (await http.get(AT)).json()
    assert (found["pm25"]["value"], found["no2"]["value"]) == (41.5, 7)


async def test_what_a_thing_has_beside_is_kept_beside(http: httpx.AsyncClient) -> None:
    batch = [{"id": STATION, "type": "AirQualityObserved", "pm25": {"value": 9}, "keeper": {"object": "urn:x:1"}}]
    assert (await http.post(f"{ROOT}/entityOperations/upsert", json=batch)).status_code == 204
    found = (await http.get(AT)).json()
    assert (found["pm25"]["value"], found["keeper"]["object"]) == (9, "urn:x:1")
    types = (await http.get(f"{ROOT}/types/AirQualityObserved")).json()
    assert types["entityCount"] == 1
    assert {"pm25", "keeper", "location"} <= {entry["attributeName"] for entry in types["attributeDetails"]}
    await http.delete(f"{AT}/attrs/keeper")
    assert "keeper" not in (await http.get(AT)).json()


async def test_a_thing_is_neither_made_nor_deleted_here_and_its_numbers_are_numbers(http: httpx.AsyncClient) -> None:
    assert (await http.post(f"{ROOT}/entities", json={"id": STATION, "type": "T"})).status_code == 409
    assert (await http.delete(AT)).status_code == 422
    wrong = await http.post(f"{AT}/attrs", json={"pm25": {"value": "much"}, "keeper": {"value": 1}})
    assert (wrong.status_code, "keeper" in (await http.get(AT)).json()) == (400, False)
    high = {"type": "Property", "value": 501, "datasetId": "urn:ngsi-ld:Dataset:c"}
    refused = await http.post(f"{AT}/attrs", json={"pm25": high, "keeper": {"value": 1}})
    assert (refused.status_code, "keeper" in (await http.get(AT)).json()) == (400, False)


async def test_the_past_of_a_stream_is_told_and_aggregated(http: httpx.AsyncClient) -> None:
    for hour in range(20):
        await observe(http, 2, f"2013-12-31T{hour:02}:30:00Z", hour)
    await http.platform.settle()  # type: ignore[attr-defined]
    await observe(http, 2, "2013-12-31T20:30:00Z", 20)
    past = f"{ROOT}/temporal/entities/{STATION}"
    span = "timerel=between&timeAt=2013-12-31T02:00:00Z&endTimeAt=2013-12-31T05:00:00Z"
    found = (await http.get(f"{past}?attrs=no2&{span}")).json()
    assert [(i["value"], i["observedAt"]) for i in found["no2"]] == [(h, f"2013-12-31T{h:02}:30:00.000Z") for h in (2, 3, 4)]
    last = (await http.get(f"{past}?attrs=no2&lastN=2&options=temporalValues")).json()
    assert last["no2"]["values"] == [[19, "2013-12-31T19:30:00Z"], [20, "2013-12-31T20:30:00Z"]]
    whole = "timerel=between&timeAt=2013-12-31T00:00:00Z&endTimeAt=2014-01-01T00:00:00Z"
    means = await http.get(
        f"{past}?attrs=no2&{whole}&options=aggregatedValues&aggrMethods=avg,max,totalCount&aggrPeriodDuration=PT6H"
    )
    assert [entry[0] for entry in means.json()["no2"]["avg"]] == [2.5, 8.5, 14.5, 19]
    assert means.json()["no2"]["totalCount"][-1] == [3, "2013-12-31T18:00:00Z", "2014-01-01T00:00:00Z"]
    listed = (await http.get(f"{ROOT}/temporal/entities?type=AirQualityObserved&{span}&q=no2>3")).json()
    assert [len(entity["no2"]) for entity in listed] == [3]
