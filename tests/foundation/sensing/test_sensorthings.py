"""SensorThings: what is sent is acknowledged with links, and is found again along every path."""

import httpx
import pytest

from mumian.foundation.sensing.api import Sensing

MANY = "/sta/v1.1/CreateObservations"


def observations(
    stream: int, *rows: list[object], components: tuple[str, ...] = ("phenomenonTime", "result")
) -> dict[str, object]:
    return {"Datastream": {"@iot.id": stream}, "components": list(components), "dataArray": list(rows)}


async def test_a_data_array_is_recorded_and_answered_with_a_link_each(http: httpx.AsyncClient) -> None:
    body = [
        observations(1, ["2013-12-31T22:00:00Z", 10.5], ["2013-12-31T23:00:00.250Z", None]),
        observations(
            2,
            [7, "2014-01-01T07:00:00+08:00", 1, "2014-01-01T00:00:00Z"],
            components=("result", "phenomenonTime", "FeatureOfInterest/id", "resultTime"),
        ),
        observations(3),
    ]
    answer = await http.post(MANY, json=body)
    assert answer.status_code == 201
    assert answer.json() == [f"http://city/sta/v1.1/Observations({n})" for n in (1, 2, 3)]
    first = (await http.get(answer.json()[0])).json()
    assert (first["phenomenonTime"], first["result"], first["resultTime"]) == ("2013-12-31T22:00:00.000Z", 10.5, None)
    second = (await http.get(answer.json()[1])).json()
    assert (second["phenomenonTime"], second["result"]) == ("2013-12-31T23:00:00.250Z", None)
    third = (await http.get(answer.json()[2])).json()
    assert (third["phenomenonTime"], third["resultTime"]) == ("2013-12-31T23:00:00.000Z", "2014-01-01T00:00:00.000Z")


async def test_an_empty_body_records_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.post(MANY, json=[])
    assert (answer.status_code, answer.json()) == (201, [])


async def test_a_repeated_request_gets_the_same_answer(http: httpx.AsyncClient) -> None:
    body = [observations(1, ["2013-12-31T22:00:00Z", 10.5])]
    first = await http.post(MANY, json=body, headers={"Idempotency-Key": "k"})
    again = await http.post(MANY, json=body, headers={"Idempotency-Key": "k"})
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (await http.post(MANY, json=body)).json() == first.json()
    assert (await http.get("/sta/v1.1/Observations?$count=true")).json()["@iot.count"] == 1


async def test_a_single_observation_may_be_sent_to_its_datastream(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/sta/v1.1/Datastreams(2)/Observations", json={"result": 3.5, "phenomenonTime": "2013-12-31T20:00:00Z"}
    )
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.json()["@iot.selfLink"]
    assert answer.json()["result"] == 3.5
    now = await http.post("/sta/v1.1/Observations", json={"result": None, "Datastream": {"@iot.id": 1}})
    assert now.json()["phenomenonTime"] == "2014-01-01T00:00:00.000Z"
    stream = await http.get(f"/sta/v1.1/Observations({answer.json()['@iot.id']})/Datastream")
    assert stream.json()["@iot.id"] == 2


TASKING = ("Actuators", "TaskingCapabilities", "Tasks")  # a right of their own is needed to see them


async def test_the_root_lists_the_sets_and_what_it_conforms_to(http: httpx.AsyncClient) -> None:
    root = (await http.get("/sta/v1.1")).json()
    assert {"name": "Datastreams", "url": "http://city/sta/v1.1/Datastreams"} in root["value"]
    assert any("data-array" in entry for entry in root["serverSettings"]["conformance"])
    for entry in root["value"]:
        assert (await http.get(entry["url"])).status_code == (403 if entry["name"] in TASKING else 200)


async def test_entities_are_found_along_their_links(http: httpx.AsyncClient) -> None:
    await http.post(MANY, json=[observations(1, ["2013-12-31T22:00:00Z", 10.5])])
    stream = (await http.get("/sta/v1.1/Datastreams(1)")).json()
    assert stream["unitOfMeasurement"]["symbol"] == "ug/m3"
    assert stream["properties"]["stream"] == "a"
    seen = {stream["@iot.selfLink"]}
    waiting = [stream]
    while waiting:
        entity = waiting.pop()
        for key, link in entity.items():
            if key.endswith("@iot.navigationLink") and key.split("@")[0] not in TASKING:
                found = (await http.get(link)).json()
                for item in found.get("value", [found]):
                    if item["@iot.selfLink"] not in seen:
                        assert (await http.get(item["@iot.selfLink"])).json() == item
                        seen.add(item["@iot.selfLink"])
                        waiting.append(item)
    assert {link.split("(")[0].rsplit("/", 1)[1] for link in seen} == {
        "Things", "Locations", "HistoricalLocations", "Sensors", "ObservedProperties", "Datastreams", "Observations",
        "FeaturesOfInterest"
    }  # fmt: skip


async def test_properties_values_and_references_have_addresses(http: httpx.AsyncClient) -> None:
    assert (await http.get("/sta/v1.1/Things(1)/name")).json() == {"name": "station"}
    assert (await http.get("/sta/v1.1/Things(1)/name/$value")).text == "station"
    assert (await http.get("/sta/v1.1/Things/$ref")).json() == {"value": [{"@iot.selfLink": "http://city/sta/v1.1/Things(1)"}]}


async def test_pages_follow_each_other_until_all_is_seen(http: httpx.AsyncClient) -> None:
    rows = [[f"2013-12-31T{hour:02}:00:00Z", hour] for hour in range(20)]
    await http.post(MANY, json=[observations(1, *rows[:10])])
    await http.platform.settle()  # type: ignore[attr-defined]
    await http.post(MANY, json=[observations(1, *rows[10:])])
    link, seen = "/sta/v1.1/Datastreams(1)/Observations?$top=7&$orderby=phenomenonTime desc&$count=true", []
    while link:
        page = (await http.get(link)).json()
        assert page["@iot.count"] == 20
        seen += [item["result"] for item in page["value"]]
        link = page.get("@iot.nextLink")
    assert seen == list(range(19, -1, -1))


@pytest.mark.parametrize(
    ("query", "results"),
    [
        ("result gt 3 and result le 5", [4, 5]),
        ("result lt 1 or result eq 5", [0, 5]),
        ("not (result ge 1)", [0]),
        ("phenomenonTime ge 2013-12-31T04:00:00Z", [4, 5]),
        ("phenomenonTime lt 2013-12-31T09:00:00+08:00", [0]),
        ("id eq 3", [2]),
        ("result eq 2.0", [2]),
    ],
)
async def test_filters_choose(http: httpx.AsyncClient, query: str, results: list[int]) -> None:
    await http.post(MANY, json=[observations(1, *[[f"2013-12-31T{hour:02}:00:00Z", hour] for hour in range(6)])])
    page = (await http.get("/sta/v1.1/Observations", params={"$filter": query})).json()
    assert [item["result"] for item in page["value"]] == results


async def test_names_are_filtered_without_danger(http: httpx.AsyncClient) -> None:
    found = (
        await http.get(
            "/sta/v1.1/Datastreams", params={"$filter": "name eq 'Stream a' or name eq 'x''; DROP TABLE sensing_stream; --'"}
        )
    ).json()
    assert [item["properties"]["stream"] for item in found["value"]] == ["a"]


async def test_links_are_expanded_and_properties_selected(http: httpx.AsyncClient) -> None:
    await http.post(MANY, json=[observations(1, ["2013-12-31T22:00:00Z", 1], ["2013-12-31T23:00:00Z", 2])])
    query = {"$expand": "Thing($select=name),Observations($top=1;$orderby=phenomenonTime desc)", "$select": "name"}
    found = (await http.get("/sta/v1.1/Datastreams(1)", params=query)).json()
    assert found["Thing"] == {"name": "station"}
    assert [item["result"] for item in found["Observations"]] == [2]
    assert "Observations@iot.nextLink" not in found or found["Observations@iot.nextLink"].startswith(
        "http://city/sta/v1.1/Datastreams(1)/Observations?"
    )
    assert found["name"] == "Stream a"
    assert "description" not in found


async def test_a_thing_with_all_that_belongs_to_it_is_made_at_once(http: httpx.AsyncClient) -> None:
    thing = {
        "name": "气象站 7",
        "description": "roof",
        "properties": {"roof": True},
        "Locations": [
            {
                "name": "roof",
                "description": "",
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": [113.26, 23.13]},
            }
        ],
        "Datastreams": [
            {
                "name": "temperature",
                "description": "air",
                "unitOfMeasurement": {"name": "degree Celsius", "symbol": "Cel", "definition": "ucum:Cel"},
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "Sensor": {
                    "name": "DHT22",
                    "description": "",
                    "encodingType": "application/pdf",
                    "metadata": "http://example.org/dht22.pdf",
                },
                "ObservedProperty": {"name": "temperature", "definition": "http://example.org/temperature", "description": ""},
            }
        ],
    }
    answer = await http.post("/sta/v1.1/Things", json=thing)
    assert answer.status_code == 201, answer.text
    made = (await http.get(answer.headers["location"], params={"$expand": "Locations,Datastreams"})).json()
    assert (made["name"], made["properties"]) == ("气象站 7", {"roof": True})
    assert made["Locations"][0]["location"]["coordinates"] == [113.26, 23.13]
    stream = made["Datastreams"][0]["@iot.id"]
    assert (await http.post(MANY, json=[observations(stream, ["2013-12-31T22:00:00Z", 21.5])])).status_code == 201
    sensing: Sensing = http.platform.get(Sensing)  # type: ignore[attr-defined]
    info = next(s for s in sensing.streams() if s.id == stream)
    assert (info.origin, info.unit, info.longitude) == ("sensorthings", "Cel", 113.26)
    bad = {**thing, "Datastreams": [{**thing["Datastreams"][0], "name": ""}]}  # type: ignore[index,dict-item]
    refused = await http.post("/sta/v1.1/Things", json=bad)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "Datastreams[0].name")
    assert (await http.get("/sta/v1.1/Things?$count=true")).json()["@iot.count"] == 2
    second = {**thing["Datastreams"][0], "Thing": {"@iot.id": 2}, "Sensor": {"@iot.id": 1}}  # type: ignore[dict-item]
    assert (await http.post("/sta/v1.1/Datastreams", json=second)).status_code == 201
    missing = await http.post("/sta/v1.1/Datastreams", json={**second, "Thing": {"@iot.id": 2**70}})
    assert missing.json()["errors"][0]["field"] == "Thing.@iot.id"


async def test_the_own_api_lists_streams_with_their_newest_observation(http: httpx.AsyncClient) -> None:
    await http.post(MANY, json=[observations(1, ["2013-12-31T22:00:00Z", 1], ["2013-12-31T23:00:00Z", None])])
    page = (await http.get("/api/v1/foundation/sensing/streams?limit=2")).json()
    assert [item["name"] for item in page["items"]] == ["a", "b"]
    assert page["items"][0]["latest"] == {"time": "2013-12-31T23:00:00.000000Z", "result": None, "flags": []}
    assert page["items"][1]["latest"] is None
    rest = (await http.get(f"/api/v1/foundation/sensing/streams?limit=2&cursor={page['next']}")).json()
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["c"], None)
