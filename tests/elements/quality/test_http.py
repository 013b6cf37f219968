"""Quality over HTTP: scores page by page, failing rows behind the gate, suggestions from profiles, tickets by those who may."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio
import yaml

from mumian.app.web import create_asgi
from mumian.elements.quality.rules.suggesting import pattern
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.platform import Platform
from tests.elements.quality.conftest import CODES, RULES, apply, companies, load

BASE = "/api/v1/elements/quality"
_ROLES = """
kind: Policy
name: quality
title: {zh: 质量, en: Quality}
spec:
  cedar: |
    permit (principal in Role::"member", action in [Action::"quality:read", Action::"quality-ticket:read"], resource);
    permit (
      principal in Role::"officer",
      action in [Action::"quality:review", Action::"quality-ticket:handle", Action::"row:read"],
      resource
    ) when { principal has organisation && resource in principal.organisation };
"""


async def client(platform: Platform, login: str, organisation: str, role: str) -> httpx.AsyncClient:
    """Somebody's client."""
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft(login, {"zh": login, "en": login}, organisation, (role,)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    transport = httpx.ASGITransport(create_asgi(platform))
    return httpx.AsyncClient(transport=transport, base_url="http://town", headers=headers, timeout=60)


@pytest_asyncio.fixture
async def judged(town: Platform) -> AsyncIterator[Platform]:
    """A town whose companies have faults, found."""
    await apply(town, _ROLES)
    await apply(town, RULES)
    await load(town, "companies", companies(capital=[-1, 1, 2, 3], phone=["12", "13800000000", "13800000000", "13800000000"]))
    await town.settle()
    yield town


async def test_what_screens_need_is_listed_told_and_judged_anew(judged: Platform) -> None:
    async with await client(judged, "chief", "town", "administrator") as admin:
        first = (await admin.get(f"{BASE}/datasets", params={"order": "score", "limit": 1})).json()
        second = (await admin.get(f"{BASE}/datasets", params={"order": "score", "limit": 1, "cursor": first["next"]})).json()
        assert [first["items"][0]["dataset"], second["items"][0]["dataset"], second["next"]] == ["companies", "people", None]
        assert (first["items"][0]["failed"], first["items"][0]["tickets"]) == (2, 2)
        whole = (await admin.get(f"{BASE}/datasets/companies")).json()
        results = {each["name"]: each for each in whole["results"]}
        assert results["companies:capital"]["title"] == {
            "zh": "“capital”在范围内（≥ 0, ≤ 1000000）",
            "en": "capital is within bounds (≥ 0, ≤ 1000000)",
        }
        assert (results["companies:capital"]["failing"], results["companies:capital"]["ticket"]) == (1, 2)
        assert results["companies:phone"]["weight"] == 1.0
        again = await admin.post(f"{BASE}/datasets/companies/runs")
        assert again.status_code == 201
        assert again.json()["run"] > whole["run"]
        trend = (await admin.get(f"{BASE}/datasets/companies/runs", params={"limit": 1})).json()
        assert (trend["items"][0]["trigger"], trend["items"][0]["score"]) == ("asked", whole["score"])
        rest = (await admin.get(f"{BASE}/datasets/companies/runs", params={"cursor": trend["next"]})).json()
        assert [each["run"] for each in rest["items"]] == [whole["run"]]
        results_ = (await admin.get(f"{BASE}/datasets/companies/rules/companies:capital/results")).json()["items"]
        assert [(each["state"], each["failing"]) for each in results_] == [("failed", 1), ("failed", 1)]
        overview = (await admin.get(f"{BASE}/overview")).json()
        assert (overview["datasets"], overview["failed"], overview["open_tickets"], overview["late_tickets"]) == (2, 2, 2, 0)
        ranking = (await admin.get(f"{BASE}/ranking")).json()
        assert [(each["organisation"], each["place"], each["open"]) for each in ranking] == [("town", 1, 0), ("market", 2, 2)]
        found = (await admin.get("/api/v1/elements/catalog/search", params={"order": "score"})).json()
        assert [item["name"] for item in found["items"]] == ["people", "companies"]
        assert found["facets"]["quality"] == {"90": 2}
        assert (await admin.get(f"{BASE}/datasets/nowhere")).status_code == 404
        assert (await admin.post(f"{BASE}/datasets/nowhere/runs")).status_code == 404


async def test_failing_rows_are_shown_as_the_gate_shows_them(judged: Platform) -> None:
    async with (
        await client(judged, "officer", "market", "officer") as officer,
        await client(judged, "other", "town", "officer") as other,
    ):
        rows = (await officer.get(f"{BASE}/datasets/companies/rules/companies:phone/rows")).json()
        assert (rows["kept"], rows["failing"], len(rows["rows"])) == (1, 1, 1)
        shown = dict(zip(rows["columns"], rows["rows"][0], strict=True))
        assert (shown["_id"], shown["code"], shown["phone"]) == (1, CODES[0], "****"), "a phone is personal"
        none = (await officer.get(f"{BASE}/datasets/companies/rules/companies:named/rows")).json()
        assert none == {"columns": [], "rows": [], "kept": 0, "failing": 0}
        assert (await officer.get(f"{BASE}/datasets/people/rules/declared:key/rows")).status_code in (200, 403)
        assert (await other.get(f"{BASE}/datasets/companies/rules/companies:phone/rows")).status_code == 200, (
            "market is below town"
        )
        await load(judged, "companies", companies(), "replace")
        gone = (await officer.get(f"{BASE}/datasets/companies/rules/companies:phone/rows")).json()
        assert (gone["kept"], gone["rows"]) == (1, [])
        assert (await officer.get(f"{BASE}/datasets/companies/rules/nothing/rows")).status_code == 404
        assert (await officer.post(f"{BASE}/datasets/companies/runs")).status_code == 403


async def test_people_comment_take_on_and_extend_tickets_of_their_own_only(judged: Platform) -> None:
    async with (
        await client(judged, "officer", "market", "officer") as officer,
        await client(judged, "chief", "town", "administrator") as admin,
    ):
        listed = (await officer.get(f"{BASE}/tickets", params={"owner": "market", "state": "open", "limit": 1})).json()
        assert (listed["items"][0]["rule"], listed["items"][0]["on_time"]) == ("companies:capital", None)
        assert listed["items"][0]["title"]["zh"].startswith("“capital”在范围内")
        more = (await officer.get(f"{BASE}/tickets", params={"cursor": listed["next"]})).json()["items"]
        assert [each["rule"] for each in more] == ["companies:phone"]
        url = f"{BASE}/tickets/{listed['items'][0]['number']}"
        assert (await officer.post(f"{url}/comments", json={"text": "the register is asked"})).status_code == 201
        taken = (await officer.post(f"{url}/assignment", json={"assignee": "officer"})).json()
        assert taken["assignee"] == "officer"
        assert (await officer.post(f"{url}/comments", json={"text": "a\0"})).status_code == 422
        unknown = await officer.post(f"{url}/assignment", json={"assignee": "nobody"})
        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "assignee")
        wanted = {"due_at": "2014-02-01T00:00:00Z", "reason": "the register answers monthly"}
        assert (await officer.post(f"{url}/extension", json=wanted)).status_code == 403
        assert (await admin.post(f"{url}/extension", json={**wanted, "due_at": "2013-01-01T00:00:00Z"})).status_code == 422
        assert (await admin.post(f"{url}/extension", json=wanted)).json()["due_at"] == "2014-02-01T00:00:00.000000Z"
        await load(judged, "companies", companies(), "replace")
        await judged.settle()
        closed = (await officer.get(url)).json()
        assert (closed["state"], closed["on_time"]) == ("closed", True)
        assert [step["action"] for step in closed["steps"]] == ["opened", "commented", "assigned", "extended", "closed"]
        assert (await officer.post(f"{url}/assignment", json={"assignee": None})).status_code == 409
        assert (await officer.get(f"{BASE}/tickets/999")).status_code == 404
        assert (await officer.post(f"{BASE}/tickets/999/comments", json={"text": "x"})).status_code == 404
        assert (await judged.get(Ledger).verify()).sound


def many(count: int = 60) -> dict[str, Any]:
    """Companies enough to learn from; one phone in sixty is none."""
    return {
        "code": [f"C{i:05d}" for i in range(count)],
        "name": [f"公司{chr(0x4E00 + i)}" for i in range(count)],
        "区": ["440103" if i % 3 else "440104" for i in range(count)],
        "capital": [i * 10 for i in range(count)],
        "phone": [f"138{i:08d}" if i else "12" for i in range(count)],
        "chief": [f"p{i % 30}" for i in range(count)],
    }


async def test_a_profile_suggests_rules_with_evidence_that_become_a_declaration(town: Platform) -> None:
    await load(town, "people", {"id": [f"p{i}" for i in range(40)]}, "replace")
    await load(town, "companies", many())
    async with await client(town, "chief", "town", "administrator") as admin:
        assert (await admin.get(f"{BASE}/datasets/companies/profile")).status_code == 404
        profile = (await admin.post(f"{BASE}/datasets/companies/profile")).json()
        fields = {each["name"]: each for each in profile["fields"]}
        assert (profile["rows"], fields["founded"]["missing"], fields["capital"]["most"]) == (60, 60, 590.0)
        assert fields["区"]["top"] == [["440103", 40], ["440104", 20]]
        assert fields["name"]["shapes"] == [["中中中", 60]]
        assert (fields["phone"]["labelled"], fields["phone"]["top"]) == (True, [])
        offered = {each["id"]: each for each in (await admin.get(f"{BASE}/datasets/companies/suggestions")).json()}
        assert offered["reference-chief-people"]["rule"]["target"] == ["id"]
        assert offered["format-phone"]["rule"]["format"] == "mobile"
        assert offered["format-code"]["rule"]["pattern"] == r"[A-Za-z]\d{5}"
        assert "codes-u533a" not in offered, "the dataset says so itself"
        assert offered["unique-name"]["evidence"] == {"rows": 60, "distinct": 60}
        assert offered["range-capital"]["evidence"] == {"negative": 0, "least": 0.0, "most": 590.0, "mean": 295.0}
        assert "not-null-founded" not in offered
        assert (
            await admin.post(f"{BASE}/datasets/companies/suggestions/unique-name/declined", json={"reason": "no"})
        ).status_code == 204
        taken = ["format-phone", "reference-chief-people", "not-null-name"]
        text = (await admin.post(f"{BASE}/datasets/companies/suggestions/accepted", json={"ids": taken})).json()["yaml"]
        assert [rule["id"] for rule in yaml.safe_load(text)["spec"]["rules"]] == taken
        await apply(town, text)
        await town.settle()
        whole = (await admin.get(f"{BASE}/datasets/companies")).json()
        states = {each["name"]: each["state"] for each in whole["results"] if not each["implied"]}
        assert states == {
            "companies:format-phone": "failed",
            "companies:reference-chief-people": "passed",
            "companies:not-null-name": "passed",
        }
        left = {each["id"] for each in (await admin.get(f"{BASE}/datasets/companies/suggestions")).json()}
        assert left.isdisjoint({*taken, "unique-name"})
        more = (await admin.post(f"{BASE}/datasets/companies/suggestions/accepted", json={"ids": ["range-capital"]})).json()[
            "yaml"
        ]
        assert [rule["id"] for rule in yaml.safe_load(more)["spec"]["rules"]] == [*taken, "range-capital"]
        refused = await admin.post(f"{BASE}/datasets/companies/suggestions/accepted", json={"ids": ["nothing"]})
        assert refused.status_code == 404
    assert (await town.get(Ledger).verify()).sound


def test_a_form_becomes_a_pattern() -> None:
    assert pattern("AA-99.中") == r"[A-Za-z]{2}\-\d{2}\.[\x{4e00}-\x{9fff}]"
