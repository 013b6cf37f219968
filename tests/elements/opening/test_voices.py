"""The public's voice: requests, corrections, use cases and ratings reach the owner, are bounded, and are proven."""

import time

import pytest

from mumian.elements.opening.service.limiting import Buckets
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.errors import TooMany
from tests.elements.opening.conftest import BASE, Town


def test_a_correction_reaches_the_owner_and_is_seen_when_it_was_answered(town: Town) -> None:
    said = {
        "kind": "correction",
        "dataset": "wards",
        "title": "12 beds?",
        "text": "There are 14.",
        "row": "A",
        "contact": "a@example.org",
    }
    with town.client() as anybody, town.client("nurse") as owner, town.client("teacher") as other:
        filed = anybody.post(f"{BASE}/voices", json=said)
        assert filed.status_code == 201
        number = filed.json()["number"]
        assert filed.json()["due"] > filed.json()["filed_at"]
        assert number not in [one["number"] for one in anybody.get(f"{BASE}/voices").json()["items"]]
        assert other.get(f"{BASE}/voices/{number}").status_code == 404
        listed = owner.get(f"{BASE}/voices", params={"owner": "clinic"}).json()["items"]
        assert {one["number"]: one["contact"] for one in listed}[number] == "a@example.org"
        assert other.get(f"{BASE}/voices", params={"owner": "clinic"}).status_code == 403
        answer = {"state": "done", "text": "Corrected, thank you."}
        assert other.post(f"{BASE}/voices/{number}/answer", json=answer).status_code == 403
        assert owner.post(f"{BASE}/voices/{number}/answer", json=answer).json()["state"] == "done"
        assert owner.post(f"{BASE}/voices/{number}/answer", json=answer).status_code == 409
        shown = other.get(f"{BASE}/voices", params={"dataset": "wards"}).json()["items"][0]
        assert (shown["answer"], shown["contact"]) == ("Corrected, thank you.", None)


def test_requests_and_use_cases_are_heard_and_spam_is_hidden(town: Town) -> None:
    with town.client() as anybody, town.client("chief") as chief:
        request = {"kind": "request", "title": "Bus stops", "text": "Please open them."}
        case = {"kind": "use-case", "dataset": "shops.open", "title": "Map", "text": "A map", "url": "https://example.org/map"}
        numbers = [anybody.post(f"{BASE}/voices", json=each).json()["number"] for each in (request, case)]
        assert chief.post(f"{BASE}/voices/{numbers[0]}/answer", json={"state": "hidden", "text": "spam"}).status_code == 200
        assert chief.post(f"{BASE}/voices/{numbers[1]}/answer", json={"state": "done", "text": "shown"}).status_code == 200
        shown = {one["number"]: one for one in anybody.get(f"{BASE}/voices").json()["items"]}
        assert numbers[0] not in shown
        assert shown[numbers[1]]["said"]["url"] == "https://example.org/map"
        for wrong in (
            {"kind": "correction", "title": "a", "text": "b"},
            {**case, "dataset": "hidden"},
            {**case, "url": "javascript:1"},
        ):
            assert anybody.post(f"{BASE}/voices", json=wrong).status_code in (404, 422)


def test_each_person_rates_once(town: Town) -> None:
    with town.client() as anybody, town.client("nurse") as nurse:
        anybody.put(f"{BASE}/datasets/shops.open/rating", json={"stars": 1})
        anybody.put(f"{BASE}/datasets/shops.open/rating", json={"stars": 5})
        assert nurse.put(f"{BASE}/datasets/shops.open/rating", json={"stars": 4}).json() == {"stars": {"4": 1, "5": 1}}
        assert nurse.put(f"{BASE}/datasets/shops.open/rating", json={"stars": 6}).status_code == 422
        assert nurse.put(f"{BASE}/datasets/hidden/rating", json={"stars": 3}).status_code in (200, 404)


def test_uses_are_counted_and_all_is_proven(town: Town) -> None:
    with town.client() as client:
        for _ in range(3):
            assert client.get(f"{BASE}/datasets/shops.open/data.jsonl").status_code == 200
        town.run(town.platform.settle())
        uses = client.get(f"{BASE}/datasets/shops.open/usage").json()["items"]
        assert sum(one["uses"] for one in uses if one["way"] == "jsonl") >= 3
        assert client.get(f"{BASE}/usage").json()["items"][0]["dataset"] == "shops.open"
        assert client.get("/api/v1/elements/catalog/datasets/shops.open").json()["uses"] >= 3
    faults = town.run(town.platform.get(Ledger).verify()).faults
    assert [fault for fault in faults if fault.table.startswith("opening_")] == []
    for table, change, undo in (
        ("rating", "stars = stars + 1", "stars = stars - 1"),
        ("usage", "uses = uses + 1", "uses = uses - 1"),
        ("voice", "contact = contact || 'x'", "contact = substr(contact, 1, length(contact) - 1)"),
    ):
        town.run(town.platform.records.write(lambda tx, t=table, c=change: tx.session.execute(f"UPDATE opening_{t} SET {c}")))
        assert f"opening_{table}" in {fault.table for fault in town.run(town.platform.get(Ledger).verify()).faults}
        town.run(town.platform.records.write(lambda tx, t=table, c=undo: tx.session.execute(f"UPDATE opening_{t} SET {c}")))


def test_who_asks_too_often_waits() -> None:
    buckets = Buckets(3, 0.3)
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(TooMany) as refused:
        buckets.take("a")
    assert refused.value.values["seconds"] >= 1
    buckets.take("b")
    time.sleep(0.15)
    buckets.take("a")


def test_the_public_may_write_only_so_often(town: Town) -> None:
    with town.client() as client:
        answers = [client.put(f"{BASE}/datasets/shops.open/rating", json={"stars": 3}).status_code for _ in range(50)]
        assert answers[-1] == 429
        assert "retry-after" in client.put(f"{BASE}/datasets/shops.open/rating", json={"stars": 3}).headers


def test_conditional_data_are_applied_for_in_sharing(town: Town) -> None:
    body = {"fields": ["ward"], "purpose": "research", "use": "a paper", "basis": "the law on open data", "days": 30}
    with town.client() as anybody, town.client("teacher") as teacher:
        assert anybody.post(f"{BASE}/datasets/wards/applications", json=body).status_code == 401
        assert teacher.post(f"{BASE}/datasets/shops.open/applications", json=body).status_code == 409
        made = teacher.post(f"{BASE}/datasets/wards/applications", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["states"] == ["submitted"]
