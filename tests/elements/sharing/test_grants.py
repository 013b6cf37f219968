"""Grants over HTTP: what they show, how much, what proves it, and how they are refused."""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.elements.protection.api import Limits
from mumian.elements.sharing.api import Asked, Item, Quota, QuotaUsed, Sharing, request_digest
from mumian.elements.sharing.errors import OwnApplication
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.conftest import ROOT
from tests.elements.sharing.conftest import apply, asking, decide, draft, giving, granted, made, people

BASE = "/api/v1/elements/sharing"


async def client(platform: Platform, organisation: str, *roles: str) -> httpx.AsyncClient:
    """A client with a token of somebody of an organisation."""
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft(f"p-{organisation}", {"zh": "人", "en": "P"}, organisation, roles))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    transport = httpx.ASGITransport(create_asgi(platform))
    return httpx.AsyncClient(transport=transport, base_url="http://city", headers={"Authorization": f"Bearer {token}"})


@pytest_asyncio.fixture
async def clinic(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A programme of the clinic."""
    async with await client(town, "clinic", "sharer") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def programme(shared: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A programme of the clinic in the shared town."""
    async with await client(shared, "clinic", "sharer") as opened:
        yield opened


def rows_of(answer: httpx.Response) -> list[list[Any]]:
    assert answer.status_code == 200, answer.text
    found: list[list[Any]] = answer.json()["rows"]
    return found


@pytest.mark.asyncio(loop_scope="module")
async def test_rows_come_in_pages_with_only_the_granted_fields_masked_as_decided(
    shared: Platform, programme: httpx.AsyncClient
) -> None:
    grant = await granted(shared, draft(people(plain=("phone",), rows="district = '440103'")))
    url = f"{BASE}/grants/{grant.id}/rows"
    first = await programme.get(url, params={"purpose": "care", "limit": 2, "where": ["height:ge:152"]})
    assert [column["name"] for column in first.json()["columns"]] == ["code", "phone", "height"]
    assert [row[1] for row in rows_of(first)] == ["13800000002", "13800000004"]
    assert [row[0] for row in rows_of(first)] == [None, None]
    rest = await programme.get(
        url, params={"purpose": "care", "limit": 1000, "where": ["height:ge:152"], "cursor": first.json()["next"]}
    )
    assert len(rows_of(rest)) == 50 - 2 - 2
    assert rest.json()["next"] is None
    found = await programme.get(url, params={"purpose": "care", "match": ["code:000000000000000004"], "fields": "phone"})
    assert rows_of(found) == [["13800000004"]]
    sql = {"purpose": "care", "sql": "SELECT count(*) AS n, max(height) AS most FROM people"}
    assert rows_of(await programme.post(f"{BASE}/grants/{grant.id}/query", json=sql)) == [[50, 198.0]]
    refused = await programme.get(url, params={"purpose": "curiosity"})
    assert (refused.status_code, refused.json()["key"]) == (403, "protection.purpose")
    for wrong in ({"fields": "site"}, {"where": ["site:eq:x"]}, {"where": ["height"]}, {"match": ["phone"]}, {"cursor": "x"}):
        assert (await programme.get(url, params={"purpose": "care", **wrong})).status_code == 422


@pytest.mark.asyncio(loop_scope="module")
async def test_a_token_is_the_same_in_every_answer_and_tells_nothing(shared: Platform, programme: httpx.AsyncClient) -> None:
    application = draft(people(fields=("code", "height"), tokens=("code",)))
    grant = await granted(shared, application)
    url = f"{BASE}/grants/{grant.id}/rows"
    twice = [rows_of(await programme.get(url, params={"purpose": "care", "limit": 3})) for _ in range(2)]
    assert twice[0] == twice[1]
    assert len({row[0] for row in twice[0]}) == 3
    assert all(len(row[0]) == 64 for row in twice[0])


@pytest.mark.asyncio(loop_scope="module")
async def test_every_answer_has_a_receipt_that_proves_it_without_the_city(
    shared: Platform, programme: httpx.AsyncClient, tmp_path: Path
) -> None:
    grant = await granted(shared)
    answer = await programme.get(f"{BASE}/grants/{grant.id}/rows", params={"purpose": "care", "limit": 3})
    bundle = json.loads(base64.urlsafe_b64decode(answer.headers["mumian-proof"]))
    receipt = json.loads(bundle["entry"]["body"])
    assert receipt["answer"] == sha256(answer.content).hexdigest()
    assert receipt["request"] == request_digest("GET", f"{BASE}/grants/{grant.id}/rows?purpose=care&limit=3", b"")
    assert (receipt["rows"], receipt["holder"], receipt["grant"]) == (3, "clinic", grant.id)
    keys = []
    for key in shared.get(Ledger).public_keys():
        keys.append(tmp_path / f"{key.algorithm}.pem")
        keys[-1].write_text(key.pem)
    verified = _verify(tmp_path, bundle, keys)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    bundle["entry"]["body"] = bundle["entry"]["body"].replace('"rows":3', '"rows":4')
    assert _verify(tmp_path, bundle, keys).returncode != 0
    again = await programme.get(f"{BASE}/receipts/{receipt['number']}")
    assert _verify(tmp_path, again.json(), keys).returncode == 0
    listed = (await programme.get(f"{BASE}/grants/{grant.id}/receipts")).json()["items"]
    assert [one["number"] for one in listed] == [receipt["number"]]
    assert (await shared.get(Ledger).verify()).faults == ()


def _verify(folder: Path, bundle: dict[str, Any], keys: list[Path]) -> subprocess.CompletedProcess[str]:
    (folder / "bundle.json").write_text(json.dumps(bundle), "utf-8")
    command = [sys.executable, str(ROOT / "tools/verify_ledger.py"), str(folder / "bundle.json"), *map(str, keys)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_a_receipt_that_was_changed_is_found(town: Platform) -> None:
    grant = await granted(town)
    asked = Asked(asking(town), grant.id, "care", "0" * 64)
    await town.get(Sharing).query(asked, "SELECT height FROM people", Limits(rows=5))
    changed = "UPDATE sharing_receipt SET body = REPLACE(body, '\"rows\":5', '\"rows\":1')"
    await town.records.write(lambda tx: tx.session.execute(changed))
    await town.records.write(lambda tx: tx.session.execute("UPDATE sharing_meter SET rows_had = 1 WHERE period = 'day'"))
    faults = (await town.get(Ledger).verify()).faults
    assert {(fault.table, fault.field) for fault in faults} == {("sharing_receipt", "root"), ("sharing_meter", "sum")}


@pytest.mark.asyncio(loop_scope="module")
async def test_whole_answers_are_streamed_as_csv_lines_and_parquet_and_counted(
    shared: Platform, programme: httpx.AsyncClient, tmp_path: Path
) -> None:
    grant = await granted(shared, draft(Item(dataset="people", fields=("district", "height"))))
    url = f"{BASE}/grants/{grant.id}/rows"
    csv = await programme.get(url, params={"purpose": "care", "format": "csv"})
    assert csv.text.splitlines()[:2] == ["district,height", "440103,150.0"]
    lines = await programme.get(url, params={"purpose": "care", "format": "ndjson", "where": ["district:eq:440104"]})
    assert json.loads(lines.text.splitlines()[0]) == {"district": "440104", "height": 151.0}
    parquet = await programme.get(url, params={"purpose": "care", "format": "parquet"})
    (tmp_path / "rows.parquet").write_bytes(parquet.content)
    sql = "SELECT count(*), typeof(any_value(height)) FROM read_parquet(?)"
    assert duckdb.execute(sql, [str(tmp_path / "rows.parquet")]).fetchall() == [(100, "DOUBLE")]
    receipts = (await programme.get(f"{BASE}/grants/{grant.id}/receipts")).json()["items"]
    assert [(one["rows"], one["answer"]) for one in receipts] == [
        (100, sha256(parquet.content).hexdigest()),
        (50, sha256(lines.content).hexdigest()),
        (100, sha256(csv.content).hexdigest()),
    ]
    used = (await programme.get(f"{BASE}/grants/{grant.id}/quota")).json()[0]
    size = len(parquet.content) + len(lines.content) + len(csv.content)
    assert (used["calls"], used["rows"], used["bytes"]) == (3, 250, size)
    assert (await shared.get(Ledger).verify()).faults == ()


async def test_a_quota_is_refused_with_the_time_when_it_renews(
    town: Platform, clinic: httpx.AsyncClient, clock: ManualClock
) -> None:
    grant = await granted(town, draft(quota=Quota(calls_day=2, rows_month=5)))
    url = f"{BASE}/grants/{grant.id}/rows"
    assert len(rows_of(await clinic.get(url, params={"purpose": "care", "limit": 3}))) == 3
    for form in ("csv", "ndjson", "parquet"):
        whole = await clinic.get(url, params={"purpose": "care", "format": form})
        assert (whole.status_code, whole.json()["key"]) == (429, "sharing.quota_used"), "half a file looks like a whole one"
    short = await clinic.get(url, params={"purpose": "care", "limit": 50})
    assert len(rows_of(short)) == 2
    assert short.json()["next"] is not None
    refused = await clinic.get(url, params={"purpose": "care"})
    assert (refused.status_code, refused.json()["key"]) == (429, "sharing.quota_used")
    assert refused.headers["retry-after"] == str(24 * 3600)
    assert "2014-01-02" in refused.json()["detail"]
    clock.advance(days=1)
    again = await clinic.get(url, params={"purpose": "care", "limit": 50})
    assert again.status_code == 429
    assert "2014-02-01" in again.json()["detail"]


@pytest_asyncio.fixture
async def either(engine: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The town on each engine."""
    platform = await made(engine, clock)
    yield platform
    await platform.stop()


async def test_never_more_than_the_quota_goes_out_however_many_ask_at_once(either: Platform) -> None:
    grant = await granted(either, draft(quota=Quota(calls_day=40, rows_day=77)))
    sharing, caller = either.get(Sharing), asking(either)

    async def ask(index: int) -> int:
        try:
            asked = Asked(caller, grant.id, "care", f"{index:064}")
            content, _ = await sharing.query(asked, "SELECT height FROM people", Limits(rows=1 + index % 4))
        except QuotaUsed:
            return 0
        return len(json.loads(content)["rows"])

    had = await asyncio.gather(*(ask(index) for index in range(120)))
    used = (await sharing.proving.used(grant.id))["day"]
    assert (used.calls, used.rows) == (sum(1 for rows in had if rows), sum(had))
    assert used.calls <= 40
    assert used.rows <= 77
    assert (await either.get(Ledger).verify()).faults == ()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_revoked_or_foreign_grant_gives_nothing(shared: Platform, programme: httpx.AsyncClient) -> None:
    grant = await granted(shared)
    sharing = shared.get(Sharing)
    async with await client(shared, "north", "sharer") as north:
        foreign = await north.get(f"{BASE}/grants/{grant.id}/rows", params={"purpose": "care"})
        assert (foreign.status_code, foreign.json()["key"]) == (404, "sharing.no_such_grant")
        assert (await north.get(f"{BASE}/grants/{grant.id}")).status_code == 404
    await shared.records.write(lambda tx: sharing.revoke(tx, giving(shared), grant.id, "misused"))
    refused = await programme.get(f"{BASE}/grants/{grant.id}/rows", params={"purpose": "care"})
    assert (refused.status_code, refused.json()["key"]) == (403, "sharing.not_in_force")


@pytest.mark.asyncio(loop_scope="module")
async def test_what_nobody_granted_is_refused(shared: Platform, programme: httpx.AsyncClient) -> None:
    grant = await granted(shared)
    sql = {"purpose": "care", "sql": "SELECT * FROM wanted, people"}
    assert (await programme.post(f"{BASE}/grants/{grant.id}/query", json=sql)).status_code in (403, 422)
    sql = {"purpose": "care", "sql": "SELECT district FROM people"}
    assert (await programme.post(f"{BASE}/grants/{grant.id}/query", json=sql)).status_code == 422


async def test_an_application_goes_from_the_cart_to_the_rows_over_http(town: Platform, clinic: httpx.AsyncClient) -> None:
    offer = (await clinic.get(f"{BASE}/offers/people")).json()
    assert (offer["access"], offer["labelled"], offer["core"]) == ("conditional", ["code", "illness", "phone", "site"], ["site"])
    wish = {"dataset": "people", "fields": ["code", "height"], "reasons": {"code": "to find them"}, "lookup": ["code"]}
    for name, item in (("people", wish), ("shops", {"dataset": "shops"})):
        assert (await clinic.put(f"{BASE}/cart/{name}", json=item)).status_code == 204
    assert len((await clinic.get(f"{BASE}/cart")).json()) == 2
    body = {"purpose": "care", "use": "calling", "basis": "医师法", "days": 30}
    sent = await clinic.post(f"{BASE}/applications", json=body)
    assert sent.status_code == 201, sent.text
    assert (await clinic.get(f"{BASE}/cart")).json() == []
    waiting = next(one for one in sent.json() if one["state"] == "submitted")
    assert ["approve", "owner"] in waiting["next"]
    async with await client(town, "police", "giver") as police, await client(town, "bureau", "keeper") as bureau:
        listed = (await police.get(f"{BASE}/applications", params={"side": "owner"})).json()["items"]
        assert [one["number"] for one in listed] == [waiting["number"]]
        steps = f"{BASE}/applications/{waiting['number']}/steps"
        assert (await police.post(steps, json={"action": "approve", "seen": 2})).status_code == 409
        assert (await police.post(steps, json={"action": "approve", "seen": 1})).json()["state"] == "approved"
        done = (await bureau.post(steps, json={"action": "confirm", "seen": 2})).json()
        history = (await bureau.get(f"{BASE}/applications/{waiting['number']}/history")).json()
        assert [step["action"] for step in history] == ["apply", "approve", "confirm"]
        figures = (await bureau.get(f"{BASE}/figures")).json()
        assert figures["applications"] == {"granted": 2}
        assert [(one["owner"], one["on_time"]) for one in figures["owners"]] == [("police", 1)]
    answer = await clinic.get(f"{BASE}/grants/{done['grants'][0]}/rows", params={"purpose": "care"})
    assert len(rows_of(answer)) == 100
    assert (await clinic.get(f"{BASE}/figures")).status_code == 403


@pytest.mark.asyncio(loop_scope="module")
async def test_a_decision_is_needed_for_what_an_unconditional_dataset_does_not_show_by_itself(shared: Platform) -> None:
    application = (await apply(shared, draft(Item(dataset="shops", fields=("id",), lookup=("id",)))))[0]
    assert (application.state, application.access) == ("submitted", "conditional")
    with pytest.raises(OwnApplication):
        await decide(shared, asking(shared), application, "approve")
