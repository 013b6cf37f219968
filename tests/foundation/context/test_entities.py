"""Entities over NGSI-LD: what is written is acknowledged once it is durable, and read back in every representation."""

import httpx
import pytest

from mumian.kernel.clock import ManualClock
from mumian.kernel.settings import Settings
from tests.foundation.context.conftest import ROOT, build, client_of, token_for, vehicle

A1 = f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A1"


async def test_an_entity_is_there_in_three_representations(http: httpx.AsyncClient) -> None:
    created = await http.post(f"{ROOT}/entities", json=vehicle())
    assert (created.status_code, created.headers["location"]) == (201, A1)
    assert (await http.get(A1)).json() == vehicle()
    simple = (await http.get(A1, params={"options": "keyValues"})).json()
    assert simple["isParked"] == "urn:ngsi-ld:OffStreetParking:P1"
    assert (simple["brand"], simple["speed"]) == ("Kia", 41)
    concise = (await http.get(A1, params={"format": "concise"})).json()
    assert concise["brand"] == "Kia"
    assert concise["speed"] == {"value": 41, "unitCode": "KMH", "observedAt": "2013-12-31T22:00:00Z"}
    system = (await http.get(A1, params={"options": "sysAttrs"})).json()
    assert system["createdAt"] == system["brand"]["createdAt"] == "2014-01-01T00:00:00.000000Z"


async def test_what_is_written_in_concise_form_is_read_back_normalized(http: httpx.AsyncClient) -> None:
    body = {"id": "urn:ngsi-ld:Vehicle:A1", "type": "Vehicle", "speed": 5, "at": {"type": "Point", "coordinates": [1, 2]}}
    body |= {"name": {"languageMap": {"zh": "车", "en": "car"}}, "part": {"object": "urn:x:1"}, "raw": {"json": {"a": None}}}
    assert (await http.post(f"{ROOT}/entities", json=body)).status_code == 201
    found = (await http.get(A1)).json()
    kinds = {name: found[name]["type"] for name in ("speed", "at", "name", "part", "raw")}
    assert kinds == {
        "speed": "Property", "at": "GeoProperty", "name": "LanguageProperty", "part": "Relationship", "raw": "JsonProperty"
    }  # fmt: skip
    spoken = (await http.get(A1, params={"lang": "zh-CN,en;q=0.5"})).json()
    assert spoken["name"] == {"type": "Property", "value": "车", "lang": "zh"}


async def test_geojson_has_the_location_as_geometry(http: httpx.AsyncClient) -> None:
    await http.post(f"{ROOT}/entities", json=vehicle())
    found = (await http.get(f"{ROOT}/entities?type=Vehicle", headers={"Accept": "application/geo+json"})).json()
    assert found["type"] == "FeatureCollection"
    assert found["features"][0]["geometry"] == {"type": "Point", "coordinates": [113.31, 23.1]}
    assert found["features"][0]["properties"]["type"] == "Vehicle"


async def test_attributes_are_appended_updated_patched_replaced_and_deleted(http: httpx.AsyncClient) -> None:
    await http.post(f"{ROOT}/entities", json=vehicle())
    assert (await http.post(f"{A1}/attrs", json={"fuel": {"type": "Property", "value": 0.5}})).status_code == 204
    kept = await http.post(f"{A1}/attrs?options=noOverwrite", json={"fuel": {"value": 0.7}, "doors": {"value": 4}})
    assert kept.status_code == 207
    assert [entry["attributeName"] for entry in kept.json()["notUpdated"]] == ["fuel"]
    left = await http.patch(f"{A1}/attrs", json={"fuel": {"value": 0.9}, "wings": {"value": 2}})
    assert (left.status_code, left.json()["updated"], left.json()["notUpdated"][0]["attributeName"]) == (207, ["fuel"], "wings")
    assert (await http.patch(f"{A1}/attrs/fuel", json={"unitCode": "P1"})).status_code == 204
    assert (await http.get(A1)).json()["fuel"] == {"type": "Property", "value": 0.9, "unitCode": "P1"}
    assert (await http.put(f"{A1}/attrs/fuel", json={"type": "Property", "value": 1})).status_code == 204
    assert (await http.get(A1)).json()["fuel"] == {"type": "Property", "value": 1}
    assert (await http.delete(f"{A1}/attrs/fuel")).status_code == 204
    assert (await http.delete(f"{A1}/attrs/fuel")).status_code == 404
    assert "fuel" not in (await http.get(A1)).json()


async def test_instances_of_datasets_are_kept_apart(http: httpx.AsyncClient) -> None:
    gps = {"type": "Property", "value": 39, "datasetId": "urn:ngsi-ld:Dataset:gps"}
    await http.post(f"{ROOT}/entities", json=vehicle(speed=[{"type": "Property", "value": 41}, gps]))
    assert (await http.get(f"{A1}?options=keyValues")).json()["speed"] == {
        "dataset": {"@none": 41, "urn:ngsi-ld:Dataset:gps": 39}
    }
    assert (await http.get(f"{A1}?datasetId=urn:ngsi-ld:Dataset:gps")).json()["speed"] == gps
    await http.delete(f"{A1}/attrs/speed?datasetId=urn:ngsi-ld:Dataset:gps")
    assert (await http.get(A1)).json()["speed"] == {"type": "Property", "value": 41}
    twice = await http.post(f"{ROOT}/entities", json=vehicle(2, speed=[{"value": 1}, {"value": 2}]))
    assert twice.status_code == 400


async def test_a_merge_patch_changes_members_and_null_deletes(http: httpx.AsyncClient) -> None:
    await http.post(f"{ROOT}/entities", json=vehicle())
    patch = {"speed": {"value": 50}, "brand": "urn:ngsi-ld:null", "isParked": {"providedBy": "urn:ngsi-ld:null"}}
    patch["isParked"] = {"type": "Relationship", "providedBy": {"type": "Property", "value": "urn:ngsi-ld:null"}}  # type: ignore[assignment]
    answer = await http.patch(A1, json=patch)
    assert answer.status_code == 204, answer.text
    found = (await http.get(A1)).json()
    assert found["speed"] == {"type": "Property", "value": 50, "unitCode": "KMH", "observedAt": "2013-12-31T22:00:00Z"}
    assert "brand" not in found
    assert found["isParked"] == {"type": "Relationship", "object": "urn:ngsi-ld:OffStreetParking:P1"}


async def test_replacing_keeps_when_it_was_created(http: httpx.AsyncClient) -> None:
    await http.post(f"{ROOT}/entities", json=vehicle())
    http.platform.clock.advance(hours=1)  # type: ignore[attr-defined]
    assert (await http.put(A1, json=vehicle(brand={"value": "BYD"}))).status_code == 204
    found = (await http.get(f"{A1}?options=sysAttrs")).json()
    assert (found["brand"]["value"], found["createdAt"][:13], found["modifiedAt"][:13]) == (
        "BYD", "2014-01-01T00", "2014-01-01T01"
    )  # fmt: skip


async def test_batches_tell_what_became_of_each(http: httpx.AsyncClient) -> None:
    batch = f"{ROOT}/entityOperations"
    made = await http.post(f"{batch}/create", json=[vehicle(1), vehicle(2)])
    assert (made.status_code, made.json()) == (201, ["urn:ngsi-ld:Vehicle:A1", "urn:ngsi-ld:Vehicle:A2"])
    mixed = await http.post(f"{batch}/create", json=[vehicle(2), vehicle(3), {"id": "no uri", "type": "T"}])
    assert mixed.status_code == 207
    assert mixed.json()["success"] == ["urn:ngsi-ld:Vehicle:A3"]
    assert [entry["error"]["status"] for entry in mixed.json()["errors"]] == [409, 400]
    upserted = await http.post(f"{batch}/upsert", json=[vehicle(3), vehicle(4)])
    assert (upserted.status_code, upserted.json()) == (201, ["urn:ngsi-ld:Vehicle:A4"])
    merged = await http.post(f"{batch}/merge", json=[{"id": "urn:ngsi-ld:Vehicle:A4", "speed": {"value": 1}}])
    assert merged.status_code == 204
    updated = await http.post(f"{batch}/update", json=[{"id": "urn:ngsi-ld:Vehicle:A9", "speed": {"value": 1}}])
    assert (updated.status_code, updated.json()["errors"][0]["error"]["status"]) == (207, 404)
    gone = await http.post(f"{batch}/delete", json=["urn:ngsi-ld:Vehicle:A1", "urn:ngsi-ld:Vehicle:A2"])
    assert gone.status_code == 204
    assert len((await http.get(f"{ROOT}/entities?type=Vehicle")).json()) == 2


async def test_what_was_acknowledged_is_there_after_a_restart(engine: Settings, clock: ManualClock) -> None:
    made = build(engine, clock)
    token = token_for(made, "*")
    await made.start()
    async with client_of(made, token) as client:
        await client.post(f"{ROOT}/entities", json=vehicle())
        await client.post(f"{ROOT}/entityOperations/create", json=[vehicle(2), vehicle(3)])
        await client.delete(f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A2")
        before = (await client.get(f"{ROOT}/entities?type=Vehicle&options=sysAttrs")).json()
    await made.stop()
    again = build(engine, clock)
    await again.start()
    async with client_of(again, token) as client:
        assert (await client.get(f"{ROOT}/entities?type=Vehicle&options=sysAttrs")).json() == before
    await again.stop()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "Vehicle"}, "id"),
        ({"id": "urn:x:1"}, "type"),
        ({"id": "x", "type": "Vehicle"}, "id"),
        ({"id": "urn:x:1", "type": "V", "a": {"type": "Property"}}, "a.value"),
        ({"id": "urn:x:1", "type": "V", "a": {"type": "Prop", "value": 1}}, "a.type"),
        ({"id": "urn:x:1", "type": "V", "a": {"type": "Relationship", "object": "x"}}, "a.object"),
        ({"id": "urn:x:1", "type": "V", "a": {"value": 1, "observedAt": "yesterday"}}, "a.observedAt"),
        ({"id": "urn:x:1", "type": "V", "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1]}}},
         "location.value.coordinates"),
        ({"id": "urn:x:1", "type": "V", "scope": "a b"}, "scope"),
        ({"id": "urn:x:1", "type": "V", "a b": 1}, "a b"),
    ],
)  # fmt: skip
async def test_bad_entities_are_refused_by_field_in_both_languages(
    http: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    for language in ("zh", "en"):
        answer = await http.post(f"{ROOT}/entities", json=body, headers={"Accept-Language": language})
        problem = answer.json()
        assert answer.status_code == 400
        assert problem["type"] == "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
        assert problem["errors"][0]["field"] == field
        assert problem["errors"][0]["message"] != problem["errors"][0]["key"]


async def test_errors_have_the_types_of_the_standard(http: httpx.AsyncClient) -> None:
    await http.post(f"{ROOT}/entities", json=vehicle())
    errors = "https://uri.etsi.org/ngsi-ld/errors/"
    again = await http.post(f"{ROOT}/entities", json=vehicle())
    assert (again.status_code, again.json()["type"]) == (409, errors + "AlreadyExists")
    missing = await http.get(f"{ROOT}/entities/urn:x:1")
    assert (missing.status_code, missing.json()["type"]) == (404, errors + "ResourceNotFound")
    broken = await http.post(f"{ROOT}/entities", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["type"]) == (400, errors + "InvalidRequest")
    deep = b"[" * 100_000 + b"]" * 100_000
    refused = await http.post(f"{ROOT}/entities", content=deep, headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    tenant = await http.get(A1, headers={"NGSILD-Tenant": "other"})
    assert (tenant.status_code, tenant.json()["type"]) == (501, errors + "NoMultiTenantSupport")
    assert (await http.get(A1, headers={"Accept": "text/html"})).status_code == 406
    typed = await http.post(f"{ROOT}/entities", content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert typed.status_code == 415
    assert (await http.put(f"{ROOT}/types")).status_code == 405


async def test_writing_needs_a_right(http: httpx.AsyncClient) -> None:
    platform = http.platform  # type: ignore[attr-defined]
    async with client_of(platform, None) as nobody:
        assert (await nobody.get(f"{ROOT}/entities?type=Vehicle")).status_code == 401
    async with client_of(platform, token_for(platform, "entity:read")) as reader:
        assert (await reader.get(f"{ROOT}/entities?type=Vehicle")).status_code == 200
        assert (await reader.post(f"{ROOT}/entities", json=vehicle())).status_code == 403
