"""Behaviour of the register: buildings by hand, links, facts, premises and their visits, layers, evidence, who may."""

import asyncio
from typing import Any

import httpx
import pytest

from mumian.foundation.ledger.api import Ledger
from mumian.foundation.spatial.api import Spatial
from tests.foundation.addresses.town import Town
from tests.foundation.buildings.conftest import SOUTH, WEST, B, content, made_city, rectangle
from tests.foundation.grids.conftest import collection, feature

G = "/api/v1/foundation/grids"
TITLE = {"zh": "一号楼", "en": "No. 1"}


def square(west: float, south: float, size: float) -> dict[str, Any]:
    """A GeoJSON square in degrees."""
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


async def add(http: httpx.AsyncClient, column: float = 0, **more: Any) -> dict[str, Any]:
    """Register a building."""
    answer = await http.post(B, json={"title": TITLE, "footprint": rectangle(column, 0), "height": 30, "storeys": 10, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def grid(http: httpx.AsyncClient) -> None:
    """A city of one grid where the buildings stand."""
    area = square(WEST - 0.01, SOUTH - 0.01, 0.05)
    names = ("9901", "990101", "990101001", "990101001001", "990101001001001")
    features = collection(*(feature(code, area, organisation="street") for code in names))
    answer = await http.post(f"{G}/import?date=2013-01-01", content=content(features))
    assert answer.json()["added"] == 5, answer.text


async def test_a_building_is_registered_found_changed_and_its_versions_stay(town: Town, http: httpx.AsyncClient) -> None:
    one, two = await add(http), await add(http, 1, use="office", year=1999)
    assert [b["code"] for b in (await http.get(B, params={"limit": 1})).json()["items"]] == [one["code"]]
    first = (await http.get(B, params={"limit": 1})).json()
    assert [b["code"] for b in (await http.get(B, params={"cursor": first["next"]})).json()["items"]] == [two["code"]]
    near = (await http.get(f"{B}/near", params={"longitude": WEST + 0.0001, "latitude": SOUTH + 0.0001, "metres": 300})).json()[
        "items"
    ]
    assert [(b["code"], b["metres"]) for b in near] == [(one["code"], 0.0), (two["code"], pytest.approx(92, abs=3))]
    stale = await http.patch(f"{B}/{one['code']}", json={"height": 31}, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    changed = await http.patch(f"{B}/{one['code']}", json={"height": 31}, headers={"If-Match": '"1"'})
    assert (changed.json()["height"], changed.headers["etag"]) == (31.0, '"2"')
    assert [v["height"] for v in (await http.get(f"{B}/{one['code']}/versions")).json()["items"]] == [31.0, 30.0]
    assert (await http.get(f"{B}/summary")).json()["use"] == {"": 1, "office": 1}
    assert town.platform.get(Ledger).verify_now().faults == ()


async def test_what_links_to_nothing_is_refused(http: httpx.AsyncClient) -> None:
    one = await add(http)
    for field in ("registered", "address", "parent"):
        answer = await http.patch(f"{B}/{one['code']}", json={field: "990101"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    assert (await http.post(B, json={"footprint": bow})).status_code == 422
    assert (await http.get(B, params={"bbox": "1,2,3"})).status_code == 422
    assert (await http.get(f"{B}/B404/facts")).status_code == 404


async def test_facts_tell_grid_address_premises_and_pipes_on_one_page(town: Town, http: httpx.AsyncClient) -> None:
    await grid(http)
    head = "code,division,road,number,poi,building,unit,room,longitude,latitude,valid_from"
    text = f"{head}\nA1,440106001,花城路,8号,,,,,{WEST + 0.0001},{SOUTH + 0.0001},2013-01-01\n"
    report = await town.fill(text)
    assert report.added == 1, report
    one = await add(http)
    linked = (await http.post(f"{B}/links", json={"bbox": [WEST - 0.01, SOUTH - 0.01, WEST + 0.01, SOUTH + 0.01]})).json()
    assert linked == {"linked": 1, "several": []}
    line = {"type": "LineString", "coordinates": [[WEST - 0.0001, SOUTH - 0.001], [WEST - 0.0001, SOUTH + 0.001]]}
    pipe = {"type": "Feature", "geometry": line, "properties": {"id": "p", "depth": 2, "diameter": 300}}
    await http.put(f"{B}/networks/main?kind=gas", content=content({"type": "FeatureCollection", "features": [pipe]}))
    item = {"building": one["code"], "unit": "1", "room": "101", "as_of": "2014-01-01", "people": 3}
    assert (await http.post(f"{B}/premises", json={"source": "police", "items": [item]})).json()["added"] == 1
    facts = (await http.get(f"{B}/{one['code']}/facts")).json()
    assert facts["grid"]["chain"][-1]["code"] == "990101001001001"
    assert facts["address"]["code"] == facts["building"]["address"] == "A1"
    assert facts["premises"]["totals"] == {"people": 3, "houses": 0, "units": 0, "facilities": 0}
    assert [(p["network"], p["depth"], p["metres"]) for p in facts["pipes"]] == [("main", 2.0, pytest.approx(10.2, abs=0.5))]
    async with town.client("officer") as other:
        assert (await other.get(f"{B}/{one['code']}/facts")).status_code == 403


async def test_counts_are_told_replaced_added_up_and_refused_where_they_hang_on_nothing(
    town: Town, http: httpx.AsyncClient
) -> None:
    one = await add(http)

    async def tell(source: str, **item: Any) -> httpx.Response:
        items = [{"building": one["code"], "as_of": "2014-01-01", **item}]
        return await http.post(f"{B}/premises", json={"source": source, "items": items})

    assert (await tell("police", room="101", people=3)).json() == {"added": 1, "changed": 0, "repeated": 0}
    assert (await tell("police", room="101", people=3)).json()["repeated"] == 1
    assert (await tell("police", room="101", people=4, as_of="2014-02-01")).json()["changed"] == 1
    assert (await tell("street", room="101", people=2)).json()["added"] == 1
    assert (await tell("street", room="102", units=1, facilities=2)).json()["added"] == 1
    facts = (await http.get(f"{B}/{one['code']}/facts")).json()
    assert facts["premises"]["totals"] == {"people": 4, "houses": 0, "units": 1, "facilities": 2}
    assert (await tell("street", room="103")).json()["errors"][0]["field"] == "items[0].people"
    assert (await tell("street", building="B404", people=1)).json()["errors"][0]["field"] == "items[0].building"
    assert (await tell("street", people=1, name="somebody")).status_code == 422
    assert town.platform.get(Ledger).verify_now().faults == ()


async def test_a_visit_verifies_premises_and_tells_of_a_building_that_is_gone(town: Town, http: httpx.AsyncClient) -> None:
    await grid(http)
    spot = {"longitude": WEST + 0.0001, "latitude": SOUTH + 0.0001}
    code = (await http.post(f"{G}/buildings", json={"title": TITLE, **spot})).json()["code"]
    one = await add(http, registered=code)
    items = [{"building": one["code"], "as_of": "2014-01-01", "people": 3}]
    await http.post(f"{B}/premises", json={"source": "police", "items": items})

    async def visit(result: str) -> str:
        body = {"subjects": [{"kind": "building", "code": code}], "purpose": "核实"}
        opened = (await http.post(f"{G}/visits", json=body)).json()["items"][0]["code"]
        assert (await http.post(f"{G}/visits/{opened}/finding", json={"result": result})).status_code == 200
        await town.platform.bus.settle()
        return str(opened)

    opened = await visit("confirmed")
    (seen,) = (await http.get(f"{B}/premises", params={"finding": "confirmed"})).json()["items"]
    assert (seen["visit"], seen["people"], bool(seen["verified"])) == (opened, 3, True)
    await visit("removed")
    assert (await http.get(f"{B}/{one['code']}")).json()["state"] == "demolished"
    assert town.platform.get(Ledger).verify_now().faults == ()


async def test_buildings_are_a_layer_that_follows_every_change(town: Town, http: httpx.AsyncClient) -> None:
    town.apply("Layer", "buildings", {"view": "buildings"})
    spatial = town.platform.get(Spatial)
    assert (await asyncio.to_thread(spatial.info, "buildings")).count == 0
    await http.post(f"{B}/imports/cityjson?source=test", content=content(made_city()))
    await town.platform.bus.settle()
    info = await asyncio.to_thread(spatial.info, "buildings")
    assert info.count == 2
    found = await asyncio.to_thread(spatial.features, "buildings")
    assert sorted(one.properties["height"] for one in found) == [12.0, 30.0]
    (one, _) = (await http.get(B)).json()["items"]
    await http.patch(f"{B}/{one['code']}", json={"state": "demolished"})
    await town.platform.bus.settle()
    assert (await asyncio.to_thread(spatial.info, "buildings")).count == 1


async def test_polygons_of_a_layer_become_buildings(town: Town, http: httpx.AsyncClient) -> None:
    town.apply("Layer", "blocks", {"view": "buildings"})
    await add(http)
    await town.platform.bus.settle()
    body = {"layer": "blocks", "source": "layer", "height_field": "height"}
    report = (await http.post(f"{B}/imports/layer", json=body)).json()
    assert (report["added"], report["refused"]) == (1, 0)
    (copy,) = (await http.get(B, params={"source": "layer"})).json()["items"]
    assert copy["height"] == 30.0


async def test_whoever_changes_a_building_behind_our_back_is_found_out(town: Town, http: httpx.AsyncClient) -> None:
    one = await add(http)
    await http.patch(f"{B}/{one['code']}", json={"height": 31})
    for change in ("height = 99 WHERE version = 2", "newest = 1 WHERE version = 1", "batch = 'none' WHERE version = 1"):
        town.platform.records.write_now(lambda tx, change=change: tx.session.execute(f"UPDATE buildings_building SET {change}"))
        faults = town.platform.get(Ledger).verify_now().faults
        assert "buildings_building" in {fault.table for fault in faults}


async def test_who_may_not_is_turned_away(town: Town, http: httpx.AsyncClient) -> None:
    await add(http)
    async with town.client("officer") as other:
        for path in ("", "/premises", "/networks", "/summary"):
            assert (await other.get(f"{B}{path}")).status_code == 403
        assert (await other.post(f"{B}/imports/cityjson?source=x", content=b"{}")).status_code == 403
        assert (await other.put(f"{B}/networks/x", content=b"{}")).status_code == 403
