"""Dispatch follows the rules and says why; what no rule covers waits in sight; passed deadlines are supervised once a stage."""

import httpx

from mumian.brain.dispatch.api import Dispatch
from mumian.brain.incidents.api import Incidents, Report
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction
from tests.brain.conftest import TOWN, hour, rows

PATH = "/api/v1/brain/incidents"
REPORT = {"type": "dust-cloud", "title": "灰", "place": {"longitude": 10.0, "latitude": 50.0}}
WITHOUT_RULE = TOWN[: TOWN.index("kind: DispatchRule")].rstrip().removesuffix("---")
NARROW = """
kind: DispatchRule
name: all-else
title: {zh: 其余, en: All else}
spec: {city_level: true, organisation: water-office, priority: 99}
"""


async def test_a_new_incident_goes_to_the_organisation_of_the_most_specific_rule(
    town: Platform, client: httpx.AsyncClient
) -> None:
    await town.declarations.apply(read_text(NARROW.encode()), "more")
    await client.post(PATH, json=REPORT)
    await town.settle()
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    assert incident["organisation"] == "air-office"
    assert incident["history"][-1]["note"] == (
        "Dispatched by the rule dust-office (type=dust-cloud, city, priority=0), before all-else."
    )
    choice = town.get(Dispatch).explain("rain", None)
    assert choice is not None
    assert (choice.rule, choice.matched) == ("all-else", ("type=*", "city", "priority=99"))


async def test_what_no_rule_covers_waits_in_sight_until_there_is_one(town: Platform, client: httpx.AsyncClient) -> None:
    await town.declarations.apply(read_text(WITHOUT_RULE.encode()), "town", prune=True)
    await client.post(PATH, json=REPORT)
    await town.settle()
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    assert (incident["state"], incident["organisation"]) == ("reported", None)
    assert "dispatch rule covers dust-cloud in the city" in incident["history"][-1]["note"]
    await town.declarations.apply(read_text(TOWN.encode()), "town")
    await town.settle()
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    assert (incident["state"], incident["organisation"]) == ("dispatched", "air-office")


async def test_of_many_that_wait_those_that_no_new_rule_covers_do_not_keep_the_later_ones_from_it(
    town: Platform, client: httpx.AsyncClient
) -> None:
    rain = "{kind: IncidentType, name: rain, title: {zh: 雨, en: Rain}, spec: {category: rain.1}}"
    await town.declarations.apply(read_text(f"{WITHOUT_RULE}\n---\n{rain}".encode()), "town", prune=True)
    uncovered = Report("rain", {"zh": "雨", "en": "Rain"}, "minor")

    def flood(tx: Transaction) -> None:
        for _ in range(501):
            town.get(Incidents).open(tx, uncovered)

    await town.records.write(flood)
    last = (await client.post(PATH, json=REPORT)).json()["number"]
    await town.settle()
    await town.declarations.apply(read_text(f"{TOWN}\n---\n{rain}".encode()), "town")
    await town.settle()
    assert rows(town, "SELECT number FROM incidents_incident WHERE state = 'dispatched'") == [{"number": last}]


async def test_each_missed_stage_is_supervised_once(town: Platform, client: httpx.AsyncClient, clock: ManualClock) -> None:
    await client.post(PATH, json=REPORT)
    await town.settle()
    for minutes in (29, 1, 1, 568, 1, 1, 299, 1, 600):
        clock.advance(minutes=minutes)
        await town.settle()
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    steps = [(step["time"], step["note"]) for step in incident["history"] if step["action"] == "supervise"]
    assert steps == [
        (hour(0.5), f"It was not accepted by {hour(0.5)}."),
        (hour(10), f"It was not resolved by {hour(10)}."),
        (hour(15), f"It was not verified by {hour(15)}."),
    ]
    assert incident["overdue"] is True
    assert incident["supervised"] is True


async def test_a_jump_of_the_clock_supervises_every_stage_that_it_passed(
    town: Platform, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await client.post(PATH, json=REPORT)
    await town.settle()
    clock.advance(days=400)
    await town.settle()
    clock.advance(days=-399)
    await town.settle()
    assert len(rows(town, "SELECT 1 FROM incidents_history WHERE action = 'supervise'")) == 3


async def test_a_stage_done_in_time_is_not_supervised(town: Platform, client: httpx.AsyncClient, clock: ManualClock) -> None:
    await client.post(PATH, json=REPORT)
    await town.settle()
    for action, minutes in (("take", 60), ("resolve", 600), ("verify", 600)):
        version = (await client.get(f"{PATH}/INC-20140101-0001")).json()["version"]
        await client.post(f"{PATH}/INC-20140101-0001/actions", json={"action": action}, headers={"If-Match": str(version)})
        clock.advance(minutes=minutes)
        await town.settle()
    assert rows(town, "SELECT missed, supervised FROM incidents_incident") == [{"missed": "", "supervised": 0}]
