"""Registers on real engines: from files of three departments to golden records, kept up to date and explained."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.elements.registers import store
from mumian.elements.registers.api import Registers
from mumian.elements.registers.errors import NotYet, SameEntity
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import SYSTEM
from tests.conftest import START
from tests.elements.registers.conftest import TEXT, declared, golden, load, members

CARDS = ("440103199003071099", "44010419850505002X", "440105197012120036", "440106200001010019")
HOUSEHOLD = [
    {"code": "H1", "id_card": CARDS[0], "name": "王建国", "born": "1990-03-07", "sex": "男", "updated": "2013-01-01"},
    {"code": "H2", "id_card": CARDS[1], "name": "李秀英", "born": "1985-05-05", "sex": "女", "updated": "2013-01-01"},
    {"code": "H3", "id_card": CARDS[2], "name": "陈志强", "born": "1970-12-12", "sex": "男", "updated": "2013-01-01"},
    {"code": "H4", "id_card": CARDS[3], "name": "曾雨桐", "born": "2000-01-01", "sex": "女", "updated": "2013-01-01"},
]
INSURANCE = [
    {
        "code": "I1",
        "id_card": CARDS[0].lower(),
        "name": "王建國",
        "phone": "13800000001",
        "born": "1990-03-07",
        "updated": "2013-06-01",
    },
    {
        "code": "I2",
        "id_card": "44010419850505020X",
        "name": "李秀英",
        "born": "1985-05-05",
        "phone": "13800000002",
        "updated": "2013-06-01",
    },
]
CLINIC = [
    {"code": "C1", "name": "李绣英", "born": "1985-05-05", "phone": "138-0000-0002", "updated": "2013-09-01"},
    {"code": "C2", "name": "王建国", "born": "1990-03-07", "phone": "13900000009", "updated": "2013-11-01"},
]
FIXED = {
    "    - {attribute: id_card}\n": "    - {attribute: id_card, m: [0.95, 0.04, 0.01], u: [0.00001, 0.00001, 0.99998]}\n",
    "    - {attribute: name, frequency: true}\n": "    - {attribute: name, thresholds: [0.85], m: [0.9, 0.05, 0.02, 0.02, 0.01], "
    "u: [0.0005, 0.0005, 0.001, 0.05, 0.948]}\n",
    "    - {attribute: born}\n": "    - {attribute: born, m: [0.95, 0.02, 0.01, 0.01, 0.01], "
    "u: [0.0001, 0.001, 0.01, 0.02, 0.9689]}\n",
    "    - {attribute: phone}\n": "    - {attribute: phone, m: [0.7, 0.05, 0.25], u: [0.0001, 0.0001, 0.9998]}\n",
    "  golden: population.golden\n": "  golden: population.golden\n  prior: 0.0001\n",
}


def fixed() -> str:
    """The register with chances that are given, not learned: a handful of people teach nothing."""
    text = TEXT
    for old, new in FIXED.items():
        assert old in text
        text = text.replace(old, new)
    return text


async def _build(settings: Settings) -> None:
    made = create_platform(settings, ManualClock(START))
    await made.start()
    await declared(made, fixed())
    for dataset, rows in (("household", HOUSEHOLD), ("insurance", INSURANCE), ("clinic", CLINIC)):
        await load(made, f"people.{dataset}", rows)
    await made.settle()
    await made.stop()


def build(factory: pytest.TempPathFactory) -> Path:
    """The home of a town with a population register out of eight rows."""
    home = factory.mktemp("built") / "home"
    asyncio.run(_build(Settings(home=home, records="sqlite", lake="local", objects="local", synchronous="normal")))
    return home


@pytest_asyncio.fixture
async def town(built: Path, settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """That town, started."""
    shutil.copytree(built, settings.home)
    made = create_platform(settings, clock)
    await made.start()
    yield made
    await made.stop()


def together(platform: Platform) -> set[frozenset[str]]:
    """The codes of the records of each entity."""
    found: dict[int, set[str]] = {}
    for (_, code), entity in members(platform).items():
        found.setdefault(entity, set()).add(code)
    return {frozenset(codes) for codes in found.values()}


def number(platform: Platform, code: str) -> int:
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    return int(lake.rows(f"SELECT number FROM registers_record_1 WHERE key = '{code}' AND ended IS NULL")[0][0])


async def runs(platform: Platform) -> list[dict[str, Any]]:
    return await platform.records.read(lambda session: store.runs(session, "population", None, 100))


async def test_records_of_one_person_come_together_and_each_value_knows_where_it_comes_from(town: Platform) -> None:
    assert together(town) == {frozenset(g) for g in (("H1", "I1", "C2"), ("H2", "I2", "C1"), ("H3",), ("H4",))}
    entity = members(town)["people.household", "H1"]
    king = next(row for row in golden(town) if row["entity"] == entity)
    assert (king["name"], king["id_card"], king["phone"], king["records"]) == ("王建国", CARDS[0], "13900000009", 3)
    registers = town.get(Registers)
    known = await registers.known("population")
    version = (await registers.explaining.versions(known, entity))[0]
    ways = {way.attribute: way for way in version.origin}
    assert (ways["phone"].dataset, ways["phone"].rule, ways["phone"].variants) == ("people.clinic", "newest", 2)
    assert ways["name"].dataset == "people.household"
    pairs = await registers.explaining.pairs(known, entity)
    best = next(pair for pair in pairs if {*pair.datasets} == {"people.household", "people.insurance"})
    assert {each.attribute: each.level for each in best.evidence}["id_card"] == "exact"
    assert best.weight == pytest.approx(sum(e.weight for e in best.evidence) - 13.2877, abs=0.01)
    assert (await town.get(Ledger).verify()).faults == ()


async def test_a_slip_in_an_identifier_does_not_hide_a_person_and_a_sound_does_not_either(town: Platform) -> None:
    registers = town.get(Registers)
    known = await registers.known("population")
    pair = await registers.explaining.pair(known, number(town, "H2"), number(town, "C1"))
    levels = {each.attribute: each.level for each in pair.evidence}
    assert levels == {"id_card": "missing", "name": "sound", "born": "exact", "phone": "missing", "address": "missing"}
    pair = await registers.explaining.pair(known, number(town, "H2"), number(town, "I2"))
    assert next(each.level for each in pair.evidence if each.attribute == "id_card") == "one_slip"


async def test_a_second_run_over_the_same_rows_changes_nothing(town: Platform) -> None:
    before, versions = members(town), golden(town, current=False)
    for dataset, rows in (("household", HOUSEHOLD), ("clinic", CLINIC)):
        await load(town, f"people.{dataset}", rows, "replace")
    await town.settle()
    assert members(town) == before
    strip = ("_id", "_load")
    assert [{k: v for k, v in r.items() if k not in strip} for r in golden(town, current=False)] == [
        {k: v for k, v in r.items() if k not in strip} for r in versions
    ]
    last = (await runs(town))[0]
    assert last["state"] == "done"
    assert '"changed":0,"created":0,"ended":0' in last["counts"]
    await town.records.write(lambda tx: store.want(tx, "population", relearn=True))
    await town.settle()
    assert members(town) == before


async def test_a_new_row_is_matched_and_a_golden_record_keeps_its_history(town: Platform, clock: ManualClock) -> None:
    entity = members(town)["people.household", "H4"]
    first = clock.now()
    clock.advance(days=30)
    row = {
        "code": "I9",
        "id_card": CARDS[3],
        "name": "曾雨彤",
        "born": "2000-01-01",
        "phone": "13700000007",
        "updated": "2014-01-20",
    }
    await load(town, "people.insurance", [row])
    await town.settle()
    assert members(town)["people.insurance", "I9"] == entity
    versions = [row for row in golden(town, current=False) if row["entity"] == entity]
    assert [(v["version"], v["current"], v["phone"]) for v in versions] == [(1, False, None), (2, True, "13700000007")]
    assert versions[0]["valid_to"] == versions[1]["valid_from"]
    assert versions[0]["valid_from"] == first.replace(tzinfo=None)
    told = await town.records.read(
        lambda s: s.rows("SELECT subject FROM kernel_outbox WHERE type = 'elements.registers.entity_changed' ORDER BY id DESC")
    )
    assert told[0]["subject"] == f"population/{entity}"


async def test_a_changed_and_a_vanished_row_are_taken_in_and_let_go(town: Platform) -> None:
    entity = members(town)["people.household", "H2"]
    moved = {**CLINIC[0], "name": "赵无关", "born": "1961-01-01", "phone": "15500000055"}
    await load(town, "people.clinic", [moved], "replace")
    await town.settle()
    assert together(town) == {frozenset(g) for g in (("H1", "I1"), ("H2", "I2"), ("H3",), ("H4",), ("C1",))}
    assert members(town)["people.household", "H2"] == entity
    assert members(town)["people.clinic", "C1"] != entity
    registers = town.get(Registers)
    known = await registers.known("population")
    version = (await registers.explaining.versions(known, members(town)["people.clinic", "C1"]))[0]
    assert (version.state, version.origins) == ("created", (entity,))


async def test_people_split_and_merge_and_no_later_run_undoes_it(town: Platform) -> None:
    registers = town.get(Registers)
    known = await registers.known("population")
    entity, other = members(town)["people.household", "H1"], members(town)["people.household", "H3"]
    await registers.deciding.split(known, entity, [number(town, "C2")], "other phone, other person", SYSTEM)
    await registers.deciding.merge(known, [entity, other], "seen both papers", SYSTEM)
    await town.settle()
    expected = {frozenset(g) for g in (("H1", "I1", "H3"), ("C2",), ("H2", "I2", "C1"), ("H4",))}
    assert together(town) == expected
    assert members(town)["people.household", "H1"] == entity
    assert await registers.explaining.forward(known, other) == [entity]
    gone = (await registers.explaining.versions(known, other))[0]
    assert (gone.state, gone.successors) == ("merged", (entity,))
    assert [row for row in golden(town) if row["entity"] == other] == []
    await load(town, "people.clinic", [{**CLINIC[1], "updated": "2013-12-01"}])
    await town.records.write(lambda tx: store.want(tx, "population", relearn=True))
    await town.settle()
    assert together(town) == expected
    await registers.deciding.merge(known, [entity, members(town)["people.clinic", "C2"]], "it was the same after all", SYSTEM)
    await town.settle()
    assert frozenset(("H1", "I1", "H3", "C2")) in together(town)
    with pytest.raises(SameEntity):
        await registers.deciding.merge(known, [entity, entity], "again", SYSTEM)
    assert (await town.get(Ledger).verify()).faults == ()


async def test_likely_pairs_wait_for_people_and_leave_the_queue_when_decided(town: Platform) -> None:
    row = {"code": "C7", "name": "陈志墙", "born": "1970-12-12", "updated": "2013-12-01"}
    twin = {"code": "C8", "name": "王建国", "born": "1990-03-07", "phone": "13800000001", "id_card": CARDS[3]}
    await load(town, "people.clinic", [row, twin])
    await town.settle()
    registers = town.get(Registers)
    known = await registers.known("population")
    queue = await registers.explaining.review(known, None, 10)
    reasons = {frozenset((pair.a, pair.b)): pair.reason for pair in queue}
    assert len(queue) == len({frozenset(p.entities) for p in queue})
    assert "identity" in reasons.values()
    pair = next(p for p in queue if p.reason == "identity")
    rest = await registers.explaining.review(known, (queue[0].weight, queue[0].a, queue[0].b), 10)
    assert [(p.a, p.b) for p in rest] == [(p.a, p.b) for p in queue[1:]]
    await registers.deciding.decide(known, pair.a, pair.b, "different", "two people", SYSTEM)
    await town.settle()
    after = await registers.explaining.review(known, None, 10)
    assert frozenset(pair.entities) not in {frozenset(p.entities) for p in after}
    with pytest.raises(Invalid):
        await registers.deciding.decide(known, pair.a, pair.a, "same", "x", SYSTEM)


async def test_a_tampered_decision_or_run_is_found(town: Platform) -> None:
    known = await town.get(Registers).known("population")
    await town.get(Registers).deciding.decide(known, number(town, "H3"), number(town, "H4"), "different", "known", SYSTEM)
    await town.records.write(lambda tx: tx.session.execute("UPDATE registers_decision SET verdict = 'same'"))
    await town.records.write(lambda tx: tx.session.execute("UPDATE registers_run SET counts = '{}' WHERE number = 1"))
    tables = {fault.table for fault in (await town.get(Ledger).verify()).faults}
    assert {"registers_decision", "registers_run"} <= tables


async def test_figures_tell_duplicates_cover_and_conflicts(town: Platform) -> None:
    known = await town.get(Registers).known("population")
    found = await town.get(Registers).counting.figures(known)
    assert (found.records, found.entities) == (8, 4)
    assert {each.dataset: each.duplicates for each in found.sources} == dict.fromkeys(
        ("people.clinic", "people.household", "people.insurance"), 0
    )
    cover = {(each.dataset, each.attribute): each.filled for each in found.cover}
    assert cover["people.clinic", "id_card"] == 0
    assert cover["people.household", "id_card"] == 1
    phones = next(c for c in found.conflicts if c.attribute == "phone" and c.first == "people.clinic")
    assert (phones.both, phones.differ, phones.first_survived, phones.second_survived) == (2, 1, 1, 0)


async def test_a_register_without_rows_says_so(platform: Platform) -> None:
    await declared(platform)
    with pytest.raises(NotYet):
        await platform.get(Registers).known("population")


async def test_a_run_that_was_cut_off_is_done_again_and_one_that_only_was_not_told_is_told(
    built: Path, settings: Settings, clock: ManualClock
) -> None:
    shutil.copytree(built, settings.home)
    first = create_platform(settings, clock)
    before = await asyncio.to_thread(members, first)
    await first.records.write(
        lambda tx: tx.session.execute("UPDATE registers_run SET state = 'started', counts = '{}' WHERE number = 1")
    )
    await first.records.write(lambda tx: store.start_run(tx, "population", 99, False))
    await first.stop()
    again = create_platform(settings, clock)
    await again.start()
    await again.settle()
    rows = await runs(again)
    assert [row["state"] for row in rows] == ["done", "failed", "done"]
    assert '"created":4' in rows[-1]["counts"]
    assert await asyncio.to_thread(members, again) == before
    await again.stop()
