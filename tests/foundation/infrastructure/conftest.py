"""A small town of two districts with kinds of facility, measures and figures, on every engine of the records."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from mumian.app.platform import create_platform
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.infrastructure import endpoints
from mumian.foundation.infrastructure.api import Infrastructure
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems
from tests.foundation.devices.conftest import CITY, DISTRICTS
from tests.foundation.engines import ENGINES, records_url

BASE = "/api/v1/foundation/infrastructure"
DECLARED = """
{kind: Organisation, name: town, title: {zh: 城, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: power, title: {zh: 供电局, en: Power}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: telecom, title: {zh: 通信局, en: Telecom}, spec: {level: department, parent: town}}
---
{kind: Role, name: keeper, title: {zh: 台账员, en: Keeper}, spec: {actions: ["facility:*"], reach: own}}
---
{kind: Policy, name: look, title: {zh: 看, en: Look}, spec: {cedar: 'permit (principal, action == Action::"facility:look", resource);'}}
---
kind: FacilityKind
name: charger
title: {zh: 充电桩, en: Charger}
spec:
  theme: energy
  service_radius: 1000
  public: [power]
  fields:
    power: {type: number, unit: kW, title: {zh: 功率, en: Power}, minimum: 0, maximum: 1000, required: true}
    plugs: {type: choice, choices: [ac, dc], several: true, title: {zh: 接口, en: Plugs}}
  live:
    states: {free: {zh: 空闲, en: Free}, busy: {zh: 占用, en: Busy}, fault: {zh: 故障, en: Fault}}
    stream: state
    results: {free: 0, busy: 1, fault: 2}
    fresh_seconds: 600
---
kind: FacilityKind
name: data-centre
title: {zh: 数据中心, en: Data centre}
spec:
  theme: compute
  fields: {racks: {type: integer, minimum: 0}, pue: {type: number, minimum: 1}}
  renewal_matches: 2
  renewal:
    - {field: age_years, above: 10, title: {zh: 老旧, en: Old}}
    - {field: racks, below: 500, title: {zh: 小, en: Small}}
    - {field: pue, above: 1.8, title: {zh: 能耗高, en: Wasteful}}
---
{kind: FacilityKind, name: node, title: {zh: 节点, en: Node}, spec: {theme: network}}
---
{kind: FacilityKind, name: segment, title: {zh: 链路, en: Segment}, spec: {theme: network, link: true}}
---
{kind: AreaFigure, name: people, title: {zh: 人口, en: People}, spec: {unit: people, as_of: 2013-12-31, source: made for a test, values: {"110101": 20000, "110102": 10000}}}
---
{kind: FacilityMeasure, name: chargers-per-10k, title: {zh: 每万人充电桩, en: Chargers per 10k}, spec: {kinds: [charger], per: people, scale: 10000, unit: per 10k, targets: {2015: 3}}}
---
{kind: FacilityMeasure, name: chargers-per-km2, title: {zh: 密度, en: Density}, spec: {kinds: [charger], per: km2, unit: per km2}}
---
{kind: FacilityMeasure, name: people-served, title: {zh: 服务人口, en: People served}, spec: {kinds: [charger], value: covered_people, people: people, unit: ratio}}
---
{kind: FacilityMeasure, name: pue, title: {zh: PUE, en: PUE}, spec: {kinds: [data-centre], value: mean, field: pue, weight: racks, unit: ratio, direction: down}}
---
{kind: FacilityMeasure, name: ipv6, title: {zh: IPv6, en: IPv6}, spec: {value: reported, reported: {"110100": 70}, as_of: 2013-06-30, source: made for a test, unit: "%"}}
---
{kind: Stream, name: charger.c1.state, title: {zh: 状态, en: State}, spec: {thing: c1, observed_property: state, unit: "1"}}
"""  # noqa: E501 - a declaration a line


class Town:
    """The platform and how to reach it."""

    def __init__(self, platform: Platform, clock: ManualClock) -> None:
        self.platform = platform
        self.clock = clock
        self.clients: list[httpx.AsyncClient] = []
        self._app = FastAPI()
        self._app.state.platform = platform
        problems.install(self._app)
        self._app.include_router(endpoints.router)

    @property
    def infrastructure(self) -> Infrastructure:
        return self.platform.get(Infrastructure)

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client with a token, answered in English."""
        headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {token}"} if token else {})
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self.clients.append(httpx.AsyncClient(transport=transport, base_url=f"http://city{BASE}", headers=headers, timeout=60))
        return self.clients[-1]

    async def person(self, role: str, organisation: str | None = None) -> httpx.AsyncClient:
        """A client of a new person with that role."""
        accounts = self.platform.get(Identity).accounts
        draft = PersonDraft(f"p-{new_id().lower()}", {"zh": "人", "en": "Person"}, organisation, (role,))
        person, _ = await accounts.create_person(draft)
        _, secret = await accounts.create_token(person.id, "test", ["*"])
        return self.client(secret)

    def events(self, type_: str) -> list[dict[str, Any]]:
        """The events of a type: subject and data."""
        sql = "SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id"
        rows = self.platform.records.read_now(lambda session: session.rows(sql, type=type_))
        return [{"subject": row["subject"], **json.loads(row["payload"])} for row in rows]


async def open_town(folder: Path, clock: ManualClock, url: str) -> Town:
    """Build and start the town, anew or again on the same home."""
    settings = Settings(home=folder / "home", records=url, lake="local", objects="local", messages="outbox", synchronous="normal")
    platform = create_platform(settings, clock)
    if platform.declarations.revision == 0:
        (folder / "quarters.geojson").write_text(json.dumps(DISTRICTS), "utf-8")
        documents = [*read_text(DECLARED.encode()), *read_text(CITY.encode(), "city.yaml", folder)]
        platform.declarations.apply_now(documents, "test")
    await platform.start()
    await platform.settle()
    return Town(platform, clock)


@pytest_asyncio.fixture(params=ENGINES)
async def town(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Town]:
    """The town on every engine."""
    made = await open_town(tmp_path, clock, records_url(request.param, "infrastructure_test"))
    yield made
    for client in made.clients:
        await client.aclose()
    await made.platform.stop()


@pytest_asyncio.fixture
async def admin(town: Town) -> httpx.AsyncClient:
    """A client that may do all."""
    return await town.person("administrator")


def charger(code: str = "C1", **fields: Any) -> dict[str, Any]:
    """The body of a charger in the first district."""
    body = {"code": code, "kind": "charger", "name": f"{code}号充电桩", "owner": "power", "longitude": 113.25, "latitude": 23.05}
    return {**body, "state": "in_use", "properties": {"power": 60}, **fields}


async def enter(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """A facility entered."""
    answer = await client.post("/facilities", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
