"""People come in with their password, stay for a while, and whoever guesses has to wait."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest

from mumian.foundation.identity.api import Identity, PersonPatch, authenticate, bootstrap
from mumian.foundation.identity.errors import BadCredentials, WaitBeforeRetry
from tests.foundation.identity.conftest import BASE, Town, open_town

SESSION = f"{BASE}/sessions/current"


async def sign_in(client: httpx.AsyncClient, login: str, password: str) -> httpx.Response:
    return await client.post(f"{BASE}/sessions", json={"login": login, "password": password})


async def test_the_first_start_makes_an_administrator_who_must_change_the_one_time_password(
    town: Town, stranger: httpx.AsyncClient
) -> None:
    password = await asyncio.to_thread(bootstrap, town.platform)
    assert password is not None
    assert await asyncio.to_thread(bootstrap, town.platform) is None
    opened = await sign_in(stranger, "admin", password)
    assert opened.status_code == 201
    assert opened.json()["must_change_password"] is True
    assert opened.json()["person"]["roles"] == ["administrator"]
    refused = await stranger.get(f"{BASE}/people")
    assert (refused.status_code, refused.json()["key"]) == (403, "identity.password_first")
    changed = await stranger.post(f"{BASE}/password", json={"current": password, "new": "correct horse battery"})
    assert changed.status_code == 204
    assert (await stranger.get(f"{BASE}/people")).status_code == 200
    assert (await stranger.get(SESSION)).json()["must_change_password"] is False


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(town: Town, stranger: httpx.AsyncClient) -> None:
    _, password = await town.person("li.na")
    cookie = (await sign_in(stranger, "li.na", password)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    async with httpx.AsyncClient(transport=httpx.ASGITransport(town.app), base_url="https://city.test") as https:
        assert "secure" in (await sign_in(https, "li.na", password)).headers["set-cookie"].lower()


async def test_signing_out_ends_the_session_here_and_in_the_browser(town: Town) -> None:
    client = await town.signed_in("li.na")
    cookie = client.cookies["mumian_session"]
    assert (await client.get(SESSION)).status_code == 200
    assert (await client.delete(SESSION)).status_code == 204
    assert "mumian_session" not in client.cookies
    client.cookies.set("mumian_session", cookie, domain="city.test")
    assert (await client.get(SESSION)).status_code == 401


async def test_a_session_ends_after_its_hours(town: Town) -> None:
    client = await town.signed_in("li.na")
    town.clock.advance(hours=11, minutes=59)
    assert (await client.get(SESSION)).status_code == 200
    town.clock.advance(minutes=2)
    assert (await client.get(SESSION)).status_code == 401


async def test_a_remembered_session_ends_on_the_second(town: Town) -> None:
    client = await town.signed_in("li.na")
    town.clock.advance(hours=11, minutes=59, seconds=58)
    assert (await client.get(SESSION)).status_code == 200
    town.clock.advance(seconds=2)
    assert (await client.get(SESSION)).status_code == 401


@pytest.mark.parametrize("login", ["li.na", "nobody", "", "LI NA", "a\x00b", "x" * 200, "' OR 1=1 --"])
async def test_wrong_passwords_and_unknown_logins_get_the_same_answer(
    town: Town, stranger: httpx.AsyncClient, login: str
) -> None:
    await town.person("li.na")
    refused = await sign_in(stranger, login, "wrong")
    if login:
        assert (refused.status_code, refused.json()["key"]) == (401, "identity.bad_credentials")
    else:
        assert refused.status_code == 422


async def test_unknown_logins_cost_a_password_check_too(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str | None] = []
    fits = town.identity.passwords.fits

    async def counted(known: str | None, password: str) -> bool:
        checked.append(known)
        return await fits(known, password)

    monkeypatch.setattr(town.identity.passwords, "fits", counted)
    with pytest.raises(BadCredentials):
        await town.identity.sign_in.open("nobody", "whatever it is")
    assert checked == [None]
    assert not await fits(None, "whatever it is")


async def test_guessing_has_to_wait_longer_and_longer_and_a_success_forgives(town: Town, stranger: httpx.AsyncClient) -> None:
    _, password = await town.person("li.na")
    for _ in range(5):
        assert (await sign_in(stranger, "li.na", "wrong")).status_code == 401
    waits = []
    for _ in range(11):
        blocked = await sign_in(stranger, "li.na", password)
        assert (blocked.status_code, blocked.json()["key"]) == (429, "identity.wait")
        waits.append(int(blocked.headers["retry-after"]))
        town.clock.advance(seconds=waits[-1])
        await sign_in(stranger, "li.na", "wrong")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    town.clock.advance(seconds=300)
    assert (await sign_in(stranger, "LI.NA ", password)).status_code == 201
    assert (await sign_in(stranger, "li.na", "wrong")).status_code == 401


async def test_many_guesses_at_once_gain_nothing(town: Town) -> None:
    await town.person("li.na")
    guesses = [town.identity.sign_in.open("li.na", f"guess {n}") for n in range(20)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(result, BadCredentials) for result in results) == 5
    assert sum(isinstance(result, WaitBeforeRetry) for result in results) == 15


async def test_guessing_at_unknown_logins_has_to_wait_as_well(town: Town) -> None:
    for _ in range(5):
        with pytest.raises(BadCredentials):
            await town.identity.sign_in.open("nobody", "wrong")
    with pytest.raises(WaitBeforeRetry):
        await town.identity.sign_in.open("nobody", "wrong")


async def test_guessing_does_not_fill_the_ledger_one_entry_a_minute_counts_for_all(town: Town) -> None:
    person, _ = await town.person("li.na")
    for number in range(8):
        for login in ("li.na", f"nobody{number}"):
            with pytest.raises((BadCredentials, WaitBeforeRetry)):
                await town.identity.sign_in.open(login, "wrong")
    town.clock.advance(seconds=60)
    for login in ("li.na", "nobody"):
        with pytest.raises(BadCredentials):
            await town.identity.sign_in.open(login, "wrong")
    rows = await town.platform.records.read(
        lambda s: s.rows("SELECT subject, payload FROM kernel_outbox WHERE type = 'identity.session.refused' ORDER BY id")
    )
    told = [(row["subject"], json.loads(row["payload"])["times"]) for row in rows]
    assert told == [(person.id, 1), ("unknown", 1), (person.id, 5), ("unknown", 8)]


async def test_a_closed_account_cannot_sign_in_and_its_sessions_end_at_once(town: Town) -> None:
    client = await town.signed_in("li.na")
    admin = await town.signed_in("root", "administrator")
    person = next(p for p in (await admin.get(f"{BASE}/people")).json()["items"] if p["login"] == "li.na")
    assert (await client.get(SESSION)).status_code == 200
    assert (await admin.patch(f"{BASE}/people/{person['id']}", json={"disabled": True})).json()["disabled"] is True
    assert (await client.get(SESSION)).status_code == 401
    assert (await sign_in(client, "li.na", "well chosen an.il!")).status_code == 401
    await admin.patch(f"{BASE}/people/{person['id']}", json={"disabled": False})
    assert (await client.get(SESSION)).status_code == 401
    assert (await sign_in(client, "li.na", "well chosen an.il!")).status_code == 201


async def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(town: Town) -> None:
    here = await town.signed_in("li.na")
    there = town.client()
    await sign_in(there, "li.na", "well chosen an.il!")
    changed = await here.post(f"{BASE}/password", json={"current": "well chosen an.il!", "new": "another good one"})
    assert (changed.status_code, changed.headers["cache-control"]) == (204, "no-store")
    assert (await here.get(SESSION)).status_code == 200
    assert (await there.get(SESSION)).status_code == 401
    assert (await sign_in(there, "li.na", "well chosen an.il!")).status_code == 401
    assert (await sign_in(there, "li.na", "another good one")).status_code == 201


@pytest.mark.parametrize(
    ("new", "key"),
    [
        ("short", "identity.password.short"),
        ("aaaaaaaaaaaaaaa", "identity.password.simple"),
        ("my LI.NA secret", "identity.password.login"),
        ("well chosen an.il!", "identity.password.same"),
    ],
)
async def test_a_bad_new_password_is_refused_with_its_fault(town: Town, new: str, key: str) -> None:
    client = await town.signed_in("li.na")
    refused = await client.post(f"{BASE}/password", json={"current": "well chosen an.il!", "new": new})
    assert (refused.status_code, [e["key"] for e in refused.json()["errors"]]) == (422, [key])
    assert refused.json()["errors"][0]["field"] == "new"


async def test_guessing_the_present_password_in_a_stolen_session_has_to_wait(town: Town) -> None:
    client = await town.signed_in("li.na")
    body = {"current": "wrong", "new": "another good one"}
    statuses = [(await client.post(f"{BASE}/password", json=body)).status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2


async def test_sessions_and_passwords_are_kept_only_as_digests(town: Town) -> None:
    client = await town.signed_in("li.na")
    kept = town.kept()
    assert client.cookies["mumian_session"] not in kept
    assert "well chosen" not in kept
    assert "$argon2id$" in kept


async def test_no_event_and_no_log_line_holds_a_secret_or_a_login(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = await town.signed_in("li.na")
    made = await client.post(f"{BASE}/tokens", json={"title": "probe", "scopes": ["sensing:*"]})
    await sign_in(client, "li.na", "wrong guess")
    secrets = [made.json()["secret"], client.cookies["mumian_session"], "well chosen", "wrong guess", "li.na"]
    text = str(
        await town.platform.records.read(lambda s: [s.rows(f"SELECT * FROM {t}") for t in ("kernel_outbox", "ledger_entry")])
    )
    assert "identity.session.refused" in text
    assert "identity.token.created" in text
    assert not [secret for secret in secrets if secret in text]
    assert not [secret for secret in secrets[:4] if secret in caplog.text]


async def test_a_password_that_changes_while_it_is_checked_does_not_open_a_session(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, password = await town.person("li.na")
    fits = town.identity.passwords.fits

    async def slow(known: str | None, given: str) -> bool:
        right = await fits(known, given)
        await asyncio.to_thread(town.identity.accounts.reset_password_now, person.login)
        return right

    monkeypatch.setattr(town.identity.passwords, "fits", slow)
    with pytest.raises(BadCredentials):
        await town.identity.sign_in.open("li.na", password)


async def test_hashes_made_with_older_parameters_are_renewed_at_sign_in(town: Town, tmp_path: Path) -> None:
    _, password = await town.person("li.na")
    from mumian.foundation.identity.settings import IdentitySettings

    stronger = Identity(town.platform, town.clock, IdentitySettings(argon2_kib=9216, argon2_passes=2))
    await stronger.sign_in.open("li.na", password)
    known = await town.platform.records.read(lambda s: s.value("SELECT password FROM identity_person WHERE login = 'li.na'"))
    assert "m=9216,t=2" in known
    await stronger.sign_in.open("li.na", password)


async def test_people_stay_signed_in_over_a_restart(town: Town, tmp_path: Path) -> None:
    client = await town.signed_in("li.na")
    town.platform.records.close()
    again = open_town(tmp_path / "home", town.url)
    cookie = f"mumian_session={client.cookies['mumian_session']}".encode()
    caller = await authenticate(again.platform, [(b"cookie", cookie)], "GET")
    assert caller.login == "li.na"
    again.platform.records.close()


async def test_a_role_that_is_taken_away_is_gone_with_the_next_request(town: Town) -> None:
    client = await town.signed_in("root", "administrator")
    await town.signed_in("boss", "administrator")
    who = (await client.get(f"{BASE}/people")).json()["items"]
    root = next(p["id"] for p in who if p["login"] == "root")
    by = town.identity.decisions.anonymous.actor
    await town.identity.accounts.change_person(root, PersonPatch(roles=()), by)
    assert (await client.get(f"{BASE}/people")).status_code == 403
