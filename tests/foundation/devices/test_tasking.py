"""Commands of devices as SensorThings tasks: one ledger, the same checks, and a device that sees its own alone."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.devices.models import FieldSpec
from mumian.foundation.devices.rules import swe, tasking
from tests.foundation.devices.conftest import BASE, Town, commissioned
from tests.foundation.devices.test_commands import SEND, ready

STA = "/sta/v1.1"


async def capability(admin: httpx.AsyncClient, code: str = "WL-001") -> dict[str, Any]:
    """The tasking capability of a device's interval."""
    found = await admin.get(f"{STA}/TaskingCapabilities?$filter=name eq '{code} interval'&$expand=Thing,Actuator")
    assert found.status_code == 200, found.text
    (only,) = found.json()["value"]
    return dict(only)


async def give(client: httpx.AsyncClient, number: int, seconds: Any = 60) -> httpx.Response:
    """Give a task."""
    return await client.post(f"{STA}/TaskingCapabilities({number})/Tasks", json={"taskingParameters": {"seconds": seconds}})


async def test_a_device_in_service_has_the_capabilities_that_its_kind_declares(admin: httpx.AsyncClient) -> None:
    device = await commissioned(admin)
    found = await capability(admin)
    assert found["Thing"]["@iot.id"] == device["thing"]
    assert found["Actuator"]["name"] == "WL-3000"
    assert found["taskingParameters"] == {
        "type": "DataRecord",
        "field": [
            {
                "name": "seconds",
                "type": "Count",
                "label": "seconds",
                "optional": False,
                "constraint": {"type": "AllowedValues", "interval": [[10.0, 3600.0]]},
            }
        ],
    }


async def test_a_task_is_a_command_and_shows_how_far_it_came(town: Town, admin: httpx.AsyncClient) -> None:
    device = await ready(town, admin)
    made = await give(admin, (await capability(admin))["@iot.id"])
    assert (made.status_code, made.json()["status"]) == (201, "created")
    task = made.headers["location"]
    (command,) = (await admin.get(f"{BASE}/WL-001/commands")).json()["items"]
    assert (command["task"], command["parameters"]) == (made.json()["@iot.id"], {"seconds": 60})
    assert command["by"] == town.events("devices.command.changed")[0].get("actor", command["by"])
    await device.post(f"{BASE}/self/commands")
    assert (await admin.get(task)).json()["status"] == "accepted"
    for state, status in (("acknowledged", "running"), ("done", "completed")):
        await device.post(f"{BASE}/self/commands/{command['id']}", json={"state": state, "result": {"ok": True}})
        assert (await admin.get(task)).json()["status"] == status
    assert (await admin.get(task)).json()["properties"] == {"device": "WL-001", "command": command["id"], "result": {"ok": True}}


async def test_a_command_by_the_ledger_shows_as_a_task_until_it_expires(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    sent = (await admin.post(f"{BASE}/WL-001/commands", json=SEND)).json()
    found = (await admin.get(f"{STA}/Tasks({sent['task']})?$expand=TaskingCapability")).json()
    assert (found["status"], found["taskingParameters"]) == ("created", {"seconds": 60})
    assert found["TaskingCapability"]["name"] == "WL-001 interval"
    await town.wait(601)
    assert (await admin.get(f"{STA}/Tasks({sent['task']})")).json()["status"] == "failed"
    count = town.platform.records.read_now(lambda s: s.value("SELECT COUNT(*) FROM sensing_task"))
    assert count == 1, "one command, one task"


async def test_tasks_are_held_to_the_checks_of_commands(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    number = (await capability(admin))["@iot.id"]
    wrong = await give(admin, number, 5)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "taskingParameters.seconds")
    parks, stranger = await town.person("keeper", "parks"), town.client()
    operator = await town.person("operator")
    assert [(await give(who, number)).status_code for who in (parks, operator, stranger)] == [403, 403, 401]
    await admin.post(f"{BASE}/WL-001/steps", json={"step": "suspend"}, headers={"If-Match": '"1"'})
    assert (await give(admin, number)).status_code == 201, "a device in maintenance takes commands"
    body = {"taskingParameters": {"seconds": 60}, "status": "completed"}
    assert (await admin.post(f"{STA}/TaskingCapabilities({number})/Tasks", json=body)).status_code == 422
    assert town.platform.records.read_now(lambda s: s.value("SELECT COUNT(*) FROM sensing_task")) == 1


async def test_of_a_devices_task_only_the_cancelling_is_taken(admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    number = (await capability(admin))["@iot.id"]
    task = (await give(admin, number)).headers["location"]
    for path, body in (
        (task, {"status": "completed"}),
        (task, {"taskingParameters": {"seconds": 90}}),
        (f"{STA}/TaskingCapabilities({number})", {"taskingParameters": {"type": "DataRecord", "field": []}}),
    ):
        answer = await admin.patch(path, json=body)
        assert (answer.status_code, answer.json()["key"]) == (409, "sensing.kept")
    for path in (task, f"{STA}/TaskingCapabilities({number})"):
        assert (await admin.delete(path)).status_code == 409
    assert (await admin.patch(task, json={"status": "cancelled"})).json()["status"] == "cancelled"
    (command,) = (await admin.get(f"{BASE}/WL-001/commands")).json()["items"]
    assert command["state"] == "cancelled"
    assert (await admin.patch(task, json={"status": "running"})).status_code == 409


async def test_nothing_else_becomes_a_task_of_a_device(admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    own = await capability(admin)
    other = {"name": "lamp", "description": "", "taskingParameters": {}, "Thing": {"@iot.id": own["Thing"]["@iot.id"]}}
    made = await admin.post(f"{STA}/TaskingCapabilities", json={**other, "Actuator": {"@iot.id": own["Actuator"]["@iot.id"]}})
    free = await admin.post(f"{made.headers['location']}/Tasks", json={"taskingParameters": {"on": 1}})
    moved = {"TaskingCapability": {"@iot.id": own["@iot.id"]}}
    assert (await admin.patch(free.headers["location"], json=moved)).status_code == 409
    link = await admin.post(f"{STA}/TaskingCapabilities({own['@iot.id']})/Tasks/$ref", json={"@iot.id": free.json()["@iot.id"]})
    assert link.status_code == 409
    assert (await admin.get(f"{BASE}/WL-001/commands")).json()["items"] == []


async def test_who_may_read_streams_may_not_read_tasks(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    stranger, operator = town.client(), await town.person("operator")
    for path in (
        "Tasks",
        "TaskingCapabilities",
        "Actuators",
        "Things?$expand=TaskingCapabilities/Tasks",
        "Things?$filter=TaskingCapabilities/name eq 'x'",
        "Things?$expand=%54askingCapabilities",
        "Things(1)/TaskingCapabilities",
    ):
        assert (await stranger.get(f"{STA}/{path}")).status_code == 401, path
        assert (await operator.get(f"{STA}/{path}")).status_code == 200, path
    assert (await stranger.get(f"{STA}/Things")).status_code == 200


async def test_a_device_sees_its_own_tasks_and_no_others(town: Town, admin: httpx.AsyncClient) -> None:
    device = await ready(town, admin)
    await commissioned(admin, "WL-002")
    tasks = {code: (await admin.post(f"{BASE}/{code}/commands", json=SEND)).json()["task"] for code in ("WL-001", "WL-002")}
    own, other = [(await capability(admin, code))["@iot.id"] for code in tasks]
    for path in ("Tasks?$count=true&$expand=TaskingCapability", f"TaskingCapabilities({own})/Tasks"):
        found = (await device.get(f"{STA}/{path}")).json()
        assert [task["@iot.id"] for task in found["value"]] == [tasks["WL-001"]]
        assert found.get("@iot.count", 1) == 1
    assert [c["@iot.id"] for c in (await device.get(f"{STA}/TaskingCapabilities")).json()["value"]] == [own]
    for path in (f"Tasks({tasks['WL-002']})", f"TaskingCapabilities({other})", f"TaskingCapabilities({other})/Tasks"):
        assert (await device.get(f"{STA}/{path}")).status_code == 404, path
    for path in (
        "Actuators",
        "Tasks?$expand=TaskingCapability/Actuator",
        "Tasks?$filter=TaskingCapability/Thing/TaskingCapabilities/Tasks/id gt 0",
        "TaskingCapabilities?$expand=Thing($expand=TaskingCapabilities)",
        "Things(1)/TaskingCapabilities",
    ):
        assert (await device.get(f"{STA}/{path}")).status_code == 403, path
    assert (await give(device, own)).status_code == 403, "a device gives itself no tasks"


async def test_tasks_nested_in_other_entities_need_their_own_right(town: Town) -> None:
    gateway = await town.person("device")
    body = {
        "name": "x",
        "description": "x",
        "TaskingCapabilities": [
            {
                "name": "c",
                "description": "",
                "taskingParameters": {},
                "Actuator": {"name": "a", "description": "", "encodingType": "text/html", "metadata": "m"},
            }
        ],
    }
    assert (await gateway.post(f"{STA}/Things", json=body)).status_code == 403
    assert (await gateway.post(f"{STA}/Things", json={"name": "x", "description": "x"})).status_code == 201


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    type_=st.sampled_from(["number", "integer", "boolean", "text", "choice"]),
    bounds=st.tuples(st.none() | NUMBERS, st.none() | NUMBERS),
    required=st.booleans(),
)
def test_every_parameter_becomes_a_field_with_what_bounds_it(
    type_: Any, bounds: tuple[float | None, float | None], required: bool
) -> None:
    low, high = bounds
    if low is not None and high is not None and low > high:
        low, high = high, low
    choices = ["a", "b"] if type_ == "choice" else []
    spec = FieldSpec(type=type_, minimum=low, maximum=high, required=required, choices=choices)
    (field,) = swe.record({"x": spec})["field"]
    assert (field["name"], field["optional"]) == ("x", not required)
    constraint = field.get("constraint")
    if type_ in ("number", "integer") and bounds != (None, None):
        ((least, most),) = constraint["interval"]
        assert (float(least), float(most)) == (
            float("-inf") if low is None else low,
            float("inf") if high is None else high,
        )
    if type_ == "choice":
        assert constraint["value"] == choices


@pytest.mark.parametrize("state", [*tasking.SOURCES, "queued", "expired"])
def test_every_state_of_a_command_is_one_of_a_task(state: str) -> None:
    assert swe.STATUS[state] in ("created", "accepted", "running", "completed", "failed", "cancelled")
