"""A served town with shops that are open, people that are not yet safe to open, and clients with and without keys."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mumian.app.platform import create_platform
from mumian.app.server import serving
from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import Decision, Labels
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

BASE = "/api/v1/elements/opening"
DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: clinic, title: {zh: 医院, en: Clinic}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: school, title: {zh: 学校, en: School}, spec: {level: department, parent: town}}
---
kind: Role
name: publisher
title: {zh: 数据发布员, en: Data publisher}
spec: {actions: ["open:publish", "open:answer", "open:check", "row:read"], reach: own}
---
kind: Policy
name: opening
title: {zh: 数据开放, en: Open data}
spec:
  cedar: |
    permit (principal, action in [Action::"open:read", Action::"open:download", Action::"open:speak"], resource);
    permit (principal in Role::"member", action in [Action::"open:apply", Action::"application:ask"], resource);
---
kind: Dataset
name: shops.open
title: {zh: 商铺, en: Shops}
spec:
  owner: town
  opened: unconditional
  theme: commerce
  keywords: [shops, 商铺]
  licence: CC BY 4.0
  description: {zh: 全部商铺, en: All shops}
  fields:
    - {name: 编号, type: integer, title: {zh: 编号, en: Number}}
    - {name: name, type: text}
    - {name: since, type: date}
    - {name: seen, type: time}
    - {name: lon, type: number}
    - {name: lat, type: number}
    - {name: fine, type: boolean}
    - {name: capacity, type: integer, grade: important}
    - {name: secret, type: text, grade: core}
  key: [编号]
---
kind: Dataset
name: patients
title: {zh: 病人, en: Patients}
spec:
  owner: clinic
  opened: unconditional
  fields:
    - {name: age, type: integer}
    - {name: sex}
    - {name: postcode}
    - {name: illness}
---
kind: Dataset
name: wards
title: {zh: 病区, en: Wards}
spec: {owner: clinic, opened: conditional, theme: health, fields: [{name: ward}, {name: beds, type: integer}]}
---
{kind: Dataset, name: hidden, title: {zh: 内部, en: Hidden}, spec: {owner: town, fields: [{name: a}]}}
"""
SHOPS = 300
QUICK = (("MUMIAN_IDENTITY_ARGON2_KIB", "8192"), ("MUMIAN_IDENTITY_ARGON2_PASSES", "1"))


def fill_shops(work: LakeTransaction) -> str:
    return f"""
        SELECT CAST(range AS BIGINT) AS "编号", CASE range WHEN 0 THEN '=HYPERLINK("http://bad")' WHEN 1 THEN 'a,"b"'
            WHEN 2 THEN NULL WHEN 3 THEN '茶 <tea> & ' || chr(10) || 'cake' ELSE 'shop ' || range END AS name,
          DATE '2014-01-01' + CAST(range AS INTEGER) AS since, TIMESTAMP '2014-01-01' + to_seconds(range) AS seen,
          113.2 + range / 1000.0 AS lon, 23.1 AS lat, range % 2 = 0 AS fine, range * 10 AS capacity, 'x' AS secret
        FROM range({SHOPS})"""


def fill_patients(work: LakeTransaction) -> str:
    return """
        SELECT 20 + CAST(range % 60 AS BIGINT) AS age, CASE WHEN range % 2 = 0 THEN 'f' ELSE 'm' END AS sex,
          CAST(510000 + range % 37 AS VARCHAR) AS postcode, CASE WHEN range % 5 = 0 THEN 'flu' ELSE 'none' END AS illness
        FROM range(2000)"""


def fill_wards(work: LakeTransaction) -> str:
    return "SELECT 'A' AS ward, 12 AS beds"


@dataclass
class Town:
    """Where the town answers, its platform, its keys, and a way to run something on its event loop."""

    address: str
    platform: Platform
    keys: dict[str, str]
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def client(self, who: str | None = None) -> httpx.Client:
        """A client of somebody."""
        headers = {} if who is None else {"Authorization": f"Bearer {self.keys[who]}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)


async def furnish(platform: Platform) -> dict[str, str]:
    """Declare the town, fill it, and make people; returns their keys."""
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    for name, fill in (("shops.open", fill_shops), ("patients", fill_patients), ("wards", fill_wards)):
        await platform.get(Tables).load(name, fill, "append", "made")
    await platform.settle()
    for field in ("lon", "lat"):  # where a shop is says nothing of a person
        decision = Decision(None, "places of business")
        await platform.records.write(lambda tx, f=field, d=decision: platform.get(Labels).decide(tx, "shops.open", f, d))  # type: ignore[misc]
    keys = {}
    people = (("chief", "town", "administrator"), ("nurse", "clinic", "publisher"), ("teacher", "school", "publisher"))
    for login, organisation, role in people:
        draft = PersonDraft(login, {"zh": login, "en": login}, organisation, (role,))
        person, _ = await platform.get(Identity).accounts.create_person(draft)
        keys[login] = (await platform.get(Identity).accounts.create_token(person.id, "test", ["*"]))[1]
    return keys


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town, served on a free port for all tests of opening."""
    home: Path = tmp_path_factory.mktemp("town")
    patch = pytest.MonkeyPatch()
    limits = {"POSTS_PER_HOUR": "40", "ANONYMOUS_PER_MINUTE": "100000", "SECONDS": "4"}
    for name, value in (*QUICK, *((f"MUMIAN_OPENING_{name}", value) for name, value in limits.items())):
        patch.setenv(name, value)
    settings = Settings(
        home=home, port=0, records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal"
    )
    platform = create_platform(settings)
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), threading.Event()
    found: dict[str, Any] = {}

    async def serve() -> None:
        async with serving(platform, "127.0.0.1", 0) as address:
            found["address"] = address
            found["keys"] = await furnish(platform)
            await platform.settle()
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(60)

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    yield Town(found["address"], platform, found["keys"], run)
    stop.set()
    thread.join(30)
    loop.close()
    patch.undo()


@pytest.fixture
def engines(settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A platform in process on an engine of records, stepped by hand."""
    for name, value in QUICK:
        monkeypatch.setenv(name, value)

    @asynccontextmanager
    async def opened(engine: str) -> AsyncIterator[Platform]:
        url = settings.records if engine == "sqlite" else os.environ.get("MUMIAN_TEST_POSTGRESQL")
        if url is None:
            pytest.skip("MUMIAN_TEST_POSTGRESQL is not set")
        async with _database(url) as records:
            platform = create_platform(settings.model_copy(update={"records": records}), clock)
            await platform.start()
            try:
                yield platform
            finally:
                await platform.stop()

    return opened


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[str]:
    """A database of its own on PostgreSQL; SQLite has one in its home."""
    if not url.startswith("postgresql"):
        yield url
        return
    import psycopg

    name = f"opening_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    try:
        yield url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
