"""Files of devices: understood in two languages and many encodings, good rows in, bad rows told, hostile files refused."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openpyxl
import pytest

from mumian.foundation.devices.service.evidence import faults
from tests.foundation.devices.conftest import BASE, CITY, DECLARED, Town, documents, gauge

HEADER = "设备编码,设备类型,设备名称,权属单位,经度,纬度,状态,安装日期,安装高度（米）,防水,备注,颜色\n"
ROWS = (
    "WL-001,水位计,人民桥水位计,水务局,113.25,23.05,在用,2013年5月1日,2.5,是,good,red\n"
    "RG-001,rain-gauge,东湖雨量计,园林局,113.35,23.05,规划,,,,,\n"
)


async def send(client: httpx.AsyncClient, content: bytes | str, path: str = "/imports", **params: str) -> httpx.Response:
    """Send a file."""
    body = content.encode() if isinstance(content, str) else content
    return await client.post(f"{BASE}{path}", content=body, params={"file": "设备.csv", **params})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_a_chinese_file_in_any_usual_encoding_becomes_devices(admin: httpx.AsyncClient, town: Town, encoding: str) -> None:
    answer = await send(admin, (HEADER + ROWS).encode(encoding))
    assert answer.status_code == 201, answer.text
    report = answer.json()
    assert (report["rows"], report["created"], report["refused"]) == (2, 2, 0)
    assert {c["header"]: c["field"] for c in report["columns"]}["安装高度（米）"] == "properties.height"
    assert {c["header"]: c["field"] for c in report["columns"]}["颜色"] is None
    device = (await admin.get(f"{BASE}/WL-001")).json()
    assert (device["kind"], device["owner"], device["state"], device["installed"]) == (
        "level-gauge",
        "water",
        "in_service",
        "2013-05-01",
    )
    assert (device["properties"], device["district"], device["origin"]) == ({"height": 2.5, "sealed": True}, "110101", "import")
    assert town.sensing.stream("device.WL-001.level").owner == "water"
    assert await town.platform.records.read(lambda session: list(faults(session))) == []


async def test_the_same_file_again_changes_nothing_and_a_changed_one_only_what_differs(admin: httpx.AsyncClient) -> None:
    await send(admin, HEADER + ROWS)
    again = (await send(admin, HEADER + ROWS)).json()
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)
    changed = (await send(admin, (HEADER + ROWS).replace("good", "better").replace(",规划,", ",在用,"))).json()
    assert (changed["created"], changed["updated"], changed["unchanged"]) == (0, 2, 0)
    assert (await admin.get(f"{BASE}/RG-001")).json()["state"] == "in_service"
    partial = (await send(admin, "code,note\nWL-001,\nRG-001,new\n")).json()
    assert (partial["updated"], partial["unchanged"]) == (1, 1)
    assert (await admin.get(f"{BASE}/WL-001")).json()["note"] == "better"


async def test_bad_rows_are_told_by_line_and_column_and_good_rows_go_in(admin: httpx.AsyncClient) -> None:
    lines = [
        "WL-002,水位计,好,水务局,113.25,23.05,在用,2013-05-01,2,是,,",
        "WL-003,水位计,高,水务局,113.25,23.05,在用,2013-05-01,200,是,,",
        "WL-004,风车,名,水务局,113.25,23.05,在用,,,,,",
        "WL-005,水位计,名,外星局,113.25,23.05,在用,,,,,",
        "WL-006,水位计,名,水务局,东经,23.05,在用,,,,,",
        "WL-007,水位计,名,水务局,1130.25,23.05,在用,,,,,",
        "WL-008,水位计,名,水务局,113.25,23.05,飞行,,,,,",
        "WL-009,水位计,名,水务局,113.25,23.05,在用,13月1日,,,,",
        ",水位计,名,水务局,113.25,23.05,在用,,,,,",
        "W L,水位计,名,水务局,113.25,23.05,在用,,,,,",
        "WL-002,水位计,再,水务局,113.25,23.05,在用,,,,,",
        "WL-010,水位计,,水务局,113.25,,在用,,,,,",
    ]
    report = (await send(admin, HEADER + "\n".join(lines))).json()
    assert (report["rows"], report["created"], report["refused"]) == (12, 1, 11)
    told = {(fault["line"], fault["column"]) for fault in report["faults"]}
    expected = {(3, "安装高度（米）"), (4, "设备类型"), (5, "权属单位"), (6, "经度"), (7, "经度"), (8, "状态"), (9, "安装日期")}
    expected |= {(10, "设备编码"), (11, "设备编码"), (12, "设备编码"), (13, "设备名称")}
    assert told == expected
    assert all(fault["fault"] and fault["fix"] for fault in report["faults"])
    table = await admin.get(f"{BASE}/imports/{report['id']}/faults.csv", headers={"Accept-Language": "zh"})
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert rows[0] == ["行号", "列", "值", "错误", "修改办法"]
    assert len(rows) == 12
    kept = (await admin.get(f"{BASE}/imports")).json()["items"]
    assert [(row["id"], row["created"], row["refused"]) for row in kept] == [(report["id"], 1, 11)]
    assert len((await admin.get(f"{BASE}/imports/{report['id']}")).json()["faults"]) == 11


async def test_a_preview_tells_all_and_does_nothing(admin: httpx.AsyncClient) -> None:
    report = (await send(admin, HEADER + ROWS + "WL-003,风车,,,,,,,,,,\n", "/imports/preview")).json()
    assert (report["rows"], report["created"], report["refused"]) == (3, 2, 1)
    assert report["sample"][0]["properties"] == {"height": 2.5, "sealed": True}
    assert (await admin.get(BASE)).json()["items"] == []
    assert (await admin.get(f"{BASE}/imports")).json()["items"] == []


async def test_kind_and_owner_may_be_given_for_a_whole_file(admin: httpx.AsyncClient) -> None:
    report = (await send(admin, "SN;Code;Name\n1;A-1;One\n2;A-2;Two\n", kind="rain-gauge", owner="Water Authority")).json()
    assert (report["created"], report["faults"]) == (2, [])
    assert (await admin.get(f"{BASE}/A-2")).json()["serial"] == "2"


async def test_positions_in_other_systems_are_kept_in_wgs_84(admin: httpx.AsyncClient) -> None:
    file = "code,name,lon,lat\nA-1,One,113.2554,23.0473\nA-2,Two,999,23\n"
    report = (await send(admin, file, kind="rain-gauge", owner="water", crs="GCJ-02")).json()
    assert (report["created"], [(fault["line"], fault["key"]) for fault in report["faults"]]) == (
        1,
        [(3, "devices.import.place")],
    )
    device = (await admin.get(f"{BASE}/A-1")).json()
    assert 400 < np.hypot((113.2554 - device["longitude"]) * 102_000, (23.0473 - device["latitude"]) * 111_000) < 800
    assert (await send(admin, file, kind="rain-gauge", owner="water", crs="GCJ-02")).json()["unchanged"] == 1
    assert (await send(admin, file, kind="rain-gauge", owner="water", crs="MARS")).status_code == 422


async def test_a_workbook_with_dates_and_numbers_becomes_devices(admin: httpx.AsyncClient) -> None:
    from datetime import date

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["设备编号*", "类型", "名称", "所属单位", "经度", "纬度", "状态", "安装时间"])
    sheet.append([1001, "rain-gauge", "一号", "parks", 113.25, 23.05, "在用", date(2013, 5, 1)])
    sheet.append([1002, "rain-gauge", "二号", "nobody", 113.25, 23.05, "在用", date(2013, 5, 1)])
    buffer = io.BytesIO()
    book.save(buffer)
    report = (await send(admin, buffer.getvalue())).json()
    assert (report["format"], report["created"], report["refused"]) == ("xlsx", 1, 1)
    assert (report["faults"][0]["line"], report["faults"][0]["column"]) == (3, "所属单位")
    device = (await admin.get(f"{BASE}/1001")).json()
    assert (device["installed"], device["longitude"], device["state"]) == ("2013-05-01", 113.25, "in_service")


def archive(**parts: str | bytes) -> bytes:
    """An archive with these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return buffer.getvalue()


def bomb() -> bytes:
    """A small workbook whose sheet unpacks to 300 MB."""
    return archive(**{"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": b" " * 300_000_000})


def far_apart() -> bytes:
    """A workbook of two cells at opposite corners of the largest sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["XFD1048576"] = "code", "x"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"\n\n,,\n", 422),
        (b"name,kind\nx,y\n", 422),
        (b"code,\xc9\xe8,code\nA,B,C\n", 422),
        (b"code,name\nA-1,\x81\xff\xff\n", 400),
        (b"code,name\nA-1,\0\n", 400),
        (b'code,name\nA-1,"x"y\n', 400),
        (b"PK\x03\x04broken", 400),
        (archive(**{"readme.txt": "hello"}), 422),
        (archive(**{"xl/workbook.xml": "<workbook/>"}), 400),
        (bomb(), 413),
        (far_apart(), 413),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", 422),
        (("," * 300 + "code\n").encode(), 413),
    ],
    ids="empty blank no-code doubled no-text nul quotes cut no-workbook empty-workbook bomb far old wide".split(),
)
async def test_files_that_cannot_be_used_are_refused_as_a_whole(admin: httpx.AsyncClient, content: bytes, status: int) -> None:
    answer = await send(admin, content)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert (await admin.get(BASE)).json()["items"] == []


async def test_a_department_imports_its_own_devices_only(town: Town) -> None:
    parks = await town.person("keeper", "parks")
    report = (await send(parks, HEADER + ROWS)).json()
    assert (report["created"], report["refused"]) == (1, 1)
    assert report["faults"][0]["key"] == "devices.import.owner"


async def test_nobody_s_import_brings_a_device_back_to_an_earlier_state(admin: httpx.AsyncClient) -> None:
    await send(admin, HEADER + ROWS)
    report = (await send(admin, "code,state\nWL-001,规划\n")).json()
    assert report["faults"][0]["key"] == "devices.import.state"
    report = (await send(admin, "code,kind\nWL-001,camera\n")).json()
    assert report["faults"][0]["key"] == "devices.import.kind"


async def test_what_is_exported_is_safe_in_a_spreadsheet_and_comes_back_as_it_was(admin: httpx.AsyncClient) -> None:
    await admin.post(BASE, json=gauge(name="=cmd|' /C calc'!A0", note="+1-2", longitude=-0.5, properties={"height": 2.0}))
    text = (await admin.get(f"{BASE}/exports/devices.csv")).text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert (rows[0]["name"], rows[0]["note"], rows[0]["longitude"]) == ("'=cmd|' /C calc'!A0", "'+1-2", "-0.5")
    again = (await send(admin, text)).json()
    assert (again["unchanged"], again["refused"]) == (1, 0)


async def test_an_exported_workbook_is_read_by_others_and_holds_no_formula(admin: httpx.AsyncClient) -> None:
    await admin.post(BASE, json=gauge(name="=1+1", properties={"height": 2.5}))
    content = (await admin.get(f"{BASE}/exports/devices.xlsx")).content
    sheet: Any = openpyxl.load_workbook(io.BytesIO(content)).active
    header, row = (list(each) for each in sheet.iter_rows(values_only=True))
    cells = dict(zip(header, row, strict=True))
    assert (cells["code"], cells["name"], cells["longitude"], cells["height"]) == ("WL-001", "=1+1", 113.25, 2.5)
    assert all(cell.data_type != "f" for line in sheet.iter_rows() for cell in line)
    assert (await send(admin, content)).json()["unchanged"] == 1


def test_the_command_line_imports_a_file_into_a_city_at_rest(tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    documents(tmp_path / "city")
    (tmp_path / "city" / "a.yaml").write_text(DECLARED, "utf-8")
    (tmp_path / "city" / "city.yaml").write_text(CITY, "utf-8")
    file = tmp_path / "设备.csv"
    file.write_bytes((HEADER + ROWS + "WL-003,风车,,,,,,,,,,\n").encode("gb18030"))
    environment = {**os.environ, "MUMIAN_HOME": str(tmp_path / "home"), "LANG": "zh_CN.UTF-8", "LC_ALL": "zh_CN.UTF-8"}

    def mumian(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from mumian.cli import main; main()", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)

    assert mumian("apply", str(tmp_path / "city")).returncode == 0
    done = mumian("devices", "import", str(file))
    assert done.returncode == 1, done.stderr
    assert "新增 2 台" in done.stdout
    assert "设备.csv:4: 设备类型: " in done.stdout
    again = json.loads(mumian("devices", "import", str(file), "--json", "--preview").stdout)
    assert (again["unchanged"], again["refused"]) == (2, 1)
