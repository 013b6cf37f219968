"""Queries: entities by type, id, attribute, value, place and scope, page by page, and contexts that are had offline."""

import asyncio

import httpx
import pytest

from mumian.foundation.context.rules import core
from tests.foundation.context.conftest import ROOT, vehicle

ALL = f"{ROOT}/entities"


@pytest.fixture
async def cars(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """Nine vehicles, A1 to A9, each a bit faster and farther east, the odd ones in a garage."""
    made = [vehicle(n, **({"scope": "/gz/garage"} if n % 2 else {"scope": ["/gz", "/x"]})) for n in range(1, 10)]
    await http.post(f"{ROOT}/entityOperations/create", json=made)
    await http.post(ALL, json={"id": "urn:ngsi-ld:House:1", "type": ["House", "Shop"], "brand": {"value": "x"}})
    return http


async def ids(http: httpx.AsyncClient, **query: str) -> list[str]:
    answer = await http.get(ALL, params=query)
    assert answer.status_code == 200, answer.text
    return [entity["id"].rpartition(":")[2] for entity in answer.json()]


async def test_entities_are_found_in_every_way(cars: httpx.AsyncClient) -> None:
    assert len(await ids(cars, type="Vehicle")) == 9
    assert await ids(cars, type="House;Shop") == await ids(cars, type="Shop,Nothing") == ["1"]
    assert await ids(cars, id="urn:ngsi-ld:Vehicle:A3,urn:ngsi-ld:Vehicle:A0") == ["A3"]
    assert await ids(cars, type="Vehicle", idPattern="A[12]$") == ["A1", "A2"]
    assert await ids(cars, q="speed>=48") == ["A8", "A9"]
    assert await ids(cars, attrs="speed", q='brand=="Kia";speed<42') == ["A1"]
    assert await ids(cars, type="Vehicle", scopeQ="/gz/+", q="speed<44") == ["A1", "A3"]
    near = {"georel": "near;maxDistance==1500", "geometry": "Point", "coordinates": "[113.35,23.1]"}
    assert await ids(cars, type="Vehicle", **near) == ["A4", "A5", "A6"]
    box = "[[[113.3,23],[113.325,23],[113.325,24],[113.3,24],[113.3,23]]]"
    assert await ids(cars, georel="within", geometry="Polygon", coordinates=box) == ["A1", "A2"]
    assert await ids(cars, type="*", limit="100") == [*(f"A{n}" for n in range(1, 10)), "1", "station"]


async def test_pages_are_linked_and_counted(cars: httpx.AsyncClient) -> None:
    link, seen = f"{ALL}?type=Vehicle&limit=4&count=true", []
    while link:
        answer = await cars.get(link)
        assert answer.headers["ngsild-results-count"] == "9"
        seen += [entity["id"] for entity in answer.json()]
        links = [part for part in answer.headers["link"].split(", ") if 'rel="next"' in part]
        link = links[0].partition("<")[2].partition(">")[0] if links else ""
    assert seen == [f"urn:ngsi-ld:Vehicle:A{n}" for n in range(1, 10)]
    assert (await cars.get(f"{ALL}?type=Vehicle&limit=0&count=true")).json() == []


async def test_an_answer_follows_a_change_at_once(cars: httpx.AsyncClient) -> None:
    one = "urn:ngsi-ld:Vehicle:A1"
    assert (await cars.get(f"{ALL}?id={one}&options=keyValues")).json()[0]["speed"] == 41
    await cars.patch(f"{ALL}/{one}/attrs/speed", json={"value": 90})
    assert (await cars.get(f"{ALL}?id={one}&options=keyValues")).json()[0]["speed"] == 90
    await cars.patch(f"{ALL}/{one}", json={"location": {"type": "Point", "coordinates": [120, 30]}})
    assert await ids(cars, georel="near;maxDistance==10", geometry="Point", coordinates="[113.31,23.1]") == []
    assert await ids(cars, georel="near;maxDistance==10", geometry="Point", coordinates="[120,30]") == ["A1"]


async def test_a_query_in_a_body_is_the_same_query(cars: httpx.AsyncClient) -> None:
    body = {"type": "Query", "entities": [{"type": "Vehicle", "idPattern": "A[1-5]$"}], "q": "speed>43", "attrs": ["speed"]}
    found = (await cars.post(f"{ROOT}/entityOperations/query", json=body)).json()
    assert [(entity["id"][-2:], sorted(entity)) for entity in found] == [
        (name, ["id", "scope", "speed", "type"]) for name in ("A4", "A5")
    ]


async def test_members_are_picked_and_left_out(cars: httpx.AsyncClient) -> None:
    assert (await cars.get(f"{ALL}?type=House&pick=id,brand")).json() == [
        {"id": "urn:ngsi-ld:House:1", "brand": {"type": "Property", "value": "x"}}
    ]
    assert set((await cars.get(f"{ALL}?id=urn:ngsi-ld:Vehicle:A1&omit=location,speed,scope")).json()[0]) == {
        "id", "type", "brand", "isParked"
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "", "q=speed>", "q=a=='b'", "type=A;", "id=x", "idPattern=(", "limit=0", "limit=x", "offset=-1", "type=A&type=B",
        "type=A&georel=near", "type=A&georel=near;maxDistance==x&geometry=Point&coordinates=[1,2]", "type=A&orderBy=speed",
        "type=A&georel=within&geometry=Polygon&coordinates=[[[1,2]]]", "type=A&options=what", "type=A&pick=a&omit=a",
        "type=A&q=" + "(" * 100 + "a" + ")" * 100, "type=A&scopeQ=gz", "type=A&format=what", "type=A&join=inline",
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"{ALL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]


async def test_creates_that_come_together_are_told_apart(http: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(http.post(ALL, json=vehicle(n % 10)) for n in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 40
    assert len(await ids(http, type="Vehicle")) == 10


async def test_names_are_those_of_the_context_of_each_request(http: httpx.AsyncClient) -> None:
    added = await http.post(
        f"{ROOT}/jsonldContexts", json={"@context": {"tempo": "https://x.org/speed", "Auto": "https://x.org/Car"}}
    )
    assert added.status_code == 201
    address = f"http://city{added.headers['location']}"
    link = {"Link": f'<{address}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'}
    await http.post(ALL, json={"id": "urn:x:1", "type": "Auto", "tempo": {"value": 5}}, headers=link)
    assert (await http.get(f"{ALL}?type=Auto&options=keyValues", headers=link)).json() == [
        {"id": "urn:x:1", "type": "Auto", "tempo": 5}
    ]
    assert (await http.get(f"{ALL}?type=Auto")).json() == []
    plain = (await http.get(f"{ALL}/urn:x:1?options=keyValues")).json()
    assert plain == {"id": "urn:x:1", "type": "https://x.org/Car", "https://x.org/speed": 5}
    in_body = {"id": "urn:x:2", "type": "Auto", "tempo": 6, "@context": [address, core.CORE_ADDRESS]}
    made = await http.post(ALL, json=in_body, headers={"Content-Type": "application/ld+json"})
    assert made.status_code == 201
    linked = (await http.get(f"{ALL}/urn:x:2?options=keyValues", headers={**link, "Accept": "application/ld+json"})).json()
    assert (linked["tempo"], linked["@context"]) == (6, address)
    details = (await http.get(f"{ROOT}/jsonldContexts?details=true&kind=Hosted")).json()
    assert (details[0]["URL"], details[0]["kind"]) == (address, "Hosted")
    assert (await http.delete(f"{ROOT}/jsonldContexts/{details[0]['localId']}")).status_code == 204
    gone = await http.get(f"{ALL}?type=Auto", headers=link)
    assert (gone.status_code, gone.json()["type"]) == (504, "https://uri.etsi.org/ngsi-ld/errors/LdContextNotAvailable")


async def test_a_remote_context_is_not_fetched_unless_its_source_is_allowed(http: httpx.AsyncClient) -> None:
    link = {"Link": '<http://127.0.0.1:9/c.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'}
    answer = await http.get(f"{ALL}?type=Auto", headers={**link, "Accept-Language": "zh"})
    assert answer.status_code == 504
    assert "http://127.0.0.1:9/c.jsonld" in answer.json()["detail"]


async def test_types_and_attributes_are_listed(cars: httpx.AsyncClient) -> None:
    assert (await cars.get(f"{ROOT}/types")).json()["typeList"] == ["AirQualityObserved", "House", "Shop", "Vehicle"]
    details = (await cars.get(f"{ROOT}/attributes/speed")).json()
    assert (details["attributeCount"], details["attributeTypes"], details["typeNames"]) == (9, ["Property"], ["Vehicle"])
    assert (await cars.get(f"{ROOT}/types/Nothing")).status_code == 404
    page = (await cars.get("/api/v1/foundation/context/types")).json()
    assert {item["name"]: item["own"] for item in page["items"]} == {
        "AirQualityObserved": 0, "House": 1, "Shop": 1, "Vehicle": 9
    }  # fmt: skip


async def test_the_past_of_own_entities_is_told_from_the_lake_and_before_it_gets_there(http: httpx.AsyncClient) -> None:
    await http.post(ALL, json=vehicle())
    await http.platform.settle()  # type: ignore[attr-defined]
    one, past = f"{ALL}/urn:ngsi-ld:Vehicle:A1", f"{ROOT}/temporal/entities/urn:ngsi-ld:Vehicle:A1"
    speed = {"type": "Property", "value": 70, "observedAt": "2013-12-31T23:00:00Z"}
    await http.patch(f"{one}/attrs", json={"speed": speed})
    told = (await http.get(f"{past}?attrs=speed&options=temporalValues")).json()
    assert told["speed"]["values"] == [[41, "2013-12-31T22:00:00Z"], [70, "2013-12-31T23:00:00Z"]]
    await http.platform.settle()  # type: ignore[attr-defined]
    assert (await http.get(f"{past}?attrs=speed&options=temporalValues")).json() == told
    more = [{"value": n, "observedAt": f"2013-12-31T1{n}:00:00Z"} for n in range(3)]
    assert (await http.post(f"{past}/attrs", json={"speed": more})).status_code == 204
    assert len((await http.get(f"{past}?attrs=speed")).json()["speed"]) == 5
    assert (await http.get(f"{one}?options=keyValues")).json()["speed"] == 70
    first = (await http.get(f"{past}?attrs=speed&lastN=5")).json()["speed"][0]["instanceId"]
    assert (await http.delete(f"{past}/attrs/speed/{first}")).status_code == 204
    assert len((await http.get(f"{past}?attrs=speed")).json()["speed"]) == 4
    assert (await http.delete(f"{past}/attrs/speed")).status_code == 204
    assert (await http.get(f"{past}?attrs=speed")).status_code == 404
    assert (await http.get(f"{past}?timerel=never&timeAt=2014-01-01T00:00:00Z")).status_code == 400
