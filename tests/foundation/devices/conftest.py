"""A small town with two districts, three departments and some kinds of device, on every engine of the records."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from starlette.types import ASGIApp

from mumian.app.platform import create_platform
from mumian.app.web import Dispatcher
from mumian.foundation.devices import endpoints
from mumian.foundation.devices.api import Devices
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.sensing import endpoints as sensing
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document, read_text
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems
from mumian.kernel.web.idempotency import once
from mumian.kernel.web.limits import Limits
from tests.foundation.engines import ENGINES, records_url

BASE = "/api/v1/foundation/devices"
DECLARED = """
{kind: Organisation, name: town, title: {zh: 城, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: water, title: {zh: 水务局, en: Water Authority}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: parks, title: {zh: 园林局, en: Parks}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: roads, title: {zh: 交通局, en: Roads}, spec: {level: department, parent: town}}
---
{kind: Role, name: keeper, title: {zh: 台账员, en: Keeper}, spec: {actions: ["device:*"], reach: own}}
---
kind: DeviceKind
name: level-gauge
title: {zh: 水位计, en: Level gauge}
spec:
  category: water
  share: open
  heartbeat: {seconds: 60, late_after: 2, offline_after: 5, recover_beats: 2}
  calibration_days: 365
  cost: 20000
  upkeep: 1000
  streams:
    level: {observed_property: water-level, unit: m, title: {zh: 水位, en: Water level}, frequency_seconds: 60, minimum: -5}
  properties:
    height: {type: number, title: {zh: 安装高度, en: Height}, minimum: 0, maximum: 100, unit: m}
    mount: {type: choice, title: {zh: 安装方式, en: Mount}, choices: [wall, pole]}
    sealed: {type: boolean, title: {zh: 防水, en: Sealed}}
  commands:
    interval:
      title: {zh: 设置间隔, en: Set interval}
      parameters: {seconds: {type: integer, minimum: 10, maximum: 3600, required: true}}
      timeout_seconds: 30
      attempts: 2
      expires_seconds: 600
---
{kind: DeviceKind, name: rain-gauge, title: {zh: 雨量计, en: Rain gauge}, spec: {category: water, cost: 8000, upkeep: 500}}
---
{kind: DeviceKind, name: camera, title: {zh: 摄像机, en: Camera}, spec: {category: video, share: none}}
"""


def square(code: str, west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A district as a square."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": {"zh": f"{code}区", "en": f"District {code}"}},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


DISTRICTS = {
    "type": "FeatureCollection",
    "features": [square("110101", 113.2, 23.0, 113.3, 23.1), square("110102", 113.3, 23.0, 113.4, 23.1)],
}
CITY = """
{kind: Layer, name: quarters, title: {zh: 区, en: Quarters}, spec: {source: quarters.geojson}}
---
kind: City
name: town
title: {zh: 城, en: Town}
spec:
  number_prefix: TN
  code: "110100"
  centre: [113.3, 23.05]
  bounds: [113.2, 23.0, 113.4, 23.1]
  timezone: Asia/Shanghai
  district_layer: quarters
"""


def application(platform: Platform) -> ASGIApp:
    """The device ledger and SensorThings, without the rest of the city."""
    app = FastAPI()
    app.state.platform = platform
    problems.install(app)
    app.middleware("http")(once)
    app.include_router(endpoints.router)
    return Dispatcher(Limits(app, platform.settings.max_body_bytes), {prefix: make(platform) for prefix, make in sensing.MOUNTS})


@dataclass
class Town:
    """The platform and how to reach it."""

    platform: Platform
    clock: ManualClock
    url: str
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def devices(self) -> Devices:
        return self.platform.get(Devices)

    @property
    def sensing(self) -> Sensing:
        return self.platform.get(Sensing)

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client with a token, answered in English."""
        headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {token}"} if token else {})
        transport = httpx.ASGITransport(application(self.platform), raise_app_exceptions=False)
        made = httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers)
        self.clients.append(made)
        return made

    async def person(self, role: str, organisation: str | None = None) -> httpx.AsyncClient:
        """A client of a new person with that role."""
        accounts = self.platform.get(Identity).accounts
        draft = PersonDraft(f"p-{new_id().lower()}", {"zh": "人", "en": "Person"}, organisation, (role,))
        person, _ = await accounts.create_person(draft)
        _, secret = await accounts.create_token(person.id, "test", ["*"])
        return self.client(secret)

    async def wait(self, seconds: float) -> None:
        """Let time pass and everything that is due be done."""
        self.clock.advance(seconds=seconds)
        await self.platform.settle()

    def events(self, type_: str) -> list[dict[str, Any]]:
        """The events of a type that were told: subject and data."""
        rows = self.platform.records.read_now(
            lambda s: s.rows("SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_)
        )
        return [{"subject": row["subject"], **json.loads(row["payload"])} for row in rows]


def documents(folder: Path) -> list[Document]:
    """What is declared of the town."""
    (folder / "quarters.geojson").write_text(json.dumps(DISTRICTS), "utf-8")
    return [*read_text(DECLARED.encode()), *read_text(CITY.encode(), "city.yaml", folder)]


async def open_town(folder: Path, clock: ManualClock, url: str) -> Town:
    """Build and start the town, anew or again on the same home."""
    settings = Settings(home=folder / "home", records=url, lake="local", objects="local", messages="outbox", synchronous="normal")
    platform = create_platform(settings, clock)
    if platform.declarations.revision == 0:
        platform.declarations.apply_now(documents(folder), "test")
    await platform.start()
    await platform.settle()
    return Town(platform, clock, url)


@pytest_asyncio.fixture(params=ENGINES)
async def town(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Town]:
    """The town on every engine."""
    made = await open_town(tmp_path, clock, records_url(request.param, "devices_test"))
    yield made
    for client in made.clients:
        await client.aclose()
    await made.platform.stop()


@pytest_asyncio.fixture
async def admin(town: Town) -> httpx.AsyncClient:
    """A client that may do all."""
    return await town.person("administrator")


def gauge(code: str = "WL-001", **fields: Any) -> dict[str, Any]:
    """The body of a level gauge of the water authority."""
    body = {"code": code, "kind": "level-gauge", "name": "人民桥水位计", "owner": "water", "longitude": 113.25, "latitude": 23.05}
    return {**body, "model": "WL-3000", "maker": "Acme", **fields}


async def commissioned(client: httpx.AsyncClient, code: str = "WL-001", **fields: Any) -> dict[str, Any]:
    """A gauge in service."""
    answer = await client.post(BASE, json=gauge(code, state="in_service", **fields))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
