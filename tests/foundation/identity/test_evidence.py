"""Whoever changes accounts, tokens or sessions behind the city's back is found by the ledger's verification."""

from typing import Any

import pytest

from mumian.foundation.ledger.api import Ledger
from tests.foundation.identity.conftest import BASE, Town


async def lived(town: Town) -> None:
    """Everything that identity does, once: sign-in and out, tokens, changes, resets, a renewed hash."""
    admin = await town.signed_in("root", "administrator")
    officer = await town.signed_in("li.na", "officer", organisation="north")
    for number in range(2):
        token = await officer.post(f"{BASE}/tokens", json={"title": f"probe {number}", "scopes": ["incident:*"]})
    await officer.delete(f"{BASE}/tokens/{token.json()['id']}")
    people = (await admin.get(f"{BASE}/people")).json()["items"]
    await admin.patch(f"{BASE}/people/{people[0]['id']}", json={"roles": ["officer", "device"], "organisation": "north-air"})
    await town.signed_in("wang.wu")
    await admin.post(f"{BASE}/people/{people[0]['id']}/password")
    leaving = await town.signed_in("zhao.liu")
    await leaving.delete(f"{BASE}/sessions/current")
    await leaving.post(f"{BASE}/sessions", json={"login": "zhao.liu", "password": "wrong"})


async def test_what_identity_does_itself_is_sound(town: Town) -> None:
    await lived(town)
    report = await town.platform.get(Ledger).verify()
    assert report.sound, report.faults
    assert "foundation.identity" in report.checks


PLANTED_PERSON = (
    "INSERT INTO identity_person SELECT 'X', 'x', title, organisation, roles, password, 0, 0, created "
    "FROM identity_person WHERE login = 'root'"
)
PLANTED_SESSION = (
    "INSERT INTO identity_session SELECT 'X', id, created, '2999-01-01T00:00:00.000000Z' "
    "FROM identity_person WHERE login = 'root'"
)
CHANGES: dict[str, tuple[str, str]] = {
    "a role": ("identity_person", "UPDATE identity_person SET roles = '[\"administrator\"]' WHERE login = 'li.na'"),
    "an organisation": ("identity_person", "UPDATE identity_person SET organisation = 'south' WHERE login = 'li.na'"),
    "a login": ("identity_person", "UPDATE identity_person SET login = 'admin' WHERE login = 'root'"),
    "a name": ("identity_person", "UPDATE identity_person SET title = '{}' WHERE login = 'root'"),
    "a password": ("identity_person", "UPDATE identity_person SET password = '$argon2id$' WHERE login = 'root'"),
    "a closed account": ("identity_person", "UPDATE identity_person SET disabled = 1 WHERE login = 'root'"),
    "a duty to change": ("identity_person", "UPDATE identity_person SET must_change_password = 0 WHERE login = 'li.na'"),
    "a planted person": ("identity_person", PLANTED_PERSON),
    "a removed person": ("identity_person", "DELETE FROM identity_person WHERE login = 'wang.wu'"),
    "scopes": ("identity_token", "UPDATE identity_token SET scopes = '[\"*\"]' WHERE title = 'probe 0'"),
    "an owner": ("identity_token", "UPDATE identity_token SET person = 'X' WHERE title = 'probe 0'"),
    "a digest": ("identity_token", "UPDATE identity_token SET digest = 'X' WHERE title = 'probe 0'"),
    "an expiry": ("identity_token", "UPDATE identity_token SET expires = '2999-01-01T00:00:00.000000Z' WHERE title = 'probe 0'"),
    "a revocation undone": ("identity_token", "UPDATE identity_token SET revoked = NULL WHERE title = 'probe 1'"),
    "a revocation made up": ("identity_token", "UPDATE identity_token SET revoked = 'now' WHERE title = 'probe 0'"),
    "a removed token": ("identity_token", "DELETE FROM identity_token WHERE title = 'probe 0'"),
    "a longer session": ("identity_session", "UPDATE identity_session SET expires = '2999-01-01T00:00:00.000000Z'"),
    "a stolen session": ("identity_session", "UPDATE identity_session SET person = 'X'"),
    "a planted session": ("identity_session", PLANTED_SESSION),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_behind_the_city_s_back_is_named(town: Town, what: str) -> None:
    await lived(town)
    table, sql = CHANGES[what]
    touched: Any = await town.platform.records.write(lambda tx: tx.session.execute(sql))
    assert touched >= 1
    faults = (await town.platform.get(Ledger).verify()).faults
    assert {fault.table for fault in faults} == {table}
