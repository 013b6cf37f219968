"""The ledger of devices: entered, changed, found, taken through their lives, worked on, and proven."""

import httpx
import pytest

from mumian.foundation.devices.service.evidence import faults
from mumian.foundation.ledger.api import Ledger
from tests.foundation.devices.conftest import BASE, Town, commissioned, gauge


async def test_a_device_is_entered_with_the_district_of_its_position(admin: httpx.AsyncClient) -> None:
    answer = await admin.post(BASE, json=gauge(properties={"height": 2.5, "mount": "pole"}))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["district"], body["state"], body["version"], body["steps"]) == ("110101", "planned", 1, ["install", "retire"])
    assert answer.headers["etag"] == '"1"'
    assert (await admin.get(answer.headers["location"])).json() == body


async def test_a_device_goes_through_its_whole_life_and_its_streams_with_it(admin: httpx.AsyncClient, town: Town) -> None:
    await admin.post(BASE, json=gauge())
    for version, (step, state) in enumerate(
        [("install", "installed"), ("commission", "in_service"), ("suspend", "maintenance"), ("resume", "in_service")], 1
    ):
        answer = await admin.post(f"{BASE}/WL-001/steps", json={"step": step}, headers={"If-Match": f'"{version}"'})
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == state
    stream = town.sensing.stream("device.WL-001.level")
    assert (stream.unit, stream.owner, stream.longitude, stream.frequency_seconds) == ("m", "water", 113.25, 60)
    things = await admin.get(f"/sta/v1.1/Things({answer.json()['thing']})")
    assert things.json()["properties"]["device"] == "WL-001"
    retired = await admin.post(f"{BASE}/WL-001/steps", json={"step": "retire", "day": "2014-01-02"}, headers={"If-Match": '"5"'})
    assert (retired.json()["state"], retired.json()["retired"]) == ("retired", "2014-01-02")
    assert town.sensing.streams() == []
    history = (await admin.get(f"{BASE}/WL-001/history")).json()["items"]
    assert [step["action"] for step in history] == ["retire", "resume", "suspend", "commission", "install", "register"]


async def test_a_step_that_the_state_does_not_allow_is_refused(admin: httpx.AsyncClient) -> None:
    await admin.post(BASE, json=gauge())
    answer = await admin.post(f"{BASE}/WL-001/steps", json={"step": "resume"}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["key"]) == (409, "devices.not_possible")


async def test_a_change_of_what_somebody_else_changed_is_refused(admin: httpx.AsyncClient) -> None:
    await admin.post(BASE, json=gauge())
    first = await admin.patch(f"{BASE}/WL-001", json={"firmware": "1.2"}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.json()["version"]) == (200, 2)
    second = await admin.patch(f"{BASE}/WL-001", json={"firmware": "1.3"}, headers={"If-Match": '"1"'})
    assert (second.status_code, second.json()["key"]) == (412, "error.stale")
    assert (await admin.patch(f"{BASE}/WL-001", json={"firmware": "1.3"})).json()["errors"][0]["field"] == "If-Match"


async def test_a_change_that_changes_nothing_makes_no_version(admin: httpx.AsyncClient) -> None:
    await admin.post(BASE, json=gauge())
    same = await admin.patch(f"{BASE}/WL-001", json={"model": "WL-3000"}, headers={"If-Match": '"1"'})
    assert same.json()["version"] == 1


async def test_a_request_that_is_repeated_with_its_key_enters_one_device(admin: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await admin.post(BASE, json=gauge(), headers=headers)
    again = await admin.post(BASE, json=gauge(), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await admin.post(BASE, json=gauge())).json()["key"] == "devices.code_taken"


async def test_a_device_that_moves_takes_its_thing_along(admin: httpx.AsyncClient, town: Town) -> None:
    made = await commissioned(admin)
    moved = await admin.patch(
        f"{BASE}/WL-001", json={"longitude": 113.35, "latitude": 23.06}, headers={"If-Match": f'"{made["version"]}"'}
    )
    assert moved.json()["district"] == "110102"
    place = (await admin.get(f"/sta/v1.1/Things({made['thing']})/Locations")).json()["value"][0]["location"]
    assert place["coordinates"] == [113.35, 23.06]


async def test_lists_are_paged_filtered_and_searched_in_both_languages(admin: httpx.AsyncClient) -> None:
    for number in range(5):
        await admin.post(BASE, json=gauge(f"WL-00{number}", name=f"人民桥{number}号水位计"))
    await admin.post(BASE, json=gauge("RG-1", kind="rain-gauge", name="东湖雨量计 East Lake", owner="parks", longitude=113.35))
    seen: list[str] = []
    url = f"{BASE}?limit=2"
    while url:
        page = (await admin.get(url)).json()
        seen += [item["code"] for item in page["items"]]
        url = f"{BASE}?limit=2&cursor={page['next']}" if page["next"] else ""
    assert seen == ["RG-1", "WL-000", "WL-001", "WL-002", "WL-003", "WL-004"]

    async def codes(**params: str) -> list[str]:
        return [item["code"] for item in (await admin.get(BASE, params=params)).json()["items"]]

    assert await codes(owner="parks") == ["RG-1"]
    assert await codes(district="110102") == ["RG-1"]
    assert await codes(kind="rain-gauge", state="planned") == ["RG-1"]
    assert len(await codes(category="water")) == 6
    assert await codes(category="nothing") == []
    assert await codes(text="雨量") == ["RG-1"]
    assert await codes(text="east LAKE") == ["RG-1"]
    assert await codes(text="wl-003") == ["WL-003"]
    assert await codes(text="人民桥 4号") == ["WL-004"]
    assert await codes(text="%") == []
    assert await codes(text="ＲＧ－１") == ["RG-1"]
    assert len(await codes(presence="unknown")) == 6


async def test_work_is_recorded_and_a_calibration_says_when_the_next_is_due(admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    done = {"type": "calibration", "day": "2014-01-01", "result": "passed", "certificate": "C-1", "party": "Institute"}
    assert (await admin.post(f"{BASE}/WL-001/work", json=done)).json()["due"] == "2015-01-01"
    await admin.post(f"{BASE}/WL-001/work", json={"type": "maintenance", "day": "2014-02-01", "note": "cleaned"})
    device = (await admin.get(f"{BASE}/WL-001")).json()
    assert (device["due"], device["maintained"]) == ("2015-01-01", "2014-02-01")
    work = (await admin.get(f"{BASE}/WL-001/work?limit=1")).json()
    assert work["items"][0]["type"] == "maintenance"
    assert (await admin.get(f"{BASE}/WL-001/work?cursor={work['next']}")).json()["items"][0]["certificate"] == "C-1"
    assert [d["code"] for d in (await admin.get(f"{BASE}?due=2015-01-01")).json()["items"]] == ["WL-001"]
    assert (await admin.get(f"{BASE}?due=2014-12-31")).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "bad code"}, "code"),
        ({"code": "imports"}, "code"),
        ({"kind": "nothing"}, "kind"),
        ({"owner": "nobody"}, "owner"),
        ({"longitude": None}, "longitude"),
        ({"longitude": 181}, "longitude"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"installed": "2014-02-30"}, "installed"),
        ({"installed": "2014-02-02", "retired": "2014-02-01"}, "retired"),
        ({"properties": {"height": 1000}}, "properties.height"),
        ({"properties": {"mount": "roof"}}, "properties.mount"),
        ({"properties": {"colour": "red"}}, "properties.colour"),
        ({"properties": {"sealed": "yes"}}, "properties.sealed"),
        ({"wrong": 1}, "wrong"),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_the_field(
    admin: httpx.AsyncClient, change: dict[str, object], field: str
) -> None:
    answer = await admin.post(BASE, json=gauge(**change))
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_a_department_changes_its_own_devices_and_no_others(town: Town, admin: httpx.AsyncClient) -> None:
    water, parks = await town.person("keeper", "water"), await town.person("keeper", "parks")
    assert (await water.post(BASE, json=gauge())).status_code == 201
    assert (await parks.get(f"{BASE}/WL-001")).json()["steps"] == []
    for request in (
        parks.patch(f"{BASE}/WL-001", json={"note": "mine"}, headers={"If-Match": '"1"'}),
        parks.post(f"{BASE}/WL-001/steps", json={"step": "install"}, headers={"If-Match": '"1"'}),
        parks.post(f"{BASE}/WL-001/work", json={"type": "repair", "day": "2014-01-01"}),
        parks.post(BASE, json=gauge("WL-002")),
        water.patch(f"{BASE}/WL-001", json={"owner": "parks"}, headers={"If-Match": '"1"'}),
        parks.post(f"{BASE}/WL-001/enrolment"),
    ):
        assert (await request).status_code == 403
    assert (await town.client().get(BASE)).status_code == 401


async def test_the_ledger_proves_every_device_and_finds_what_was_changed_behind_its_back(
    town: Town, admin: httpx.AsyncClient
) -> None:
    await commissioned(admin)
    assert await town.platform.records.read(lambda session: list(faults(session))) == []
    subjects = {entry.type for entry in await town.platform.get(Ledger).entries(limit=1000, subject="WL-001")}
    assert subjects == {"devices.device.registered"}
    await town.platform.records.write(lambda tx: tx.session.execute("UPDATE devices_device SET owner = 'parks'"))
    found = await town.platform.records.read(lambda session: list(faults(session)))
    assert [(fault.table, fault.entry) for fault in found] == [("devices_device", "WL-001")]
