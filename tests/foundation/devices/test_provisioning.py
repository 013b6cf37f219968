"""Provisioning: a device enrols once, writes its own streams and no others, renews its token, and is shut out when it must be."""

import asyncio
import base64

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mumian.foundation.devices.service.evidence import faults
from mumian.foundation.identity.api import Identity, PersonPatch
from mumian.kernel.unit_of_work import SYSTEM
from tests.foundation.devices.conftest import BASE, Town, commissioned, gauge


def observation(stream: int, result: float = 1.5) -> dict[str, object]:
    """An observation of a stream."""
    return {"phenomenonTime": "2014-01-01T00:00:00Z", "result": result, "Datastream": {"@iot.id": stream}}


async def enrol(town: Town, admin: httpx.AsyncClient, code: str = "WL-001", **more: str) -> dict[str, object]:
    """What a device gets that enrols."""
    secret = (await admin.post(f"{BASE}/{code}/enrolment")).json()["secret"]
    answer = await town.client().post(f"{BASE}/enrolments", json={"code": code, "secret": secret, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, object] = answer.json()
    return body


async def test_an_enrolled_device_writes_its_own_stream_and_no_other(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    await commissioned(admin, "WL-002")
    body = await enrol(town, admin)
    own = body["streams"][0]["id"]  # type: ignore[index]
    other = town.sensing.stream("device.WL-002.level").id
    device = town.client(str(body["token"]))
    assert (await device.post("/sta/v1.1/Observations", json=observation(own))).status_code == 201
    refused = await device.post("/sta/v1.1/Observations", json=observation(other))
    assert (refused.status_code, refused.json()["key"]) == (403, "devices.foreign_stream")
    both = [
        {
            "Datastream": {"@iot.id": stream},
            "components": ["phenomenonTime", "result"],
            "dataArray": [["2014-01-01T00:00:10Z", 2]],
        }
        for stream in (own, other)
    ]
    assert (await device.post("/sta/v1.1/CreateObservations", json=both)).status_code == 403
    assert town.sensing.counts([own, other]) == {own: 1, other: 0}
    assert (await device.post(BASE, json=gauge("WL-003"))).status_code == 403
    assert (await device.post("/sta/v1.1/Things", json={"name": "x", "description": "x"})).status_code == 403


async def test_an_enrolment_secret_serves_once_and_for_a_while(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    stranger = town.client()
    assert (await stranger.post(f"{BASE}/enrolments", json={"code": "WL-001", "secret": "guess"})).status_code == 401
    assert (await stranger.post(f"{BASE}/enrolments", json={"code": "NO-SUCH", "secret": "guess"})).status_code == 401
    first = (await admin.post(f"{BASE}/WL-001/enrolment")).json()["secret"]
    second = (await admin.post(f"{BASE}/WL-001/enrolment")).json()["secret"]
    assert (await stranger.post(f"{BASE}/enrolments", json={"code": "WL-001", "secret": first})).status_code == 401
    assert (await stranger.post(f"{BASE}/enrolments", json={"code": "WL-001", "secret": second})).status_code == 201
    assert (await stranger.post(f"{BASE}/enrolments", json={"code": "WL-001", "secret": second})).status_code == 401
    kept = await town.platform.records.read(
        lambda s: str([s.rows("SELECT * FROM devices_enrolment"), s.rows("SELECT payload FROM kernel_outbox")])
    )
    assert first not in kept
    assert second not in kept


async def test_many_devices_enrol_at_once_and_closing_their_account_shuts_out_all(town: Town, admin: httpx.AsyncClient) -> None:
    for number in range(4):
        await commissioned(admin, f"WL-{number}")
    bodies = await asyncio.gather(*(enrol(town, admin, f"WL-{number}") for number in range(4)))
    devices = [town.client(str(body["token"])) for body in bodies]
    assert [(await device.get(f"{BASE}/self")).json()["code"] for device in devices] == [f"WL-{n}" for n in range(4)]
    accounts = town.platform.get(Identity).accounts
    account = await accounts.of_login("devices.water")
    assert account is not None
    assert (account.organisation, account.roles) == ("water", ("device",))
    await accounts.change_person(account.id, PersonPatch(disabled=True), SYSTEM)
    assert {(await device.get(f"{BASE}/self")).status_code for device in devices} == {401}


async def test_a_planned_device_cannot_enrol(admin: httpx.AsyncClient) -> None:
    await admin.post(BASE, json=gauge())
    assert (await admin.post(f"{BASE}/WL-001/enrolment")).status_code == 409


async def test_a_device_renews_its_token_without_ever_being_shut_out(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    old = town.client(str((await enrol(town, admin))["token"]))
    renewed = (await old.post(f"{BASE}/self/tokens")).json()
    assert (await old.get(f"{BASE}/self")).status_code == 200
    new = town.client(renewed["token"])
    assert (await new.post(f"{BASE}/self/tokens/confirmation")).json() == {"revoked": 1}
    assert (await old.get(f"{BASE}/self")).status_code == 401
    assert (await new.get(f"{BASE}/self")).json()["code"] == "WL-001"
    own = renewed["streams"][0]["id"]
    assert (await new.post("/sta/v1.1/Observations", json=observation(own))).status_code == 201
    listed = (await admin.get(f"{BASE}/WL-001/credentials")).json()
    assert [row["revoked"] is None for row in listed] == [True, False]
    assert await town.platform.records.read(lambda session: list(faults(session))) == []


async def test_a_revoked_token_ends_at_once_and_so_do_those_of_a_retired_device(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    device = town.client(str((await enrol(town, admin))["token"]))
    credential = (await admin.get(f"{BASE}/WL-001/credentials")).json()[0]["id"]
    assert (await admin.delete(f"{BASE}/WL-001/credentials/{credential}")).status_code == 204
    assert (await device.get(f"{BASE}/self")).status_code == 401
    again = town.client(str((await enrol(town, admin))["token"]))
    assert (await again.get(f"{BASE}/self")).status_code == 200
    version = (await admin.get(f"{BASE}/WL-001")).json()["version"]
    await admin.post(f"{BASE}/WL-001/steps", json={"step": "retire"}, headers={"If-Match": f'"{version}"'})
    assert (await again.get(f"{BASE}/self")).status_code == 401


async def test_a_device_that_changes_hands_must_enrol_anew(town: Town, admin: httpx.AsyncClient) -> None:
    made = await commissioned(admin)
    device = town.client(str((await enrol(town, admin))["token"]))
    await admin.patch(f"{BASE}/WL-001", json={"owner": "parks"}, headers={"If-Match": f'"{made["version"]}"'})
    assert (await device.get(f"{BASE}/self")).status_code == 401
    assert town.sensing.stream("device.WL-001.level").owner == "parks"


async def test_a_device_proves_its_key_and_each_challenge_serves_once(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    key = Ed25519PrivateKey.generate()
    await enrol(town, admin, public_key=base64.b64encode(key.public_key().public_bytes_raw()).decode())
    stranger = town.client()

    async def prove(signer: Ed25519PrivateKey, nonce: str, statement: str) -> httpx.Response:
        signature = base64.b64encode(signer.sign(statement.encode())).decode()
        return await stranger.post(f"{BASE}/enrolments/tokens", json={"code": "WL-001", "nonce": nonce, "signature": signature})

    challenge = (await stranger.post(f"{BASE}/enrolments/challenges", json={"code": "WL-001"})).json()
    other = (await stranger.post(f"{BASE}/enrolments/challenges", json={"code": "WL-002"})).json()
    assert (await prove(Ed25519PrivateKey.generate(), challenge["nonce"], challenge["statement"])).status_code == 401
    assert (await prove(key, other["nonce"], other["statement"])).status_code == 401
    assert (await prove(key, "x" + challenge["nonce"], "x" + challenge["statement"])).status_code == 401
    late = challenge
    challenge = (await stranger.post(f"{BASE}/enrolments/challenges", json={"code": "WL-001"})).json()
    proven = await prove(key, challenge["nonce"], challenge["statement"])
    assert proven.status_code == 201, proven.text
    assert (await prove(key, challenge["nonce"], challenge["statement"])).status_code == 401
    assert (await town.client(proven.json()["token"]).get(f"{BASE}/self")).json()["code"] == "WL-001"
    assert (await stranger.post(f"{BASE}/enrolments/challenges", json={"code": "NO-SUCH"})).status_code == 201
    credentials = town.devices.credentials
    nonce, expires = credentials.challenge("WL-001")
    assert nonce.startswith(expires)
    early = nonce.replace(expires, "2001" + expires[4:])
    assert (await prove(key, early, f"mumian-device-token\nWL-001\n{early}")).status_code == 401
    assert (await prove(key, late["nonce"], late["statement"])).status_code == 201


async def test_a_key_that_is_none_is_refused(town: Town, admin: httpx.AsyncClient) -> None:
    await commissioned(admin)
    secret = (await admin.post(f"{BASE}/WL-001/enrolment")).json()["secret"]
    body = {"code": "WL-001", "secret": secret, "public_key": "AAAA"}
    answer = await town.client().post(f"{BASE}/enrolments", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["key"]) == (422, "devices.public_key")


async def test_only_devices_speak_for_themselves(town: Town, admin: httpx.AsyncClient) -> None:
    for request in (admin.get(f"{BASE}/self"), admin.post(f"{BASE}/self/heartbeat"), admin.post(f"{BASE}/self/commands")):
        answer = await request
        assert (answer.status_code, answer.json()["key"]) == (403, "devices.no_device")
    assert (await town.client().get(f"{BASE}/self")).status_code == 401
