"""Commands: sent with checked parameters, fetched, acknowledged, delivered again, expired, and told at every step."""

import httpx
import pytest

from tests.foundation.devices.conftest import BASE, Town, commissioned, gauge
from tests.foundation.devices.test_provisioning import enrol

SEND = {"command": "interval", "parameters": {"seconds": 60}}


async def ready(town: Town, admin: httpx.AsyncClient) -> httpx.AsyncClient:
    """The client of an enrolled device."""
    await commissioned(admin)
    return town.client(str((await enrol(town, admin))["token"]))


async def test_a_command_is_fetched_acknowledged_and_done(town: Town, admin: httpx.AsyncClient) -> None:
    device = await ready(town, admin)
    sent = await admin.post(f"{BASE}/WL-001/commands", json=SEND)
    assert (sent.status_code, sent.json()["state"]) == (201, "queued")
    assert (await device.post(f"{BASE}/self/heartbeat")).json()["commands"] == 1
    fetched = (await device.post(f"{BASE}/self/commands")).json()
    assert [(c["command"], c["parameters"], c["state"], c["attempts"]) for c in fetched] == [
        ("interval", {"seconds": 60}, "delivered", 1)
    ]
    assert (await device.post(f"{BASE}/self/commands")).json() == []
    report = f"{BASE}/self/commands/{fetched[0]['id']}"
    assert (await device.post(report, json={"state": "acknowledged"})).json()["state"] == "acknowledged"
    done = await device.post(report, json={"state": "done", "result": {"seconds": 60}})
    assert (done.json()["state"], done.json()["due"]) == ("done", None)
    assert (await device.post(report, json={"state": "done"})).status_code == 200
    assert (await device.post(report, json={"state": "failed"})).status_code == 409
    assert (await admin.get(sent.headers["location"])).json()["result"] == {"seconds": 60}
    states = [event["state"] for event in town.events("devices.command.changed")]
    assert states == ["queued", "delivered", "acknowledged", "done"]


async def test_a_command_that_nobody_acknowledges_is_delivered_again_and_fails_at_last(
    town: Town, admin: httpx.AsyncClient
) -> None:
    device = await ready(town, admin)
    id_ = (await admin.post(f"{BASE}/WL-001/commands", json=SEND)).json()["id"]
    for attempt in (1, 2):
        assert (await device.post(f"{BASE}/self/commands")).json()[0]["attempts"] == attempt
        await town.wait(29)
        assert (await admin.get(f"{BASE}/commands/{id_}")).json()["state"] == "delivered"
        await town.wait(2)
    command = (await admin.get(f"{BASE}/commands/{id_}")).json()
    assert (command["state"], command["result"]) == ("failed", {"reason": "silent"})


async def test_a_command_that_nobody_fetches_expires(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    id_ = (await admin.post(f"{BASE}/WL-001/commands", json=SEND)).json()["id"]
    await town.wait(601)
    assert (await admin.get(f"{BASE}/commands/{id_}")).json()["state"] == "expired"


async def test_a_command_can_be_taken_back_until_it_is_acknowledged(town: Town, admin: httpx.AsyncClient) -> None:
    device = await ready(town, admin)
    first, second = [(await admin.post(f"{BASE}/WL-001/commands", json=SEND)).json()["id"] for _ in range(2)]
    assert (await admin.delete(f"{BASE}/commands/{first}")).json()["state"] == "cancelled"
    assert [c["id"] for c in (await device.post(f"{BASE}/self/commands")).json()] == [second]
    await device.post(f"{BASE}/self/commands/{second}", json={"state": "acknowledged"})
    assert (await admin.delete(f"{BASE}/commands/{second}")).status_code == 409
    listed = (await admin.get(f"{BASE}/WL-001/commands?limit=1")).json()
    assert [c["id"] for c in listed["items"]] == [second]
    assert [c["id"] for c in (await admin.get(f"{BASE}/WL-001/commands?cursor={listed['next']}")).json()["items"]] == [first]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": "explode"}, "command"),
        ({"command": "interval"}, "parameters.seconds"),
        ({"command": "interval", "parameters": {"seconds": 5}}, "parameters.seconds"),
        ({"command": "interval", "parameters": {"seconds": 60.5}}, "parameters.seconds"),
        ({"command": "interval", "parameters": {"seconds": "60"}}, "parameters.seconds"),
        ({"command": "interval", "parameters": {"seconds": 60, "x": 1}}, "parameters.x"),
    ],
)
async def test_parameters_are_held_against_the_kind(admin: httpx.AsyncClient, body: dict[str, object], field: str) -> None:
    await commissioned(admin)
    answer = await admin.post(f"{BASE}/WL-001/commands", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_device_reports_on_its_own_commands_only(town: Town, admin: httpx.AsyncClient) -> None:
    device = await ready(town, admin)
    await commissioned(admin, "WL-002")
    other = (await admin.post(f"{BASE}/WL-002/commands", json=SEND)).json()["id"]
    assert (await device.post(f"{BASE}/self/commands/{other}", json={"state": "done"})).status_code == 404
    await admin.post(BASE, json=gauge("WL-003"))
    assert (await admin.post(f"{BASE}/WL-003/commands", json=SEND)).status_code == 409
    parks = await town.person("keeper", "parks")
    assert (await parks.post(f"{BASE}/WL-001/commands", json=SEND)).status_code == 403
