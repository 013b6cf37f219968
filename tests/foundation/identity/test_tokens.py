"""Tokens act for their owner within their scopes, until they expire or are revoked, and other sites get nowhere with a cookie."""

from typing import Any

import httpx
import pytest

from mumian.foundation.identity.api import authenticate, require
from mumian.foundation.identity.errors import BadToken, CrossSite
from mumian.kernel.errors import Forbidden
from tests.foundation.identity.conftest import BASE, NOW, Town

TOKENS = f"{BASE}/tokens"


async def make(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(TOKENS, json={"title": "probe", "scopes": ["incident:*"], **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(secret: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"city.test"), (b"authorization", f"Bearer {secret}".encode())]


async def test_a_token_acts_for_its_owner_within_its_scopes(town: Town) -> None:
    owner = await town.signed_in("li.na", "officer", organisation="north")
    token = await make(owner)
    caller = await authenticate(town.platform, bearer(token["secret"]))
    assert (caller.actor.kind, caller.actor.id, caller.login) == ("token", token["id"], "li.na")
    require(caller, "incident:act", "north-air")
    with pytest.raises(Forbidden):
        require(caller, "incident:act", "south")
    with pytest.raises(Forbidden):
        require(caller, "event:read")


async def test_a_token_is_shown_once_and_kept_as_a_digest(town: Town) -> None:
    owner = await town.signed_in("li.na")
    token = await make(owner)
    listed = (await owner.get(TOKENS)).json()["items"]
    assert [t["id"] for t in listed] == [token["id"]]
    assert "secret" not in listed[0]
    assert token["secret"] not in town.kept()
    answer = await owner.post(TOKENS, json={"title": "probe", "scopes": ["*"]})
    assert answer.headers["cache-control"] == "no-store"


async def test_a_revoked_token_is_refused_with_the_next_request(town: Town) -> None:
    owner = await town.signed_in("li.na")
    token = await make(owner)
    await authenticate(town.platform, bearer(token["secret"]))
    assert (await owner.delete(f"{TOKENS}/{token['id']}")).status_code == 204
    assert (await owner.delete(f"{TOKENS}/{token['id']}")).status_code == 204
    with pytest.raises(BadToken):
        await authenticate(town.platform, bearer(token["secret"]))


async def test_a_token_expires_on_its_second(town: Town) -> None:
    owner = await town.signed_in("li.na")
    token = await make(owner, expires="2026-11-21T09:00:00Z")
    town.clock.advance(minutes=59, seconds=59)
    await authenticate(town.platform, bearer(token["secret"]))
    town.clock.advance(seconds=1)
    with pytest.raises(BadToken):
        await authenticate(town.platform, bearer(token["secret"]))


async def test_the_tokens_of_a_closed_account_are_closed_too(town: Town) -> None:
    owner = await town.signed_in("li.na")
    admin = await town.signed_in("root", "administrator")
    token = await make(owner)
    caller = await authenticate(town.platform, bearer(token["secret"]))
    await admin.patch(f"{BASE}/people/{caller.person}", json={"disabled": True})
    with pytest.raises(BadToken):
        await authenticate(town.platform, bearer(token["secret"]))


async def test_nobody_sees_or_revokes_the_tokens_of_others_but_those_who_manage_people(town: Town) -> None:
    owner, other = await town.signed_in("li.na"), await town.signed_in("wang.wu")
    token = await make(owner)
    assert (await other.get(TOKENS)).json()["items"] == []
    assert (await other.delete(f"{TOKENS}/{token['id']}")).status_code == 404
    await authenticate(town.platform, bearer(token["secret"]))
    admin = await town.signed_in("root", "administrator")
    assert (await admin.delete(f"{TOKENS}/{token['id']}")).status_code == 204
    with pytest.raises(BadToken):
        await authenticate(town.platform, bearer(token["secret"]))


async def test_a_lead_revokes_only_tokens_of_the_own_people_who_may_no_more_than_the_lead(town: Town) -> None:
    town.apply("{kind: Role, name: lead, title: {zh: 主管, en: Lead}, spec: {actions: ['person:*']}}")
    lead = await town.signed_in("boss", "lead", "officer", organisation="north")
    people = {
        "root": ((), None, 404),
        "chief": (("administrator",), "north", 404),
        "operator": (("operator",), "north-air", 404),
        "southerner": (("officer",), "south", 404),
        "own": (("officer",), "north-air", 204),
    }
    for login, (roles, organisation, status) in people.items():
        token = await make(await town.signed_in(login, *roles, organisation=organisation))
        assert (await lead.delete(f"{TOKENS}/{token['id']}")).status_code == status, login
        if status == 404:
            await authenticate(town.platform, bearer(token["secret"]))


async def test_a_token_can_neither_make_tokens_nor_change_passwords_whatever_its_scopes(town: Town) -> None:
    owner = await town.signed_in("root", "administrator")
    token = await make(owner, scopes=["*"])
    async with town.client(authorization=f"Bearer {token['secret']}") as programme:
        assert (await programme.get(f"{BASE}/people")).status_code == 200
        assert (await programme.post(TOKENS, json={"title": "more", "scopes": ["*"]})).status_code == 403
        assert (await programme.get(TOKENS)).status_code == 403
        assert (await programme.post(f"{BASE}/password", json={"current": "a", "new": "b"})).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": ["*"] * 51}, "scopes"),
        ({"expires": "2026-11-21T07:59:59Z"}, "expires"),
        ({"expires": "2028-11-21T08:00:00Z"}, "expires"),
        ({"expires": "2026-12-01T00:00:00"}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"expires": "9999-12-31T23:59:59Z"}, "expires"),
        ({"title": ""}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_token_that_cannot_be_is_refused_by_field(town: Town, body: dict[str, Any], field: str) -> None:
    owner = await town.signed_in("li.na")
    refused = await owner.post(TOKENS, json={"title": "probe", "scopes": ["incident:*"], **body})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("secret", ["", "mmn_wrong", "x" * 5000, "\xff\xfe", "mmn_\x00"])
async def test_a_token_that_is_none_is_refused(town: Town, secret: str) -> None:
    headers = [(b"authorization", b"Bearer " + secret.encode("latin-1"))]
    with pytest.raises(BadToken):
        await authenticate(town.platform, headers)


@pytest.mark.parametrize("header", [b"Basic bGk6bmE=", b"Digest x", b"", b"Bearer"])
async def test_other_ways_to_say_who_one_is_count_for_nothing(town: Town, header: bytes) -> None:
    assert (await authenticate(town.platform, [(b"authorization", header)])).anonymous


async def test_a_token_goes_before_a_cookie_and_a_bad_one_does_not_fall_back_to_it(town: Town) -> None:
    client = await town.signed_in("root", "administrator")
    token = await make(client, scopes=["sensing:*"])
    headers = {"authorization": f"Bearer {token['secret']}"}
    assert (await client.get(f"{BASE}/people", headers=headers)).status_code == 403
    assert (await client.get(f"{BASE}/people", headers={"authorization": "Bearer wrong"})).status_code == 401
    assert (await client.get(f"{BASE}/people")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://city.test", "sec-fetch-site": "cross-site"},
        {"origin": "http://city.test", "sec-fetch-site": "same-site"},
        {"origin": ""},
    ],
)
async def test_another_site_cannot_change_anything_with_the_cookie(town: Town, headers: dict[str, str]) -> None:
    client = await town.signed_in("root", "administrator")
    body = {"login": "evil", "title": {"zh": "e", "en": "e"}, "roles": ["administrator"]}
    refused = await client.post(f"{BASE}/people", json=body, headers=headers)
    assert (refused.status_code, refused.json()["key"]) == (403, "identity.cross_site")
    assert [p["login"] for p in (await client.get(f"{BASE}/people")).json()["items"]] == ["root"]
    async with town.client(**headers) as stranger:
        answer = await stranger.post(f"{BASE}/sessions", json={"login": "root", "password": "wrong"})
        assert answer.json()["key"] == "identity.cross_site"


async def test_raw_faces_refuse_other_sites_unless_the_method_is_safe(town: Town) -> None:
    client = await town.signed_in("root", "administrator")
    cookie = f"other=1; mumian_session={client.cookies['mumian_session']}".encode()
    headers = [(b"host", b"city.test"), (b"cookie", cookie), (b"origin", b"http://evil.test")]
    with pytest.raises(CrossSite):
        await authenticate(town.platform, headers)
    assert (await authenticate(town.platform, headers, "GET")).login == "root"


async def test_a_caller_never_prints_its_session(town: Town) -> None:
    client = await town.signed_in("root", "administrator")
    cookie = client.cookies["mumian_session"]
    caller = await authenticate(town.platform, [(b"cookie", f"mumian_session={cookie}".encode())], "GET")
    assert caller.session is not None
    assert cookie not in repr(caller)
    assert caller.session not in repr(caller)


async def test_what_is_remembered_about_a_token_is_asked_again_after_seconds(town: Town) -> None:
    """Another process may have revoked it: there the memory of this one is not cleared."""
    owner = await town.signed_in("li.na")
    token = await make(owner)
    await authenticate(town.platform, bearer(token["secret"]))
    sql = f"UPDATE identity_token SET revoked = '{NOW.isoformat()}'"
    await town.platform.records.write(lambda tx: tx.session.execute(sql))
    town.clock.advance(seconds=6)
    with pytest.raises(BadToken):
        await authenticate(town.platform, bearer(token["secret"]))
