"""Registers over HTTP: for those who may, masked unless a purpose allows more, and proven; licences and credit too."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.elements.registers import store
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.elements.registers.conftest import load, members
from tests.elements.registers.test_matching import CARDS, CLINIC

BASE = "/api/v1/elements/registers"
COMPANY = "91350100M000100Y43"
MORE = """
{kind: Role, name: issuer, title: {zh: 发证, en: Issuer}, spec: {actions: ["licence:issue", "licence:read"]}}
---
{kind: Role, name: recorder, title: {zh: 归集, en: Recorder}, spec: {actions: ["credit:record", "credit:read"]}}
---
kind: Role
name: public
title: {zh: 公众, en: Public}
spec: {actions: ["licence:verify", "credit:see", "credit:apply"], reach: city}
---
kind: LicenceType
name: midwife
title: {zh: 助产证, en: Midwife's licence}
spec:
  issuer: health
  issuer_code: 91350100M000100Y43
  code: "1100"
  holder: person
  months: 12
  fields: [{name: scope, required: true}, {name: phone, personal: true}]
  shown: [scope]
---
kind: CreditKind
name: penalty
title: {zh: 行政处罚, en: Penalty}
spec: {category: penalty, recorders: [health, labour], most_days: 1095, least_days: 90}
"""
Client = Callable[..., Any]


@pytest_asyncio.fixture
async def town(built: Path, settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """That town, started."""
    shutil.copytree(built, settings.home)
    made = create_platform(settings, clock)
    await made.start()
    await made.declarations.apply(read_text(MORE.encode()), "more")
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def client(town: Platform) -> AsyncIterator[Client]:
    """A client for somebody with these roles in an organisation."""
    transport = httpx.ASGITransport(create_asgi(town))
    opened: list[httpx.AsyncClient] = []

    async def make(login: str, organisation: str | None, *roles: str) -> httpx.AsyncClient:
        accounts = town.get(Identity).accounts
        person, _ = await accounts.create_person(PersonDraft(login, {"zh": login, "en": login}, organisation, roles))
        token = (await accounts.create_token(person.id, "test", ["*"]))[1]
        made = httpx.AsyncClient(
            transport=transport, base_url="http://town", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        opened.append(made)
        return made

    yield make
    for each in opened:
        await each.aclose()


async def read_events(town: Platform, type_: str) -> list[str]:
    rows = await town.records.read(
        lambda s: s.rows("SELECT payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_)
    )
    return [row["payload"] for row in rows]


async def test_an_entity_is_found_by_its_number_masked_and_the_look_is_proven(town: Platform, client: Client) -> None:
    reader = await client("reader", "labour", "reader")
    body = {"purpose": "service", "match": {"id_card": CARDS[0].lower()}}
    found = (await reader.post(f"{BASE}/population/search", json=body)).json()
    [item] = found["items"]
    assert item["values"]["name"] in (None, "王****")
    assert item["values"]["id_card"] != CARDS[0]
    counter = await client("counter", "labour", "reader", "counter")
    clear = (await counter.post(f"{BASE}/population/search", json=body)).json()["items"][0]
    assert (clear["values"]["name"], clear["values"]["id_card"]) == ("王建国", CARDS[0])
    looks = await read_events(town, "elements.protection.read")
    assert sum('"purpose":"service"' in look for look in looks) == 2
    assert CARDS[0] not in "".join(looks)
    by_name = await reader.post(f"{BASE}/population/search", json={"purpose": "service", "match": {"name": "王建国"}})
    assert by_name.status_code == 422
    strange = await reader.post(f"{BASE}/population/search", json={"purpose": "service", "match": {"shoe": "44"}})
    assert strange.status_code == 422
    nobody = await client("nobody", "labour")
    assert (await nobody.post(f"{BASE}/population/search", json=body)).status_code == 403


async def test_an_entity_page_shows_origins_rows_and_evidence(town: Platform, client: Client) -> None:
    counter = await client("counter", "labour", "reader", "counter")
    entity = members(town)["people.household", "H1"]
    page = (await counter.get(f"{BASE}/population/entities/{entity}", params={"purpose": "service"})).json()
    assert (page["golden"]["values"]["name"], page["golden"]["values"]["records"]) == ("王建国", 3)
    assert page["forward"] == [entity]
    origin = {each["attribute"]: each for each in page["version"]["origin"]}
    assert origin["phone"]["dataset"] == "people.clinic"
    rows = (await counter.get(f"{BASE}/population/entities/{entity}/rows", params={"purpose": "service"})).json()
    assert {row["dataset"]: row["values"]["name"] for row in rows}["people.insurance"] == "王建國"
    assert "code" not in rows[0]["values"]
    one = (await counter.get(f"{BASE}/population/records/{rows[0]['record']}", params={"purpose": "service"})).json()
    assert one == rows[0]
    pairs = (await counter.get(f"{BASE}/population/entities/{entity}/pairs")).json()
    assert all(abs(sum(e["weight"] for e in p["evidence"]) - 13.288 - p["weight"]) < 0.02 for p in pairs)
    pair = (await counter.get(f"{BASE}/population/pairs/{pairs[0]['b']}/{pairs[0]['a']}")).json()
    assert pair == pairs[0]
    versions = (await counter.get(f"{BASE}/population/entities/{entity}/versions")).json()
    assert [version["state"] for version in versions] == ["created"]
    early = {"purpose": "service", "at": "2013-01-01T00:00:00Z"}
    assert (await counter.get(f"{BASE}/population/entities/{entity}", params=early)).status_code == 404
    then = {"purpose": "service", "at": "2014-01-01T00:00:00Z"}
    assert (await counter.get(f"{BASE}/population/entities/{entity}", params=then)).json()["golden"] == page["golden"]
    assert (await counter.get(f"{BASE}/population/entities/999", params=then)).status_code == 404


async def test_registers_are_listed_with_model_runs_and_figures(town: Platform, client: Client) -> None:
    reader = await client("reader", "labour", "reader")
    [listed] = (await reader.get(BASE)).json()["items"]
    assert (listed["name"], listed["due"], listed["last_run"]["counts"]["entities"]) == ("population", False, 4)
    assert (await reader.get(f"{BASE}/population")).json() == listed
    model = (await reader.get(f"{BASE}/population/model")).json()
    assert model["comparisons"][0]["levels"][0]["level"] == "exact"
    assert model["comparisons"][0]["levels"][0]["weight"] == pytest.approx(16.535, abs=0.01)
    assert len((await reader.get(f"{BASE}/population/runs")).json()["items"]) == 1
    assert (await reader.get(f"{BASE}/population/figures")).json()["entities"] == 4
    assert (await reader.post(f"{BASE}/population/runs")).status_code == 403
    admin = await client("chief", "town", "administrator")
    assert (await admin.post(f"{BASE}/population/runs", params={"relearn": True})).status_code == 202
    assert (await reader.get(f"{BASE}/population")).json()["due"] is True
    assert (await reader.get(f"{BASE}/nowhere")).status_code == 404


async def test_clerks_review_and_decide(town: Platform, client: Client) -> None:
    twin = {**CLINIC[1], "code": "C8", "phone": "13800000001", "id_card": CARDS[3]}
    await load(town, "people.clinic", [twin])
    await town.settle()
    clerk = await client("clerk", "town", "clerk")
    queue = (await clerk.get(f"{BASE}/population/review", params={"limit": 1})).json()
    pair = queue["items"][0]
    assert pair["reason"] == "identity"
    assert all(set(each) == {"attribute", "method", "level", "weight"} for each in pair["evidence"])
    body = {"a": pair["a"], "b": pair["b"], "verdict": "same", "reason": "both papers seen"}
    assert (await clerk.post(f"{BASE}/population/decisions", json=body)).status_code == 202
    await town.settle()
    owner = members(town)
    assert owner["people.clinic", "C8"] == owner["people.household", "H1"]
    [decision] = (await clerk.get(f"{BASE}/population/decisions")).json()["items"]
    assert (decision["verdict"], decision["reason"]) == ("same", "both papers seen")
    entity = owner["people.clinic", "C8"]
    moved = {"records": [pair["b"]], "reason": "no, they were not"}
    assert (await clerk.post(f"{BASE}/population/entities/{entity}/split", json=moved)).status_code == 202
    await town.settle()
    assert members(town)["people.clinic", "C8"] != entity
    again = {"entities": [entity, members(town)["people.clinic", "C8"]], "reason": "yes"}
    assert (await clerk.post(f"{BASE}/population/merge", json=again)).status_code == 202
    assert (await clerk.post(f"{BASE}/population/merge", json={"entities": [entity, entity], "reason": "x"})).status_code == 409
    reader = await client("reader", "labour", "reader")
    assert (await reader.get(f"{BASE}/population/review")).status_code == 403
    due = await town.records.read(store.due)
    assert [row["name"] for row in due] == ["population"]


async def test_a_licence_is_issued_renewed_suspended_revoked_and_verified(
    town: Platform, client: Client, clock: ManualClock
) -> None:
    issuer, public = await client("issuer", "health", "issuer"), await client("public", None, "public")
    body = {"type": "midwife", "holder_code": CARDS[1], "holder_name": "李秀英", "fields": {"scope": "home", "phone": "138"}}
    issued = (await issuer.post(f"{BASE}/licences", json=body)).json()
    assert issued["identifier"].startswith("1.2.156.3005.2.1100.91350100M000100Y43.00000001.001.")
    assert (issued["valid_from"], issued["valid_to"], issued["state"]) == ("2014-01-01", "2014-12-31", "valid")
    content = (await issuer.get(f"{BASE}/licences/{issued['identifier']}/content")).json()
    checked = (await public.post(f"{BASE}/licences/verify", json={"code": issued["code"], "content": content})).json()
    assert (checked["genuine"], checked["state"], checked["holder_name"]) == (True, "valid", "李****")
    assert checked["fields"] == {"scope": "home"}
    content["holder_name"] = "张三"
    forged = (await public.post(f"{BASE}/licences/verify", json={"code": issued["code"], "content": content})).json()
    assert forged["genuine"] is False
    entry = (await town.get(Ledger).entries(checked["entries"][0] - 1, 1))[0]
    assert (entry.type, entry.subject) == ("elements.registers.licence_issued", issued["identifier"])
    steps = f"{BASE}/licences/{issued['identifier']}/steps"
    assert (await issuer.post(steps, json={"step": "suspend", "reason": "under inquiry"})).json()["state"] == "suspended"
    assert (await issuer.post(steps, json={"step": "suspend", "reason": "again"})).status_code == 409
    assert (await issuer.post(steps, json={"step": "restore", "reason": "cleared"})).json()["state"] == "valid"
    renewal = {**body, "valid_from": "2015-01-01"}
    renewal.pop("type")
    second = (await issuer.post(f"{BASE}/licences/{issued['identifier']}/renewal", json=renewal)).json()
    assert (second["version"], second["previous"], second["state"]) == (2, issued["identifier"], "not_yet")
    old = (await public.post(f"{BASE}/licences/verify", json={"code": issued["code"]})).json()
    assert old["state"] == "superseded"
    clock.advance(days=800)
    assert (await public.post(f"{BASE}/licences/verify", json={"code": second["code"]})).json()["state"] == "expired"
    steps = f"{BASE}/licences/{second['identifier']}/steps"
    assert (await issuer.post(steps, json={"step": "revoke", "reason": "misconduct"})).json()["state"] == "revoked"
    mine = (await issuer.get(f"{BASE}/licences", params={"purpose": "audit", "holder": CARDS[1], "limit": 1})).json()
    assert mine["items"][0]["holder_name"] == "李****"
    assert mine["items"][0]["fields"]["phone"] is None
    assert mine["next"] is not None
    other = await client("other", "labour", "issuer")
    assert (await other.post(f"{BASE}/licences", json=body)).status_code == 403
    bad = {**body, "holder_code": "123"}
    assert (await issuer.post(f"{BASE}/licences", json=bad)).status_code == 422
    assert (await issuer.post(f"{BASE}/licences", json={**body, "fields": {}})).status_code == 422
    assert (await town.get(Ledger).verify()).faults == ()
    await town.records.write(lambda tx: tx.session.execute("UPDATE registers_licence SET holder_name = '张三' WHERE version = 1"))
    assert [fault.table for fault in (await town.get(Ledger).verify()).faults] == ["registers_licence"]


async def test_credit_facts_are_shown_for_their_time_and_repaired_on_application(
    town: Platform, client: Client, clock: ManualClock
) -> None:
    recorder, public = await client("recorder", "health", "recorder"), await client("public", None, "public")
    fact = {
        "kind": "penalty",
        "subject": COMPANY.lower(),
        "subject_name": "某公司",
        "organisation": "health",
        "document": "2013-7",
        "content": "fined",
        "decided_on": "2013-12-20",
    }
    recorded = (await recorder.post(f"{BASE}/credit/facts", json=fact)).json()
    assert (recorded["state"], recorded["expires_on"], recorded["repairable_from"]) == ("active", "2016-12-19", "2014-03-20")
    assert (await recorder.post(f"{BASE}/credit/facts", json=fact)).status_code == 409
    assert (await recorder.post(f"{BASE}/credit/facts", json={**fact, "organisation": "labour"})).status_code == 403
    assert (await recorder.post(f"{BASE}/credit/facts", json={**fact, "subject": "1"})).status_code == 422
    repairs = f"{BASE}/credit/facts/{recorded['id']}/repairs"
    asked = (await public.post(repairs, json={"reason": "paid and mended"})).json()
    assert (await public.post(repairs, json={"reason": "again"})).status_code == 409
    assert [r["id"] for r in (await recorder.get(f"{BASE}/credit/repairs")).json()["items"]] == [asked["id"]]
    decision = f"{BASE}/credit/repairs/{asked['id']}/decision"
    early = await recorder.post(decision, json={"grant": True, "reason": "ok"}, headers={"Accept-Language": "zh"})
    assert early.status_code == 409
    assert "2014-03-20" in early.json()["detail"]
    assert len((await public.get(f"{BASE}/credit/public/{COMPANY}")).json()["items"]) == 1
    clock.advance(days=100)
    assert (await recorder.post(decision, json={"grant": True, "reason": "ok"})).json()["state"] == "repaired"
    assert (await public.get(f"{BASE}/credit/public/{COMPANY}")).json()["items"] == []
    second = (await recorder.post(f"{BASE}/credit/facts", json={**fact, "document": "2013-8"})).json()
    clock.advance(days=1100)
    report = (await recorder.get(f"{BASE}/credit/subjects/{COMPANY}", params={"purpose": "procurement"})).json()["items"]
    assert {each["id"]: each["state"] for each in report} == {recorded["id"]: "repaired", second["id"]: "expired"}
    looks = await read_events(town, "elements.registers.read")
    assert '"purpose":"procurement"' in looks[-1]
    assert (await public.post(f"{BASE}/credit/facts/{second['id']}/repairs", json={"reason": "x"})).status_code == 409
    withdrawn = await recorder.post(f"{BASE}/credit/facts/{second['id']}/withdrawal", json={"reason": "wrong firm"})
    assert withdrawn.json()["state"] == "withdrawn"
    assert (await public.get(f"{BASE}/credit/subjects/{COMPANY}", params={"purpose": "x"})).status_code == 403
    assert (await town.get(Ledger).verify()).faults == ()
