"""People are told of warnings in groups, by routes; silences, inhibitions and windows spare them; anybody can see why."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mumian.brain.warnings.routing import noticing, store
from mumian.foundation.channels.service.evidence import faults
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.clock import ManualClock, iso
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.brain.conftest import Observe, rows, token

BASE = "/api/v1/brain/warnings"
ROUTES = """
kind: Policy
name: watch
title: {zh: 值守, en: Watch}
spec:
  cedar: |
    permit (principal in Role::"operator", action in [Action::"warning:acknowledge", Action::"warning:silence",
      Action::"warning:explain"], resource);
---
{kind: Channel, name: desk, title: {zh: 收件箱, en: Inbox}, spec: {way: inbox}}
---
kind: WarningRoute
name: air
title: {zh: 空气, en: Air}
spec:
  match: {themes: [air]}
  group_by: [rule]
  wait_seconds: 60
  interval_seconds: 600
  repeat_hours: 6
  to: [{channel: desk, role: operator, organisation: town}]
  escalation: [{after_minutes: 30, to: [{channel: desk, person: boss}]}]
"""


@pytest.fixture
async def watched(town: Platform) -> Platform:
    """The town with a route, an operator and a boss."""
    accounts = town.get(Identity).accounts
    for login, role in (("li.na", "operator"), ("boss", "administrator")):
        await accounts.create_person(PersonDraft(login, {"zh": login, "en": login}, "town", (role,)))
    await town.declarations.apply(read_text(ROUTES.encode()), "routes")
    await town.settle()
    return town


async def later(town: Platform, clock: ManualClock, **delta: float) -> None:
    clock.advance(**delta)
    await town.settle()
    assert [*town.records.read_now(faults), *town.records.read_now(noticing.faults)] == []


async def raised(town: Platform, observe: Observe, *stations: str) -> int:
    """Let stations observe much dust until a warning stands for each; the hour at which it does."""
    for hour in range(9):
        await observe(hour, **dict.fromkeys(stations, 60.0))
        if len(rows(town, "SELECT id FROM warnings_warning WHERE lifted_at IS NULL")) == len(stations):
            return hour
    raise AssertionError("no warning was raised")


def told(town: Platform) -> list[tuple[str, str]]:
    """Who was told what, in order."""
    found = rows(town, "SELECT recipient, subject FROM channels_message ORDER BY id")
    return [(row["recipient"], json.loads(row["subject"])["en"]) for row in found]


async def test_warnings_of_one_rule_are_told_of_together_then_escalated_then_lifted(
    watched: Platform, clock: ManualClock, observe: Observe
) -> None:
    hour = await raised(watched, observe, "north", "south")
    assert told(watched) == []
    await later(watched, clock, seconds=61)
    assert told(watched) == [("li.na", "[blue] Air: 2 warning(s)")]
    await later(watched, clock, minutes=30)
    assert told(watched)[1:] == [("boss", "[Escalated] [blue] Air: 2 warning(s) that nobody acknowledged")]
    for time in range(hour + 1, hour + 5):
        await observe(time, north=0.0, south=0.0)
    await later(watched, clock, minutes=11)
    assert told(watched)[2:] == [("li.na", "Air: 2 warning(s) lifted (the worst was blue)")]
    assert watched.records.read_now(lambda s: store.groups(s, "", 10)) == []
    assert rows(watched, "SELECT COUNT(*) AS n FROM kernel_outbox WHERE type = 'brain.warnings.noticed'")[0]["n"] == 3


async def test_who_acknowledges_hears_no_more_and_a_second_person_gets_a_conflict(
    watched: Platform, clock: ManualClock, observe: Observe, client: httpx.AsyncClient
) -> None:
    await raised(watched, observe, "north")
    await later(watched, clock, minutes=2)
    (group,) = (await client.get(f"{BASE}/groups")).json()["items"]
    assert (group["id"], group["level"], group["standing"], group["acknowledged"]) == ("air|rule=dust", "blue", 1, None)
    path = f"{BASE}/groups/{group['id']}/acknowledgement"
    assert (await client.post(path, json={"comment": "洒水车已出"})).json()["acknowledged"] == "operator"
    await later(watched, clock, hours=8)
    assert sorted(who for who, _ in told(watched)) == ["li.na", "operator"]
    other = {"Authorization": f"Bearer {await token(watched, 'zhou', 'operator', 'town')}", "Accept-Language": "zh"}
    refused = await client.post(path, json={}, headers=other)
    assert (refused.status_code, "operator" in refused.json()["detail"]) == (409, True)
    assert (await client.post(f"{BASE}/groups/none/acknowledgement", json={})).status_code == 404


async def test_a_silence_spares_people_until_it_ends_and_is_on_record(
    watched: Platform, clock: ManualClock, observe: Observe, client: httpx.AsyncClient
) -> None:
    ends = iso(clock.now() + timedelta(hours=5))
    given = {"match": {"keys": ["north"]}, "ends": ends, "comment": "设备检修"}
    made = (await client.post(f"{BASE}/silences", json=given)).json()
    assert (made["state"], made["match"], made["author"]) == ("active", {"key": ["north"]}, "operator")
    await raised(watched, observe, "north", "south")
    await later(watched, clock, minutes=2)
    assert [text for _, text in told(watched)] == ["[blue] Air: 1 warning(s)"] * 2
    north = rows(watched, "SELECT id FROM warnings_warning WHERE key = 'north'")[0]["id"]
    why = (await client.get(f"{BASE}/{north}/explanation")).json()["groups"]
    assert [(each["route"], each["muted"], each["notices"]) for each in why] == [("air", f"silence:{made['id']}", [])]
    ended = (await client.delete(f"{BASE}/silences/{made['id']}")).json()
    assert ended["state"] == "ended"
    await later(watched, clock, minutes=11)
    assert [text for _, text in told(watched)][2:] == ["[blue] Air changed: 2 warning(s) stand"] * 2
    assert (await client.get(f"{BASE}/silences", params={"active": True})).json()["items"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"match": {}, "ends": "2030-01-01T00:00:00Z", "comment": "x"}, "ends"),
        ({"match": {}, "ends": "2014-01-02T00:00:00Z", "comment": "x"}, "match"),
        ({"match": {"keys": ["a"]}, "ends": "2013-01-01T00:00:00Z", "comment": "x"}, "ends"),
        ({"match": {"keys": ["a"]}, "ends": "2014-01-02T00:00:00", "comment": "x"}, "ends"),
        ({"match": {"colours": ["a"]}, "ends": "2014-01-02T00:00:00Z", "comment": "x"}, "match.colours"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(
    watched: Platform, client: httpx.AsyncClient, given: Any, field: str
) -> None:
    refused = await client.post(f"{BASE}/silences", json=given)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_an_inhibition_and_a_maintenance_window_spare_people(
    watched: Platform, clock: ManualClock, observe: Observe, client: httpx.AsyncClient
) -> None:
    quieter = """
kind: WarningInhibition
name: north-says-it
title: {zh: 北站已说明, en: North says it}
spec: {source: {keys: [north]}, target: {keys: [south]}, equal: [rule]}
---
kind: MaintenanceWindow
name: mowing
title: {zh: 养护, en: Mowing}
spec: {match: {keys: [north]}, once: [["2014-01-01T00:00:00Z", "2014-01-01T06:00:00Z"]], reason: 养护作业}
"""
    await watched.declarations.apply(read_text(quieter.encode()), "quieter")
    await raised(watched, observe, "north", "south")
    await later(watched, clock, minutes=2)
    assert told(watched) == []
    found = {row["key"]: row["id"] for row in rows(watched, "SELECT key, id FROM warnings_warning")}
    why = {key: (await client.get(f"{BASE}/{id_}/explanation")).json()["groups"][0]["muted"] for key, id_ in found.items()}
    assert why == {"north": "maintenance:mowing", "south": "inhibition:north-says-it"}
    await later(watched, clock, hours=6)
    await later(watched, clock, minutes=2)
    assert {text for _, text in told(watched)} == {"[blue] Air: 1 warning(s)"}


async def test_a_route_that_comes_later_tells_of_what_stands_and_one_that_goes_is_silent(
    town: Platform, clock: ManualClock, observe: Observe
) -> None:
    for time in (0, 1, 2, 3):
        await observe(time, north=60.0)
    await town.get(Identity).accounts.create_person(PersonDraft("li.na", {"zh": "l", "en": "l"}, "town", ("operator",)))
    await town.declarations.apply(read_text(ROUTES.encode()), "routes")
    await town.settle()
    await later(town, clock, minutes=2)
    assert told(town) == [("li.na", "[blue] Air: 1 warning(s)")]
    await town.declarations.apply([], "routes", prune=True)
    await later(town, clock, hours=13)
    assert len(told(town)) == 1
    assert rows(town, "SELECT * FROM warnings_group") == []


async def test_why_a_rule_does_not_warn_is_told_line_by_line(
    watched: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    for time in (0, 1, 2, 3):
        await observe(time, north=60.0, south=10.0)
    blue, red = (await client.get(f"{BASE}/rules/dust/explanation", params={"key": "south"})).json()["lines"]
    assert (blue["enter"], blue["crossed_since"], blue["short_of"]) == (100.0, None, 80.0)
    north = (await client.get(f"{BASE}/rules/dust/explanation", params={"key": "north"})).json()
    assert (north["level"], north["lines"][0]["crossed_since"] is not None, red["level"]) == ("blue", True, "red")
    assert (await client.get(f"{BASE}/rules/none/explanation", params={"key": "south"})).status_code == 404


async def test_a_rule_is_tried_out_on_the_past_before_it_is_switched_on(
    watched: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    for time, value in enumerate([0, 60, 60, 60, 0, 0, 0, 0, 60, 60, 60, 60]):
        await observe(time, north=float(value))
    spec = {
        "vital": "dust-index",
        "levels": [{"level": "red", "enter": 90, "leave": 50}],
        "message": {"zh": "{value}", "en": "x"},
    }
    given = {"spec": spec, "from": "2014-01-01T00:00:00Z", "to": "2014-01-08T00:00:00Z"}
    found = (await client.post(f"{BASE}/replays", json=given)).json()
    assert (found["warnings"], found["per_week"], found["by_level"]) == (2, 2.0, {"red": 2})
    assert [(each["key"], each["end"] is None, each["worst"] > 100) for each in found["raised"]] == [
        ("north", False, True),
        ("north", True, True),
    ]
    spec["vital"] = "none"
    refused = await client.post(f"{BASE}/replays", json=given)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "spec.vital")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("channel: desk, role: operator", "channel: pigeon, role: operator"), "spec.to[0].channel"),
        (("channel: desk, role: operator, organisation: town", "channel: desk"), "spec.to[0]"),
        (("organisation: town", "organisation: moon"), "spec.to[0].organisation"),
        (("themes: [air]", "rules: [none]"), "spec.match.rules[0]"),
    ],
)
async def test_a_route_to_nobody_or_about_nothing_is_refused(town: Platform, change: tuple[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await town.declarations.apply(read_text(ROUTES.replace(*change).encode()), "routes")
    assert field in [fault.field for fault in refused.value.faults]
