"""Batches: several requests in one, in order, with references to what they made, and groups that are all or nothing."""

from typing import Any

import httpx

from tests.foundation.sensing.conftest import token_for
from tests.foundation.sensing.writing import PROPERTY, SENSOR, STREAM, Client

REST = {key: value for key, value in STREAM.items() if key not in ("Sensor", "ObservedProperty")}


async def batch(sta: Client, *requests: dict[str, Any], prefer: str = "") -> list[dict[str, Any]]:
    """The responses to requests; ids are given where there are none."""
    numbered = [{"id": str(place), **request} for place, request in enumerate(requests)]
    found = await sta.ask("POST", "/$batch", {"requests": numbered}, headers={"Prefer": prefer} if prefer else {})
    return list(found["responses"])


async def test_requests_are_done_in_their_order_and_may_refer_to_what_was_made_before(sta: Client) -> None:
    made = await batch(
        sta,
        {"id": "thing", "method": "post", "url": "Things", "body": {"name": "t", "description": "d"}},
        {"id": "sensor", "method": "POST", "url": "Sensors", "body": SENSOR},
        {
            "id": "stream",
            "method": "post",
            "url": "$thing/Datastreams",
            "body": {**REST, "Sensor": {"@iot.id": "$sensor"}, "ObservedProperty": PROPERTY},
        },
        {"method": "post", "url": "Datastreams($stream)/Observations", "body": {"result": 4}},
        {"method": "patch", "url": "$thing", "body": {"name": "u"}},
        {"method": "get", "url": "$stream?$expand=Thing($select=name),Observations($select=result)&$select=name"},
        {"method": "delete", "url": "/sta/v1.1/Things($thing)"},
        {"method": "get", "url": "http://city/sta/v1.1/$thing"},
    )
    assert [one["status"] for one in made] == [201, 201, 201, 201, 200, 200, 200, 404]
    assert made[5]["body"] == {"name": "oven temperature", "Thing": {"name": "u"}, "Observations": [{"result": 4}]}
    assert made[0]["headers"]["location"].endswith(f"/Things({made[0]['body']['@iot.id']})")


async def test_a_group_is_done_as_a_whole_or_not_at_all(sta: Client) -> None:
    before = await sta.count("/Sensors")
    thing = {"name": "t", "description": ""}
    refused = await batch(
        sta,
        {"atomicityGroup": "g", "method": "post", "url": "Sensors", "body": SENSOR},
        {"atomicityGroup": "g", "method": "post", "url": "Things", "body": {"name": ""}},
        {"atomicityGroup": "g", "method": "post", "url": "Things", "body": thing},
        {"method": "get", "url": "Sensors"},
    )
    assert [one["status"] for one in refused] == [424, 422, 424]
    assert refused[1]["body"]["errors"][0]["field"] == "name"
    late = await batch(
        sta,
        {"id": "t", "atomicityGroup": "h", "method": "post", "url": "Things", "body": thing},
        {"id": "s", "atomicityGroup": "h", "method": "post", "url": "$t/Datastreams", "body": STREAM},
        {"id": "o", "atomicityGroup": "h", "method": "post", "url": "$s/Observations", "body": {"result": "warm"}},
    )
    assert {one["status"] for one in late} == {422, 424}
    assert await sta.count("/Sensors") == before
    good = await batch(
        sta,
        {"id": "t", "atomicityGroup": "i", "method": "post", "url": "Things", "body": thing},
        {"id": "s", "atomicityGroup": "i", "method": "post", "url": "$t/Datastreams", "body": STREAM},
        {"id": "o", "atomicityGroup": "i", "method": "post", "url": "$s/Observations", "body": {"result": 8}},
        {"id": "p", "atomicityGroup": "i", "method": "patch", "url": "$t", "body": {"name": "later"}},
    )
    assert {one["status"] for one in good} == {422, 424}, "an observation stands beside creations alone"
    good = await batch(
        sta,
        {"id": "t", "atomicityGroup": "i", "method": "post", "url": "Things", "body": thing},
        {"id": "s", "atomicityGroup": "i", "method": "post", "url": "$t/Datastreams", "body": STREAM},
        {"id": "o", "atomicityGroup": "i", "method": "post", "url": "$s/Observations", "body": {"result": 8}},
    )
    assert [one["status"] for one in good] == [201, 201, 201]
    assert good[2]["body"]["result"] == 8
    assert await sta.count("/Sensors") == before + 1


async def test_after_a_failure_only_those_go_on_that_are_asked_to(sta: Client) -> None:
    requests: list[dict[str, Any]] = [
        {"id": "a", "method": "get", "url": "Things(99)"},
        {"id": "b", "method": "get", "url": "Things(1)/name"},
        {"id": "c", "method": "get", "url": "Things", "dependsOn": ["a"]},
    ]
    assert [one["status"] for one in await batch(sta, *requests)] == [404]
    answers = await batch(sta, *requests, prefer="continue-on-error")
    assert [(one["id"], one["status"]) for one in answers] == [("a", 404), ("b", 200), ("c", 424)]


async def test_a_bad_batch_is_refused_with_its_field(http: httpx.AsyncClient) -> None:
    sta = Client(http)
    one = {"id": "1", "method": "get", "url": "Things"}
    for body, field in (
        ([], ""),
        ({"requests": 5}, "requests"),
        ({"requests": [{"id": "1"}]}, "requests[0].method"),
        ({"requests": [one, one]}, "requests[1].id"),
        ({"requests": [{**one, "id": "a b"}]}, "requests[0].id"),
        ({"requests": [one] * 1001}, "requests"),
    ):
        refused = await sta.ask("POST", "/$batch", body, 422)
        assert refused["errors"][0]["field"] == field
    for request in (
        {"method": "fly", "url": "Things"},
        {"method": "post", "url": "Nothing", "body": {}},
        {"method": "post", "url": "$9/Datastreams", "body": {}},
        {"method": "get", "url": "Things(1)", "atomicityGroup": "g"},
        {"method": "post", "url": "$batch", "body": {"requests": [one]}},
        {"method": "post", "url": "CreateObservations", "body": {}},
        {"method": "get", "url": ""},
    ):
        answer = (await batch(sta, request))[0]
        assert answer["status"] < 500, answer
        assert answer["status"] in (200, 404, 405, 422), answer


async def test_each_request_needs_what_it_would_need_alone(http: httpx.AsyncClient) -> None:
    token = token_for(http.platform, "stream:read")  # type: ignore[attr-defined]
    requests = [
        {"id": "1", "method": "get", "url": "Things"},
        {"id": "2", "method": "post", "url": "Things", "body": {"name": "x", "description": ""}},
        {"id": "3", "method": "delete", "url": "Things(1)", "atomicityGroup": "g"},
        {"id": "4", "method": "post", "url": "Datastreams(1)/Observations", "body": {"result": 1}},
    ]
    headers = {"Authorization": f"Bearer {token}", "Prefer": "continue-on-error"}
    answer = await http.post("/sta/v1.1/$batch", json={"requests": requests}, headers=headers)
    assert [one["status"] for one in answer.json()["responses"]] == [200, 403, 403, 403]
    anonymous = await http.post("/sta/v1.1/$batch", json={"requests": []}, headers={"Authorization": ""})
    assert anonymous.status_code in (200, 401)
