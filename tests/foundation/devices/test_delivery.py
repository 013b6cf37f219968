"""Commands over MQTT, spoken by a client that nobody here wrote (paho-mqtt): delivered, reported on, delivered again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.kernel.clock import ManualClock
from tests.foundation.devices.conftest import BASE, Town, commissioned, open_town
from tests.foundation.devices.test_commands import SEND
from tests.foundation.devices.test_provisioning import enrol
from tests.foundation.devices.test_tasking import capability
from tests.foundation.engines import records_url
from tests.foundation.sensing.broker import Client, free_port, until


class Spoken:
    """A town that speaks MQTT, and clients of it."""

    def __init__(self, town: Town, port: int, admin: httpx.AsyncClient, secret: str = "") -> None:
        self.town, self.port, self.admin, self.secret = town, port, admin, secret
        self.clients: list[Client] = []

    async def token(self, code: str = "WL-001") -> str:
        """The token of a new device in service."""
        await commissioned(self.admin, code)
        return str((await enrol(self.town, self.admin, code))["token"])

    async def client(self, token: str | None, **options: Any) -> Client:
        """A connected client."""
        made = Client(self.port, token, **{"protocol": 5, **options})
        self.clients.append(made)
        return await made.open()

    async def send(self, code: str = "WL-001") -> str:
        """Send a command; returns its id."""
        return str((await self.admin.post(f"{BASE}/{code}/commands", json=SEND)).json()["id"])

    async def state(self, id_: str) -> tuple[str, Any]:
        """How far a command is, and its result."""
        found = (await self.admin.get(f"{BASE}/commands/{id_}")).json()
        return found["state"], found["result"]


@pytest_asyncio.fixture
async def spoken(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Spoken]:
    """A town on the embedded broker."""
    port = free_port()
    monkeypatch.setenv("MUMIAN_MQTT", f"127.0.0.1:{port}")
    town = await open_town(tmp_path, clock, records_url("sqlite", "devices_mqtt"))
    made = Spoken(town, port, await town.person("administrator"))
    yield made
    for client in made.clients:
        await client.close()
    for http in town.clients:
        await http.aclose()
    await town.platform.stop()


async def test_a_connected_device_gets_its_command_and_reports_on_it(spoken: Spoken) -> None:
    device = await spoken.client(await spoken.token())
    assert not (await device.subscribe("devices/WL-001/commands"))[0].is_failure
    id_ = await spoken.send()
    await until(lambda: device.messages)
    topic, message = device.messages[0]
    assert topic == "devices/WL-001/commands"
    assert {name: message[name] for name in ("id", "command", "parameters", "attempts")} == {
        "id": id_,
        "command": "interval",
        "parameters": {"seconds": 60},
        "attempts": 1,
    }
    assert (await spoken.state(id_))[0] == "delivered"
    report = f"devices/WL-001/commands/{id_}"
    for status, result in (("acknowledged", None), ("done", {"seconds": 60})):
        assert not (await device.publish(report, {"status": status, "result": result})).is_failure
        assert await spoken.state(id_) == (status, result)
    assert not (await device.publish(report, {"status": "done"})).is_failure, "told twice counts once"
    assert (await device.publish(report, {"status": "failed"})).getName() == "Payload format invalid"
    assert (await device.publish(report, {"status": "flying"})).getName() == "Payload format invalid"
    assert (await device.publish(report, b"{")).getName() == "Payload format invalid"
    assert device.ended == []


async def test_a_task_published_over_mqtt_reaches_the_device(spoken: Spoken) -> None:
    device = await spoken.client(await spoken.token())
    await device.subscribe("devices/WL-001/#")
    number = (await capability(spoken.admin))["@iot.id"]
    keeper = await spoken.client(spoken.admin.headers["Authorization"].removeprefix("Bearer "))
    await keeper.subscribe("v1.1/Tasks")
    topic = f"v1.1/TaskingCapabilities({number})/Tasks"
    assert not (await keeper.publish(topic, {"taskingParameters": {"seconds": 90}})).is_failure
    await until(lambda: device.messages)
    assert device.messages[0][1]["parameters"] == {"seconds": 90}
    await until(lambda: any(message["status"] == "accepted" for _, message in keeper.messages))
    assert (await keeper.publish(topic, {"taskingParameters": {"seconds": 1}})).is_failure
    assert (await device.publish(topic, {"taskingParameters": {"seconds": 90}})).is_failure


async def test_what_nobody_acknowledges_is_published_again_and_fails_at_last(spoken: Spoken) -> None:
    device = await spoken.client(await spoken.token())
    await device.subscribe("devices/WL-001/commands")
    id_ = await spoken.send()
    for attempts in (1, 2):
        await until(lambda: len(device.messages) == attempts)  # noqa: B023
        await spoken.town.wait(31)
    assert [message["attempts"] for _, message in device.messages] == [1, 2]
    assert await spoken.state(id_) == ("failed", {"reason": "silent"})


async def test_a_device_that_was_away_gets_what_waited_when_it_comes_back(spoken: Spoken) -> None:
    token = await spoken.token()
    first = await spoken.send()
    await asyncio.sleep(0.3)
    assert (await spoken.state(first))[0] == "queued"
    device = await spoken.client(token, name="gauge", protocol=4, clean_session=False)
    await device.subscribe("devices/WL-001/commands")
    await until(lambda: device.messages)
    await device.close()
    spoken.clients.remove(device)
    second = await spoken.send()
    await asyncio.sleep(0.3)
    assert (await spoken.state(second))[0] == "queued", "a session without its device is sent nothing"
    again = await spoken.client(token, name="gauge", protocol=4, clean_session=False)
    await until(lambda: again.messages)
    assert [again.present, [message["id"] for _, message in again.messages]] == [[True], [second]]


async def test_devices_of_one_owner_do_not_hear_each_other(spoken: Spoken) -> None:
    mine, theirs = await spoken.token("WL-001"), await spoken.token("WL-002")
    device = await spoken.client(mine, name="same", protocol=5)
    await device.subscribe("devices/WL-001/commands")
    other = await spoken.client(theirs, name="same", protocol=5)
    codes = await other.subscribe(
        "devices/WL-001/commands", "devices/+/commands", "devices/#", "#", "devices/devices.water/commands", "v1.1/Tasks"
    )
    assert all(code.is_failure for code in codes)
    assert other.present == [False], "a client id of another device is no way into its session"
    assert device.ended == []
    id_ = await spoken.send("WL-001")
    await until(lambda: device.messages)
    assert other.messages == []
    for topic in (f"devices/WL-001/commands/{id_}", f"devices/WL-002/commands/{id_}", "devices/WL-001/heartbeat"):
        assert (await other.publish(topic, {"status": "done"})).is_failure
    assert (await spoken.state(id_))[0] == "delivered"


async def test_nobody_but_the_ledger_publishes_commands(spoken: Spoken) -> None:
    token = await spoken.token()
    keeper = await spoken.client(spoken.admin.headers["Authorization"].removeprefix("Bearer "))
    device = await spoken.client(token)
    await device.subscribe("devices/WL-001/#")
    for client in (keeper, device):
        assert (await client.publish("devices/WL-001/commands", {"command": "interval"})).is_failure
    assert (await keeper.publish("devices/WL-001/heartbeat", b"")).is_failure
    assert not (await keeper.publish("devices/WL-001/notes", {"x": 1})).is_failure
    await until(lambda: device.messages)
    assert device.messages == [("devices/WL-001/notes", {"x": 1})]


async def test_a_heartbeat_over_mqtt_counts_as_presence(spoken: Spoken) -> None:
    device = await spoken.client(await spoken.token())
    assert not (await device.publish("devices/WL-001/heartbeat", b"")).is_failure
    await spoken.town.wait(1)
    assert spoken.town.devices.seen("WL-001").state == "online"
    assert not (await device.publish("devices/WL-001/heartbeat", {"firmware": "2.1"})).is_failure
    assert (await spoken.admin.get(f"{BASE}/WL-001")).json()["firmware"] == "2.1"
    assert (await device.publish("devices/WL-001/heartbeat", {"firmware": 5})).is_failure


async def test_a_device_whose_credential_is_taken_back_gets_no_commands(spoken: Spoken) -> None:
    device = await spoken.client(await spoken.token())
    await device.subscribe("devices/WL-001/commands")
    (kept,) = (await spoken.admin.get(f"{BASE}/WL-001/credentials")).json()
    assert (await spoken.admin.delete(f"{BASE}/WL-001/credentials/{kept['id']}")).status_code in (200, 204)
    await asyncio.to_thread(spoken.town.devices.guard.refresh)
    id_ = await spoken.send()
    await asyncio.sleep(0.3)
    assert (await spoken.state(id_))[0] == "queued"
    assert device.messages == []
