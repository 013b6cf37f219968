"""Incidents live through the API: opened by warnings or people, acted on by those who may, each change on record."""

import asyncio
from typing import Any

import httpx
import pytest

from mumian.brain.incidents.api import Incidents, Report
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from tests.brain.conftest import Observe, hour, rows, token

PATH = "/api/v1/brain/incidents"
REPORT = {"type": "dust-cloud", "title": "灰", "place": {"longitude": 10.0, "latitude": 50.0}}


async def act(client: httpx.AsyncClient, incident: dict[str, Any], action: str, **body: str) -> httpx.Response:
    """Take a step on what was last seen of an incident."""
    headers = {"If-Match": f'"{incident["version"]}"'}
    return await client.post(f"{PATH}/{incident['number']}/actions", json={"action": action, **body}, headers=headers)


async def dusty(observe: Observe) -> None:
    """Let it be dusty in the north."""
    for at in range(3):
        await observe(at, north=60.0, south=1.0)


async def test_a_warning_opens_an_incident_with_place_owner_and_proof(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    await dusty(observe)
    items = (await client.get(PATH)).json()["items"]
    assert len(items) == 1
    incident = (await client.get(f"{PATH}/{items[0]['number']}")).json()
    assert incident["number"] == "INC-20140101-0001"
    assert (incident["type"], incident["severity"], incident["state"]) == ("dust-cloud", "minor", "dispatched")
    assert incident["title"]["en"] == "blue warning at North: 140 of 100"
    assert incident["place"] == {"longitude": 10.0, "latitude": 50.0, "district": None, "label": {"zh": "北站", "en": "North"}}
    assert incident["due"] == {"accept": hour(1.5), "resolve": hour(11), "verify": hour(16)}
    evidence = incident["evidence"]
    assert (evidence["vital"], evidence["value"], evidence["threshold"]) == ("dust-index", 140, 100)
    assert evidence["observations"] == [{"stream": "north", "time": hour(at), "result": 60.0} for at in (0, 1)]
    entries = [(await town.get(Ledger).entries(after=index - 1, limit=1))[0] for index in evidence["ledger"]]
    assert {entry.subject for entry in entries} == {incident["number"], evidence["warning"]}
    assert [step["action"] for step in incident["history"]] == ["report", "file", "dispatch", "supervise"]


async def test_severity_follows_the_warning_and_its_end_is_noted(observe: Observe, client: httpx.AsyncClient) -> None:
    for at, value in enumerate([60, 60, 300, 300, 300, 1, 1, 1, 1, 1]):
        await observe(at, north=float(value))
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    notes = [step["note"] for step in incident["history"] if step["action"] == "note"]
    assert len(notes) == 2
    assert notes[0].startswith("The warning rose to red: dust-index is 400 ")
    assert notes[1].startswith("The red warning was lifted: dust-index is 2 ")
    chinese = (await client.get(f"{PATH}/INC-20140101-0001", headers={"Accept-Language": "zh-CN"})).json()
    assert "预警升级为红色" in next(step["note"] for step in chinese["history"] if step["action"] == "note")
    assert incident["severity"] == "extreme"
    assert incident["state"] == "dispatched"


async def test_a_warning_raised_again_joins_the_incident_that_is_not_handled_yet(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    dust = [60, 60, 60, 1, 1, 1]
    for at, value in enumerate(dust * 2):
        await observe(at, north=float(value))
    assert len(rows(town, "SELECT id FROM warnings_warning WHERE incident = 'INC-20140101-0001'")) == 2
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    for action in ("take", "resolve"):
        incident = (await act(client, incident, action)).json()
    for at, value in enumerate(dust, 12):
        await observe(at, north=float(value))
    assert [item["number"] for item in (await client.get(PATH)).json()["items"]] == ["INC-20140101-0002", "INC-20140101-0001"]


async def test_a_person_walks_an_incident_from_report_to_close(
    town: Platform, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    answer = await client.post(PATH, json=REPORT | {"description": "看得见的扬尘", "severity": "severe"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{PATH}/INC-20140101-0001"
    await town.settle()
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    for action, state in (
        ("take", "handling"),
        ("resolve", "handled"),
        ("return", "handling"),
        ("resolve", "handled"),
        ("verify", "verified"),
        ("close", "closed"),
    ):
        clock.advance(minutes=10)
        assert action in incident["actions"]
        answer = await act(client, incident, action, note='{"key": ' + action)
        assert answer.status_code == 200, answer.text
        incident = answer.json()
        assert incident["state"] == state
    assert incident["actions"] == []
    assert incident["assignee"] == "operator"
    assert incident["closed_at"] == hour(1)
    assert incident["overdue"] is False
    assert [step["note"] for step in incident["history"]][-2:] == ['{"key": verify', '{"key": close']
    assert incident["history"][-1]["actor_title"] == {"zh": "operator", "en": "operator"}
    assert (await client.get(f"{PATH}?state=open")).json()["items"] == []
    report = await town.get(Ledger).verify()
    assert report.faults == ()


async def test_of_two_people_the_second_is_told_and_nothing_is_overwritten(town: Platform, client: httpx.AsyncClient) -> None:
    incident = (await client.post(PATH, json=REPORT)).json()
    await town.settle()
    incident = (await client.get(f"{PATH}/{incident['number']}")).json()
    for name in ("li", "wang", "zhao"):
        await token(town, name, "officer", "air-office")
    answers = await asyncio.gather(*(act(client, incident, "take", assignee=name) for name in ("li", "wang", "zhao")))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    winner = next(answer.json()["assignee"] for answer in answers if answer.status_code == 200)
    assert (await client.get(f"{PATH}/{incident['number']}")).json()["assignee"] == winner


async def test_a_step_that_the_state_does_not_allow_is_a_conflict_that_says_what_is_possible(
    town: Platform, client: httpx.AsyncClient
) -> None:
    incident = (await client.post(PATH, json=REPORT)).json()
    await town.settle()
    incident = (await client.get(f"{PATH}/{incident['number']}")).json()
    answer = await act(client, incident, "verify")
    assert answer.status_code == 409
    assert "dispatch, take, supervise, note" in answer.json()["detail"]


async def test_only_the_responsible_organisation_and_the_operators_may_act(town: Platform, client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=REPORT)
    await town.settle()
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    stranger = {"Authorization": f"Bearer {await token(town, 'stranger', 'officer', 'water-office')}"}
    officer = {"Authorization": f"Bearer {await token(town, 'officer', 'officer', 'air-office')}"}
    seen = (await client.get(f"{PATH}/INC-20140101-0001", headers=stranger)).json()
    assert seen["actions"] == []
    body, version = {"action": "take"}, {"If-Match": str(incident["version"])}
    assert (await client.post(f"{PATH}/INC-20140101-0001/actions", json=body, headers=stranger | version)).status_code == 403
    assert (await client.get(f"{PATH}/INC-20140101-0001")).json()["version"] == incident["version"]
    taken = await client.post(f"{PATH}/INC-20140101-0001/actions", json=body, headers=officer | version)
    assert taken.json()["assignee"] == "officer"


@pytest.mark.parametrize(
    "description", ["a service says so", '{"key": 1}', "[]", '{"values": {}}', '{"key": "x", "values": {"key": 1}}', "x" * 600]
)
async def test_what_a_service_reports_in_its_own_words_is_shown_as_it_is(
    town: Platform, client: httpx.AsyncClient, description: str
) -> None:
    report = Report("dust-cloud", {"zh": "甲", "en": "A"}, "minor", description=description)
    opened = await town.records.write(lambda tx: town.get(Incidents).open(tx, report))
    answer = await client.get(f"{PATH}/{opened.number}")
    assert answer.status_code == 200
    assert answer.json()["history"][0]["note"] == description[:500]


async def test_nobody_sees_incidents_without_signing_in(town: Platform, client: httpx.AsyncClient) -> None:
    assert (await client.get(PATH, headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "type"),
        (REPORT | {"type": "nothing"}, "type"),
        (REPORT | {"title": ""}, "title"),
        (REPORT | {"place": {"longitude": 190, "latitude": 0}}, "place.longitude"),
        (REPORT | {"place": {"longitude": "NaN", "latitude": 0}}, "place.longitude"),
        (REPORT | {"severity": "red"}, "severity"),
        (REPORT | {"colour": 1}, "colour"),
        (REPORT | {"description": "x" * 5000}, "description"),
    ],
)
async def test_a_bad_report_names_the_field(client: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("body", "version", "status"),
    [
        ({"action": "take"}, None, 422),
        ({"action": "take"}, "soon", 422),
        ({"action": "take"}, "99", 412),
        ({"action": "dance"}, "1", 422),
        ({"action": "dispatch"}, "1", 422),
        ({"action": "dispatch", "organisation": "nobody"}, "1", 422),
        ({"action": "take", "note": "x" * 5000}, "1", 422),
        ({"action": "take", "assignee": "nobody"}, "1", 422),
    ],
)
async def test_a_bad_action_changes_nothing(
    town: Platform, client: httpx.AsyncClient, body: dict[str, str], version: str | None, status: int
) -> None:
    await client.post(PATH, json=REPORT)
    headers = {"If-Match": version} if version else {}
    assert (await client.post(f"{PATH}/INC-20140101-0001/actions", json=body, headers=headers)).status_code == status
    assert len(rows(town, "SELECT 1 FROM incidents_history WHERE action NOT IN ('report', 'file', 'dispatch', 'note')")) == 0


async def test_lists_are_paged_without_gaps_or_repeats(town: Platform, client: httpx.AsyncClient) -> None:
    for _ in range(5):
        await client.post(PATH, json=REPORT)
    seen, cursor = [], ""
    while True:
        page = (await client.get(f"{PATH}?limit=2{cursor}")).json()
        seen += [item["number"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [f"INC-20140101-000{n}" for n in (5, 4, 3, 2, 1)]


async def test_numbers_have_no_gap_when_a_report_fails(town: Platform, client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=REPORT)
    await client.post(PATH, json=REPORT | {"type": "nothing"})
    assert (await client.post(PATH, json=REPORT)).json()["number"] == "INC-20140101-0002"


@pytest.mark.parametrize(
    ("sql", "table", "field"),
    [
        ("UPDATE incidents_incident SET state = 'closed'", "incidents_incident", "state"),
        ("UPDATE incidents_incident SET description = 'x'", "incidents_incident", "state"),
        ("UPDATE incidents_incident SET organisation = 'water-office'", "incidents_incident", "organisation"),
        ("UPDATE incidents_incident SET digest = 'x'", "incidents_incident", "digest"),
        ("UPDATE incidents_incident SET title = '{'", "incidents_incident", "state"),
        ("UPDATE incidents_history SET note = 'x' WHERE version = 2", "incidents_history", "note"),
        ("DELETE FROM incidents_history WHERE version = 2", "incidents_history", "row"),
        ("DELETE FROM incidents_incident", "incidents_incident", "row"),
    ],
)
async def test_a_change_behind_the_platform_is_found_and_named(
    town: Platform, client: httpx.AsyncClient, sql: str, table: str, field: str
) -> None:
    await client.post(PATH, json=REPORT)
    await town.settle()
    assert (await town.get(Ledger).verify()).sound
    await town.records.write(lambda tx: tx.session.execute(sql))
    faults = (await town.get(Ledger).verify()).faults
    assert [(fault.table, fault.field) for fault in faults] == [(table, field)]
