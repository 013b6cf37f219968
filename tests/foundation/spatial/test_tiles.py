"""Behaviour of tiles: what decoders nobody here wrote find in them is what lies there, and no more than a screen can show."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pmtiles.reader import MmapSource, Reader, all_tiles

from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.rules.tiles import Tile, covering, tile_of
from mumian.foundation.spatial.tiles import mvt
from mumian.foundation.spatial.tiles.keeping import archive
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.platform import Platform
from tests.foundation.spatial.conftest import declare
from tests.foundation.spatial.layering import Feature, table_of

TILES = "/collections/lamps/tiles/WebMercatorQuad"


def _decoded(content: bytes) -> list[dict[str, Any]]:
    found = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})
    return list(found.get("test", found.get("lamps"))["features"])


def _grid(count: int) -> list[Feature]:
    side = int(count**0.5)
    return [
        (f"g{i}", shapely.Point(113 + i % side / side, 23 + i // side / side), {"n": i, "name": f"灯{i}"}) for i in range(count)
    ]


def test_a_tile_holds_the_points_that_lie_in_it_where_they_lie(tmp_path: Path) -> None:
    features = _grid(400)
    engine, table = table_of(tmp_path, features)
    tile = tile_of(113.5, 23.5, 10)
    found = {f["properties"]["id"]: f for f in _decoded(mvt.encode(engine, table, tile))}
    west, south, east, north = tile.degrees()
    inside = {id_ for id_, p, _ in features if west < p.x < east and south < p.y < north}
    assert inside <= set(found)
    for id_, point, values in features:
        if id_ in inside:
            x, y = found[id_]["geometry"]["coordinates"]
            assert (x / 4096, y / 4096) == pytest.approx(_share(tile, point), abs=2 / 4096)
            assert found[id_]["properties"] == {"id": id_, **values}
    engine.close()


def _share(tile: Tile, point: Any) -> tuple[float, float]:
    y = float(np.log(np.tan(np.pi / 4 + np.radians(point.y) / 2)))
    count = 2**tile.z
    return (point.x + 180) / 360 * count - tile.x, (1 - y / np.pi) / 2 * count - tile.y


def test_a_crowded_tile_gathers_points_and_loses_none_of_their_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mvt, "MOST_FEATURES", 100)
    engine, table = table_of(tmp_path, _grid(400))
    tile = tile_of(113.5, 23.5, 3)
    found = _decoded(mvt.encode(engine, table, tile))
    assert len(found) < 400
    assert sum(f["properties"]["point_count"] for f in found) == 400
    engine.close()


def test_areas_are_cut_and_simplified_and_the_largest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    areas = [(f"a{i}", shapely.Point(113.4, 23.1).buffer(0.02 * (i + 1), quad_segs=500), {"n": i}) for i in range(10)]
    engine, table = table_of(tmp_path, areas)
    tile = tile_of(113.4, 23.1, 10)
    content = mvt.encode(engine, table, tile)
    assert {f["properties"]["n"] for f in _decoded(content)} == set(range(10))
    assert len(content) < sum(len(shapely.to_wkb(a)) for _, a, _ in areas) / 10
    monkeypatch.setattr(mvt, "MOST_FEATURES", 3)
    assert {f["properties"]["n"] for f in _decoded(mvt.encode(engine, table, tile))} == {7, 8, 9}
    assert mvt.encode(engine, table, tile_of(-60, 10, 10)) == b""
    engine.close()


def test_gdal_draws_the_same_tile(tmp_path: Path) -> None:
    engine, table = table_of(tmp_path, _grid(100))
    tile = tile_of(113.5, 23.5, 8)
    folder = tmp_path / str(tile.z) / str(tile.x)
    folder.mkdir(parents=True)
    (folder / f"{tile.y}.pbf").write_bytes(mvt.encode(engine, table, tile))
    found = pyogrio.raw.read(folder / f"{tile.y}.pbf", layer="test", CLIP="NO")
    drawn = shapely.from_wkb(found[2])
    ids = found[3][list(found[0]["fields"]).index("id")]
    there = {id_: p for id_, p, _ in _grid(100)}
    mercator = {id_: shapely.Point(_mercator(p)) for id_, p in there.items()}
    west, south, east, north = tile.degrees()
    assert {id_ for id_, p in there.items() if west < p.x < east and south < p.y < north} <= set(ids)
    assert len(ids) > 50
    assert max(shapely.distance(point, mercator[id_]) for id_, point in zip(ids, drawn, strict=True)) < tile.size / 4096 * 2
    engine.close()


def _mercator(point: Any) -> tuple[float, float]:
    y = 6378137 * float(np.log(np.tan(np.pi / 4 + np.radians(point.y) / 2)))
    return float(np.radians(point.x)) * 6378137, y


@given(st.floats(-180, 180), st.floats(-85, 85), st.integers(0, 18))
def test_a_point_lies_in_its_tile(longitude: float, latitude: float, z: int) -> None:
    tile = tile_of(longitude, latitude, z)
    west, south, east, north = tile.degrees(1e-6)
    assert tile.exists
    assert west <= longitude <= east
    assert south <= latitude <= north
    assert covering((longitude, latitude, longitude, latitude), z) == (tile, tile)


async def test_tiles_change_with_their_layer_and_only_then(editor: httpx.AsyncClient) -> None:
    first = {
        "type": "Feature",
        "id": "a",
        "geometry": {"type": "Point", "coordinates": [113.3, 23.1]},
        "properties": {"watts": 1},
    }
    await editor.post("/collections/lamps/items", json=first)
    tile = tile_of(113.3, 23.1, 12)
    address = f"{TILES}/12/{tile.y}/{tile.x}"
    answer = await editor.get(address)
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert _decoded(answer.content)[0]["properties"] == {"id": "a", "watts": 1}
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await editor.get(address, headers=known)).status_code == 304
    await editor.patch("/collections/lamps/items/a", json={"properties": {"watts": 2}})
    changed = await editor.get(address, headers=known)
    assert _decoded(changed.content)[0]["properties"]["watts"] == 2
    assert _decoded((await editor.get(f"{address}?properties=")).content)[0]["properties"] == {"id": "a"}
    assert (await editor.get(f"{TILES}/12/0/0")).status_code == 204
    assert (await editor.get(f"{TILES}/3/8/0")).status_code == 404
    assert (await editor.get(f"{TILES}/99/0/0")).status_code == 404
    tilejson = (await editor.get(f"{TILES}/tilejson")).json()
    assert tilejson["vector_layers"][0]["fields"] == {"id": "String", "watts": "Number"}
    style = (await editor.get("/collections/lamps/style")).json()
    assert style["sources"]["lamps"] == {"type": "vector", "url": f"http://test/ogc{TILES}/tilejson", "promoteId": "id"}


async def test_an_archive_holds_the_same_tiles(layered: Platform, editor: httpx.AsyncClient, tmp_path: Path) -> None:
    rows = "lon,lat,n\n" + "".join(f"{113 + i / 50},{23 + i / 100},{i}\n" for i in range(30))
    await editor.post("/collections/lamps/imports?file=a.csv", content=rows.encode())
    spatial = layered.get(Spatial)
    file = tmp_path / "lamps.pmtiles"
    count = await asyncio.to_thread(archive, spatial.layers, "lamps", file, None, (0, 9), "Lamps")
    table = await asyncio.to_thread(spatial.layers.table, "lamps")
    with file.open("rb") as stream:
        source = MmapSource(stream)
        found = {Tile(*key): gzip.decompress(content) for key, content in all_tiles(source)}
        metadata = Reader(source).metadata()
    assert len(found) == count > 10
    assert metadata["vector_layers"][0]["id"] == "lamps"
    for tile, content in found.items():
        assert sorted(f["properties"]["n"] for f in _decoded(content)) == sorted(
            f["properties"]["n"] for f in _decoded(spatial.tiles.tile(table, tile, None))
        )
    assert pyogrio.read_info(file)["crs"] == "EPSG:3857"


async def test_live_values_are_laid_over_features(layered: Platform, editor: httpx.AsyncClient) -> None:
    stream = {"thing": "pole-7", "observed_property": "pm25", "unit": "ug/m3", "longitude": 113.3, "latitude": 23.1}
    documents = [Document("Stream", "pole-7-pm25", {"zh": "七号杆", "en": "Pole 7"}, stream)]
    await layered.declarations.apply(documents, "streams")
    live = {"editable": True, "live": {"property": "pole", "by": "thing", "observed_property": "pm25"}}
    await declare(layered, lamps=live, fixed={"view": "streams"})
    body = {"type": "Feature", "id": "a", "geometry": None, "properties": {"pole": "pole-7"}}
    await editor.post("/collections/lamps/items", json=body)
    sensing = layered.get(Sensing)
    now = microseconds(layered.clock.now())
    await sensing.record(Observations(np.array([sensing.stream("pole-7-pm25").id]), np.array([now]), np.array([41.5])))
    told = (await editor.get("/collections/lamps/live")).json()
    assert told["values"] == {
        "a": {"stream": "pole-7-pm25", "value": 41.5, "unit": "ug/m3", "time": "2014-01-01T00:00:00.000000Z"}
    }
    await layered.settle()
    places = (await editor.get("/collections/fixed/items")).json()["features"]
    assert [(f["id"], f["geometry"]["coordinates"]) for f in places] == [("pole-7-pm25", [113.3, 23.1])]
    assert (await editor.get("/collections/fixed/live")).json()["values"]["pole-7-pm25"]["value"] == 41.5
    assert (await editor.get("/collections/strict/live")).status_code == 404


async def test_features_and_tiles_carry_live_values(layered: Platform, editor: httpx.AsyncClient) -> None:
    stream = {"thing": "pole-7", "observed_property": "pm25", "unit": "ug/m3", "longitude": 113.3, "latitude": 23.1}
    await layered.declarations.apply([Document("Stream", "s", {"zh": "流", "en": "Stream"}, stream)], "streams")
    await declare(layered, lamps={"editable": True, "live": {"property": "pole", "by": "thing"}})
    for id_, pole, at in (("a", "pole-7", 113.3), ("b", "pole-8", 113.31)):
        geometry = {"type": "Point", "coordinates": [at, 23.1]}
        body = {"type": "Feature", "id": id_, "geometry": geometry, "properties": {"pole": pole}}
        assert (await editor.post("/collections/lamps/items", json=body)).status_code == 201
    sensing = layered.get(Sensing)
    now = microseconds(layered.clock.now())

    async def observe(result: float, second: int) -> None:
        moment = np.array([now + second * 1_000_000])
        await sensing.record(Observations(np.array([sensing.stream("s").id]), moment, np.array([result])))

    await observe(41.5, 0)
    told = {"pole": "pole-7", "live_value": 41.5, "live_unit": "ug/m3", "live_time": "2014-01-01T00:00:00.000000Z"}
    nothing = {"pole": "pole-8", "live_value": None, "live_unit": None, "live_time": None}
    answer = await editor.get("/collections/lamps/items?live=true")
    assert [feature["properties"] for feature in answer.json()["features"]] == [told, nothing]
    assert answer.headers["cache-control"] == "max-age=5"
    chosen = (await editor.get("/collections/lamps/items?live=true&properties=pole&limit=1")).json()["features"]
    assert chosen[0]["properties"] == told
    one = await editor.get("/collections/lamps/items/a?live=true")
    assert one.json()["properties"] == told
    assert "etag" not in one.headers, "what changes with every observation is no version to change against"
    assert (await editor.get("/collections/lamps/items/a")).json()["properties"] == {"pole": "pole-7"}

    tile = tile_of(113.3, 23.1, 9)
    address = f"/collections/lamps/tiles/WebMercatorQuad/{tile.z}/{tile.y}/{tile.x}"
    drawn = await editor.get(f"{address}?live=true")
    shown = {feature["properties"]["id"]: feature["properties"] for feature in _decoded(drawn.content)}
    assert shown["a"] == {"id": "a", **told}
    assert shown["b"] == {"id": "b", "pole": "pole-8"}
    assert drawn.headers["cache-control"] == "max-age=5"
    again = {"If-None-Match": drawn.headers["etag"]}
    assert (await editor.get(f"{address}?live=true", headers=again)).status_code == 304
    await observe(50.0, 1)
    assert isinstance(layered.clock, ManualClock)
    layered.clock.advance(seconds=5)
    renewed = await editor.get(f"{address}?live=true", headers=again)
    assert [f["properties"]["live_value"] for f in _decoded(renewed.content) if f["properties"]["id"] == "a"] == [50.0]
    described = (await editor.get("/collections/lamps/tiles/WebMercatorQuad/tilejson?live=true")).json()
    assert described["tiles"][0].endswith("?live=true")
    assert described["vector_layers"][0]["fields"]["live_value"] == "Number"


async def test_a_declaration_shows_live_values_unless_they_are_not_wanted(layered: Platform, editor: httpx.AsyncClient) -> None:
    live = {"property": "pole", "shown": True}
    await declare(layered, lamps={"editable": True, "live": live}, strict={"editable": True})
    body = {"type": "Feature", "id": "a", "geometry": None, "properties": {"pole": "gone"}}
    await editor.post("/collections/lamps/items", json=body)
    shown = (await editor.get("/collections/lamps/items/a")).json()["properties"]
    assert shown == {"pole": "gone", "live_value": None, "live_unit": None, "live_time": None}
    assert (await editor.get("/collections/lamps/items/a?live=false")).json()["properties"] == {"pole": "gone"}
    assert (await editor.get("/collections/lamps/items?live=perhaps")).status_code == 400
    assert (await editor.get("/collections/strict/items?live=true")).status_code == 404


async def test_coordinates_layers_and_archives_have_addresses_of_their_own(layered: Platform, editor: httpx.AsyncClient) -> None:
    own = "http://test/api/v1/foundation/spatial"
    body = {"source": "GCJ-02", "target": "CRS84", "points": [[113.9171764808363, 22.540796131694766], [0, 0]]}
    points = (await editor.post(f"{own}/convert", json=body)).json()["points"]
    assert points[0] == pytest.approx([113.912316, 22.543847], abs=1e-6)
    assert points[1] == [0, 0]
    assert (await editor.post(f"{own}/convert", json={**body, "target": "mars"})).status_code == 422
    page = (await editor.get(f"{own}/layers", params={"limit": 2})).json()
    rest = (await editor.get(f"{own}/layers", params={"limit": 2, "cursor": page["next"]})).json()
    assert [layer["name"] for layer in page["items"] + rest["items"]] == ["fixed", "lamps", "strict"]
    file = await editor.get(f"{own}/layers/lamps/pmtiles", params={"maxzoom": 3})
    assert file.content[:7] == b"PMTiles"
    assert (await editor.get(f"{own}/layers/lamps/pmtiles", params={"minzoom": 4, "maxzoom": 3})).status_code == 422
    assert json.loads((await editor.get(f"{own}/layers/nowhere")).content)["status"] == 404
