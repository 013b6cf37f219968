"""Classification: detectors propose with evidence, people decide with reasons, and what holds is what the gate obeys."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mumian.elements.catalog.api import Tables
from mumian.elements.protection import store
from mumian.elements.protection.api import Decision, Label, Labels
from mumian.elements.protection.errors import BelowDeclared
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.elements.protection.conftest import ask

MADE = random.Random(20140101)
CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TRUTH = {
    "a1": "id_card", "a2": "phone", "a3": "bank_card", "a4": "plate", "a5": "name", "a6": "address", "a7": "email",
    "a8": "credit_code", "passport_no": "passport", "longitude": "coordinates",
    "b1": None, "b2": None, "b3": None, "b4": None, "b5": None, "b6": None, "b7": None, "b8": None, "b9": None, "b10": None,
}  # fmt: skip


def digits(count: int) -> str:
    return "".join(MADE.choice("0123456789") for _ in range(count))


def id_card() -> str:
    body = f"44010{MADE.randint(3, 9)}19{MADE.randint(50, 99)}{MADE.randint(1, 12):02}{MADE.randint(1, 28):02}{digits(3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]


def credit_code() -> str:
    body = "91440101" + "".join(MADE.choice(CREDIT) for _ in range(9))
    return body + CREDIT[(31 - sum(pow(3, i, 31) * CREDIT.index(c) for i, c in enumerate(body)) % 31) % 31]


def bank_card() -> str:
    body = "62" + digits(16)
    total = sum(d if i % 2 else d * 2 - 9 * (d > 4) for i, d in enumerate(int(c) for c in reversed(body)))
    return body + str(-total % 10)


def value(field: str) -> str:
    made: dict[str, Callable[[], str]] = {
        "a1": id_card,
        "a2": lambda: "1" + MADE.choice("3589") + digits(9),
        "a3": bank_card,
        "a4": lambda: "粤A" + digits(5),
        "a5": lambda: MADE.choice("王李张陈林黄") + MADE.choice(["小明", "芳", "志强", "静"]),
        "a6": lambda: f"越秀区{MADE.choice(['中山', '北京', '东风'])}路{MADE.randint(1, 900)}号",
        "a7": lambda: f"u{digits(4)}@example.org",
        "a8": credit_code,
        "passport_no": lambda: "E" + digits(8),
        "longitude": lambda: f"113.{digits(5)}",
        "b1": lambda: digits(18),
        "b2": lambda: digits(11).replace("1", "7"),
        "b3": lambda: digits(19),
        "b4": lambda: f"粤{digits(3)}",
        "b5": lambda: MADE.choice(["在营", "注销", "吊销", "迁出"]),
        "b6": lambda: f"第{digits(2)}批次",
        "b7": lambda: f"a@{digits(3)}",
        "b8": lambda: "91440101" + digits(10),
        "b9": lambda: f"{MADE.random():.4f}",
        "b10": lambda: f"2014-01-{MADE.randint(10, 28)}",
    }
    return made[field]() if MADE.random() > 0.1 else MADE.choice(["", "无", "-"])


async def examined(platform: Platform) -> dict[str, dict[str, Any]]:
    fields = ", ".join(f"{{name: {name}}}" for name in TRUTH)
    """The labels of a dataset that its keepers may read; the public may not until it was checked."""
    town = "{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}"
    keeper = '{kind: Role, name: keeper, title: {zh: 管理员, en: Keeper}, spec: {actions: ["row:read"]}}'
    spec = f"{{owner: town, opened: unconditional, fields: [{fields}]}}"
    text = f"{town}\n---\n{keeper}\n---\n{{kind: Dataset, name: mixed, title: {{zh: 混, en: Mixed}}, spec: {spec}}}"
    await platform.declarations.apply(read_text(text.encode()), "town")

    def fill(work: LakeTransaction) -> str:
        work.offer("given", {name: np.array([value(name) for _ in range(1000)], dtype=object) for name in TRUTH})
        return "SELECT * FROM given"

    await platform.get(Tables).load("mixed", fill, "replace", "made")
    await platform.settle()
    rows = await platform.records.read(lambda session: store.labels(session, {"dataset": "mixed"}, None, 100))
    return {row["field"]: row for row in rows}


async def test_detectors_find_what_is_personal_and_nothing_else(platform: Platform) -> None:
    found = {name: row["category"] for name, row in (await examined(platform)).items()}
    wanted = {name: category for name, category in TRUTH.items() if category not in (None, "credit_code")}
    right = sum(wanted.get(name) == category for name, category in found.items())
    print(f"precision {right / len(found):.3f}, recall {right / len(wanted):.3f}")
    assert found == wanted


async def test_a_proposal_shows_its_evidence_masked_and_holds_until_it_is_rejected(platform: Platform) -> None:
    rows = await examined(platform)
    evidence = rows["a2"]["evidence"]
    assert '"share": 0.9' in evidence or '"share": 0.8' in evidence
    assert "****" in evidence
    assert await ask(
        platform, "SELECT DISTINCT length(a2) > 8 OR a2 = '****' FROM mixed WHERE strpos(a2, '****') > 0", "keeper"
    ) == [(True,)]
    labels = platform.get(Labels)
    await platform.records.write(lambda tx: labels.decide(tx, "mixed", "a2", Decision(None, "numbers of machines")))
    assert await ask(platform, "SELECT count(*) FROM mixed WHERE strpos(a2, '*') > 0", "keeper", purpose="") == [(0,)]
    await labels.examine("mixed")
    row = await platform.records.read(lambda session: store.label(session, "mixed", "a2"))
    assert row is not None
    assert (row["state"], row["reason"]) == ("rejected", "numbers of machines")
    history = await platform.records.read(lambda session: store.history(session, "mixed", "a2", None, 10))
    assert [entry["state"] for entry in history] == ["rejected", "proposed"]
    assert (await platform.get(Ledger).verify()).sound


async def test_a_label_changed_behind_our_back_is_found_out(platform: Platform) -> None:
    await examined(platform)
    sql = "UPDATE protection_label SET personal = 'none' WHERE field = 'a1'"
    await platform.records.write(lambda tx: tx.session.execute(sql))
    assert any(fault.table == "protection_label" for fault in (await platform.get(Ledger).verify()).faults)


async def test_a_decision_cannot_go_below_the_declaration(town: Platform) -> None:
    labels = town.get(Labels)
    with pytest.raises(BelowDeclared):
        await town.records.write(lambda tx: labels.decide(tx, "people", "phone", Decision(Label(), "why not")))
    row = await town.records.write(
        lambda tx: labels.decide(tx, "people", "phone", Decision(Label("important", "sensitive"), "all"))
    )
    assert (row["state"], row["grade"]) == ("confirmed", "important")
