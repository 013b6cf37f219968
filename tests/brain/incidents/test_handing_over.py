"""Handing an incident over to another organisation makes nothing less late, and names only those who exist."""

import httpx

from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.brain.conftest import TOWN, Observe, hour, rows, token
from tests.brain.incidents.test_incidents import PATH, act, dusty

NUMBER = f"{PATH}/INC-20140101-0001"


async def test_no_hand_over_makes_a_late_incident_on_time(
    town: Platform, observe: Observe, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await dusty(observe)
    clock.advance(hours=20)
    await town.settle()
    late = (await client.get(NUMBER)).json()
    assert (late["overdue"], late["supervised_times"]) == (True, 3)
    officer = {"Authorization": f"Bearer {await token(town, 'officer', 'officer', 'air-office')}"}
    version = {"If-Match": str(late["version"])}
    same = {"action": "dispatch", "organisation": "air-office"}
    refused = await client.post(f"{NUMBER}/actions", json=same, headers=officer | version)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "organisation")
    incident = (await act(client, late, "dispatch", organisation="water-office")).json()
    assert incident["due"] == {**late["due"], "accept": hour(22.5)}
    assert (incident["overdue"], incident["supervised_times"]) == (True, 3)
    incident = (await act(client, incident, "dispatch", organisation="air-office")).json()
    for action in ("take", "resolve", "verify", "close"):
        incident = (await act(client, incident, action)).json()
    await town.settle()
    items = (await client.get("/api/v1/mechanism/evaluation")).json()["items"]
    assert [(item["key"], item["on_time_rate"]) for item in items if item["closed"]] == [("", 0.0)]


async def test_the_new_owner_is_reminded_if_it_does_not_accept_in_time_either(
    town: Platform, observe: Observe, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await dusty(observe)
    incident = (await client.get(NUMBER)).json()
    await act(client, incident, "dispatch", organisation="water-office")
    clock.advance(minutes=30)
    await town.settle()
    assert rows(town, "SELECT missed, supervised FROM incidents_incident") == [{"missed": "accept", "supervised": 2}]


async def test_a_dispatch_by_hand_has_the_deadlines_of_the_rule_that_covers_the_incident(
    town: Platform, client: httpx.AsyncClient
) -> None:
    without = TOWN.replace("city_level: true\n  organisation: air-office", "organisation: air-office")
    await town.declarations.apply(read_text(without.encode()), "town")
    report = {"type": "dust-cloud", "title": "灰", "place": {"longitude": 10.0, "latitude": 50.0}}
    incident = (await client.post(PATH, json=report)).json()
    await town.settle()
    incident = (await act(client, (await client.get(NUMBER)).json(), "file")).json()
    with_rule = TOWN.replace("dust-office", "dust-by-hand")
    await town.declarations.apply(read_text(with_rule.encode()), "town")
    await town.settle()
    incident = (await act(client, incident, "dispatch", organisation="water-office")).json()
    assert incident["due"] == {"accept": hour(0.5), "resolve": hour(10), "verify": hour(15)}
