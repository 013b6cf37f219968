"""Deliveries: rows reach tables and webhooks once, whatever fails on the way, and flow back to the districts they are about."""

import asyncio
import base64
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook

from mumian.app.web import create_asgi
from mumian.elements.catalog.api import Tables
from mumian.elements.sharing import store
from mumian.elements.sharing.api import Item, Quota, Sharing
from mumian.elements.sharing.contracts import Delivery, Grant
from mumian.elements.sharing.endpoints.deliveries import _changes
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.elements.sharing.conftest import asking, draft, granted, people

BASE = "/api/v1/elements/sharing"
PLAIN = Item(dataset="people", fields=("district", "height"))


@dataclass
class Receiver:
    """A server that takes webhooks: what it answers next, and what it took."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status = found.answers.pop(0) if found.answers else 200
            if status == 200:
                found.taken.append(({key.lower(): value for key, value in self.headers.items()}, content))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/rows"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUMIAN_SHARING_TARGETS", '["127.0.0.0/8"]')
    monkeypatch.setenv("MUMIAN_SHARING_PAGE_ROWS", "40")


@pytest_asyncio.fixture
async def clinic(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A programme of the clinic."""
    accounts = town.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("p-clinic", {"zh": "人", "en": "P"}, "clinic", ("sharer",)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    transport = httpx.ASGITransport(create_asgi(town))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as opened:
        yield opened


async def deliver(clinic: httpx.AsyncClient, grant: Grant, way: str, address: str, place: str = "") -> dict[str, Any]:
    body = {"way": way, "address": address, "place": place}
    answer = await clinic.post(f"{BASE}/grants/{grant.id}/deliveries", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def state(platform: Platform, number: str) -> Delivery:
    found = await platform.records.read(lambda session: store.DELIVERIES.find(session, number))
    assert found is not None
    return found


async def more(platform: Platform, mode: str = "append", first: int = 100, many: int = 5) -> None:
    """Some more people."""

    def fill(work: Any) -> str:
        return (
            f"SELECT printf('%018d', {first} + range) AS code, '1' AS phone, '440105' AS district, 99.0 AS height "
            f"FROM range({many})"
        )

    await platform.get(Tables).load("people", fill, mode, "more")  # type: ignore[arg-type]


def rows_in(receiver: Receiver) -> list[list[Any]]:
    return [row for _, content in receiver.taken for row in json.loads(content)["data"]["rows"]]


async def test_webhooks_bring_every_row_once_signed_so_that_others_can_verify_it(
    town: Platform, clinic: httpx.AsyncClient, receiver: Receiver
) -> None:
    grant = await granted(town, draft(PLAIN, way="events"))
    made = await deliver(clinic, grant, "webhook", receiver.url)
    await town.settle()
    assert len(rows_in(receiver)) == 100
    headers, content = receiver.taken[0]
    assert Webhook(made["secret"]).verify(content, headers)["data"]["columns"] == ["district", "height"]
    city = next(key for key in town.get(Ledger).public_keys() if key.algorithm == "ed25519")
    signature = next(each for each in headers["webhook-signature"].split() if each.startswith("v1a,"))[4:]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(city.value)).verify(base64.b64decode(signature), signed)
    assert json.loads(base64.urlsafe_b64decode(headers["mumian-proof"]))["head"]["tree"] == "mumian-receipts/1"
    await more(town)
    await town.settle()
    assert rows_in(receiver)[100:] == [["440105", 99.0]] * 5
    used = (await town.get(Sharing).proving.used(grant.id))["day"]
    assert used.rows == 105
    assert (await state(town, made["number"])).rows_sent == 105
    assert (await town.get(Ledger).verify()).faults == ()


async def test_a_receiver_that_fails_is_tried_again_later_without_counting_twice(
    town: Platform, clinic: httpx.AsyncClient, receiver: Receiver, clock: ManualClock
) -> None:
    grant = await granted(town, draft(PLAIN, way="events"))
    receiver.answers = [200, 500, 302]
    made = await deliver(clinic, grant, "webhook", receiver.url)
    await town.settle()
    waiting = await state(town, made["number"])
    assert (waiting.attempts, waiting.rows_sent, waiting.error, waiting.state) == (1, 40, "HTTP 500", "active")
    clock.advance(seconds=5)
    await town.settle()
    assert (await state(town, made["number"])).error == "HTTP 302"
    clock.advance(seconds=20)
    await town.settle()
    assert len(rows_in(receiver)) == 100
    used = (await town.get(Sharing).proving.used(grant.id))["day"]
    assert (used.rows, used.calls) == (100, 3)
    assert (await town.get(Ledger).verify()).faults == ()


async def test_a_quota_holds_deliveries_until_it_renews(
    town: Platform, clinic: httpx.AsyncClient, receiver: Receiver, clock: ManualClock
) -> None:
    grant = await granted(town, draft(PLAIN, way="events", quota=Quota(rows_day=60)))
    made = await deliver(clinic, grant, "webhook", receiver.url)
    await town.settle()
    assert len(rows_in(receiver)) == 60
    assert (await state(town, made["number"])).next_at == "2014-01-02T00:00:00.000000Z"
    clock.advance(days=1)
    await town.settle()
    assert len(rows_in(receiver)) == 100


async def test_webhooks_go_nowhere_that_is_not_allowed_and_grants_nowhere_but_their_way(
    town: Platform, clinic: httpx.AsyncClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await granted(town, draft(PLAIN, way="events"))
    for address in ("ftp://127.0.0.1/x", "http://user:word@127.0.0.1/x", "nothing"):
        answer = await clinic.post(f"{BASE}/grants/{grant.id}/deliveries", json={"way": "webhook", "address": address})
        assert answer.status_code == 422
    made = await deliver(clinic, grant, "webhook", "http://169.254.169.254/latest")
    await town.settle()
    assert "169.254.169.254" in (await state(town, made["number"])).error
    answer = await clinic.get(f"{BASE}/grants/{grant.id}/rows", params={"purpose": "care"})
    assert (answer.status_code, answer.json()["errors"][0]["key"]) == (422, "sharing.way")
    answer = await clinic.post(f"{BASE}/grants/{grant.id}/deliveries", json={"way": "push", "address": "x", "place": "y"})
    assert answer.status_code == 422


def target(monkeypatch: pytest.MonkeyPatch, holder: str, name: str) -> tuple[str, str]:
    """A database to push to: its declaration, and how to look into it."""
    dsn = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not dsn:
        pytest.skip("MUMIAN_TEST_POSTGRESQL names no server")
    import psycopg

    schema = f"push_{name}_{os.getpid()}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    monkeypatch.setenv("MUMIAN_TARGET_TEST", "secret")
    text = (
        f"{{kind: PushTarget, name: {name}, title: {{zh: 库, en: Base}}, spec: {{holder: '{holder}', url: '{dsn}', "
        f"password_env: MUMIAN_TARGET_TEST, db_schema: {schema}}}}}"
    )
    return text, schema


def pushed(schema: str, sql: str) -> list[Any]:
    import psycopg

    with psycopg.connect(os.environ["MUMIAN_TEST_POSTGRESQL"]) as connection:
        connection.execute(f"SET search_path = {schema}".encode())
        return connection.execute(sql.encode()).fetchall()


async def test_rows_are_pushed_to_a_table_by_key_and_what_a_load_replaced_goes(
    town: Platform, clinic: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    text, schema = target(monkeypatch, "clinic", "base")
    await town.declarations.apply(read_text(text.encode()), "base")
    grant = await granted(town, draft(people(fields=("code", "height"), tokens=("code",), lookup=()), way="push"))
    monkeypatch.delenv("MUMIAN_TARGET_TEST")
    made = await deliver(clinic, grant, "push", "base", "people")
    await town.settle()
    assert "MUMIAN_TARGET_TEST" in (await state(town, made["number"])).error
    monkeypatch.setenv("MUMIAN_TARGET_TEST", "secret")
    clock.advance(seconds=5)
    await town.settle()
    assert pushed(schema, "SELECT count(*), min(length(code)), max(height) FROM people") == [(100, 64, 199.0)]
    await more(town, "upsert", first=98)
    await town.settle()
    assert pushed(schema, "SELECT count(*), count(*) FILTER (WHERE height = 99) FROM people") == [(103, 5)]
    await more(town, "replace", first=0, many=7)
    await town.settle()
    assert pushed(schema, "SELECT count(*), min(height), max(height) FROM people") == [(7, 99.0, 99.0)]
    assert (await town.get(Ledger).verify()).faults == ()


async def test_what_arrived_before_the_city_fell_over_is_not_pushed_again(
    town: Platform, clinic: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, schema = target(monkeypatch, "clinic", "again")
    await town.declarations.apply(read_text(text.encode()), "base")
    grant = await granted(town, draft(people(fields=("height", "district"), lookup=()), way="push"))
    made = await deliver(clinic, grant, "push", "again", "people")
    await town.settle()
    pushed(schema, "SELECT 1")
    await town.records.write(lambda tx: tx.session.execute("UPDATE sharing_delivery SET position = 40"))
    stopped = await clinic.post(f"{BASE}/deliveries/{made['number']}/steps", json={"action": "stop"})
    assert stopped.json()["state"] == "stopped"
    await clinic.post(f"{BASE}/deliveries/{made['number']}/steps", json={"action": "start"})
    await town.settle()
    assert (await state(town, made["number"])).position == 100
    assert (await town.get(Sharing).proving.used(grant.id))["day"].rows == 100


FLOW = """
kind: ReturnFlow
name: back
title: {zh: 回流, en: Back}
spec:
  dataset: people
  field: district
  purpose: grid-work
  basis: 回流办法
  tokens: [code]
  fields: [code, district, height]
  targets: [{district: "440103", dataset: north.people}TARGET]
"""


async def held(platform: Platform, dataset: str) -> list[Any]:
    info = await platform.records.read(lambda session: platform.get(Tables).describe(session, dataset))
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    sql = "SELECT count(*), min(length(code)), min(district), max(district) FROM "
    return [] if info is None else await asyncio.to_thread(lake.rows, sql + info.name)


async def test_every_load_flows_back_to_the_district_it_is_about(town: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    await town.declarations.apply(read_text(FLOW.replace("TARGET", "").encode()), "flow")
    await more(town, "append")
    await town.settle()
    assert await held(town, "north.people") == [(50, 64, "440103", "440103")]

    def fill(work: Any) -> str:
        return "SELECT printf('%018d', 1000 + range) AS code, '440103001' AS district, 1.0 AS height FROM range(3)"

    await town.get(Tables).load("people", fill, "append", "more")
    await town.settle()
    assert await held(town, "north.people") == [(53, 64, "440103", "440103001")]
    assert (await town.get(Ledger).verify()).faults == ()


async def test_rows_flow_back_to_a_districts_own_database(town: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    text, schema = target(monkeypatch, "north", "node")
    flow = FLOW.replace('{district: "440103", dataset: north.people}TARGET', '{district: "440103", target: node, table: people}')
    await town.declarations.apply(read_text(f"{text}\n---{flow}".encode()), "flow")
    await more(town, "append")
    await town.settle()
    assert pushed(schema, "SELECT count(*), min(district), max(district) FROM people") == [(50, "440103", "440103")]


@pytest.mark.asyncio(loop_scope="module")
async def test_rows_only_flow_back_to_where_they_belong(shared: Platform) -> None:
    with pytest.raises(Invalid) as error:
        await shared.declarations.apply(read_text(FLOW.replace("440103", "440104").replace("TARGET", "").encode()), "flow")
    assert [fault.key for fault in error.value.faults] == ["sharing.other_district"]


@pytest.mark.asyncio(loop_scope="module")
async def test_new_rows_are_heard_of_as_they_come_and_a_listener_goes_on_where_it_left_off(shared: Platform) -> None:
    from mumian.elements.sharing.api import Asked

    grant = await granted(shared, draft(PLAIN, way="events"))
    asked = Asked(asking(shared), grant.id, "care", "0" * 64)

    class Open:
        """A request whose caller may go on."""

        def __init__(self) -> None:
            self.app = self
            self.state = self
            self.platform = shared
            self.method = "GET"
            self.scope: dict[str, Any] = {"headers": []}

    caller = asking(shared)
    shared.get(Identity).callers.of = _always(caller)  # type: ignore[method-assign]
    stream = _changes(shared, Open(), asked, 95)  # type: ignore[arg-type]
    assert (await anext(stream)).startswith(b"retry")
    first = (await anext(stream)).decode()
    assert first.startswith("id: 100\nevent: rows\n")
    assert len(json.loads(first.split("data: ")[1])["rows"]) == 5
    await more(shared)
    second = (await anext(stream)).decode()
    assert second.startswith("id: 105\n")
    revoked = await shared.records.write(lambda tx: shared.get(Sharing).revoke(tx, asking(shared), grant.id, "enough"))
    assert revoked.state == "revoked"
    end = (await anext(stream)).decode()
    assert end.startswith("event: end\ndata: ")
    assert "sharing.not_in_force" in end
    await stream.aclose()  # type: ignore[attr-defined]


def _always(caller: Any) -> Any:
    async def of(headers: Any, method: str) -> Any:
        return caller

    return of
