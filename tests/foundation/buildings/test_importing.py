"""Behaviour of imports: CityJSON, IFC and footprints become buildings; the same again changes nothing; broken is refused."""

import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from mumian.foundation.buildings.api import Buildings
from mumian.foundation.buildings.settings import BuildingSettings
from mumian.foundation.ledger.api import Ledger
from tests.foundation.addresses.town import Town
from tests.foundation.buildings.conftest import B, content, made_city, rectangle


async def bring(http: httpx.AsyncClient, document: Any, kind: str = "cityjson", **params: Any) -> httpx.Response:
    """Import a document."""
    body = document if isinstance(document, bytes) else content(document)
    return await http.post(f"{B}/imports/{kind}", params={"source": "test", **params}, content=body)


async def test_a_city_file_becomes_buildings_with_parts_heights_and_footprints(http: httpx.AsyncClient) -> None:
    report = (await bring(http, made_city())).json()
    assert (report["objects"], report["added"], report["refused"]) == (3, 3, 0), report
    assert report["kinds"] == {"Building": 2, "BuildingPart": 1}
    one, two = (await http.get(B)).json()["items"]
    assert (one["source_id"], one["height"], one["use"], one["lods"]) == ("one", 12.0, "residential", ["2.2"])
    assert one["area"] == pytest.approx(100, rel=0.01)
    assert (two["title"]["zh"], two["height"], two["area"]) == ("二号楼", 30.0, pytest.approx(100, rel=0.01))
    (part,) = (await http.get(B, params={"kind": "BuildingPart", "parent": two["code"]})).json()["items"]
    assert part["source_id"] == "two-a"


async def test_the_same_file_again_changes_nothing_and_another_one_only_what_differs(town: Town, http: httpx.AsyncClient) -> None:
    await bring(http, made_city())
    again = (await bring(http, gzip.compress(content(made_city())))).json()
    assert (again["added"], again["changed"], again["repeated"], again["batch"]) == (0, 0, 3, "")
    (one, _) = (await http.get(B)).json()["items"]
    await http.patch(f"{B}/{one['code']}", json={"title": {"zh": "一号楼", "en": "No. 1"}})
    other = made_city(measuredHeight=15)
    dry = (await bring(http, other, dry=True)).json()
    report = (await bring(http, other)).json()
    assert (dry["changed"], report["changed"], report["repeated"]) == (1, 1, 2)
    changed = (await http.get(f"{B}/{one['code']}")).json()
    assert (changed["height"], changed["title"]["en"], changed["version"]) == (15.0, "No. 1", 3)
    assert town.platform.get(Ledger).verify_now().faults == ()


async def test_what_a_complete_file_no_longer_names_is_withdrawn_and_comes_back(http: httpx.AsyncClient) -> None:
    await bring(http, made_city())
    smaller = made_city()
    del smaller["CityObjects"]["one"]
    assert (await bring(http, smaller, complete=True)).json()["withdrawn"] == 1
    assert [b["state"] for b in (await http.get(B)).json()["items"]] == ["withdrawn", "standing"]
    assert (await bring(http, made_city())).json()["changed"] == 1
    assert [b["state"] for b in (await http.get(B)).json()["items"]] == ["standing", "standing"]


async def test_levels_of_detail_come_back_and_an_area_as_a_file_that_can_be_imported(
    http: httpx.AsyncClient,
) -> None:
    await bring(http, made_city())
    (one, _) = (await http.get(B)).json()["items"]
    kept = (await http.get(f"{B}/{one['code']}/geometry")).json()
    assert kept["shapes"][0]["boundaries"][0][0] == [[3, 2, 1, 0]]
    box = f"{one['west']},{one['south']},{one['east'] + 0.001},{one['north']}"
    area = (await http.get(f"{B}/export", params={"bbox": box})).json()
    assert sorted(area["CityObjects"]) == ["one", "two", "two-a"]
    assert area["CityObjects"]["two"]["children"] == ["two-a"]
    assert {g["lod"] for g in area["CityObjects"]["one"]["geometry"]} == {"0", "1", "2.2"}
    again = (await bring(http, area, source="elsewhere")).json()
    assert (again["added"], again["faults"]) == (3, [])
    (copy,) = (await http.get(B, params={"source": "elsewhere", "bbox": box})).json()["items"][:1]
    assert (copy["area"], copy["height"]) == (pytest.approx(one["area"], rel=0.001), 12.0)


async def test_one_wrong_object_is_told_and_the_others_come_in(http: httpx.AsyncClient) -> None:
    city = made_city()
    city["CityObjects"]["one"]["geometry"][0]["boundaries"] = [[[[0, 1, 99]]]]
    city["CityObjects"]["flat"] = {"type": "Building", "geometry": []}
    city["CityObjects"]["odd"] = {"type": "Road", "geometry": [{"type": "Blob", "boundaries": []}]}
    report = (await bring(http, city)).json()
    assert (report["added"], report["refused"]) == (2, 3)
    faults = {fault["object"]: fault["text"] for fault in report["faults"]}
    assert "vertex 99" in faults["one"]
    assert "Blob" in faults["odd"]
    assert set(faults) == {"one", "flat", "odd"}


BROKEN: list[tuple[str, bytes]] = [
    ("cityjson", b""),
    ("cityjson", b"{"),
    ("cityjson", b"[" * 100_000),
    ("cityjson", b"\x1f\x8b broken"),
    ("cityjson", b'{"type": "CityJSON", "version": "9"}'),
    ("cityjson", content(made_city() | {"vertices": [[1, 2]]})),
    ("cityjson", content(made_city() | {"vertices": [["a", "b", "c"]]})),
    ("cityjson", content(made_city() | {"transform": {"scale": [1e300] * 3, "translate": [1e300] * 3}})),
    ("cityjson", content(made_city() | {"CityObjects": []})),
    ("cityjson", content(made_city() | {"metadata": {}})),
    ("cityjson", content(made_city() | {"metadata": {"referenceSystem": "EPSG:999999"}})),
    ("geojson", b'{"type": "FeatureCollection"}'),
    ("ifc", b"PK nothing"),
    ("ifc", b"ISO-10303-21;\nHEADER;"),
    ("ifc", b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n#1=IFCWALL(((((;\nENDSEC;\nEND-ISO-10303-21;"),
]


@pytest.mark.parametrize(("kind", "body"), BROKEN)
async def test_broken_files_are_refused_with_a_reason_and_change_nothing(http: httpx.AsyncClient, kind: str, body: bytes) -> None:
    answer = await bring(http, body, kind)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"], answer.text
    assert (await http.get(B)).json()["items"] == []


async def test_a_small_file_that_unpacks_to_a_large_one_is_refused(town: Town, http: httpx.AsyncClient) -> None:
    town.platform.get(Buildings).settings = BuildingSettings(file_bytes=100_000)
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) < 100_000
    assert (await bring(http, bomb)).status_code == 413


async def test_footprints_with_named_fields_become_buildings(http: httpx.AsyncClient) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": rectangle(0, 0),
            "properties": {"nr": 7, "fl": "6", "built": "1998-05", "purpose": "办公楼"},
        },
        {"type": "Feature", "geometry": rectangle(1, 0), "properties": {"nr": 7, "fl": 2}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [113, 23]}, "properties": {"nr": 9}},
        {"type": "Feature", "geometry": rectangle(2, 0), "properties": None},
    ]
    names = {"id_field": "nr", "storeys_field": "fl", "year_field": "built", "use_field": "purpose", "storey_metres": 3.5}
    report = (await bring(http, {"type": "FeatureCollection", "features": features}, "geojson", **names)).json()
    assert (report["added"], report["refused"]) == (1, 3)
    (one,) = (await http.get(B)).json()["items"]
    assert (one["source_id"], one["storeys"], one["height"], one["year"], one["use"]) == ("7", 6, 21.0, 1998, "office")


async def test_delft_comes_in_with_all_its_570_objects(town: Town, http: httpx.AsyncClient, shared_data: Path) -> None:
    body = (shared_data / "city3d" / "delft.json").read_bytes()
    report = (await bring(http, body, source="delft")).json()
    assert (report["objects"], report["added"], report["refused"]) == (570, 570, 0), report["faults"][:3]
    assert [report["kinds"][kind] for kind in ("Building", "Road", "PlantCover", "LandUse")] == [160, 143, 126, 81]
    assert [report["kinds"][kind] for kind in ("GenericCityObject", "Bridge", "WaterBody")] == [54, 3, 3]
    assert report["crs"].endswith("/7415")
    west, south, east, north = (await http.get(f"{B}/summary")).json()["bounds"]
    middle = {"longitude": (west + east) / 2, "latitude": (south + north) / 2, "limit": 1, "metres": 500}
    (near,) = (await http.get(f"{B}/near", params=middle)).json()["items"]
    assert near["height"] > 0
    assert (await bring(http, body, source="delft")).json()["repeated"] == 570
    assert town.platform.get(Ledger).verify_now().faults == ()


CITIES = [("zurich_subset_lod2.json", 210), ("rotterdam_subset.json", 16), ("DH_01_subs.city.json", 12)]


@pytest.mark.parametrize(("name", "whole"), CITIES)
async def test_other_cities_come_in_whole(http: httpx.AsyncClient, shared_data: Path, name: str, whole: int) -> None:
    body = (shared_data / "city3d" / name).read_bytes()
    crs = {} if name.startswith("zurich") else {"crs": "EPSG:28992"}
    report = (await bring(http, body, **crs)).json()
    assert (report["objects"], report["added"]) == (whole, whole), report["faults"][:3]


async def test_a_duplex_comes_in_with_its_295_products_storeys_and_spaces(http: httpx.AsyncClient, shared_data: Path) -> None:
    pytest.importorskip("ifcopenshell")
    body = (shared_data / "city3d" / "Ifc2x3_Duplex_Architecture.ifc.gz").read_bytes()
    report = (await bring(http, body, "ifc", anchor="113.264,23.129")).json()
    assert report["added"] == 1, report
    (one,) = (await http.get(B)).json()["items"]
    assert (one["storeys"], one["below"]) == (2, 1)
    assert one["height"] == pytest.approx(8.16, abs=0.1)
    model = (await http.get(f"{B}/{one['code']}/facts")).json()["model"]
    assert (model["schema"], model["products"]) == ("IFC2X3", 295)
    assert (model["classes"]["IfcDoor"], model["classes"]["IfcSpace"]) == (14, 21)
    assert len(model["structure"]["parts"]) == 4
    assert sum(len(storey["parts"]) for storey in model["structure"]["parts"]) == 21
    assert (await bring(http, body, "ifc", anchor="113.264,23.129")).json()["repeated"] == 1


async def test_templates_are_put_where_their_instances_say(http: httpx.AsyncClient) -> None:
    city = made_city()
    city["geometry-templates"] = {
        "templates": [{"type": "MultiSurface", "lod": "1", "boundaries": [[[0, 1, 2, 3]]]}],
        "vertices-templates": [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]],
    }
    turn = [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
    instance = {"type": "GeometryInstance", "template": 0, "boundaries": [0], "transformationMatrix": turn}
    city["CityObjects"]["tree"] = {"type": "SolitaryVegetationObject", "geometry": [instance]}
    assert (await bring(http, city)).json()["refused"] == 0
    (tree,) = (await http.get(B, params={"kind": "SolitaryVegetationObject"})).json()["items"]
    assert tree["area"] == pytest.approx(4, rel=0.02)
