"""Protection and lineage over HTTP: labels are listed and decided, rows asked for, lineage told, each by those who may."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.elements.protection.api import Label, Labels
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.platform import Platform

BASE = "/api/v1/elements/protection"


@pytest_asyncio.fixture
async def admin(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client."""
    accounts = town.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("chief", {"zh": "管", "en": "Chief"}, "town", ("administrator",)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_asgi(town)), base_url="http://town", headers=headers, timeout=60
    ) as client:
        yield client


async def test_labels_are_listed_page_by_page_and_decided_with_a_reason(town: Platform, admin: httpx.AsyncClient) -> None:
    labels = town.get(Labels)

    def propose(tx: Any) -> None:
        for field in ("district", "height"):
            labels.propose(tx, "people", field, Label("important", "personal"), "detector", {"share": 0.9})

    await town.records.write(propose)
    first = (await admin.get(f"{BASE}/labels", params={"limit": 1})).json()
    second = (await admin.get(f"{BASE}/labels", params={"limit": 1, "cursor": first["next"]})).json()
    assert [first["items"][0]["field"], second["items"][0]["field"], second["next"]] == ["district", "height", None]
    body = {"decision": "confirm", "grade": "important", "personal": "none", "reason": "a number of the register"}
    answer = await admin.post(f"{BASE}/labels/people/district/decision", json=body)
    assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")
    body = {"decision": "confirm", "grade": "general", "reason": "no"}
    refused = await admin.post(f"{BASE}/labels/people/phone/decision", json=body, headers={"Accept-Language": "zh"})
    assert refused.status_code == 409
    assert "声明" in refused.json()["detail"]
    history = (await admin.get(f"{BASE}/labels/people/district/history")).json()["items"]
    assert [entry["state"] for entry in history] == ["confirmed", "proposed"]
    listed = (await admin.get(f"{BASE}/important", params={"limit": 2})).json()
    assert [(item["field"], item["grade"]) for item in listed["items"]] == [("district", "important"), ("height", "important")]
    rest = (await admin.get(f"{BASE}/important", params={"cursor": listed["next"]})).json()["items"]
    assert [(item["dataset"], item["field"]) for item in rest] == [("people", "site"), ("shops.open", "capacity")]


async def test_rows_are_asked_for_over_http_and_refusals_say_why(town: Platform, admin: httpx.AsyncClient) -> None:
    body = {"sql": "SELECT district, count(*) AS n FROM shops.open GROUP BY 1 ORDER BY 1", "limit": 1}
    answer = (await admin.post(f"{BASE}/rows", json=body)).json()
    assert (answer["rows"], answer["truncated"]) == ([["440103", 50]], True)
    assert answer["columns"] == [{"name": "district", "type": "text"}, {"name": "n", "type": "integer"}]
    refused = await admin.post(f"{BASE}/rows", json={"sql": "SELECT * FROM read_csv('/etc/passwd')"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "sql")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(town)), base_url="http://town") as anybody:
        assert (await anybody.post(f"{BASE}/rows", json=body)).status_code == 200
        denied = await anybody.post(f"{BASE}/rows", json={"sql": "SELECT district FROM people"})
        assert denied.status_code in (401, 403)
        assert (await anybody.get(f"{BASE}/labels")).status_code == 401
        assert (await anybody.post("/openlineage/api/v1/lineage", json={})).status_code == 401


async def test_openlineage_events_are_taken_and_drawn(town: Platform, admin: httpx.AsyncClient) -> None:
    source = {"namespace": "postgres://db", "name": "public.pay", "field": "person"}
    facets = {"columnLineage": {"fields": {"district": {"inputFields": [source]}}}}
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2014-01-01T00:00:00Z",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "etl", "name": "nightly"},
        "outputs": [{"namespace": "mumian", "name": "people", "facets": facets}],
    }
    assert (await admin.post("/openlineage/api/v1/lineage", json=event)).status_code == 201
    graph = (await admin.get("/api/v1/elements/lineage/graph", params={"dataset": "people", "field": "district"})).json()
    assert [(e["source"], e["target"], e["job"]) for e in graph["edges"]] == [
        ("postgres://db/public.pay#person", "people#district", "etl/nightly")
    ]
    assert {node["id"]: node["own"] for node in graph["nodes"]}["people#district"] is True
    runs = (await admin.get("/api/v1/elements/lineage/runs", params={"job": "etl/nightly"})).json()["items"]
    assert [run["state"] for run in runs] == ["completed"]
    for body in ({}, [], {**event, "run": {"runId": "x"}}, {**event, "eventTime": "now"}, {**event, "outputs": [{"name": "a"}]}):
        assert (await admin.post("/openlineage/api/v1/lineage", json=body)).status_code == 422
    broken = await admin.post("/openlineage/api/v1/lineage", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400
