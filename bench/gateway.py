"""Row lookups per second by key, one masked, one tokenised column, each proven first: at the gate, and under grants."""

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import uvloop

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import DatasetGrant, Gate, Grant, Limits, Mask, RowRequest
from mumian.elements.sharing.api import Asked, Decision, Draft, Item, Quota, Sharing
from mumian.foundation.identity.api import Caller, Identity, PersonDraft
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Actor

ROWS = 1_000_000
CONNECTIONS = 8
SECONDS = 5.0
DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: clinic, title: {zh: 医院, en: Clinic}, spec: {level: department, parent: town}}
---
{kind: Role, name: user, title: {zh: 用数, en: User}, spec: {actions: ["application:make", "grant:use"]}}
---
{kind: MaskRule, name: phones, title: {zh: 手机, en: Phones}, spec: {personal: personal, method: keep, first: 3, last: 4}}
---
kind: Dataset
name: people
title: {zh: 人口, en: People}
spec:
  owner: town
  fields:
    - {name: code, personal: personal}
    - {name: phone, personal: personal}
    - {name: name, personal: personal}
    - {name: district}
    - {name: height, type: number}
  key: [code]
"""
SQL = "SELECT code, phone, district, height FROM people"
TERMS = DatasetGrant(
    "people",
    fields=("code", "phone", "district", "height"),
    masks=(("phone", Mask("keep", 3, 4)),),
    tokens=(("code", "bench"),),
    lookup=("code",),
)


def run(data: Path | None) -> list[dict[str, Any]]:
    """At the gate in process and over HTTP as the owner's reader, then the same under a grant of sharing; 8 or 64 connections."""
    return uvloop.run(_measure())


async def _measure() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(
            home=Path(home), records="sqlite", lake="local", objects="local", messages="outbox", synchronous="full"
        )
        platform = create_platform(settings)
        await platform.start()
        try:
            await platform.declarations.apply(read_text(DECLARED.encode()), "bench")
            await platform.get(Tables).load("people", _fill, "append", "bench")
            figures = [await _in_process(platform), await _over_http(platform)]
            return figures + await _granted(platform)
        finally:
            await platform.stop()


def _fill(work: LakeTransaction) -> str:
    """Made people in no order of their keys, as registers are."""
    return (
        f"SELECT printf('%018d', (range * 7919) % {ROWS}) AS code, printf('138%08d', range) AS phone, 'n' || range AS name, "
        f"CAST(440100 + range % 12 AS VARCHAR) AS district, 150.0 + range % 50 AS height FROM range({ROWS})"
    )


async def _in_process(platform: Platform) -> dict[str, Any]:
    gate = platform.get(Gate)
    decide = platform.get(Identity).decisions.allowed
    caller = Caller(Actor("bench", "person", (), "town"), person="bench", decide=decide)
    grant = Grant("bench", (TERMS,), ("bench",))

    async def look(code: str) -> None:
        answer = await gate.query(RowRequest(caller, "bench", SQL, grant=grant, match={"code": code}))
        if len(answer.rows) != 1 or not answer.rows[0][1].startswith("138****"):
            raise RuntimeError(f"{code} gave {answer.rows}")

    return await _figure(platform, "gateway-in-process", look)


async def _over_http(platform: Platform) -> dict[str, Any]:
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("bench", {"zh": "测", "en": "Bench"}, None, ("administrator",)))
    token = (await accounts.create_token(person.id, "bench", ["dataset:read", "row:read"]))[1]
    transport = httpx.ASGITransport(create_asgi(platform))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers, timeout=60) as client:

        async def look(code: str) -> None:
            body = {"sql": SQL, "purpose": "bench", "match": {"code": code}}
            answer = await client.post("/api/v1/elements/protection/rows", json=body)
            if answer.status_code != 200 or len(answer.json()["rows"]) != 1:
                raise RuntimeError(answer.text[:300])

        return await _figure(platform, "gateway-http", look)


async def _granted(platform: Platform) -> list[dict[str, Any]]:
    """Under a grant: counted against its quota, with a receipt in a signed tree, beside the proof of the look."""
    accounts, sharing = platform.get(Identity).accounts, platform.get(Sharing)
    person, _ = await accounts.create_person(PersonDraft("user", {"zh": "用", "en": "User"}, "clinic", ("user",)))
    token = (await accounts.create_token(person.id, "bench", ["grant:use"]))[1]
    decide = platform.get(Identity).decisions.allowed
    caller = Caller(Actor(person.id, "person", ("user",), "clinic"), person=person.id, decide=decide)
    owner = Caller(Actor("owner", "person", ("administrator",), "town"), person="owner", decide=decide)
    reasons = dict.fromkeys(("code", "phone"), "bench")
    item = Item(
        dataset="people", fields=("code", "phone", "district", "height"), reasons=reasons, tokens=("code",), lookup=("code",)
    )
    quota = Quota(calls_day=1 << 40, rows_month=1 << 40, bytes_day=1 << 40)
    draft = Draft(items=(item,), purpose="bench", use="bench", basis="bench", days=1, quota=quota)
    sent = (await platform.records.write(lambda tx: sharing.apply(tx, caller, draft), caller.actor))[0]
    given = await platform.records.write(lambda tx: sharing.decide(tx, owner, sent.number, Decision("approve", 1)), owner.actor)
    grant = given.grants[0]

    async def look(code: str) -> None:
        asked = Asked(caller, grant, "bench", code)
        content, proof = await sharing.query(asked, SQL, Limits(rows=10), match={"code": code})
        if b'"138****' not in content or proof.receipt.rows != 1:
            raise RuntimeError(f"{code} gave {content!r}")

    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(create_asgi(platform))
    url = f"/api/v1/elements/sharing/grants/{grant}/rows"
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers, timeout=60) as client:

        async def ask(code: str) -> None:
            answer = await client.get(url, params={"purpose": "bench", "match": f"code:{code}"})
            if answer.status_code != 200 or len(answer.json()["rows"]) != 1 or "mumian-proof" not in answer.headers:
                raise RuntimeError(answer.text[:300])

        figures = [await _figure(platform, "grant-in-process", look), await _figure(platform, "grant-in-process-64", look, 64)]
        figures.append(await _figure(platform, "grant-http", ask))
    used = (await sharing.proving.used(grant))["day"]
    kept = "SELECT COUNT(*) FROM sharing_receipt"
    if used.calls != await platform.records.read(lambda session: session.value(kept)):
        raise RuntimeError("calls and receipts are not as many")
    return figures


async def _figure(platform: Platform, name: str, look: Any, connections: int = CONNECTIONS) -> dict[str, Any]:
    keys = random.Random(1)
    await _warm(look)
    before = await _proofs(platform)
    end = time.perf_counter() + SECONDS
    latencies: list[float] = []

    async def connection() -> None:
        while (start := time.perf_counter()) < end:
            await look(f"{keys.randrange(ROWS):018d}")
            latencies.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    seconds = time.perf_counter() - start
    if await _proofs(platform) - before != len(latencies):
        raise RuntimeError("a look was not proven")
    latencies.sort()
    return {
        "name": name,
        "value": len(latencies) / seconds,
        "unit": "lookups/s",
        "size": f"{ROWS:,} rows (copy in memory), {connections} connections",
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
    }


async def _warm(look: Any) -> None:
    """Ask until the gate has made its copy in memory, which it does for datasets asked row by row; at most two minutes."""
    cold = 0.0
    for count in range(400):
        start = time.perf_counter()
        await look(f"{0:018d}")
        taken = time.perf_counter() - start
        cold = taken if count == 2 else cold
        if taken < cold / 3:
            return
        await asyncio.sleep(0.3)


async def _proofs(platform: Platform) -> int:
    sql = "SELECT COUNT(*) FROM ledger_entry WHERE type = 'elements.protection.read'"
    return int(await platform.records.read(lambda session: session.value(sql)))
