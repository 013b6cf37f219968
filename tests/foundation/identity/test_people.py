"""Administrators make and change people; nobody makes others more powerful than they are themselves."""

from typing import Any

import httpx
import pytest

from mumian.app.web import create_api
from mumian.foundation.identity.api import route_actions
from mumian.kernel.platform import Platform
from tests.foundation.identity.conftest import BASE, Town

PEOPLE = f"{BASE}/people"
TITLE = {"zh": "李娜", "en": "Li Na"}
LEAD = "{kind: Role, name: lead, title: {zh: 主管, en: Lead}, spec: {actions: ['person:*', 'incident:*']}}"
UNDECIDED = {"/openapi.json", "/assets", "/{path:path}"}


async def create(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post(PEOPLE, json={"login": "li.na", "title": TITLE, **body})


async def test_an_administrator_makes_an_officer_who_signs_in_with_the_password_shown_once(town: Town) -> None:
    admin = await town.signed_in("root", "administrator")
    made = await create(admin, organisation="north-air", roles=["officer"])
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    officer = town.client()
    opened = await officer.post(f"{BASE}/sessions", json={"login": "li.na", "password": made.json()["password"]})
    assert opened.json() == {
        "person": {"login": "li.na", "title": TITLE, "roles": ["officer"], "organisation": "north-air"},
        "must_change_password": True,
    }
    listed = (await admin.get(PEOPLE)).json()["items"]
    assert "password" not in listed[0]


async def test_people_are_listed_by_login_page_by_page(town: Town) -> None:
    admin = await town.signed_in("root", "administrator")
    for login in ("cc", "aa", "bb"):
        await create(admin, login=login)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await admin.get(PEOPLE, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [person["login"] for person in page["items"]]
        cursor = page["next"]
    assert seen == ["aa", "bb", "cc", "root"]


@pytest.mark.parametrize("cursor", ["x", "!!", "WyJcdTAwMDAiXQ", "WzFd", "é", "a" * 900])
async def test_a_cursor_that_is_none_is_refused(town: Town, cursor: str) -> None:
    admin = await town.signed_in("root", "administrator")
    refused = await admin.get(PEOPLE, params={"cursor": cursor})
    assert (refused.status_code, refused.json()["errors"][0]["key"]) == (422, "field.cursor")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"login": "Li Na"}, "login"),
        ({"login": "l"}, "login"),
        ({"login": "li.na\n"}, "login"),
        ({"login": 7}, "login"),
        ({"title": {"zh": "李娜"}}, "title.en"),
        ({"title": "李娜"}, "title"),
        ({"organisation": "nowhere"}, "organisation"),
        ({"roles": ["king"]}, "roles"),
        ({"roles": "officer"}, "roles"),
        ({"roles": ["a\x00"]}, "roles"),
        ({"password": "mine"}, "password"),
    ],
)
async def test_a_person_who_cannot_be_is_refused_by_field(town: Town, body: dict[str, Any], field: str) -> None:
    admin = await town.signed_in("root", "administrator")
    refused = await create(admin, **body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith(field)


async def test_a_login_is_given_once(town: Town) -> None:
    admin = await town.signed_in("root", "administrator")
    assert (await create(admin)).status_code == 201
    taken = await admin.post(PEOPLE, json={"login": "li.na", "title": TITLE}, headers={"accept-language": "zh"})
    assert taken.status_code == 409
    assert "li.na" in taken.json()["detail"]
    assert "已被使用" in taken.json()["detail"]


@pytest.mark.parametrize(("roles", "status"), [((), 403), (("officer",), 403), (("operator",), 403), (("device",), 403)])
async def test_only_who_manages_people_sees_or_makes_them(town: Town, roles: tuple[str, ...], status: int) -> None:
    client = await town.signed_in("somebody", *roles, organisation="north")
    assert (await client.get(PEOPLE)).status_code == status
    assert (await create(client)).status_code == status
    assert (await client.get(f"{BASE}/policies")).status_code == status


async def test_a_stranger_is_asked_to_sign_in(stranger: httpx.AsyncClient) -> None:
    for path in ("/people", "/tokens", "/organisations", "/roles", "/sessions/current"):
        refused = await stranger.get(f"{BASE}{path}")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    refused = await create(stranger, login=7)
    assert refused.status_code == 401


async def test_a_lead_makes_people_of_the_own_organisation_with_no_more_than_the_own_roles(town: Town) -> None:
    town.apply(LEAD)
    lead = await town.signed_in("boss", "lead", "officer", organisation="north")
    assert (await create(lead, organisation="north-air", roles=["officer"])).status_code == 201
    for body, status in (
        ({"organisation": "south", "roles": []}, 403),
        ({"organisation": "town", "roles": []}, 403),
        ({"organisation": "north", "roles": ["administrator"]}, 422),
        ({"organisation": "north", "roles": ["operator"]}, 422),
        ({"roles": []}, 422),
    ):
        assert (await create(lead, login="other", **body)).status_code == status


async def test_a_lead_cannot_change_an_administrator_or_people_of_others(town: Town) -> None:
    town.apply(LEAD)
    lead = await town.signed_in("boss", "lead", organisation="north")
    admin, _ = await town.person("root", "administrator", organisation="north")
    southerner, _ = await town.person("wang.wu", organisation="south")
    for person, status in ((admin, 422), (southerner, 403)):
        assert (await lead.patch(f"{PEOPLE}/{person.id}", json={"disabled": True})).status_code == status
        assert (await lead.post(f"{PEOPLE}/{person.id}/password")).status_code == status


async def test_nobody_closes_the_own_account_or_changes_the_own_roles(town: Town) -> None:
    admin = await town.signed_in("root", "administrator")
    me = (await admin.get(PEOPLE)).json()["items"][0]["id"]
    for body in ({"disabled": True}, {"roles": []}):
        refused = await admin.patch(f"{PEOPLE}/{me}", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["key"]) == (422, "identity.own_account")
    renamed = await admin.patch(f"{PEOPLE}/{me}", json={"title": {"zh": "新名", "en": "New"}})
    assert (renamed.status_code, renamed.json()["title"]["en"], renamed.json()["roles"]) == (200, "New", ["administrator"])


async def test_an_administrator_gives_a_new_one_time_password_which_ends_all_sessions(town: Town) -> None:
    client = await town.signed_in("li.na")
    admin = await town.signed_in("root", "administrator")
    person = next(p for p in (await admin.get(PEOPLE)).json()["items"] if p["login"] == "li.na")
    reset = await admin.post(f"{PEOPLE}/{person['id']}/password")
    assert (await client.get(f"{BASE}/sessions/current")).status_code == 401
    opened = await client.post(f"{BASE}/sessions", json={"login": "li.na", "password": reset.json()["password"]})
    assert (opened.status_code, opened.json()["must_change_password"]) == (201, True)


@pytest.mark.parametrize("person", ["01M7YGJWCRZNTA4R2GGET9GKCR", "x", "%00", "' OR 1=1 --"])
async def test_people_who_are_not_there_are_not_changed(town: Town, person: str) -> None:
    admin = await town.signed_in("root", "administrator")
    assert (await admin.patch(f"{PEOPLE}/{person}", json={"disabled": True})).status_code in (404, 422)


async def test_organisations_roles_and_policies_are_listed(town: Town) -> None:
    admin = await town.signed_in("root", "administrator")
    organisations = (await admin.get(f"{BASE}/organisations")).json()["items"]
    assert [o["name"] for o in organisations] == ["north", "north-air", "south", "town"]
    assert organisations[0] == {
        "name": "north",
        "title": {"zh": "北区", "en": "North"},
        "parent": "town",
        "level": "district",
        "district": "110101",
        "duties": [],
    }
    assert {r["name"] for r in (await admin.get(f"{BASE}/roles")).json()["items"]} >= {"administrator", "officer"}
    assert "public-read" in {p["name"] for p in (await admin.get(f"{BASE}/policies")).json()["items"]}


async def test_the_titles_of_actors_are_known_for_people_and_tokens(town: Town) -> None:
    client = await town.signed_in("li.na")
    token = (await client.post(f"{BASE}/tokens", json={"title": "probe", "scopes": ["*"]})).json()["id"]
    titles = await town.identity.titles()
    assert titles[token] == {"zh": "li.na", "en": "li.na"}
    assert titles["li.na"] == titles[token]
    assert len(titles) == 3


async def test_every_route_of_the_whole_city_names_its_action(platform: Platform) -> None:
    """But the description of the API itself and the web shell, which hold no data."""
    found = dict(route_actions(create_api(platform)))
    assert found["POST /api/v1/foundation/identity/sessions"] == "session:open"
    assert found["GET /api/v1/foundation/ledger/head"] == "ledger:verify"
    assert {route for route, action in found.items() if action is None and route.split(" ")[-1] not in UNDECIDED} == set()


def test_a_route_without_an_action_is_seen(town: Town) -> None:
    @town.app.get("/open")
    async def forgotten() -> None:
        """No action is named here."""

    assert [route for route, action in route_actions(town.app) if action is None and route.endswith("/open")] == ["GET /open"]
