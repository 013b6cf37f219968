"""Tests of files: what comes in from CSV, XLSX and GeoJSON, and goes out again."""

import json
from typing import Any

import httpx

from mumian.foundation.tables.api import workbook
from tests.foundation.infrastructure.conftest import Town, charger, enter

_HEADER = "设施编码,类型,名称,权属单位,经度,纬度,状态,功率（kW）,接口"
_GOOD = "C1,充电桩,一号,供电局,113.25,23.05,在用,60,ac；dc"


async def test_good_rows_come_in_and_bad_ones_are_told_by_line(town: Town, admin: httpx.AsyncClient) -> None:
    rows = [_HEADER, _GOOD, "C2,充电桩,二号,无此局,113.25,23.05,在用,60,", "C3,充电桩,三号,供电局,x,23.05,在用,60,"]
    rows += ["C4,充电桩,四号,供电局,113.25,23.05,在用,6000,ac", "C1,充电桩,五号,供电局,113.25,23.05,在用,60,ac"]
    content = "\n".join(rows).encode("gb18030")
    report = (await admin.post("/imports", content=content, params={"file": "桩.csv"})).json()
    assert (report["created"], report["refused"], report["format"]) == (1, 4, "gb18030")
    assert [fault["line"] for fault in report["faults"]] == [3, 4, 5, 6]
    assert (await admin.get("/facilities/C1")).json()["properties"] == {"power": 60, "plugs": ["ac", "dc"]}
    again = (await admin.post("/imports", content=content)).json()
    assert (again["created"], again["unchanged"], again["updated"]) == (0, 1, 0)
    table = (await admin.get(f"/imports/{report['id']}/faults.csv")).text
    assert len(table.strip().splitlines()) == 5
    assert len(town.events("infrastructure.import.finished")) == 2


async def test_a_preview_does_nothing(admin: httpx.AsyncClient) -> None:
    report = (await admin.post("/imports/preview", content=f"{_HEADER}\n{_GOOD}".encode())).json()
    assert report["created"] == 1
    assert (await admin.get("/facilities")).json()["items"] == []


async def test_what_goes_out_comes_in_again_unchanged(admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger("C1", properties={"power": 7.5, "plugs": ["ac", "dc"]}, address="=1+1"))
    await enter(admin, **charger("C2", longitude=None, latitude=None, state="planned"))
    for kind in ("csv", "xlsx", "geojson"):
        content = (await admin.get(f"/exports/facilities.{kind}")).content
        report = (await admin.post("/imports", content=content)).json()
        assert (report["rows"], report["unchanged"], report["faults"]) == (2, 2, []), kind


async def test_positions_of_other_systems_become_wgs_84(admin: httpx.AsyncClient) -> None:
    rows: list[list[Any]] = [
        ["code", "kind", "name", "owner", "longitude", "latitude", "power"],
        ["C1", "charger", "x", "power", 113.25, 23.05, 7],
    ]
    assert (await admin.post("/imports", content=workbook(rows), params={"crs": "GCJ-02"})).json()["created"] == 1
    made = (await admin.get("/facilities/C1")).json()
    assert 0.003 < abs(made["longitude"] - 113.25) < 0.01


async def test_broken_files_are_refused_as_a_whole(admin: httpx.AsyncClient) -> None:
    bad = [b"", b"name\nx", b"{", b'{"type": "Point"}', b"\xff\xfe\x00\xd8", json.dumps({"features": 1}).encode()]
    for content in bad:
        assert (await admin.post("/imports", content=content)).status_code in (400, 422), content


async def test_odd_features_are_told_one_by_one(admin: httpx.AsyncClient) -> None:
    odd = [1, {"properties": None}, {"properties": {"code": "C9"}, "geometry": {"type": "Polygon", "coordinates": []}}]
    odd += [{"properties": {"code": "C8", "name": [1]}}, {"properties": {"code": "C7", "properties": 3}}]
    content = json.dumps({"type": "FeatureCollection", "features": odd}).encode()
    report = (await admin.post("/imports", content=content)).json()
    assert (report["rows"], report["refused"], report["created"]) == (5, 5, 0)


async def test_nobody_imports_for_another_owner(town: Town, admin: httpx.AsyncClient) -> None:
    keeper = await town.person("keeper", "telecom")
    report = (await keeper.post("/imports", content=f"{_HEADER}\n{_GOOD}".encode())).json()
    assert (report["created"], report["refused"]) == (0, 1)
    assert report["faults"][0]["key"] == "infrastructure.import.owner"
