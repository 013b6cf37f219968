"""Behaviour of the simulated officers on a platform: they handle what is theirs, and leave alone what a person has taken."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.demo.accounts import Accounts
from mumian.demo.officers import Officers
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform

PATH = "/api/v1/brain/incidents"


@pytest_asyncio.fixture
async def http(city: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A door to the city."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(city)), base_url="http://test") as client:
        yield client


async def _report(city: Platform, http: httpx.AsyncClient, accounts: Accounts) -> str:
    body = {"type": "air-pollution", "title": "Smoke", "place": {"longitude": 113.2612, "latitude": 23.105}}
    answer = await http.post(PATH, json=body, headers=(await accounts.desk()).headers)
    assert answer.status_code == 201, answer.text
    await city.settle()
    return str(answer.json()["number"])


async def _live(city: Platform, clock: ManualClock, officers: Officers, hours: int) -> None:
    for _ in range(hours):
        clock.advance(hours=1)
        await city.settle()
        await officers.act()
        await city.settle()


async def test_an_incident_is_taken_resolved_verified_and_closed_by_two_different_people(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    accounts = Accounts(city)
    number = await _report(city, http, accounts)
    await _live(city, clock, Officers(http, accounts, clock), 72)
    shown = (await http.get(f"{PATH}/{number}", headers=(await accounts.desk()).headers)).json()
    assert (shown["state"], shown["organisation"]) == ("closed", "440105-ecology")
    assert shown["assignee"] == "demo-officer-440105-ecology"
    actors = {step["action"]: step["actor"] for step in shown["history"]}
    assert actors["take"] == actors["resolve"] != actors["verify"] == actors["close"]


async def test_what_a_person_has_taken_over_is_left_to_that_person(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    accounts = Accounts(city)
    person = PersonDraft("li.na", {"zh": "李娜", "en": "Li Na"}, "440105-ecology", ("officer",))
    await city.get(Identity).accounts.create_person(person)
    number, headers = await _report(city, http, accounts), (await accounts.desk()).headers
    version = (await http.get(f"{PATH}/{number}", headers=headers)).json()["version"]
    body = {"action": "take", "assignee": "li.na"}
    answer = await http.post(f"{PATH}/{number}/actions", json=body, headers={**headers, "If-Match": f'"{version}"'})
    assert answer.status_code == 200
    await _live(city, clock, Officers(http, accounts, clock), 72)
    shown = (await http.get(f"{PATH}/{number}", headers=headers)).json()
    assert (shown["state"], shown["assignee"]) == ("handling", "li.na")


async def test_the_people_of_the_demo_are_made_once_and_known_again_after_a_restart(city: Platform) -> None:
    first = await Accounts(city).officer("440105-ecology")
    assert (await Accounts(city).officer("440105-ecology")).login == first.login
    with pytest.raises(NotFound):
        await Accounts(city).officer("nobody")


async def test_a_demo_that_was_cut_off_while_making_people_makes_others(city: Platform) -> None:
    first = await Accounts(city).desk()
    (city.home / "demo-people.json").unlink()
    second = await Accounts(city).desk()
    assert (first.login, second.login) == ("demo-desk", "demo-desk-2")
