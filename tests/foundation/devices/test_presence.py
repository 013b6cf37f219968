"""Presence: online from observations and heartbeats, late and offline from silence, without false alarms after a restart."""

from pathlib import Path

import httpx
import numpy as np
import pytest

from mumian.foundation.sensing.api import Observations, microseconds
from mumian.kernel.clock import ManualClock
from tests.foundation.devices.conftest import BASE, Town, commissioned, open_town
from tests.foundation.devices.test_provisioning import enrol


async def observe(town: Town, code: str = "WL-001", ago: float = 0) -> None:
    """An observation of a gauge, so many seconds old."""
    stream, time = town.sensing.stream(f"device.{code}.level").id, microseconds(town.clock.now()) - int(ago * 1e6)
    await town.sensing.record(Observations(np.array([stream]), np.array([time]), np.array([1.0])))
    await town.platform.settle()


def told(town: Town) -> list[tuple[str, str]]:
    """All changes of presence, before and after."""
    return [(event["before"], event["state"]) for event in town.events("devices.presence.changed")]


async def test_silence_makes_late_and_then_offline_and_observations_bring_it_back(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    await observe(town)
    assert told(town) == [("unknown", "online")]
    for _ in range(3):
        await town.wait(60)
        await observe(town)
    await town.wait(121)
    await town.wait(180)
    assert told(town)[1:] == [("online", "late"), ("late", "offline")]
    assert [d["code"] for d in (await admin.get(f"{BASE}?presence=offline")).json()["items"]] == ["WL-001"]
    await observe(town)
    assert len(told(town)) == 3
    await town.wait(60)
    await observe(town)
    assert told(town)[3:] == [("offline", "online")]
    presence = (await admin.get(f"{BASE}/WL-001")).json()["presence"]
    assert (presence["state"], presence["last"]) == ("online", "2014-01-01T00:09:01.000000Z")


async def test_a_heartbeat_is_as_good_as_an_observation_and_tells_the_firmware(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    device = town.client(str((await enrol(town, admin))["token"]))
    count = "SELECT COUNT(*) FROM kernel_outbox WHERE type LIKE 'devices.%'"
    before = await town.platform.records.read(lambda s: s.value(count))
    for _ in range(4):
        assert (await device.post(f"{BASE}/self/heartbeat")).status_code == 200
        await town.wait(60)
    assert told(town) == [("unknown", "online")]
    after = await town.platform.records.read(lambda s: s.value(count))
    assert after == before + 1
    await device.post(f"{BASE}/self/heartbeat", json={"firmware": "2.0"})
    assert (await admin.get(f"{BASE}/WL-001")).json()["firmware"] == "2.0"


async def test_old_observations_are_no_sign_of_life(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    await town.platform.settle()
    await town.wait(301)
    assert told(town) == [("unknown", "offline")]
    for ago in (4000, 3000):
        await observe(town, ago=ago)
    assert (await admin.get(f"{BASE}/WL-001")).json()["presence"]["state"] == "offline"


async def test_a_device_in_maintenance_is_not_watched_and_has_time_when_it_is_back(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    await observe(town)
    await admin.post(f"{BASE}/WL-001/steps", json={"step": "suspend"}, headers={"If-Match": '"1"'})
    await town.wait(3600)
    assert told(town) == [("unknown", "online"), ("online", "unknown")]
    await admin.post(f"{BASE}/WL-001/steps", json={"step": "resume"}, headers={"If-Match": '"2"'})
    await town.wait(60)
    assert len(told(town)) == 2
    await town.wait(301)
    assert told(town)[2:] == [("unknown", "offline")]


async def test_a_kind_without_heartbeat_is_not_watched(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin, "RG-1", kind="rain-gauge")
    await town.wait(100_000)
    assert told(town) == []
    assert (await admin.get(f"{BASE}/RG-1")).json()["presence"]["state"] == "unknown"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a town that is opened twice."""
    made = tmp_path / "again"
    made.mkdir()
    return made


async def test_a_restart_raises_no_false_alarm_and_forgets_no_true_one(folder: Path, clock: ManualClock) -> None:
    town = await open_town(folder, clock, "sqlite")
    admin = await town.person("administrator")
    await commissioned(admin)
    await commissioned(admin, "WL-002")
    await town.platform.settle()
    await observe(town)
    await observe(town, "WL-002")
    for _ in range(6):
        await town.wait(60)
        await observe(town)
    assert told(town)[-1] == ("late", "offline")
    known = len(told(town))
    await admin.aclose()
    await town.platform.stop()
    clock.advance(seconds=86_400)
    town = await open_town(folder, clock, "sqlite")
    try:
        await town.wait(60)
        states = [town.devices.seen(code).state for code in ("WL-001", "WL-002")]
        assert (len(told(town)), states) == (known, ["online", "offline"])
        await town.wait(61)
        await town.wait(301)
        assert [event["subject"] for event in town.events("devices.presence.changed")[known:]] == ["WL-001", "WL-001"]
    finally:
        await town.platform.stop()
