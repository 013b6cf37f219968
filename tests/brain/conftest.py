"""A small town with two stations, one vital with a three-hour window, its index, a warning, an incident type and a rule."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.conftest import START

TOWN = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: air-office, title: {zh: 空气办, en: Air office}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: water-office, title: {zh: 水务办, en: Water office}, spec: {level: department, parent: town}}
---
kind: Stream
name: north
title: {zh: 北站, en: North}
spec: {thing: north, longitude: 10, latitude: 50, sensor: s, observed_property: dust, unit: u, frequency_seconds: 3600}
---
kind: Stream
name: south
title: {zh: 南站, en: South}
spec: {thing: south, longitude: 11, latitude: 50, sensor: s, observed_property: dust, unit: u, frequency_seconds: 3600}
---
kind: Vital
name: dust-3h
title: {zh: 粉尘三小时均值, en: Dust 3-hour mean}
spec:
  theme: air
  unit: u
  direction: down
  owner: air-office
  source: {window: {observed_property: dust, hours: 3, aggregate: mean, minimum_share: 0.66}}
---
kind: Vital
name: dust-index
title: {zh: 粉尘指数, en: Dust index}
spec:
  theme: air
  unit: "1"
  direction: down
  owner: air-office
  source: {derived: {vital: dust-3h, interpolate: [[0, 0], [50, 100], [100, 300]], round: up, cap: 400}}
  levels:
    - {name: low, title: {zh: 低, en: Low}, colour: "#00ff00", from: 0}
    - {name: high, title: {zh: 高, en: High}, colour: "#ff0000", above: 100}
---
kind: Warning
name: dust
title: {zh: 粉尘预警, en: Dust warning}
spec:
  vital: dust-index
  applies_to: [station]
  levels:
    - {level: blue, enter: 100, leave: 80}
    - {level: red, enter: 300, leave: 250, for_minutes: 60}
  message: {zh: "{label}{level}预警：{value}", en: "{level} warning at {label}: {value} of {threshold}"}
  stale_minutes: 600
---
{kind: IncidentType, name: dust-cloud, title: {zh: 扬尘, en: Dust cloud}, spec: {category: air.1, opened_by: [dust]}}
---
kind: DispatchRule
name: dust-office
title: {zh: 扬尘分拨, en: Dust to the air office}
spec:
  incident_types: [dust-cloud]
  districts: ["*"]
  city_level: true
  organisation: air-office
  deadlines_minutes: {minor: {accept: 30, resolve: 600, verify: 900}}
"""
Observe = Callable[..., Awaitable[None]]


@pytest_asyncio.fixture
async def town(platform: Platform) -> Platform:
    """The platform with the town's declarations in force."""
    await platform.declarations.apply(read_text(TOWN.encode()), "town")
    await platform.settle()
    return platform


@pytest_asyncio.fixture
async def observe(town: Platform, clock: ManualClock) -> Observe:
    """Let stations observe at an hour after the start (None: recorded as missing); the clock goes there, the city settles."""

    async def observe(hour: float, **results: float | None) -> None:
        instant = START + timedelta(hours=hour)
        clock.set(max(clock.now(), instant))
        sensing = town.get(Sensing)
        streams = np.array([sensing.stream(name).id for name in results])
        values = np.array([np.nan if value is None else value for value in results.values()])
        await sensing.record(Observations(streams, np.full(len(values), microseconds(instant)), values))
        await town.settle()

    return observe


@pytest_asyncio.fixture
async def client(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API that is signed in as an operator."""
    headers = {"Authorization": f"Bearer {await token(town, 'operator', 'operator', 'town')}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_asgi(town)), base_url="http://town", headers=headers
    ) as made:
        yield made


async def token(platform: Platform, login: str, role: str, organisation: str) -> str:
    """A token of a new person."""
    accounts = platform.get(Identity).accounts
    draft = PersonDraft(login, {"zh": login, "en": login}, organisation, (role,))
    person, _ = await accounts.create_person(draft)
    return (await accounts.create_token(person.id, "test", ["*"]))[1]


def rows(platform: Platform, sql: str, **params: Any) -> list[dict[str, Any]]:
    """Rows of the records as they are."""
    return platform.records.read_now(lambda session: session.rows(sql, **params))


def hour(hours: float) -> str:
    """An hour after the start, as ISO text."""
    return (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
