"""The ledger of cameras over HTTP: registering, finding, changing, importing."""

import asyncio
import json
from io import BytesIO
from typing import Any

import httpx
import pytest

from mumian.foundation.video.api import Video
from mumian.foundation.video.service.sealing import Seal
from mumian.kernel.platform import Platform
from tests.foundation.video.conftest import code, events, rows


def body(serial: int, **given: Any) -> dict[str, Any]:
    """A camera to register."""
    fields = {"title": {"zh": f"机位{serial}", "en": f"Camera {serial}"}, "address": f"rtsp://u:pw{serial}@10.0.0.1/{serial}"}
    return {"code": code(serial), **fields, "owner": "roads"} | given


async def test_a_camera_is_registered_shown_changed_and_retired(admin: httpx.AsyncClient, town: Platform) -> None:
    place = {"longitude": 113.3, "latitude": 23.1, "heading": 90, "field_of_view": 60, "reach": 100}
    made = await admin.post("/cameras", json=body(1, groups=["north/main street"], tags=["pole 7"], **place))
    assert made.status_code == 201, made.text
    shown = (await admin.get(f"/cameras/{code(1)}")).json()
    assert shown["address"] == "rtsp://10.0.0.1/1"
    assert shown["code_parts"] == {
        "division": "440106",
        "grassroots": "00",
        "industry": "08",
        "type": "132",
        "network": "6",
        "serial": "000001",
        "sector": "government",
    }
    ring = shown["view"]["coordinates"][0]
    assert ring[0] == ring[-1] == [113.3, 23.1]
    assert all(longitude >= 113.3 for longitude, _ in ring)
    changed = await admin.patch(f"/cameras/{code(1)}", json={"tags": ["pole 8"], "reach": None}, headers={"If-Match": '"1"'})
    assert (changed.json()["tags"], changed.json()["reach"], changed.json()["version"]) == (["pole 8"], None, 2)
    stale = await admin.patch(f"/cameras/{code(1)}", json={"tags": []}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await admin.delete(f"/cameras/{code(1)}")).status_code == 204
    assert (await admin.get("/cameras")).json()["items"] == []
    assert [(e["action"], e["version"]) for e in events(town, "video.camera.changed")] == [
        ("created", 1),
        ("changed", 2),
        ("retired", 3),
    ]
    assert "pw1" not in json.dumps([made.json(), shown]) + str(rows(town, "SELECT * FROM video_camera"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": "123"}, "code"),
        ({"code": "44010600081116000001"}, "code"),
        ({"address": "http://10.0.0.1/"}, "address"),
        ({"owner": "nobody"}, "owner"),
        ({"longitude": 113.0}, "latitude"),
        ({"heading": 400}, "heading"),
        ({"masks": [{"name": "m", "polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}]}, "masks[0].polygon"),
        ({"groups": ["a//b"]}, "groups[0]"),
        ({"recorded_from": "yesterday"}, "recorded_from"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_is_wrong_with_a_camera_is_named_by_field(admin: httpx.AsyncClient, given: dict[str, Any], field: str) -> None:
    answer = await admin.post("/cameras", json=body(1, **given))
    assert answer.status_code in (400, 422), answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_a_code_is_taken_once(admin: httpx.AsyncClient) -> None:
    assert (await admin.post("/cameras", json=body(1))).status_code == 201
    assert (await admin.post("/cameras", json=body(1))).status_code == 409


async def test_cameras_are_found_by_facet_words_and_page(admin: httpx.AsyncClient) -> None:
    for serial in range(1, 8):
        given = {"groups": ["north/a" if serial % 2 else "north/b"], "uses": ["traffic"] if serial < 5 else ["safety"]}
        await admin.post("/cameras", json=body(serial, **given))

    async def found(**query: Any) -> list[int]:
        codes, cursor = [], None
        while True:
            answer = (await admin.get("/cameras", params={**query, **({"cursor": cursor} if cursor else {})})).json()
            codes += [int(item["code"][-6:]) for item in answer["items"]]
            cursor = answer["next"]
            if cursor is None:
                return codes

    assert await found(limit=2) == [1, 2, 3, 4, 5, 6, 7]
    assert await found(group="north", limit=3) == [1, 2, 3, 4, 5, 6, 7]
    assert await found(group="north/a", use="traffic", limit=1) == [1, 3]
    assert await found(words="机位6") == [6]
    assert await found(words="camera 000004") == [4]
    assert await found(division="4401", owner="roads", limit=100) == [1, 2, 3, 4, 5, 6, 7]
    assert await found(division="4402") == []
    summary = (await admin.get("/summary")).json()
    assert summary["groups"] == {"north": 7, "north/a": 4, "north/b": 3}
    assert summary["use"] == {"safety": 3, "traffic": 4}
    assert summary["health"] == {"unknown": 7}


async def test_cameras_near_a_point_come_by_distance_and_page(admin: httpx.AsyncClient) -> None:
    for serial in range(1, 11):
        await admin.post(
            "/cameras", json=body(serial, longitude=113.3, latitude=23.1 + serial * 0.001, reach=150, heading=0, field_of_view=40)
        )
    where = {"longitude": 113.3, "latitude": 23.1, "metres": 560, "limit": 2}
    first = (await admin.get("/cameras/near", params=where)).json()
    assert [round(item["metres"] / 111.2) for item in first["items"]] == [1, 2]
    second = (await admin.get("/cameras/near", params={**where, "cursor": first["next"]})).json()
    third = (await admin.get("/cameras/near", params={**where, "cursor": second["next"]})).json()
    assert [int(item["code"][-6:]) for page in (first, second, third) for item in page["items"]] == [1, 2, 3, 4, 5]
    seeing = (await admin.get("/cameras/seeing", params={"longitude": 113.3, "latitude": 23.1045})).json()
    assert [int(item["code"][-6:]) for item in seeing["items"]] == [4]


async def test_a_csv_is_imported_with_each_bad_row_told_by_line(admin: httpx.AsyncClient, town: Platform) -> None:
    lines = [
        "code,title_zh,title_en,address,user,password,longitude,latitude,owner,groups,tags",
        f"{code(1)},一号,One,rtsp://10.0.0.1/1,root,pä:ss,113.3,23.1,roads,north/a;south,x;y",
        f"{code(2)},二号,,rtsp://10.0.0.2/1,,,113.3,123.1,roads,,",
        f"{code(3)},三号,,ftp://10.0.0.3,,,,,roads,,",
        f"{code(1)},again,,rtsp://10.0.0.4/1,,,,,roads,,",
        f"{code(5)},五号,,rtsp://10.0.0.5/1,,,113.5,,nobody,,",
        f"{code(6)},六号,,rtsp://10.0.0.6/1,,,east,23,roads,,",
        f"{code(7)},七号,,file:a.mp4,,,,,,,",
    ]
    answer = await admin.post("/cameras/import", content="\n".join(lines).encode())
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["rows"], report["added"], report["changed"], report["same"]) == (7, 2, 0, 0)
    assert [(fault["line"], fault["field"]) for fault in report["faults"]] == [
        (3, "latitude"),
        (4, "address"),
        (5, "code"),
        (6, "owner"),
        (6, "latitude"),
        (7, "longitude"),
    ]
    assert all(fault["message"]["zh"] and fault["message"]["en"] for fault in report["faults"])
    sealed = rows(town, "SELECT sealed FROM video_camera WHERE code = :code", code=code(1))[0]["sealed"]
    assert Seal(town.home / "keys").open(sealed, code(1)) == "rtsp://root:p%C3%A4%3Ass@10.0.0.1/1"
    with pytest.raises(ValueError, match="sealed"):
        Seal(town.home / "keys").open(sealed, code(2))
    shown = (await admin.get(f"/cameras/{code(1)}")).json()
    assert (shown["groups"], shown["tags"], shown["title"]["en"]) == (["north/a", "south"], ["x", "y"], "One")
    again = (await admin.post("/cameras/import", content="\n".join([*lines[:1], lines[7]]).encode())).json()
    assert (again["added"], again["changed"], again["same"]) == (0, 0, 1)


async def test_a_workbook_is_imported_and_a_dry_run_writes_nothing(admin: httpx.AsyncClient, town: Platform) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["code", "title_zh", "address", "longitude", "latitude", "reach"])
    sheet.append([code(1), "一号", "rtsp://10.0.0.1/1", 113.3, 23.1, 80])
    buffer = BytesIO()
    book.save(buffer)
    dry = (await admin.post("/cameras/import", params={"dry": True}, content=buffer.getvalue())).json()
    assert (dry["added"], dry["dry"]) == (1, True)
    assert rows(town, "SELECT * FROM video_camera") == []
    done = (await admin.post("/cameras/import", content=buffer.getvalue())).json()
    assert (done["added"], done["faults"]) == (1, [])


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00\x01\x80", b"code,colour\n1,2\n", b"PK\x03\x04 no workbook", b'code,title_zh,address\n"1\n']
)
async def test_a_file_that_cannot_be_used_is_refused_as_a_whole(admin: httpx.AsyncClient, content: bytes) -> None:
    answer = await admin.post("/cameras/import", content=content)
    assert 400 <= answer.status_code < 500, answer.text


async def test_the_directory_follows_what_other_processes_change(town: Platform, admin: httpx.AsyncClient) -> None:
    other = Video(town).directory
    assert other.page([], "", "", 10) == []
    for serial in (3, 1, 2):
        await admin.post("/cameras", json=body(serial, tags=["old"]))
    assert await asyncio.to_thread(other.page, [], "", "", 10) == [code(1), code(2), code(3)]
    await admin.patch(f"/cameras/{code(2)}", json={"tags": ["new"]})
    await admin.delete(f"/cameras/{code(3)}")
    assert await asyncio.to_thread(other.page, ["tag:old"], "", "", 10) == [code(1)]
    assert await asyncio.to_thread(other.count, []) == 2


async def test_an_officer_sees_cameras_but_no_addresses_and_changes_nothing(
    admin: httpx.AsyncClient, officer: httpx.AsyncClient
) -> None:
    await admin.post("/cameras", json=body(1))
    shown = (await officer.get(f"/cameras/{code(1)}")).json()
    assert shown["address"] is None
    assert (await officer.patch(f"/cameras/{code(1)}", json={"tags": []})).status_code == 403
    assert (await officer.post("/cameras", json=body(2))).status_code == 403
    assert (await officer.post("/cameras/import", content=b"x")).status_code == 403
