"""Behaviour of the addresses' API: tasks, bulk, keeping, paging, bad input."""

import httpx
import pytest

from tests.foundation.addresses.conftest import HEADER, ROWS
from tests.foundation.addresses.town import Town

A = "/api/v1/foundation/addresses"


async def fill(http: httpx.AsyncClient) -> None:
    """Import ROWS over HTTP."""
    answer = await http.post(A + "/import?source=test", content=(HEADER + ROWS).encode(), headers={"Content-Type": "text/csv"})
    assert answer.json()["added"] == 9, answer.text


async def test_an_address_goes_from_text_to_point_and_back(http: httpx.AsyncClient) -> None:
    await fill(http)
    parsed = (await http.post(A + "/parse", json={"text": "广州市天河区五山路381号"})).json()
    assert parsed["standard"] == "广东省广州市天河区五山路381号"
    assert parsed["place"]["district"] == "440106"
    found = (await http.post(A + "/geocode", json={"text": "广州市天河区五山路381号"})).json()["result"]
    assert (found["longitude"], found["latitude"], found["method"]) == (113.344, 23.15, "exact")
    near = (await http.post(A + "/reverse", json={"longitude": 113.344, "latitude": 23.15})).json()
    assert near["addresses"][0]["address"]["code"] == "a1"
    assert near["street"] == "五山街道"
    matched = (await http.post(A + "/match", json={"text": "五山路381号"})).json()
    assert matched["candidates"][0]["address"]["code"] == "a1"


async def test_many_texts_are_answered_in_their_order(http: httpx.AsyncClient) -> None:
    await fill(http)
    texts = ["天河区五山路381号", "", "天河城广场", "nowhere"]
    results = (await http.post(A + "/bulk", json={"texts": texts})).json()["results"]
    assert [r and r["address"]["code"] for r in results] == ["a1", None, "a5", None]
    results = (await http.post(A + "/bulk", json={"texts": texts, "task": "match"})).json()["results"]
    assert results[0]["candidates"][0]["address"]["code"] == "a1"


async def test_lists_go_on_behind_their_cursor(http: httpx.AsyncClient) -> None:
    await fill(http)
    codes, cursor = [], None
    while True:
        page = (await http.get(A + "", params={"limit": 4} | ({"cursor": cursor} if cursor else {}))).json()
        codes += [address["code"] for address in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert codes == [f"a{i}" for i in range(1, 10)]
    assert (await http.get(A + "/summary")).json()["in_force"] == 9


async def test_an_address_is_added_changed_and_retired(http: httpx.AsyncClient) -> None:
    body = {"division": "440106001", "road": "五山路", "number": "1号", "valid_from": "2013-01-01"}
    made = await http.post(A + "", json=body)
    assert made.status_code == 201, made.text
    code = made.json()["code"]
    assert made.headers["Location"].endswith(code)
    assert (await http.post(A + "", json=body)).status_code == 409
    changed = await http.put(A + f"/{code}", json=body | {"poi": "学苑", "valid_from": "2013-06-01"})
    assert changed.json()["standard"].endswith("五山路1号学苑")
    assert (await http.post(A + f"/{code}/retire", json={"date": "2013-09-01", "reason": "merged"})).status_code == 204
    shown = (await http.get(A + f"/{code}")).json()
    assert shown["address"] is None
    assert len(shown["versions"]) == 2
    assert (await http.get(A + f"/{code}?as_of=2013-07-01")).json()["address"]["poi"] == "学苑"


async def test_a_former_name_that_the_city_declares_is_understood(town: Town, http: httpx.AsyncClient) -> None:
    before = (await http.post(A + "/parse", json={"text": "广州市东山区北京路1号"})).json()
    assert before["place"]["district"] == ""
    town.apply(
        "AddressAlias", "dongshan", {"element": "division", "aliases": ["东山区"], "name": "440104", "until": "2005-05-01"}
    )
    after = (await http.post(A + "/parse", json={"text": "广州市东山区北京路1号"})).json()
    assert after["place"]["district"] == "440104"
    assert after["standard"] == "广东省广州市越秀区北京路1号"


async def test_divisions_are_listed_below_a_code_and_by_name(http: httpx.AsyncClient) -> None:
    districts = (await http.get(A + "/divisions?within=4401")).json()["items"]
    assert len(districts) == 11
    named = (await http.get(A + "/divisions", params={"name": "鼓楼区"})).json()["items"]
    assert len(named) > 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/parse", {"text": ""}),
        ("POST", "/parse", {"text": "x" * 401}),
        ("POST", "/parse", {"text": "五山路", "unknown": 1}),
        ("POST", "/geocode", {"text": "五山路", "date": "someday"}),
        ("POST", "/reverse", {"longitude": 200, "latitude": 0}),
        ("POST", "/bulk", {"texts": []}),
        ("POST", "/bulk", {"texts": ["a"] * 10_001}),
        ("POST", "", {"division": "999999", "road": "五山路"}),
        ("POST", "", {"division": "440106"}),
        ("POST", "/renames", {"district": "440106", "old": "五山路", "new": "x", "date": "2014-01-01"}),
        ("GET", "?cursor=zz", None),
        ("GET", "?limit=0", None),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_its_field(
    http: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    answer = await http.request(method, A + path, json=body)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["errors"]


async def test_a_body_that_is_no_text_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post(A + "/import", content=b"\xff\xfe\x00")).status_code in (400, 422)
    assert (await http.get(A + "/nothing-here")).status_code == 404
    assert (
        await http.post(A + "/renames", json={"district": "440106", "old": "无此路", "new": "新路名", "date": "2014-01-01"})
    ).status_code == 404


async def test_nobody_keeps_the_library_without_permission(http: httpx.AsyncClient) -> None:
    answer = await http.post(A + "", json={"division": "440106"}, headers={"Authorization": ""})
    assert answer.status_code == 401
