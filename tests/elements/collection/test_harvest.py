"""Harvests: another Mumian, and a portal that answers as CKAN's documentation says, become part of the catalogue."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.app.server import serving
from mumian.elements.catalog.api import Catalog, Distribution
from mumian.elements.collection.harvest import store
from mumian.elements.collection.harvest.harvesting import Harvesting
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.elements.collection.conftest import BASE, Answer, Server, both, declare, found, held

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own reader
DISTRICT = """
{kind: Organisation, name: district, title: {zh: 区, en: District}, spec: {level: city}}
---
kind: Dataset
name: parks
title: {zh: 公园, en: Parks}
spec: {owner: district, theme: 园林, opened: unconditional, licence: CC BY 4.0, keywords: [绿地], frequency_seconds: 86400,
  description: {zh: 区内公园, en: Parks of the district}, fields: [{name: a, type: text}]}
---
{kind: Dataset, name: roads, title: {zh: 道路, en: Roads}, spec: {owner: district, opened: unconditional}}
---
{kind: Dataset, name: secret, title: {zh: 密, en: Secret}, spec: {owner: district}}
"""
CSV = "编号,name\n1,河滨公园\n2,山顶公园\n".encode("gb18030")


async def source(platform: Platform, face: str, url: str, **more: Any) -> None:
    spec = {"face": face, "url": url, "owner": "town", **more}
    document = {"kind": "CatalogueSource", "name": "district", "title": {"zh": "区", "en": "District"}, "spec": spec}
    await declare(platform, json.dumps(document))


async def harvest(platform: Platform) -> dict[str, Any]:
    id_ = await platform.get(Harvesting).harvest("district")
    rows = await platform.records.read(lambda s: store.page(s, "district", None, 10))
    return next(row for row in rows if row["id"] == id_)


async def names(platform: Platform) -> list[str]:
    return await platform.records.read(lambda s: platform.get(Catalog).harvested_names(s, "district"))


@pytest_asyncio.fixture
async def district(tmp_path: Any, serve: Callable[[Answer], Server]) -> AsyncIterator[tuple[str, Platform]]:
    """A second Mumian, served on an address of its own, whose dataset of parks has a file in GB18030."""
    files = serve(lambda path, query, headers: (200, {"Content-Type": "text/csv"}, CSV))
    settings = Settings(
        home=tmp_path / "district", records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal"
    )
    platform = create_platform(settings)

    def ways(dataset: Any) -> list[Distribution]:
        return [Distribution("CSV", f"{files.url}/parks.csv", "text/csv", bytes=len(CSV))] if dataset.name == "parks" else []

    platform.get(Catalog).offer(ways, lambda name, spec: ())
    async with serving(platform, "127.0.0.1", 0) as address:
        await platform.declarations.apply(read_text(DISTRICT.encode()), "district")
        await platform.bus.settle()
        yield address, platform


async def test_the_catalogue_of_another_mumian_is_part_of_ours_and_its_data_come_on_demand(
    town: Platform, district: tuple[str, Platform], admin: httpx.AsyncClient
) -> None:
    address, node = district
    for ending in ("ttl", "jsonld", "rdf"):
        await source(town, "dcat", f"{address}/catalog.{ending}?limit=1")
        told = await harvest(town)
        assert (told["state"], told["found"], told["refused"]) == ("done", 2, 0), told
    assert told["entered"] == 0, "the same from each form"
    assert len(await names(town)) == 2
    name = next(name for name in await names(town) if "parks" in name)
    kept = await town.records.read(lambda s: Catalog.harvested(s, name))
    assert kept.title == {"zh": "公园", "en": "Parks"}
    assert (kept.publisher, kept.theme, kept.licence, kept.frequency_seconds) == ("区", "园林", "CC BY 4.0", 86400)
    assert kept.distributions[0].format == "CSV"
    answer = await admin.get("/api/v1/elements/catalog/search", params={"q": "公园", "kind": "harvested"})
    assert [item["owner"] for item in answer.json()["items"]] == ["town"]
    body = {"identifier": kept.identifier, "dataset": "shops"}
    answer = await admin.post(f"{BASE}/catalogue-sources/district/fetches", json=body)
    assert answer.status_code == 202, answer.text
    await town.settle()
    done = await found(town, answer.json()["id"])
    assert (done.state, done.trigger) == ("done", "fetch"), done.error
    assert await held(town) == [(1, "河滨公园"), (2, "山顶公园")]
    await declare(node, "{kind: Dataset, name: roads, title: {zh: 道路, en: Roads}, spec: {owner: district}}")
    await node.bus.settle()
    told = await harvest(town)
    assert (told["state"], told["found"], told["left_count"]) == ("done", 1, 1), told
    assert [item["name"] for item in (await admin.get(f"{BASE}/catalogue-sources")).json()["items"]] == ["district"]
    listed = (await admin.get(f"{BASE}/catalogue-sources/district/harvests", params={"limit": 2})).json()
    assert [item["left"] for item in listed["items"]] == [1, 0]
    assert listed["next"] is not None
    assert (await town.get(Ledger).verify()).sound


def package(number: int, **more: Any) -> dict[str, Any]:
    """A package as package_search of CKAN's Action API v3 describes it."""
    return {
        "id": f"0000-{number}",
        "name": f"set-{number:03}",
        "title": f"数据集 {number}",
        "notes": "Notes",
        "license_title": "ODbL",
        "metadata_modified": "2024-01-02T03:04:05.678901",
        "organization": {"name": "bureau", "title": "局"},
        "groups": [{"name": "transport", "title": "交通"}],
        "tags": [{"name": "bus", "display_name": "bus"}],
        "extras": [{"key": "frequency", "value": "daily"}],
        "resources": [
            {"url": "https://portal.example/a.csv", "format": "csv", "name": "a", "size": 12},
            {"url": "", "format": "pdf"},
        ],
        **more,
    }


def portal(packages: list[dict[str, Any]]) -> Answer:
    def answer(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path != "/api/3/action/package_search" or headers.get("authorization") != "portal-key":
            return 403, {}, b'{"success": false, "error": {"__type": "Authorization Error"}}'
        start, rows = int(query["start"]), int(query["rows"])
        result = {"count": len(packages), "sort": query["sort"], "results": packages[start : start + rows]}
        return 200, {"Content-Type": "application/json"}, json.dumps({"help": "", "success": True, "result": result}).encode()

    return answer


@both
async def test_a_ckan_portal_is_harvested_page_by_page_and_what_is_gone_leaves_only_when_it_is_likely(
    town: Platform, serve: Callable[[Answer], Server], monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    packages = [package(number) for number in range(25)]
    server = serve(portal(packages))
    await source(town, "ckan", server.url, secret="PORTAL", page=10, every_seconds=3600)
    monkeypatch.setenv("MUMIAN_SECRET_PORTAL", "wrong")
    assert (await harvest(town))["state"] == "failed"
    monkeypatch.setenv("MUMIAN_SECRET_PORTAL", "portal-key")
    told = await harvest(town)
    assert (told["state"], told["found"], told["entered"]) == ("done", 25, 25), told
    kept = await town.records.read(lambda s: Catalog.harvested(s, "district:set-003"))
    assert (kept.title, kept.publisher, kept.theme) == ({"zh": "数据集 3"}, "局", "交通")
    assert (kept.frequency_seconds, kept.licence, kept.keywords) == (86400, "ODbL", ("bus",))
    assert [(way.format, way.url, way.bytes) for way in kept.distributions] == [("CSV", "https://portal.example/a.csv", 12)]
    packages[1:3] = [package(1, title="Neu"), {"id": None, "title": 7}]
    del packages[20:]
    clock.advance(seconds=3600)
    await town.settle()
    told = (await town.records.read(lambda s: store.page(s, "district", None, 1)))[0]
    assert (told["state"], told["found"], told["entered"], told["left_count"], told["refused"]) == ("done", 19, 1, 6, 1), told
    del packages[2:]
    told = await harvest(town)
    assert (told["state"], json.loads(told["error"])["key"]) == ("failed", "error.invalid")
    assert json.loads(told["faults"])[0]["key"] == "collection.harvest.gone"
    assert len(await names(town)) == 19
    assert (await town.get(Ledger).verify()).sound


HOSTILE = {
    "text/turtle": (b"<a> <b> ", "field.syntax"),
    "application/rdf+xml": (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&x;</r>',
        "collection.xml",
    ),
    "application/ld+json": (b'{"@context": "http://127.0.0.1:1/steal", "@id": "x"}', "collection.context"),
    "application/json": (b"[" * 100_000, "field.syntax"),
}


async def test_documents_that_would_reach_for_files_or_other_hosts_are_refused(
    town: Platform, serve: Callable[[Answer], Server]
) -> None:
    media = [""]
    server = serve(lambda path, query, headers: (200, {"Content-Type": media[0]}, HOSTILE[media[0]][0]))
    await source(town, "dcat", f"{server.url}/catalog")
    for media[0], (_, key) in HOSTILE.items():
        told = await harvest(town)
        assert (media[0], told["state"], json.loads(told["faults"])[0]["key"]) == (media[0], "failed", key)
    assert await names(town) == []
