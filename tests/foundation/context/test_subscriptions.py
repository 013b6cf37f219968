"""Subscriptions: receivers hear of every change at least once, across failures and restarts, and only where they may be."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from mumian.foundation.context.api import Context
from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.service import targets
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock, parse_iso
from mumian.kernel.settings import Settings
from tests.foundation.context.conftest import ROOT, build, client_of, token_for, vehicle

SUBSCRIPTIONS = f"{ROOT}/subscriptions"


class Receiver:
    """A real server that keeps what it is told, and answers with `status`."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.address = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        if self.status == 200:
            self.told.append(json.loads(message["body"]))
            self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    import asyncio
    import socket

    receiver = Receiver()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    receiver.address = f"http://127.0.0.1:{listener.getsockname()[1]}/told"
    server = uvicorn.Server(uvicorn.Config(receiver, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    server.capture_signals = lambda: __import__("contextlib").nullcontext()  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield receiver
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """A receiver at an address that is allowed."""
    monkeypatch.setenv("MUMIAN_CONTEXT_TARGETS", '["127.0.0.0/8"]')
    async with listening() as made:
        yield made


def subscription(address: str, **more: Any) -> dict[str, Any]:
    """A subscription to vehicles."""
    notification = {
        "endpoint": {"uri": address, "receiverInfo": [{"key": "X-Who", "value": "me"}]},
        **more.pop("notification", {}),
    }
    return {"type": "Subscription", "entities": [{"type": "Vehicle"}], "notification": notification, **more}


async def settle(http: httpx.AsyncClient) -> None:
    await http.platform.settle()  # type: ignore[attr-defined]


async def test_a_receiver_is_told_of_what_it_watches(receiver: Receiver, http: httpx.AsyncClient) -> None:
    body = subscription(receiver.address, watchedAttributes=["speed"], q="speed>50", notification={"format": "keyValues"})
    made = await http.post(SUBSCRIPTIONS, json=body)
    assert made.status_code == 201
    await http.post(f"{ROOT}/entities", json=vehicle())
    one = f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A1"
    await http.patch(f"{one}/attrs", json={"brand": {"value": "BYD"}})
    await http.patch(f"{one}/attrs", json={"speed": {"value": 60}})
    await settle(http)
    [told] = receiver.told
    assert (told["type"], told["subscriptionId"]) == ("Notification", made.headers["location"].rpartition("/")[2])
    assert (told["data"][0]["speed"], told["data"][0]["brand"]) == (60, "BYD")
    assert receiver.headers[0]["x-who"] == "me"
    assert "ngsi-ld-core-context" in receiver.headers[0]["link"]
    found = (await http.get(made.headers["location"])).json()
    assert (found["status"], found["notification"]["status"], found["notification"]["timesSent"]) == ("active", "ok", 1)
    page = (await http.get("/api/v1/foundation/context/subscriptions")).json()
    assert [(item["sent"], item["failed"]) for item in page["items"]] == [(1, 0)]


async def test_triggers_say_which_changes_count(receiver: Receiver, http: httpx.AsyncClient) -> None:
    await http.post(SUBSCRIPTIONS, json=subscription(receiver.address, notificationTrigger=["entityDeleted", "attributeDeleted"]))
    await http.post(f"{ROOT}/entities", json=vehicle())
    await http.delete(f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A1/attrs/brand")
    await settle(http)
    assert receiver.told[0]["data"][0]["brand"] == {"type": "Property", "value": "urn:ngsi-ld:null"}
    await http.delete(f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A1")
    await settle(http)
    assert (len(receiver.told), "deletedAt" in receiver.told[1]["data"][0]) == (2, True)


async def test_throttling_pausing_and_expiry_hold_notifications_back(receiver: Receiver, http: httpx.AsyncClient) -> None:
    clock = http.platform.clock  # type: ignore[attr-defined]
    made = await http.post(SUBSCRIPTIONS, json=subscription(receiver.address, throttling=60, expiresAt="2014-01-02T00:00:00Z"))
    one = f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A1/attrs"
    await http.post(f"{ROOT}/entities", json=vehicle())
    await http.patch(one, json={"speed": {"value": 1}})
    await settle(http)
    assert len(receiver.told) == 1
    clock.advance(seconds=61)
    await http.patch(one, json={"speed": {"value": 2}})
    await settle(http)
    assert len(receiver.told) == 2
    await http.patch(made.headers["location"], json={"isActive": False, "throttling": None})
    await http.patch(one, json={"speed": {"value": 3}})
    await http.patch(made.headers["location"], json={"isActive": True})
    clock.advance(days=2)
    await http.patch(one, json={"speed": {"value": 4}})
    await settle(http)
    assert len(receiver.told) == 2
    assert (await http.get(made.headers["location"])).json()["status"] == "expired"


async def test_what_failed_is_told_after_a_restart(receiver: Receiver, settings: Settings, clock: ManualClock) -> None:
    made = build(settings, clock)
    token = token_for(made, "*")
    await made.start()
    receiver.status = 503
    async with client_of(made, token) as client:
        where = (await client.post(SUBSCRIPTIONS, json=subscription(receiver.address))).headers["location"]
        await client.post(f"{ROOT}/entities", json=vehicle())
        await made.settle()
        state = (await client.get(where)).json()["notification"]
        assert (state["status"], state["timesFailed"]) == ("failed", 1)
    await made.stop()
    receiver.status = 200
    again = build(settings, clock)
    await again.start()
    await again.settle()
    assert [told["data"][0]["id"] for told in receiver.told] == ["urn:ngsi-ld:Vehicle:A1"]
    async with client_of(again, token) as client:
        assert (await client.get(where)).json()["notification"]["status"] == "ok"
        assert (await client.delete(where)).status_code == 204
        assert (await client.get(where)).status_code == 404
    await again.stop()


async def test_observations_are_told_as_changes_of_the_thing(receiver: Receiver, http: httpx.AsyncClient) -> None:
    body = subscription(receiver.address, entities=[{"type": "AirQualityObserved"}], watchedAttributes=["pm25"], q="pm25>30")
    await http.post(SUBSCRIPTIONS, json=body)
    sensing = http.platform.get(Sensing)  # type: ignore[attr-defined]
    for stream, result in ((1, 20.0), (2, 50.0), (1, 40.0)):
        at = microseconds(parse_iso("2013-12-31T22:00:00Z")) + int(result)
        await sensing.record(Observations(np.array([stream]), np.array([at]), np.array([result])))
        await settle(http)
    assert [told["data"][0]["pm25"]["value"] for told in receiver.told] == [40]


async def test_a_regular_report_holds_all_that_is_asked_for(receiver: Receiver, http: httpx.AsyncClient) -> None:
    await http.post(f"{ROOT}/entityOperations/create", json=[vehicle(1), vehicle(2)])
    await http.post(SUBSCRIPTIONS, json=subscription(receiver.address, timeInterval=60))
    await settle(http)
    http.platform.clock.advance(seconds=30)  # type: ignore[attr-defined]
    await settle(http)
    http.platform.clock.advance(seconds=31)  # type: ignore[attr-defined]
    await settle(http)
    assert [len(told["data"]) for told in receiver.told] == [2, 2]


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1/x", "http://[::1]/x", "http://169.254.169.254/latest", "http://10.1.2.3/", "http://localhost/x",
     "http://[::ffff:10.0.0.1]/", "mqtt://broker/x", "http://user:pw@example.org/", "nothing"],
)  # fmt: skip
async def test_notifications_go_to_no_private_address_unless_it_is_allowed(http: httpx.AsyncClient, address: str) -> None:
    answer = await http.post(SUBSCRIPTIONS, json=subscription(address))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "notification.endpoint.uri"


async def test_a_name_that_leads_to_a_private_address_is_refused_when_it_is_used() -> None:
    with pytest.raises(BadRequestData):
        await targets.resolve("http://localhost:1/x", ["10.0.0.0/8"])
    assert (await targets.resolve("http://localhost:1/x", ["localhost:1"])).host == "localhost:1"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "Other"}, "type"), ({"entities": []}, "entities"), ({"throttling": -1}, "throttling"),
        ({"expiresAt": "2013-01-01T00:00:00Z"}, "expiresAt"), ({"notification": None}, "notification"),
        ({"notificationTrigger": ["never"]}, "notificationTrigger"), ({"q": "a="}, "q"), ({"other": 1}, "other"),
        ({"temporalQ": {}}, "temporalQ"),
    ],
)  # fmt: skip
async def test_bad_subscriptions_are_refused_by_field(http: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await http.post(SUBSCRIPTIONS, json={**subscription("http://example.org/x"), **change})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not http.platform.get(Context).subscriptions.all  # type: ignore[attr-defined]
