"""Tests of the ledger itself: entering, changing, finding, living, and the evidence of it all."""

from pathlib import Path

import httpx
import pytest

from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock
from tests.foundation.engines import records_url
from tests.foundation.infrastructure.conftest import Town, charger, enter, open_town


async def test_a_facility_is_entered_found_changed_and_told_of(town: Town, admin: httpx.AsyncClient) -> None:
    made = await enter(admin, **charger())
    assert (made["district"], made["version"]) == ("110101", 1)
    assert (await admin.post("/facilities", json=charger())).status_code == 409
    changed = await admin.patch("/facilities/C1", json={"properties": {"plugs": ["dc"]}}, headers={"If-Match": '"1"'})
    assert changed.json()["properties"] == {"power": 60, "plugs": ["dc"]}
    assert (await admin.patch("/facilities/C1", json={"note": "x"}, headers={"If-Match": '"1"'})).status_code in (409, 412)
    history = (await admin.get("/facilities/C1/history")).json()["items"]
    assert [step["action"] for step in history] == ["change", "register"]
    assert [event["action"] for event in town.events("infrastructure.facility.changed")] == ["change"]
    found = (await admin.get("/facilities", params={"text": "充电桩 C1"})).json()["items"]
    assert [each["code"] for each in found] == ["C1"]


async def test_bad_fields_are_named_all_at_once(admin: httpx.AsyncClient) -> None:
    body = charger(code="!", owner="nobody", latitude=None, properties={"power": -1, "wheels": 3, "plugs": ["usb"]})
    answer = await admin.post("/facilities", json=body)
    assert answer.status_code in (400, 422)
    told = answer.text
    for name in ("code", "owner", "latitude", "properties.power", "properties.wheels", "properties.plugs"):
        assert f'"{name}"' in told


async def test_lists_are_paged_by_key_and_narrowed(admin: httpx.AsyncClient) -> None:
    for number in range(5):
        await enter(admin, **charger(f"C{number}", longitude=113.25 if number < 3 else 113.35))
    first = (await admin.get("/facilities", params={"limit": 2})).json()
    second = (await admin.get("/facilities", params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["code"] for page in (first, second) for each in page["items"]] == ["C0", "C1", "C2", "C3"]
    east = await admin.get("/facilities", params={"district": "110102", "theme": "energy"})
    assert [each["code"] for each in east.json()["items"]] == ["C3", "C4"]
    box = await admin.get("/facilities", params={"bbox": "113.3,23,113.4,23.1"})
    assert len(box.json()["items"]) == 2
    assert (await admin.get("/facilities", params={"bbox": "1,2"})).status_code in (400, 422)


async def test_a_life_goes_from_planned_to_retired_and_no_other_way(admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger(state="planned"))
    assert (await admin.post("/facilities/C1/steps", json={"step": "open"})).status_code == 409
    states = []
    for step in ("begin", "open", "renew", "reopen", "retire"):
        answer = await admin.post("/facilities/C1/steps", json={"step": step, "day": "2013-05-01"})
        states.append(answer.json()["state"])
    assert states == ["building", "in_use", "renewing", "in_use", "retired"]
    assert (await admin.get("/facilities/C1")).json()["built"] == "2013-05-01"
    assert (await admin.patch("/facilities/C1", json={"name": "Y"})).status_code == 409


async def test_who_keeps_the_ledger_of_one_owner_touches_no_other(town: Town, admin: httpx.AsyncClient) -> None:
    keeper = await town.person("keeper", "telecom")
    assert (await keeper.post("/facilities", json=charger())).status_code == 403
    await enter(admin, **charger())
    assert (await keeper.patch("/facilities/C1", json={"note": "mine"})).status_code == 403
    assert (await keeper.put("/facilities/C1/status", json={"status": "free"})).status_code == 403
    assert (await keeper.post("/facilities", json=charger("T1", owner="telecom"))).status_code == 201


async def test_the_public_map_shows_live_states_and_nothing_else(town: Town, admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger("C1", streams={"state": "charger.c1.state"}, note="behind the gate"))
    await enter(admin, **charger("C2"))
    await enter(admin, code="D1", kind="data-centre", name="机房", owner="telecom", state="in_use")
    sensing = town.platform.get(Sensing)
    now = microseconds(town.clock.now())
    await sensing.record(Observations(*_columns(sensing.stream("charger.c1.state").id, now, 1.0)))
    assert (await admin.put("/facilities/C2/status", json={"status": "fault"})).status_code == 204
    assert (await admin.put("/facilities/C2/status", json={"status": "flying"})).status_code in (400, 422)
    shown = (await town.client().get("/public")).json()["features"]
    assert {each["id"]: each["properties"]["status"] for each in shown} == {"C1": "busy", "C2": "fault"}
    assert set(shown[0]["properties"]) == {
        "power",
        "kind",
        "name",
        "operator",
        "address",
        "status",
        "status_title",
        "status_time",
    }
    assert (await town.client().get("/facilities")).status_code == 401
    town.clock.advance(seconds=601)
    stale = (await town.client().get("/public")).json()["features"]
    assert {each["properties"]["status"] for each in stale} == {"unknown"}


def _columns(stream: int, time: int, result: float) -> tuple:  # type: ignore[type-arg]
    import numpy as np

    return np.array([stream], np.int64), np.array([time], np.int64), np.array([result])


async def test_a_state_reported_again_is_told_of_once(town: Town, admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger())
    for status in ("free", "free", "busy"):
        await admin.put("/facilities/C1/status", json={"status": status})
    assert [e["status"] for e in town.events("infrastructure.status.reported")] == ["free", "busy"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE infrastructure_facility SET owner = 'telecom'",
        "UPDATE infrastructure_history SET note = 'other'",
        "UPDATE infrastructure_status SET status = 'fault'",
        "DELETE FROM infrastructure_facility",
    ],
)
async def test_whoever_changes_the_ledger_behind_its_back_is_found_out(town: Town, admin: httpx.AsyncClient, sql: str) -> None:
    await enter(admin, **charger())
    await admin.put("/facilities/C1/status", json={"status": "free"})
    assert (await town.platform.get(Ledger).verify()).faults == ()
    await town.platform.records.write(lambda tx: tx.session.execute(sql))
    assert any("infrastructure" in str(fault) for fault in (await town.platform.get(Ledger).verify()).faults)


async def test_old_small_and_wasteful_data_centres_are_due_for_renewal(admin: httpx.AsyncClient) -> None:
    centre = {"kind": "data-centre", "owner": "telecom", "state": "in_use"}
    await enter(admin, code="OLD", name="旧", built="2000-01-01", properties={"racks": 100, "pue": 2.0}, **centre)
    await enter(admin, code="SMALL", name="小", built="2012-01-01", properties={"racks": 100, "pue": 1.9}, **centre)
    await enter(admin, code="NEW", name="新", built="2012-01-01", properties={"racks": 100, "pue": 1.2}, **centre)
    first = (await admin.get("/renewals", params={"kind": "data-centre", "limit": 1})).json()
    assert first["items"][0]["facility"]["code"] == "OLD"
    assert [reason["title"]["en"] for reason in first["items"][0]["reasons"]] == ["Old", "Small", "Wasteful"]
    rest = (await admin.get("/renewals", params={"kind": "data-centre", "cursor": first["next"]})).json()
    assert [each["facility"]["code"] for each in rest["items"]] == ["SMALL"]


async def test_single_points_of_failure_and_missing_planes_are_found(admin: httpx.AsyncClient) -> None:
    for code in ("A", "B", "C", "D"):
        await enter(admin, code=code, kind="node", name=code, owner="telecom", state="in_use")
    links = {"AB": ("A", "B", "one"), "BC": ("B", "C", "one"), "CA": ("C", "A", "two"), "CD": ("C", "D", "one")}
    for code, (one, other, plane) in links.items():
        body = {"kind": "segment", "owner": "telecom", "state": "in_use", "ends": [one, other], "plane": plane}
        await enter(admin, code=code, name=code, **body)
    found = (await admin.get("/topology", params={"kind": ["node", "segment"]})).json()
    assert {(each["type"], each["code"]) for each in found["single_points_of_failure"]} == {("node", "C"), ("link", "CD")}
    assert found["missing_planes"] == {"B": ["two"], "D": ["two"]}
    assert len(found["parts"]) == 1
    loop = {"code": "X", "name": "X", "kind": "segment", "owner": "telecom", "ends": ["A", "A"]}
    assert (await admin.post("/facilities", json=loop)).status_code in (400, 422)


async def test_the_ledger_is_there_again_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    town = await open_town(tmp_path, clock, records_url("sqlite", ""))
    client = await town.person("administrator")
    await enter(client, **charger())
    await town.platform.stop()
    again = await open_town(tmp_path, clock, records_url("sqlite", ""))
    assert again.platform.records.read_now(lambda s: again.infrastructure.facility(s, "C1")).name == "C1号充电桩"
    assert again.platform.records.read_now(lambda s: again.infrastructure.measurements(s, "chargers-per-km2"))
    await again.platform.stop()
    for each in town.clients:
        await each.aclose()
