"""The catalogue as linked data: three forms of one graph that pass the shapes of DCAT-AP, with what the reader may see."""

import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF

from mumian.app.web import create_asgi
from mumian.elements.catalog.api import Catalog, Distribution, HarvestedDataset
from mumian.elements.catalog.dcat.rules import address, frequency, preferred
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own reader
DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
kind: Dataset
name: shops.open
title: {zh: 商铺, en: Shops}
spec: {owner: town, theme: 商贸, opened: unconditional, share: unconditional, licence: CC BY 4.0, keywords: [店], series: trade,
  frequency_seconds: 86400, contact: data@town.example, high_value: companies, landing_page: "https://town.example/shops",
  fields: [{name: a, type: text}]}
---
{kind: Dataset, name: secret, title: {zh: 密, en: Secret}, spec: {owner: town, opened: none}}
---
{kind: Stream, name: rain, title: {zh: 雨, en: Rain}, spec: {thing: a, observed_property: rain, unit: mm, owner: town}}
"""
ODD = HarvestedDataset(
    origin="elsewhere",
    identifier="a/b c",
    title={"en": 'Odd "title" \\ \x01 <&>'},
    original={"x": 1},
    landing_page="https://other.example/a b<c>",
    publisher="Somebody",
    modified="2020-02-03",
    distributions=(
        Distribution("CSV", "https://other.example/data.csv", "text/csv", bytes=12),
        Distribution("?", "javascript:alert(1)"),
    ),
)


@pytest_asyncio.fixture
async def town(platform: Platform) -> AsyncIterator[Platform]:
    """A town with four entries of all kinds."""
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    await platform.records.write(lambda tx: platform.get(Catalog).enter(tx, ODD))
    platform.get(Catalog).offer(
        lambda dataset: [Distribution("CSV", "/x.csv", "text/csv")] if dataset.fields else [], lambda name, spec: ()
    )
    await platform.settle()
    yield platform


@pytest_asyncio.fixture
async def http(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A reader who is not signed in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(town)), base_url="http://test") as client:
        yield client


async def graph(http: httpx.AsyncClient, path: str) -> Graph:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return Graph().parse(data=answer.content, format=answer.headers["content-type"].partition(";")[0])


async def test_the_three_forms_are_one_graph(http: httpx.AsyncClient) -> None:
    for path in ("/dataset/shops.open", "/dataset/elsewhere:a/b c", "/dataset/rain"):
        first, *others = [await graph(http, f"{path}.{ending}") for ending in ("ttl", "jsonld", "rdf")]
        assert len(first) > 10
        assert all(isomorphic(first, other) for other in others)


async def test_a_reader_who_is_not_signed_in_sees_what_is_opened(http: httpx.AsyncClient) -> None:
    found = await graph(http, "/catalog.ttl")
    names = {str(name) for name in found.objects(None, DCTERMS.identifier)}
    assert names == {"shops.open", "rain", "elsewhere:a/b c"}
    assert (await http.get("/dataset/secret.ttl")).status_code == 404
    title = set(found.objects(URIRef("http://test/dataset/shops.open"), DCTERMS.title))
    assert {(str(t), t.language) for t in title} == {("商铺", "zh"), ("Shops", "en")}  # type: ignore[attr-defined]


async def test_pages_lead_to_one_another_and_hold_everything_once(http: httpx.AsyncClient) -> None:
    path, names = "/catalog.jsonld?limit=1", []
    next_page = URIRef("http://www.w3.org/ns/hydra/core#next")
    while path:
        found = await graph(http, path)
        names += [str(name) for name in found.objects(None, DCTERMS.identifier)]
        path = next((str(page) for page in found.objects(None, next_page)), "")
    assert names == ["elsewhere:a/b c", "rain", "shops.open"]


async def test_the_form_follows_what_the_reader_accepts(http: httpx.AsyncClient) -> None:
    for accept, media in (
        ("application/rdf+xml", "application/rdf+xml"),
        ("text/*;q=0.1, application/ld+json", "application/ld+json"),
    ):
        answer = await http.get("/catalog", headers={"accept": accept})
        assert answer.headers["content-type"].startswith(media)
    assert (await http.get("/catalog", headers={"accept": "text/html"})).headers["location"] == "/catalogue"
    assert (await http.get("/catalog", headers={"accept": "image/png"})).status_code == 404
    assert (await http.get("/catalog.exe")).status_code == 404


async def test_what_is_no_web_address_leads_nowhere(http: httpx.AsyncClient) -> None:
    found = await graph(http, "/dataset/elsewhere:a/b c.ttl")
    assert [str(url) for url in found.objects(None, DCAT.accessURL)] == ["https://other.example/data.csv"]
    assert [str(url) for url in found.objects(None, DCAT.landingPage)] == ["https://other.example/a%20b%3Cc%3E"]


@pytest.mark.parametrize(
    ("archive", "shapes"),
    [
        ("dcat-ap_releases_3.tar.xz", ["releases/3.0.1/html/shacl/shapes.ttl", "releases/3.0.1/html/shacl/range.ttl"]),
        ("dcat-ap_releases_3.tar.xz", ["releases/3.0.0/shacl/dcat-ap-SHACL.ttl"]),
        ("ckanext-dcat_examples.tar.xz", ["ckanext/dcat/tests/shacl/dcat-ap_3_shacl_shapes.ttl"]),
        ("ckanext-dcat_examples.tar.xz", [f"ckanext/dcat/tests/shacl/dcat-ap_2.1.1_shacl_{n}.ttl" for n in ("shapes", "range")]),
    ],
)
async def test_the_catalogue_passes_the_shapes_of_dcat_ap(
    http: httpx.AsyncClient, shared_data: Path, archive: str, shapes: list[str]
) -> None:
    from pyshacl import validate

    rules = Graph()
    with tarfile.open(shared_data / "catalog_dcat" / archive) as files:
        for member in files:
            if member.name.removeprefix("./") in shapes:
                file = files.extractfile(member)
                assert file is not None
                rules.parse(file, format="turtle")
    assert len(rules) > 100
    data = await graph(http, "/catalog.ttl")
    assert set(data.subjects(RDF.type, DCAT.Distribution))
    if any("2.1.1" in name for name in shapes):
        data.remove((None, DCAT.byteSize, None))  # a decimal in DCAT-AP 2, an integer in DCAT-AP 3
    sound, _, report = validate(data, shacl_graph=rules, advanced=True)
    assert sound, report


def test_frequencies_and_addresses_are_told_in_the_terms_of_the_vocabularies() -> None:
    paces = [None, 60, 3600, 86_400, 7 * 86_400, 30 * 86_400, 366 * 86_400, 10**9]
    terms = ["IRREG", "UPDATE_CONT", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "ANNUAL", "OTHER"]
    assert [frequency(pace) for pace in paces] == terms
    assert [address(url) for url in ("ftp://a", "mailto:x@y", "", "http://[", "http://a/ü")] == [None] * 4 + ["http://a/%C3%BC"]
    assert preferred("") == preferred("*/*") == "text/turtle"
