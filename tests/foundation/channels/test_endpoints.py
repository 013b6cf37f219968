"""People read their own messages and say where they can be reached; who runs the city sees what was delivered."""

from collections.abc import Awaitable, Callable

import httpx

from mumian.foundation.channels.api import Recipient
from mumian.kernel.platform import Platform
from tests.foundation.channels.conftest import Receiver, Send

BASE = "/api/v1/foundation/channels"
Clients = Callable[[str], Awaitable[httpx.AsyncClient]]


async def test_a_person_reads_and_acknowledges_the_own_messages_and_nobody_else_s(send: Send, clients: Clients) -> None:
    await send(Recipient("desk", person="li.na"))
    await send(Recipient("desk", person="li.na"), key="flood/2")
    li, wang = await clients("li.na"), await clients("wang.wei")
    inbox = (await li.get(f"{BASE}/inbox", params={"limit": 1})).json()
    assert (inbox["unread"], len(inbox["items"])) == (2, 1)
    newest = inbox["items"][0]["id"]
    rest = (await li.get(f"{BASE}/inbox", params={"cursor": inbox["next"]})).json()
    assert [item["id"] for item in rest["items"]] != [newest]
    assert rest["next"] is None
    marked = (await li.post(f"{BASE}/inbox/{newest}/acknowledge")).json()
    assert marked["read_at"] == marked["acknowledged_at"] is not None
    assert (await li.get(f"{BASE}/inbox", params={"unread": True})).json()["unread"] == 1
    assert (await wang.get(f"{BASE}/inbox")).json() == {"items": [], "next": None, "unread": 0}
    assert (await wang.post(f"{BASE}/inbox/{newest}/read")).status_code == 404


async def test_people_give_their_own_addresses(clients: Clients) -> None:
    li = await clients("li.na")
    assert (await li.put(f"{BASE}/contacts", json={"email": "na@example.org"})).json() == {
        "email": "na@example.org",
        "sms": "+8613800138000",
    }
    assert (await li.put(f"{BASE}/contacts", json={"sms": ""})).json() == {"email": "na@example.org", "sms": None}
    refused = await li.put(
        f"{BASE}/contacts", json={"email": "na@example.org\r\nBcc: all@example.org"}, headers={"Accept-Language": "zh"}
    )
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "email")
    assert "地址" in refused.json()["errors"][0]["message"]


async def test_who_runs_the_city_sees_deliveries_and_tries_again_what_was_given_up(
    town: Platform, receiver: Receiver, send: Send, clients: Clients
) -> None:
    receiver.answers.append((400, {}))
    await send(Recipient("hook"))
    zhao, li = await clients("zhao"), await clients("li.na")
    assert (await li.get(f"{BASE}/deliveries")).status_code == 403
    (lost,) = (await zhao.get(f"{BASE}/deliveries", params={"state": "given_up"})).json()["items"]
    assert (lost["channel"], lost["tries"], "HTTP 400" in lost["problem"]) == ("hook", 1, True)
    assert {c["name"]: c["given_up"] for c in (await zhao.get(BASE)).json()["items"]}["hook"] == 1
    assert (await zhao.post(f"{BASE}/deliveries/{lost['id']}/retry")).json()["state"] == "waiting"
    await town.settle()
    assert (await zhao.get(f"{BASE}/deliveries")).json()["items"][0]["state"] == "sent"
    assert (await zhao.post(f"{BASE}/deliveries/{lost['id']}/retry")).status_code == 409
    assert (await zhao.post(f"{BASE}/hook/test")).json() == {"queued": 1}
    await town.settle()
    assert receiver.taken[-1][2]["topic"] == "test"
    assert (await zhao.post(f"{BASE}/pigeon/test")).status_code == 404
