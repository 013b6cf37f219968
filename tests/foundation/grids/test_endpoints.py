"""Behaviour of the grids' API: grids, H3, buildings, components and visits, bad input."""

import json
from typing import Any

import httpx
import pytest

from tests.foundation.addresses.town import Town
from tests.foundation.grids.conftest import TOWN, square

G = "/api/v1/foundation/grids"
COMPONENTS = """\
部件编码,小类代码,部件名称,经度,纬度,权属单位,状态
,0102,污水井盖一,113.005,23.005,water,完好
9901010102000007,,,113.015,23.015,water,破损
,0190,自设,113.015,23.015,water,完好
,9999,无此类,113.015,23.015,water,完好
,0101,,x,23.0,water,完好
,0101,,113.0,23.0,water,odd
9901010102000007,,,113.016,23.015,water,完好
123,0101,,113.0,23.0,water,完好
"""


async def fill(http: httpx.AsyncClient) -> None:
    """Import the town's grids over HTTP."""
    answer = await http.post(f"{G}/import?date=2013-01-01", content=json.dumps(TOWN).encode())
    assert answer.json()["added"] == 9, answer.text


async def test_grids_are_imported_listed_and_shown(http: httpx.AsyncClient) -> None:
    dry = await http.post(f"{G}/import?date=2013-01-01&dry=true", content=json.dumps(TOWN).encode())
    assert (dry.json()["added"], (await http.get(G)).json()["items"]) == (9, [])
    await fill(http)
    first = (await http.get(G, params={"level": "grid", "limit": 3})).json()
    second = (await http.get(G, params={"level": "grid", "limit": 3, "cursor": first["next"]})).json()
    codes = [grid["code"] for grid in [*first["items"], *second["items"]]]
    assert codes == ["990101001001001", "990101001001002", "990101001002001", "990101001002002"]
    assert second["next"] is None
    shown = (await http.get(f"{G}/990101")).json()
    assert shown["grid"]["geometry"]["type"] == "Polygon"
    assert (await http.get(f"{G}/summary")).json()["levels"]["grid"] == 4


async def test_a_point_says_its_chain_and_many_points_their_codes(http: httpx.AsyncClient) -> None:
    await fill(http)
    found = (await http.get(f"{G}/where?longitude=113.015&latitude=23.015")).json()
    assert (found["responsible"], len(found["chain"])) == ("corner", 5)
    body = {"longitudes": [113.005, 120.0], "latitudes": [23.005, 23.0]}
    assert (await http.post(f"{G}/locate", json=body)).json() == {"codes": ["990101001001001", None]}


async def test_grids_are_split_merged_and_given_new_codes(http: httpx.AsyncClient) -> None:
    await fill(http)
    title = {"zh": "半", "en": "Half"}
    halves = [
        {"code": "990101001001003", "title": title, "geometry": square(0, 0, 0.5)},
        {"code": "990101001001004", "title": title, "geometry": square(0.5, 0, 0.5)},
    ]
    split = await http.post(f"{G}/990101001001001/split", json={"date": "2013-05-01", "parts": halves})
    assert [grid["code"] for grid in split.json()["items"]] == ["990101001001003", "990101001001004"]
    again = await http.post(f"{G}/990101001001001/split", json={"date": "2013-05-02", "parts": halves})
    assert again.status_code == 409
    codes = ["990101001001003", "990101001001004"]
    merged = await http.post(f"{G}/merge", json={"date": "2013-06-01", "codes": codes, "code": "990101001001005"})
    assert merged.json()["code"] == "990101001001005", merged.text
    recoded = await http.post(f"{G}/990101001001005/recode", json={"date": "2013-07-01", "code": "990101001001006"})
    assert recoded.status_code == 200, recoded.text
    assert (await http.get(f"{G}/990101001001001")).json()["today"] == ["990101001001006"]
    assert len((await http.get(f"{G}/lineage")).json()["items"]) == 5


async def test_a_building_has_a_code_from_its_grid_and_keeps_it(town: Town, http: httpx.AsyncClient) -> None:
    await fill(http)
    await town.fill(
        "code,division,road,number,longitude,latitude,valid_from\na1,440106001,五山路,1号,113.005,23.005,2013-01-01\n"
    )
    body = {"title": {"zh": "一号楼", "en": "No 1"}, "address": "a1", "floors": 6}
    made = await http.post(f"{G}/buildings", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["code"], made.json()["grid"]) == ("9901010010010010001", "990101001001001")
    changed = await http.patch(f"{G}/buildings/9901010010010010001", json={"floors": 7, "grid": "990101001002001"})
    assert (changed.json()["code"], changed.json()["version"]) == ("9901010010010010001", 2)
    assert len((await http.get(f"{G}/buildings", params={"address": "a1"})).json()["items"]) == 1
    for wrong in ({"address": "none"}, {"grid": "999999"}, {"longitude": 1.0, "latitude": 1.0}):
        answer = await http.post(f"{G}/buildings", json={"title": body["title"], **wrong})
        assert answer.status_code in (400, 422), answer.text


async def test_components_are_imported_with_faults_by_row(http: httpx.AsyncClient) -> None:
    await fill(http)
    report = (await http.post(f"{G}/components/import?source=survey", content=COMPONENTS.encode())).json()
    assert (report["rows"], report["added"], report["refused"]) == (8, 3, 5)
    assert [(fault["row"], fault["field"]) for fault in report["faults"]] == [
        (5, "category"), (6, "longitude"), (7, "state"), (8, "code"), (9, "district"),
    ]  # fmt: skip
    listed = (await http.get(f"{G}/components", params={"category": "0102"})).json()["items"]
    assert [c["code"] for c in listed] == ["9901010102000001", "9901010102000007"]
    assert listed[1]["state"] == "damaged"
    assert listed[0]["grid"] == "990101001001001"
    assert (await http.get(f"{G}/components/summary")).json()["states"] == {"damaged": 1, "intact": 2}
    assert len((await http.get(f"{G}/categories")).json()["items"]) == 89


async def test_a_visit_is_made_once_and_proves_the_state_of_a_component(http: httpx.AsyncClient) -> None:
    await fill(http)
    body = {"category": "0102", "longitude": 113.005, "latitude": 23.005, "owner": "water"}
    code = (await http.post(f"{G}/components", json=body)).json()["code"]
    asked = {"subjects": [{"kind": "component", "code": code}, {"kind": "grid", "code": "990101"}], "purpose": "巡查"}
    visits = (await http.post(f"{G}/visits", json=asked | {"due": "2014-02-01T00:00:00Z"})).json()["items"]
    assert len((await http.get(f"{G}/visits?state=open")).json()["items"]) == 2
    finding = {"result": "damaged", "note": "井盖开裂", "evidence": ["picture-1"]}
    made = await http.post(f"{G}/visits/{visits[0]['code']}/finding", json=finding)
    assert (made.json()["state"], made.json()["result"]) == ("done", "damaged"), made.text
    shown = (await http.get(f"{G}/components/{code}")).json()
    assert (shown["component"]["state"], len(shown["versions"])) == ("damaged", 2)
    assert shown["component"]["inspected"].startswith("2014-01-01")
    assert (await http.post(f"{G}/visits/{visits[0]['code']}/finding", json=finding)).status_code == 409
    wrong = await http.post(f"{G}/visits/{visits[1]['code']}/finding", json=finding)
    assert wrong.status_code in (400, 422)
    assert (await http.post(f"{G}/visits/{visits[1]['code']}/cancel", json={"note": "not needed"})).json()["state"] == "cancelled"
    missing = {"subjects": [{"kind": "building", "code": "nowhere"}], "purpose": "x"}
    assert (await http.post(f"{G}/visits", json=missing)).status_code == 404


async def test_the_neutral_grid_answers(http: httpx.AsyncClient) -> None:
    body = {"longitudes": [113.3, 113.3], "latitudes": [23.1, 23.1], "values": [1.5, 2.0], "resolution": 9}
    cells = (await http.post(f"{G}/h3/count", json=body)).json()["cells"]
    assert [(cell["count"], cell["sum"]) for cell in cells] == [(2, 3.5)]
    assert len((await http.get(f"{G}/h3/{cells[0]['cell']}?rings=1")).json()["ring"]) == 7
    filled = await http.post(f"{G}/h3/fill", json={"geometry": square(0, 0), "resolution": 9})
    assert len(filled.json()["cells"]) > 5
    huge = {"geometry": square(0, 0, 10_000, 5_000), "resolution": 12}
    assert (await http.post(f"{G}/h3/fill", json=huge)).status_code in (400, 422)
    assert (await http.get(f"{G}/h3/abcdef")).status_code in (400, 422)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/import", None),
        ("POST", "/import", {"type": "Feature"}),
        ("POST", "/merge", {"date": "2014-01-01", "codes": ["1"], "code": "x"}),
        ("GET", "/where?longitude=500&latitude=0", None),
        ("GET", "/where?longitude=nan&latitude=0", None),
        ("POST", "/locate", {"longitudes": [1.0], "latitudes": [1.0, 2.0]}),
        ("POST", "/components", {"category": "0101", "longitude": 200, "latitude": 0}),
        ("POST", "/components/import", None),
        ("POST", "/visits", {"subjects": [], "purpose": "x"}),
        ("POST", "/visits", {"subjects": [{"kind": "grid", "code": "1"}], "purpose": "x", "due": "0001-01-01T00:00:00+14:00"}),
        ("GET", "/h3/zz", None),
        ("GET", "/h3/402051639c4127b2747a", None),
        ("GET", "/buildings?cursor=WzFd", None),
        ("PATCH", "/990101", {"date": "2014-01-01", "people": [{"role": ""}]}),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_its_field(http: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    answer = await http.request(method, G + path, json=body) if body is not None else await http.request(method, G + path)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["errors"]


async def test_members_may_look_and_not_change(town: Town) -> None:
    async with town.client("officer") as officer:
        assert (await officer.post(f"{G}/import", content=b"{}")).status_code == 403
