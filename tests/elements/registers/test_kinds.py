"""Registers of other entities: legal persons by organisation names and credit codes, places by addresses and coordinates."""

import asyncio
import json
from typing import Any

import pytest

from bench.people import files
from mumian.elements.catalog.api import Tables
from mumian.elements.registers.api import Registers
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.elements.registers.conftest import TEXT, declared, filled, load, members

GOLDEN = {"entity": "integer", "version": "integer", "current": "boolean", "valid_from": "time", "valid_to": "time"}
GOLDEN["records"] = "integer"


def document(kind: str, name: str, **spec: Any) -> str:
    return json.dumps({"kind": kind, "name": name, "title": {"zh": name, "en": name}, "spec": spec}, ensure_ascii=False)


def register(name: str, attributes: list[dict[str, Any]], sources: list[str], **more: Any) -> str:
    """Declarations of a register whose sources all have the fields of its attributes, and a `code`."""
    names = [attribute["name"] for attribute in attributes]
    golden = [{"name": field, "type": type_} for field, type_ in GOLDEN.items()] + [{"name": field} for field in names]
    mapped = {field: field for field in names}
    return "\n---\n".join(
        [
            *(
                document("Dataset", s, owner="town", fields=[{"name": f} for f in ("code", *names)], key=["code"])
                for s in sources
            ),
            document("Dataset", f"{name}.golden", owner="town", fields=golden, key=["entity", "version"]),
            document(
                "Register",
                name,
                owner="town",
                golden=f"{name}.golden",
                attributes=attributes,
                sources=[{"dataset": source, "rank": rank, "fields": mapped} for rank, source in enumerate(sources)],
                **more,
            ),
        ]
    )


def grouped(platform: Platform, number: int) -> set[frozenset[str]]:
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    rows = lake.rows(
        f"SELECT r.key, m.entity FROM registers_record_{number} r JOIN registers_member_{number} m ON m.record = r.number"
    )
    found: dict[int, set[str]] = {}
    for key, entity in rows:
        found.setdefault(entity, set()).add(key)
    return {frozenset(keys) for keys in found.values()}


def firms_and_places() -> str:
    """Two registers with chances that are given."""
    levels = {"m": [0.8, 0.05, 0.05, 0.05, 0.04, 0.01], "u": [0.0005, 0.0005, 0.0005, 0.001, 0.05, 0.9475]}
    firms = register(
        "firms",
        [
            {"name": "code_18", "kind": "identifier", "scheme": "credit_code", "identity": True},
            {"name": "title", "kind": "organisation"},
            {"name": "phone", "kind": "phone"},
        ],
        ["market.firms", "tax.firms"],
        entity="legal-person",
        prior=0.005,
        comparisons=[
            {"attribute": "code_18", "m": [0.95, 0.04, 0.01], "u": [0.00001, 0.00001, 0.99998]},
            {"attribute": "title", **levels},
            {"attribute": "phone", "m": [0.7, 0.05, 0.25], "u": [0.0001, 0.0001, 0.9998]},
        ],
        blocking=[["code_18"], ["title:sound"], ["phone"]],
    )
    places = register(
        "sites",
        [{"name": "address", "kind": "address"}, {"name": "point", "kind": "location"}, {"name": "label", "kind": "text"}],
        ["planning.sites", "fire.sites"],
        entity="place",
        prior=0.001,
        comparisons=[
            {"attribute": "address", "m": [0.6, 0.3, 0.05, 0.04, 0.01], "u": [0.0001, 0.0001, 0.01, 0.1, 0.8898]},
            {"attribute": "point", "m": [0.8, 0.15, 0.04, 0.01], "u": [0.0001, 0.001, 0.01, 0.9889]},
        ],
        blocking=[["address:road"], ["point:cell"]],
    )
    return f"{document('Organisation', 'town', level='city')}\n---\n{firms}\n---\n{places}"


ROWS: dict[str, tuple[list[str], list[dict[str, Any]]]] = {
    "market.firms": (
        ["code", "code_18", "title", "phone"],
        [
            {"code": "M1", "code_18": "91350100M000100Y43", "title": "某某市晨光文具有限公司", "phone": "020-87654321"},
            {"code": "M2", "title": "某某市旭日餐饮有限公司", "phone": "020-81234567"},
        ],
    ),
    "tax.firms": (
        ["code", "code_18", "title", "phone"],
        [
            {"code": "T1", "code_18": "91350100m000100y43", "title": "晨光文具（某某）有限责任公司"},
            {"code": "T2", "title": "旭日餐飲有限公司", "phone": "(020)81234567"},
            {"code": "T3", "title": "旭日东升餐饮有限公司", "phone": "13000000003"},
        ],
    ),
    "planning.sites": (
        ["code", "address", "point"],
        [
            {"code": "P1", "address": "天河区建设路12号3栋", "point": "113.3,23.1"},
            {"code": "P2", "address": "天河区建设路99号"},
        ],
    ),
    "fire.sites": (
        ["code", "address", "point"],
        [{"code": "F1", "address": "天河区建设路12號3棟", "point": "113.30005 23.10004"}],
    ),
}


async def test_legal_persons_and_places_are_matched_by_what_tells_them(platform: Platform) -> None:
    await platform.declarations.apply(read_text(firms_and_places().encode()), "town")
    for dataset, (names, given) in ROWS.items():
        await platform.get(Tables).load(dataset, filled(given, names), "append", "made")
    await platform.settle()
    numbers = await platform.records.read(lambda s: s.rows("SELECT name, number FROM registers_register"))
    number = {row["name"]: row["number"] for row in numbers}
    found = await asyncio.to_thread(grouped, platform, number["firms"])
    assert found == {frozenset(("M1", "T1")), frozenset(("M2", "T2")), frozenset(("T3",))}
    assert await asyncio.to_thread(grouped, platform, number["sites"]) == {frozenset(("P1", "F1")), frozenset(("P2",))}


async def test_what_is_learned_on_made_people_finds_nearly_all_and_nothing_else(platform: Platform) -> None:
    await declared(platform)
    rows, truth = files(250, seed=7)
    for file, given in rows.items():
        await load(platform, f"people.{file}", given)
    await platform.settle()
    entities = await asyncio.to_thread(members, platform)
    pairs = right = there = 0
    keys = [(dataset, code, truth[dataset.removeprefix("people.")][code]) for dataset, code in entities]
    for i, (dataset, code, person) in enumerate(keys):
        for other_dataset, other, someone in keys[:i]:
            same = entities[dataset, code] == entities[other_dataset, other]
            pairs, there, right = pairs + same, there + (person == someone), right + (same and person == someone)
    assert right / pairs > 0.995
    assert right / there > 0.97
    known = await platform.get(Registers).known("population")
    duplicates = {each.dataset: each.duplicates for each in (await platform.get(Registers).counting.figures(known)).sources}
    assert duplicates["people.household"] == 0
    assert duplicates["people.clinic"] > 10


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("golden: population.golden", "golden: people.clinic", "people.clinic"),
        ("{name: records, type: integer}", "{name: records}", "records"),
        ("key: [entity, version]", "key: [entity]", "entity, version"),
        ('"born:year"', '"born:sound"', "born:sound"),
        ("{attribute: phone}", "{attribute: telephone}", "telephone"),
        ("phone: phone, address", "phone: telefax, address", "telefax"),
        ("{attribute: born}", "{attribute: born, m: [0.9, 0.1]}", "born"),
        ("name: population\ntitle: {zh: 人口库", "name: licences\ntitle: {zh: 人口库", "licences"),
    ],
)
async def test_a_register_that_does_not_fit_says_what_to_mend(platform: Platform, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(Invalid, match=said):
        await platform.declarations.apply(read_text(TEXT.replace(old, new).encode()), "town")
