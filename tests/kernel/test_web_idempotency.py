"""A repeated request has one effect, whatever happens between the effect and its answer, and only its sender learns of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response

from mumian.app.web import create_api
from mumian.foundation.identity.api import Identity, PersonDraft, PersonPatch
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Conflict, Forbidden, MumianError, StorageFull, TooMany, Unauthenticated, Unavailable
from mumian.kernel.platform import Platform
from mumian.kernel.web import problems
from mumian.kernel.web.idempotency import once

KEY = {"Idempotency-Key": "k1"}
OPEN = (409, "error.idempotency_open")


class Desk:
    """An application that counts what it does, and does what it is told to after each effect."""

    def __init__(self, platform: Platform) -> None:
        self.calls = 0
        self.afterwards: list[Callable[[], Any]] = []
        self.platform = platform
        self.app = FastAPI()
        self.app.state.platform = platform
        problems.install(self.app)
        self.app.middleware("http")(once)
        self.app.post("/api/notes", status_code=201)(self.note)

    async def note(self, request: Request, response: Response) -> dict[str, Any]:
        self.calls += 1
        call, number = self.calls, (await request.json())["number"]
        response.headers.append("Link", "<a>")
        response.headers.append("Link", "<b>")
        response.set_cookie("crumb", "secret-crumb")
        if self.afterwards:
            outcome = self.afterwards.pop(0)()
            if asyncio.iscoroutine(outcome):
                outcome = await outcome
            if isinstance(outcome, Exception):
                raise outcome
            response.headers.update(outcome or {})
        return {"number": number, "calls": call}

    def client(self, secret: str | None) -> httpx.AsyncClient:
        headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers)

    async def rows(self) -> list[dict[str, Any]]:
        return await self.platform.records.read(lambda s: s.rows("SELECT * FROM kernel_idempotency ORDER BY time"))


@pytest.fixture
def desk(platform: Platform) -> Desk:
    return Desk(platform)


@pytest_asyncio.fixture
async def secret(platform: Platform) -> str:
    """The token of a person."""
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("li.na", {"zh": "李娜", "en": "Li Na"}, None, ("administrator",)))
    return (await accounts.create_token(person.id, "probe", ["*"]))[1]


@pytest_asyncio.fixture
async def client(desk: Desk, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    async with desk.client(secret) as made:
        yield made


async def send(client: httpx.AsyncClient, number: int = 1) -> httpx.Response:
    return await client.post("/api/notes", json={"number": number}, headers=KEY)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["key"]


async def test_a_repeated_key_gets_the_first_answer_and_has_one_effect(client: httpx.AsyncClient) -> None:
    first, second = await asyncio.gather(send(client), send(client))
    third = await send(client)
    assert [r.status_code for r in (first, second, third)] == [201, 201, 201]
    assert first.json() == second.json() == third.json() == {"number": 1, "calls": 1}
    assert third.headers["idempotency-replayed"] == "true"
    assert told(await send(client, 2)) == (422, "error.idempotency")
    without = await client.post("/api/notes", json={"number": 1})
    assert without.json()["calls"] == 2


async def test_an_answer_comes_again_with_all_its_headers_but_cookies(desk: Desk, client: httpx.AsyncClient) -> None:
    first, again = await send(client), await send(client)
    assert first.headers.get_list("link") == again.headers.get_list("link") == ["<a>", "<b>"]
    assert "secret-crumb" in first.headers["set-cookie"]
    assert "set-cookie" not in again.headers
    assert "secret-crumb" not in str(await desk.rows())


@pytest.mark.parametrize("length", [0, 201])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, length: int) -> None:
    refused = await client.post("/api/notes", json={"number": 1}, headers={"Idempotency-Key": "k" * length})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_an_effect_whose_answer_could_not_be_kept_is_answered_all_the_same_and_never_doubled(
    desk: Desk, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise StorageFull

    desk.afterwards = [lambda: monkeypatch.setattr(desk.platform.records, "write", full)]
    first = await send(client)
    assert (first.status_code, first.json()["calls"]) == (201, 1)
    monkeypatch.undo()
    assert told(await send(client)) == OPEN
    assert desk.calls == 1


async def test_with_the_store_away_a_request_with_a_key_is_refused_before_any_effect(
    desk: Desk, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unavailable(reason="the store is away")

    monkeypatch.setattr(desk.platform.records, "write", away)
    assert told(await send(client)) == (503, "error.unavailable")
    monkeypatch.undo()
    assert (await send(client)).json()["calls"] == 1


async def test_an_outcome_that_nobody_knows_is_to_be_looked_up(desk: Desk, client: httpx.AsyncClient) -> None:
    """As after a kill between the effect and its answer."""
    desk.afterwards = [lambda: RuntimeError("killed")]
    assert (await send(client)).status_code == 500
    refused = await client.post("/api/notes", json={"number": 1}, headers=KEY | {"Accept-Language": "zh"})
    assert told(refused) == OPEN
    assert "查询" in refused.json()["detail"]
    assert desk.calls == 1


@pytest.mark.parametrize(
    "refusal",
    [Conflict(reason="x"), Forbidden(action="x"), Unauthenticated(), TooMany(seconds=1), StorageFull()],
    ids=lambda e: type(e).__name__,
)
async def test_a_refusal_is_not_kept_and_gives_the_key_back(desk: Desk, client: httpx.AsyncClient, refusal: MumianError) -> None:
    desk.afterwards = [lambda: refusal]
    assert (await send(client)).status_code == problems.status_of(refusal)
    assert await desk.rows() == []
    assert (await send(client)).status_code == 201


async def test_an_answer_that_must_not_be_stored_is_not_kept_and_its_effect_not_doubled(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    desk.afterwards = [lambda: {"Cache-Control": "no-store"}]
    assert (await send(client)).status_code == 201
    assert [row["body"] for row in await desk.rows()] == [""]
    assert told(await send(client)) == OPEN


async def test_for_those_who_are_not_signed_in_nothing_is_kept(desk: Desk) -> None:
    async with desk.client(None) as stranger:
        assert [(await send(stranger)).json()["calls"] for _ in range(2)] == [1, 2]
    assert await desk.rows() == []


async def test_whoever_was_shut_out_gets_no_kept_answer_either(desk: Desk, client: httpx.AsyncClient) -> None:
    await send(client)
    identity = desk.platform.get(Identity)
    person = await desk.platform.records.read(lambda s: s.value("SELECT id FROM identity_person"))
    await identity.accounts.change_person(person, PersonPatch(disabled=True), identity.decisions.anonymous.actor)
    assert told(await send(client)) == (401, "identity.bad_token")


async def test_the_same_key_of_somebody_else_is_another_one(desk: Desk, client: httpx.AsyncClient) -> None:
    person = await desk.platform.records.read(lambda s: s.value("SELECT id FROM identity_person"))
    other = await desk.platform.get(Identity).accounts.create_token(person, "another", ["*"])
    await send(client)
    async with desk.client(other[1]) as second:
        assert (await send(second, 2)).json() == {"number": 2, "calls": 2}


async def test_requests_that_may_carry_passwords_leave_no_trace(desk: Desk, secret: str) -> None:
    desk.app = create_api(desk.platform)
    async with desk.client(secret) as admin:
        body: dict[str, Any] = {"login": "wang.wu", "title": {"zh": "王五", "en": "Wang Wu"}, "organisation": None, "roles": []}
        made = await admin.post("/api/v1/foundation/identity/people", json=body, headers=KEY)
    assert made.status_code == 201, made.text
    assert await desk.rows() == []


async def test_answers_are_kept_for_a_day_of_the_machine_s_clock_not_the_city_s(
    desk: Desk, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await send(client)
    clock.advance(days=400)
    await client.post("/api/notes", json={"number": 1}, headers={"Idempotency-Key": "another"})
    assert (await send(client)).json()["calls"] == 1
    old = "UPDATE kernel_idempotency SET time = '2001-01-01T00:00:00.000000Z'"
    await desk.platform.records.write(lambda tx: tx.session.execute(old))
    assert (await send(client)).json()["calls"] == 3


async def test_expired_answers_are_dropped_once_in_a_while(desk: Desk, client: httpx.AsyncClient) -> None:
    insert = "INSERT INTO kernel_idempotency VALUES ('x', 'x', 201, '[]', '', '2001-01-01T00:00:00.000000Z')"
    await desk.platform.records.write(lambda tx: tx.session.execute(insert))
    await send(client)
    assert [row["key"] for row in await desk.rows()] != ["x"]
    assert len(await desk.rows()) == 1
    await desk.platform.records.write(lambda tx: tx.session.execute(insert))
    await client.post("/api/notes", json={"number": 1}, headers={"Idempotency-Key": "another"})
    assert len(await desk.rows()) == 3


async def test_whoever_comes_while_others_wait_for_the_same_key_waits_with_them(desk: Desk, client: httpx.AsyncClient) -> None:
    gates, begun = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]

    async def wait(turn: int, outcome: Any) -> Any:
        begun[turn].set()
        await gates[turn].wait()
        return outcome

    desk.afterwards = [lambda: wait(0, Conflict(reason="not yet")), lambda: wait(1, None)]
    first = asyncio.ensure_future(send(client))
    await asyncio.wait_for(begun[0].wait(), 30)
    second = asyncio.ensure_future(send(client))
    await asyncio.sleep(0.1)
    gates[0].set()
    await asyncio.wait_for(begun[1].wait(), 30)
    third = asyncio.ensure_future(send(client))
    await asyncio.sleep(0.1)
    gates[1].set()
    answers = await asyncio.gather(first, second, third)
    assert [answer.status_code for answer in answers] == [409, 201, 201]
    assert answers[2].headers["idempotency-replayed"] == "true"
    assert desk.calls == 2
