"""Duties, vocabulary, sources, following and history of the catalogue, over HTTP as people use them."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from mumian.app.web import create_asgi
from mumian.elements.catalog.api import Tables
from mumian.elements.catalog.sources.rules import Sketch, alike, overlap
from mumian.foundation.identity.api import bootstrap
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform

NEW = "kapok-in-the-rain-77"
URL = "/api/v1/elements/catalog"
DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: port, title: {zh: 港, en: Port}, spec: {level: department, parent: town}}
---
kind: CodeList
name: sex
title: {zh: 性别, en: Sex}
spec:
  standard: GB/T 2261.1
  codes: [{code: "1", title: {zh: 男, en: Male}}, {code: "2", title: {zh: 女, en: Female}, until: 2010-01-01}]
---
kind: DataElement
name: credit-code
title: {zh: 统一社会信用代码, en: Unified social credit code}
spec: {definition: {zh: 法人的唯一标识, en: The one identifier of a legal person}, standard: GB 32100, names: [uscc]}
---
kind: DutyItem
name: companies
title: {zh: 企业登记, en: Registration of companies}
spec:
  organisation: town
  duty: {zh: 登记企业, en: To register companies}
  basis: 市场主体登记管理条例
  data:
    - {name: register, title: {zh: 登记簿, en: Register}, elements: [credit-code], frequency_seconds: 86400}
    - {name: closures, title: {zh: 注销, en: Closures}, datasets: [closures]}
---
kind: Dataset
name: register
title: {zh: 企业登记簿, en: Register of companies}
spec: {owner: town, duty: companies, theme: 商事, frequency_seconds: 604800,
  fields: [{name: code, element: credit-code}, {name: sex, code_list: sex}]}
---
kind: Dataset
name: tenants
title: {zh: 租户, en: Tenants}
spec: {owner: port, duty: companies, fields: [{name: 信用代码, title: {zh: 社会信用代码, en: Credit code}}, {name: note}]}
---
{kind: Dataset, name: stray, title: {zh: 无主, en: Stray}, spec: {owner: port, fields: [{name: uscc}]}}
"""


@pytest_asyncio.fixture
async def town(platform: Platform) -> AsyncIterator[Platform]:
    """A town with a duty, and three datasets two of which have rows."""
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    await load(platform, "register", "code", 0, 200)
    await load(platform, "tenants", "信用代码", 150, 220)
    await platform.settle()
    yield platform


@pytest_asyncio.fixture
async def http(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator."""
    password = await asyncio.to_thread(bootstrap, town)
    transport, origin = httpx.ASGITransport(create_asgi(town)), {"Origin": "http://test"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=origin) as client:
        await sign_in(client, password)
        yield client


async def sign_in(client: httpx.AsyncClient, password: object) -> None:
    identity = "/api/v1/foundation/identity"
    answer = await client.post(f"{identity}/sessions", json={"login": "admin", "password": str(password)})
    assert answer.status_code == 201, answer.text
    await client.post(f"{identity}/password", json={"current": str(password), "new": NEW})
    await client.post(f"{identity}/sessions", json={"login": "admin", "password": NEW})


async def load(platform: Platform, dataset: str, field: str, first: int, last: int) -> None:
    def fill(work: LakeTransaction) -> str:
        work.offer("given", {"v": np.array([f"9144{n:05d}" for n in range(first, last)], dtype=object)})
        return f'SELECT v AS "{field}" FROM given'

    await platform.get(Tables).load(dataset, fill, "replace", "test")


async def test_the_link_of_duties_datasets_and_data_shows_its_gaps_by_organisation(http: httpx.AsyncClient) -> None:
    found = (await http.get(f"{URL}/duty-gaps")).json()["items"]
    assert [(gap["organisation"], gap["kind"], gap["data"], gap["dataset"], gap["detail"]) for gap in found] == [
        ("port", "no-data", None, "stray", ""),
        ("port", "overstep", None, "stray", ""),
        ("port", "foreign", None, "tenants", "town"),
        ("town", "no-dataset", "closures", None, ""),
        ("town", "too-seldom", "register", "register", "604800"),
    ]
    assert (await http.get(f"{URL}/duty-gaps/counts")).json()[0] == {
        "organisation": "port",
        "counts": {"no-data": 1, "overstep": 1, "foreign": 1},
    }
    pages = [(await http.get(f"{URL}/duty-gaps", params={"limit": 2})).json()]
    while pages[-1]["next"]:
        pages.append((await http.get(f"{URL}/duty-gaps", params={"limit": 2, "cursor": pages[-1]["next"]})).json())
    assert [gap for page in pages for gap in page["items"]] == found
    duty = (await http.get(f"{URL}/duties")).json()["items"][0]
    assert [d["name"] for d in duty["data"][0]["datasets"]] == ["register", "tenants"]


async def test_duty_lists_and_gaps_are_had_as_files(http: httpx.AsyncClient) -> None:
    text = (await http.get(f"{URL}/duty-gaps.csv", params={"language": "en"})).content.decode("utf-8-sig").splitlines()
    assert text[0].startswith("Organisation,Gap,") and len(text) == 6  # noqa: PT018
    assert (await http.get(f"{URL}/duties.xlsx")).content[:2] == b"PK"
    assert "市场主体登记管理条例" in (await http.get(f"{URL}/duties.csv")).text


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ("{owner: town, fields: [{name: a, element: nothing}]}", "spec.fields[0].element"),
        ("{owner: town, fields: [{name: a, code_list: nothing}]}", "spec.fields[0].code_list"),
        ("{owner: town, fields: [{name: a, type: integer, element: credit-code}]}", "spec.fields[0].type"),
        ("{owner: town, duty: nothing}", "spec.duty"),
    ],
)
async def test_what_does_not_agree_with_the_vocabulary_is_refused_with_its_place(town: Platform, spec: str, place: str) -> None:
    text = f"{{kind: Dataset, name: odd, title: {{zh: 怪, en: Odd}}, spec: {spec}}}"
    with pytest.raises(Invalid, match=place.replace("[", r"\[").replace("]", r"\]")):
        await town.declarations.apply(read_text(text.encode()), "odd")


async def test_elements_and_codes_are_listed_found_and_valid_on_a_day(http: httpx.AsyncClient) -> None:
    assert [e["name"] for e in (await http.get(f"{URL}/elements", params={"q": "信用代码"})).json()["items"]] == ["credit-code"]
    codes = (await http.get(f"{URL}/code-lists/sex/codes", params={"on": "2014-01-01"})).json()["items"]
    assert [code["code"] for code in codes] == ["1"]
    assert (await http.get(f"{URL}/code-lists/sex")).json()["codes"] == 2


async def test_second_sources_are_found_by_name_and_values_and_decided_with_a_reason(
    town: Platform, http: httpx.AsyncClient
) -> None:
    path = f"{URL}/elements/credit-code"
    found = (await http.get(f"{path}/sources")).json()
    assert found["authoritative"] == {"dataset": "register", "field": "code"}
    by_field = {(c["dataset"], c["field"]): c for c in found["candidates"]}
    assert by_field.keys() == {("tenants", "信用代码"), ("stray", "uscc")}
    assert by_field["tenants", "信用代码"]["values"] == round(50 / 70, 3)
    assert (by_field["stray", "uscc"]["values"], by_field["stray", "uscc"]["name"]) == (None, 1.0)
    decision = {"dataset": "tenants", "field": "信用代码", "role": "copy", "reason": "taken over from the register"}
    decided = (await http.post(f"{path}/decisions", json=decision)).json()
    assert (decided["open"], decided["decisions"][0]["role"]) == (1, "copy")
    for dataset in ("register", "tenants"):
        field = "code" if dataset == "register" else "信用代码"
        given = {"dataset": dataset, "field": field, "role": "authoritative", "reason": "law"}
        decided = (await http.post(f"{path}/decisions", json=given)).json()
    assert decided["authoritative"] == {"dataset": "tenants", "field": "信用代码"}
    assert [d["role"] for d in decided["decisions"]] == ["copy", "authoritative"]
    assert (await http.post(f"{path}/decisions", json=decision | {"field": "none"})).status_code == 422
    assert (await town.get(Ledger).verify()).sound
    await town.records.write(lambda tx: tx.session.execute("UPDATE catalog_decision SET reason = ''"))
    assert not (await town.get(Ledger).verify()).sound


async def test_whoever_follows_is_told_and_marks_it_read(town: Platform, http: httpx.AsyncClient) -> None:
    for about, value in (("theme", "商事"), ("dataset", "register")):
        assert (await http.put(f"{URL}/following", json={"about": about, "value": value})).status_code == 204
    assert (await http.put(f"{URL}/following", json={"about": "dataset", "value": "nowhere"})).status_code == 404
    assert (await http.put(f"{URL}/following?team=true", json={"about": "theme", "value": "x"})).status_code == 422
    await load(town, "register", "code", 0, 10)
    await town.declarations.apply(read_text(DECLARED.replace("企业登记簿", "登记册").encode()), "town")
    await town.settle()
    notices = (await http.get(f"{URL}/notices")).json()["items"]
    assert [(n["event"], n["dataset"]) for n in notices] == [
        ("elements.quality.scored", "register"),
        ("declarations.applied", "register"),
        ("elements.catalog.loaded", "register"),
    ]
    assert (await http.post(f"{URL}/notices/read", json={"up_to": notices[2]["id"]})).json() == {"marked": 1}
    assert len((await http.get(f"{URL}/notices", params={"unread": True})).json()["items"]) == 2
    await http.delete(f"{URL}/following", params={"about": "theme", "value": "商事"})
    assert [f["about"] for f in (await http.get(f"{URL}/following")).json()["items"]] == ["dataset"]
    assert (await town.get(Ledger).verify()).sound
    history = (await http.get(f"{URL}/datasets/register/history")).json()["items"]
    assert [change["version"] for change in history] == [2, 1]
    assert history[0]["changes"] == ['title.zh: "企业登记簿" → "登记册"']


async def test_a_dataset_tells_its_rows_fields_and_loads(http: httpx.AsyncClient) -> None:
    told = (await http.get(f"{URL}/datasets/register")).json()
    assert (told["rows"], told["freshness"], [field["name"] for field in told["fields"]]) == (200, "fresh", ["code", "sex"])
    assert [load["rows"] for load in (await http.get(f"{URL}/datasets/register/loads")).json()["items"]] == [200]
    found = (await http.get(f"{URL}/search", params={"q": "登记", "freshness": "fresh"})).json()
    assert ([item["name"] for item in found["items"]], found["total"]) == (["register"], 1)


async def test_who_is_not_signed_in_sees_neither_duties_nor_closed_datasets(town: Platform) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(town)), base_url="http://test") as client:
        assert (await client.get(f"{URL}/duties")).status_code == 401
        assert (await client.get(f"{URL}/datasets/register")).status_code == 404
        assert (await client.get(f"{URL}/search")).json()["total"] == 0


@given(st.sets(st.integers(0, 500), min_size=1), st.sets(st.integers(0, 500), min_size=1))
def test_where_sketches_hold_all_values_overlap_is_exact(one: set[int], other: set[int]) -> None:
    told = overlap(Sketch(frozenset(one), len(one)), Sketch(frozenset(other), len(other)))
    assert told == len(one & other) / min(len(one), len(other))


def test_overlap_of_large_sets_is_estimated_from_their_smallest_hashes() -> None:
    chance = np.random.default_rng(3)
    values = np.unique(chance.integers(0, 2**62, 60_000))
    one, other = (set(values[chance.permutation(len(values))[:count]].tolist()) for count in (40_000, 20_000))
    truth = len(one & other) / len(other)
    sketches = [Sketch(frozenset(sorted(each)[:1024]), len(each)) for each in (one, other)]
    assert abs(overlap(*sketches) - truth) < 0.15


def test_names_are_alike_whatever_their_signs_and_case() -> None:
    assert alike("Credit-Code", "creditcode") == 1.0
    assert alike("社会信用代码", "统一社会信用代码") > 0.8
    assert alike("", "x") == 0.0
