"""Finding datasets on both engines: words in two languages, facets, what the reader may see, and what others describe."""

import csv
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.elements.catalog.api import Answer, Catalog, Distribution, HarvestedDataset, Question
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.engines import ENGINES, records_url

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: port, title: {zh: 港, en: Port}, spec: {level: department, parent: town}}
---
{kind: Synonyms, name: schools, title: {zh: 学校, en: Schools}, spec: {words: [学校, school, 校园]}}
---
kind: Dataset
name: schools
title: {zh: 学校名录, en: List of schools}
spec: {owner: town, theme: 教育, opened: unconditional}
---
{kind: Dataset, name: ships, title: {zh: 船舶进出港, en: Ships in harbour}, spec: {owner: port, theme: 交通, opened: none}}
---
{kind: Dataset, name: quays, title: {zh: 泊位, en: Quays}, spec: {owner: port, theme: 交通, opened: conditional, share: none}}
"""


@pytest_asyncio.fixture(params=ENGINES)
async def town(request: pytest.FixtureRequest, settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """A town with three datasets, on each engine."""
    url = records_url(request.param, "catalogue_search")
    made = create_platform(settings if url == "sqlite" else settings.model_copy(update={"records": url}), clock)
    await made.start()
    await made.declarations.apply(read_text(DECLARED.encode()), "town")
    await made.settle()
    yield made
    await made.stop()


async def find(platform: Platform, text: str = "", **question: Any) -> Answer:
    asked = Question(text=text, every=True, order="relevance" if text else "name")
    return await platform.get(Catalog).find(replace(asked, **question))


def names(answer: Answer) -> list[str]:
    return [name for _, name in answer.hits]


async def enter(platform: Platform, *given: HarvestedDataset) -> list[bool]:
    catalog = platform.get(Catalog)
    return await platform.records.write(lambda tx: [catalog.enter(tx, each) for each in given])


async def test_words_in_both_languages_synonyms_and_mistyped_words_find_datasets(town: Platform) -> None:
    for text in ("学校", "校园", "schools", "School", "名录"):
        assert names(await find(town, text)) == ["schools"], text
    mistyped = await find(town, "harbuor")
    assert (names(mistyped), mistyped.read_as) == (["ships"], "harbour")
    assert names(await find(town, "火星")) == []


async def test_facets_count_what_all_other_filters_leave(town: Platform) -> None:
    every = await find(town)
    assert every.facets["theme"] == {"教育": 1, "交通": 2}
    chosen = await find(town, wanted={"theme": ("交通",), "opened": ("none", "conditional")})
    assert names(chosen) == ["quays", "ships"]
    assert chosen.facets["theme"] == {"交通": 2}
    assert chosen.facets["opened"] == {"conditional": 1, "none": 1}
    assert chosen.facets["owner"] == {"port": 2}
    assert names(await find(town, wanted={"theme": ("nowhere",)})) == []
    assert every.facets["freshness"] == {"unknown": 3}


async def test_others_see_only_what_is_opened_in_any_way(town: Platform) -> None:
    answer = await find(town, every=False)
    assert names(answer) == ["quays", "schools"]
    assert answer.facets["opened"] == {"conditional": 1, "unconditional": 1}


async def test_pages_hold_everything_once_in_any_order(town: Platform) -> None:
    await enter(town, *[HarvestedDataset("x", f"{n}", {"en": f"harbour {'harbour ' * (n % 3)}{n}"}, n) for n in range(30)])
    for text, order in (("", "name"), ("harbour", "relevance"), ("", "changed"), ("", "uses")):
        whole = names(await find(town, text, order=order, limit=100))
        seen: list[str] = []
        after = None
        while True:
            answer = await find(town, text, order=order, limit=7, after=after)
            seen += names(answer)
            if not answer.more:
                break
            after = answer.hits[-1]
        assert seen == whole
        assert len(set(seen)) == answer.total >= 30


async def test_a_changed_or_deleted_declaration_is_found_as_it_is(town: Platform) -> None:
    changed = DECLARED.replace("泊位", "码头").partition("---\n{kind: Dataset, name: ships")
    last = changed[2].partition("---\n")[2]
    await town.declarations.apply(read_text((changed[0] + "---\n" + last).encode()), "town", prune=True)
    await town.settle()
    assert names(await find(town)) == ["quays", "schools"]
    assert (names(await find(town, "码头")), names(await find(town, "泊位"))) == (["quays"], [])
    assert (await town.get(Ledger).verify()).sound


async def test_what_others_describe_is_entered_once_kept_whole_and_taken_out(town: Platform) -> None:
    given = HarvestedDataset(
        origin="other.portal",
        identifier="ds/1",
        title={"zh": "公园"},
        original={"any": [1, {"b": None}], "文": "x"},
        keywords=("绿地",),
        distributions=(Distribution("CSV", "https://a.example/x.csv"),),
    )
    assert await enter(town, given) == [True]
    assert await enter(town, given) == [False]
    found = await find(town, "绿地", wanted={"format": ("CSV",)})
    assert (names(found), found.facets["origin"]) == (["other.portal:ds/1"], {"other.portal": 1})
    assert await town.records.read(lambda s: Catalog.harvested(s, given.name)) == given
    assert (await town.get(Ledger).verify()).sound
    assert await town.records.write(lambda tx: town.get(Catalog).leave(tx, given.origin, given.identifier))
    assert names(await find(town, "绿地")) == []
    assert (await town.get(Ledger).verify()).sound


@pytest.mark.parametrize("change", [{"origin": "No Good"}, {"identifier": " "}, {"title": {}}, {"title": {"fr": "x"}}])
async def test_what_cannot_be_entered_is_refused_with_its_field(platform: Platform, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await enter(platform, replace(HarvestedDataset("x", "1", {"en": "x"}, None), **change))


async def test_whoever_changes_an_entry_behind_our_back_is_found_out(town: Platform) -> None:
    await enter(town, HarvestedDataset("x", "1", {"en": "x"}, {"true": True}))
    await town.records.write(
        lambda tx: tx.session.execute("UPDATE catalog_entry SET opened = 'unconditional' WHERE name = 'ships'")
    )
    await town.records.write(lambda tx: tx.session.execute("UPDATE catalog_harvested SET original = '{}'"))
    faults = (await town.get(Ledger).verify()).faults
    assert {(fault.table, fault.entry, fault.field) for fault in faults} == {
        ("catalog_entry", "ships", "opened"),
        ("catalog_harvested", "x:1", "digest"),
    }


def firstdata(folder: Path) -> list[HarvestedDataset]:
    content = gzip.decompress((folder / "catalog_firstdata" / "all-sources.json.gz").read_bytes())
    return [
        HarvestedDataset(
            origin="firstdata",
            identifier=each["id"],
            title={k: v for k, v in each["name"].items() if k in ("zh", "en") and v},
            description={k: v for k, v in (each.get("description") or {}).items() if k in ("zh", "en") and v},
            keywords=tuple(each.get("tags") or ()),
            theme=(each.get("domains") or [None])[0],
            landing_page=each.get("website"),
            original=each,
        )
        for each in json.loads(content)["sources"]
    ]


async def test_768_real_sources_are_entered_without_loss_and_found_in_both_languages(town: Platform, shared_data: Path) -> None:
    given = firstdata(shared_data)
    assert (len(given), sum(await enter(town, *given))) == (768, 768)
    for each in given:
        assert await town.records.read(lambda s, n=each.name: Catalog.harvested(s, n)) == each  # type: ignore[misc]
    assert "firstdata:china-gd-housing" in names(await find(town, "广东 住房", limit=3))
    assert "firstdata:china-gd-housing" in names(await find(town, "guangdong housing", limit=3))
    assert (await find(town, wanted={"origin": ("firstdata",)})).total == 768


async def test_real_portals_of_a_ckan_export_and_a_table_are_entered_without_loss(platform: Platform, shared_data: Path) -> None:
    folder = shared_data / "catalog_dataportals"
    packages = json.loads((folder / "ckan-export.json").read_text("utf-8"))["results"]
    with (folder / "portals.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    given = [
        HarvestedDataset("ckan", p["name"], {"en": p.get("title") or p["name"]}, p, landing_page=p.get("url") or None)
        for p in packages
    ]
    given += [
        HarvestedDataset("portals", row["name"] or str(i), {"en": row["title"] or row["name"]}, row) for i, row in enumerate(rows)
    ]
    assert (len(packages), len(rows)) == (390, 631)
    assert len({each.name for each in given}) == sum(await enter(platform, *given)) == 1021
    for each in given:
        assert await platform.records.read(lambda s, n=each.name: Catalog.harvested(s, n)) == each  # type: ignore[misc]
