"""Behaviour of edits: each is a version, none is lost, none overwrites what its author did not see, all are evidence."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.app.platform import create_platform
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.features.bulk import Options
from mumian.foundation.spatial.features.layers import merge
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import SYSTEM

ITEMS = "/collections/lamps/items"


def _feature(x: float = 113.3, y: float = 23.1, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [x, y]}, "properties": properties}


async def _made(editor: httpx.AsyncClient, **properties: Any) -> tuple[str, str]:
    answer = await editor.post(ITEMS, json=_feature(**properties))
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rsplit("/", 1)[1], answer.headers["etag"]


async def test_what_was_created_can_be_read_at_once_with_its_version(editor: httpx.AsyncClient) -> None:
    id_, etag = await _made(editor, watts=40, name="灯")
    found = await editor.get(f"{ITEMS}/{id_}")
    assert found.headers["etag"] == etag
    assert found.json()["properties"] == {"watts": 40, "name": "灯"}
    assert found.json()["geometry"]["coordinates"] == [113.3, 23.1]
    assert (await editor.get(f"{ITEMS}/{id_}", headers={"If-None-Match": etag})).status_code == 304


async def test_a_change_against_an_old_version_is_refused(editor: httpx.AsyncClient) -> None:
    id_, etag = await _made(editor, watts=40)
    first = await editor.put(f"{ITEMS}/{id_}", json=_feature(watts=60), headers={"If-Match": etag})
    assert first.status_code == 204
    for method, body in (("PUT", _feature(watts=80)), ("PATCH", {"properties": {"watts": 80}}), ("DELETE", None)):
        late = await editor.request(method, f"{ITEMS}/{id_}", json=body, headers={"If-Match": etag})
        assert late.status_code == 412
    assert (await editor.get(f"{ITEMS}/{id_}")).json()["properties"] == {"watts": 60}


async def test_of_many_who_change_the_same_version_one_wins(editor: httpx.AsyncClient) -> None:
    id_, etag = await _made(editor, watts=40)
    answers = await asyncio.gather(
        *(editor.patch(f"{ITEMS}/{id_}", json={"properties": {"by": n}}, headers={"If-Match": etag}) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [412] * 7


async def test_a_patch_changes_what_it_names_and_nulls_take_away(editor: httpx.AsyncClient) -> None:
    id_, _ = await _made(editor, watts=40, name="灯", more={"a": 1, "b": 2})
    await editor.patch(f"{ITEMS}/{id_}", json={"properties": {"name": None, "more": {"a": None, "c": 3}}})
    found = (await editor.get(f"{ITEMS}/{id_}")).json()
    assert found["properties"] == {"watts": 40, "more": {"b": 2, "c": 3}}
    assert found["geometry"]["coordinates"] == [113.3, 23.1]
    await editor.patch(f"{ITEMS}/{id_}", json={"geometry": None})
    assert (await editor.get(f"{ITEMS}/{id_}")).json()["geometry"] is None


async def test_the_history_of_a_feature_tells_every_state_even_after_its_end(editor: httpx.AsyncClient) -> None:
    id_, _ = await _made(editor, watts=40)
    await editor.put(f"{ITEMS}/{id_}", json=_feature(watts=60))
    assert (await editor.delete(f"{ITEMS}/{id_}")).status_code == 204
    assert (await editor.get(f"{ITEMS}/{id_}")).status_code == 404
    page = (await editor.get(f"{ITEMS}/{id_}/history", params={"limit": 2})).json()
    rest = (await editor.get(f"{ITEMS}/{id_}/history", params={"cursor": page["next"]})).json()
    told = [(entry["action"], entry["properties"]) for entry in page["items"] + rest["items"]]
    assert told == [("deleted", None), ("replaced", {"watts": 60}), ("created", {"watts": 40})]
    assert rest["next"] is None


async def test_every_edit_is_in_the_ledger(editor: httpx.AsyncClient, layered: Platform) -> None:
    id_, _ = await _made(editor, watts=40)
    await editor.delete(f"{ITEMS}/{id_}")
    entries = await layered.records.read(
        lambda session: session.rows(
            "SELECT type, payload FROM kernel_outbox WHERE subject = :subject ORDER BY id", subject=f"lamps/{id_}"
        )
    )
    assert [json.loads(entry["payload"])["action"] for entry in entries] == ["created", "deleted"]
    assert layered.get(Ledger) is not None


@pytest.mark.parametrize(
    ("layer", "body", "field"),
    [
        ("lamps", _feature(watts="many"), "properties.watts"),
        ("strict", _feature(code="a", other=1), "properties.other"),
        ("strict", _feature(n=1), "properties.code"),
        ("lamps", {"type": "Feature", "properties": {}}, "geometry"),
        ("lamps", {"type": "Point", "coordinates": [1, 2]}, "type"),
        ("lamps", {"type": "Feature", "geometry": {"type": "Point", "coordinates": [200, 2]}, "properties": {}}, "geometry"),
        ("lamps", {"type": "Feature", "geometry": {"type": "Circle"}, "properties": {}}, "geometry"),
        ("lamps", {"type": "Feature", "id": "a/b", "geometry": None, "properties": {}}, "id"),
        (
            "lamps",
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}},
            "geometry",
        ),
    ],
)
async def test_a_feature_that_does_not_fit_is_refused_by_field(
    editor: httpx.AsyncClient, layer: str, body: dict[str, Any], field: str
) -> None:
    answer = await editor.post(f"/collections/{layer}/items", json=body)
    assert answer.status_code == 422
    assert [entry["field"] for entry in answer.json()["errors"]] == [field]
    assert (await editor.get(f"/collections/{layer}/items")).json()["numberMatched"] == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'{"type":"Feature","geometry":null,"properties":{"a":NaN}}', b"\xff\xfe", b"[" * 100_000]
)
async def test_a_body_that_is_no_feature_is_refused(editor: httpx.AsyncClient, body: bytes) -> None:
    assert (await editor.post(ITEMS, content=body)).status_code in (400, 422)


async def test_only_who_may_write_writes_and_views_are_never_written(
    reader: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    assert (await reader.post(ITEMS, json=_feature())).status_code == 401
    assert (await reader.get(f"{ITEMS}/x/history")).status_code == 401
    assert (await editor.post("/collections/fixed/items", json=_feature())).status_code == 409
    assert (await editor.post("/collections/nowhere/items", json=_feature())).status_code == 404
    first = await editor.post(ITEMS, json={**_feature(), "id": "a"})
    assert first.headers["location"] == "http://test/ogc/collections/lamps/items/a"
    assert (await editor.post(ITEMS, json={**_feature(), "id": "a"})).status_code == 409


async def test_numbers_of_another_system_are_turned_into_wgs84(editor: httpx.AsyncClient) -> None:
    uri = "http://www.opengis.net/def/crs/EPSG/0/4326"
    answer = await editor.post(ITEMS, json=_feature(23.1, 113.3), headers={"Content-Crs": f"<{uri}>"})
    found = await editor.get(answer.headers["location"].removeprefix("http://test/ogc"))
    assert found.json()["geometry"]["coordinates"] == [113.3, 23.1]


async def test_imports_edits_and_folding_leave_one_truth_behind(
    layered: Platform, editor: httpx.AsyncClient, tmp_path: Path
) -> None:
    csv = "id,lon,lat,watts\n" + "".join(f"l{i},{113 + i / 1000},{23 + i % 7 / 100},{i}\n" for i in range(200))
    answer = await editor.post("/collections/lamps/imports?file=a.csv&key=id", content=csv.encode())
    assert answer.status_code == 201, answer.text
    assert answer.json()["accepted"] == 200
    await editor.patch(f"{ITEMS}/l7", json={"properties": {"watts": 700}})
    await editor.delete(f"{ITEMS}/l8")
    new, _ = await _made(editor, watts=1)
    spatial = layered.get(Spatial)
    before = await asyncio.to_thread(spatial.features, "lamps")
    assert await spatial.bulk.fold("lamps", 1)
    after = await asyncio.to_thread(spatial.features, "lamps")
    assert sorted(after, key=lambda f: f.id) == sorted(before, key=lambda f: f.id)
    late = await editor.put(f"{ITEMS}/l7", json=_feature(watts=1), headers={"If-Match": '"1"'})
    assert late.status_code == 412
    more = "id,lon,lat,watts\nl7,113,23,7\nnew,113,23,2\n"
    await editor.post("/collections/lamps/imports?file=b.csv&key=id&mode=upsert", content=more.encode())
    found = {f.id: f for f in await asyncio.to_thread(spatial.features, "lamps")}
    assert len(found) == 201
    assert (found["l7"].properties["watts"], found["new"].properties["watts"]) == (7, 2)
    assert new in found
    twice = await editor.post("/collections/lamps/imports?file=b.csv&key=id&mode=append", content=more.encode())
    assert twice.status_code == 422
    listed = (await editor.get("/collections/lamps/imports")).json()["items"]
    assert [entry["mode"] for entry in listed] == ["upsert", "replace"]


async def test_a_file_with_bad_rows_changes_nothing_unless_they_may_be_skipped(editor: httpx.AsyncClient) -> None:
    content = b"lon,lat\n113,23\n113,here\n"
    refused = await editor.post("/collections/lamps/imports?file=a.csv", content=content)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "file.rows[3].geometry"
    assert (await editor.get(ITEMS)).json()["numberMatched"] == 0
    taken = await editor.post("/collections/lamps/imports?file=a.csv&skip=true", content=content)
    assert (taken.json()["accepted"], taken.json()["refused"]) == (1, 1)


async def test_a_restart_finds_everything_with_its_cache_or_without(
    settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("lon,lat,n\n" + "113.5,23.5,1\n" * 50, "utf-8")
    platform = create_platform(settings, clock)
    await platform.start()
    await platform.declarations.apply([Document("Layer", "lamps", {"zh": "灯", "en": "Lamps"}, {"editable": True})], "test")
    spatial = platform.get(Spatial)
    await spatial.bulk.bring_in("lamps", tmp_path / "a.csv", "a.csv", Options(), SYSTEM)
    await spatial.layers.create("lamps", "mine", None, '{"n": 2.5}', SYSTEM)
    told = await asyncio.to_thread(spatial.features, "lamps")
    await platform.stop()
    for lost in (False, True):
        if lost:
            (settings.home / "spatial" / "cache.duckdb").write_bytes(b"not a database")
        platform = create_platform(settings, clock)
        await platform.start()
        assert await asyncio.to_thread(platform.get(Spatial).features, "lamps") == told
        await platform.stop()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
def test_a_merge_patch_leaves_no_null_behind_and_does_nothing_twice(target: Any, patch: Any) -> None:
    once = merge(target, patch)
    assert merge(once, patch) == once
    if isinstance(patch, dict):
        assert all(name not in once for name, value in patch.items() if value is None)
