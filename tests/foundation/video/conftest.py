"""A town with a folder of video files, cameras in its ledger, and a client of its API."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.video.api import Video
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

BASE = "/api/v1/foundation/video"
TOWN = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: roads, title: {zh: 路政, en: Roads}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: parks, title: {zh: 园林, en: Parks}, spec: {level: department, parent: town}}
---
{kind: IncidentType, name: parked, title: {zh: 违停, en: Illegal parking}, spec: {category: road.1}}
---
kind: Policy
name: town-video
title: {zh: 视频, en: Video}
spec:
  cedar: |
    permit (
      principal in Role::"officer",
      action in [Action::"camera:read", Action::"camera:view", Action::"camera:record", Action::"detection:read"],
      resource
    ) when { principal has organisation && resource in principal.organisation };
"""


def code(serial: int, kind: str = "132") -> str:
    """A camera's code in a made-up district."""
    return f"44010600{'08'}{kind}6{serial:06d}"


@pytest_asyncio.fixture
async def town(platform: Platform) -> Platform:
    """The platform with organisations, an incident type and who may look."""
    await platform.declarations.apply(read_text(TOWN.encode()), "town")
    (platform.home / "video").mkdir(exist_ok=True)
    return platform


@pytest.fixture
def files(town: Platform) -> Path:
    """The folder of video files."""
    return town.home / "video"


Add = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture
async def add(town: Platform) -> Add:
    """Registers a camera that shows a file."""

    async def add(serial: int = 1, file: str = "scene.mp4", **given: Any) -> Any:
        fields = {"title": {"zh": f"机位{serial}", "en": f"Camera {serial}"}, "address": f"file:{file}", "owner": "roads"}
        fields |= {"recorded_from": "2013-12-31T23:00:00Z"} | given
        cameras = town.get(Video).cameras
        return await town.records.write(lambda tx: cameras.create(tx, code(serial), fields))

    return add


async def signed_in(platform: Platform, login: str, role: str, organisation: str | None) -> httpx.AsyncClient:
    """A client with a token of a new person."""
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft(login, {"zh": login, "en": login}, organisation, (role,)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_asgi(platform)),
        base_url=f"http://town{BASE}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )


@pytest_asyncio.fixture
async def admin(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client."""
    async with await signed_in(town, "root", "administrator", "town") as client:
        yield client


@pytest_asyncio.fixture
async def officer(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an officer of the road department."""
    async with await signed_in(town, "olive", "officer", "roads") as client:
        yield client


def rows(platform: Platform, sql: str, **params: Any) -> list[dict[str, Any]]:
    """Rows of the records as they are."""
    return platform.records.read_now(lambda session: session.rows(sql, **params))


def events(platform: Platform, type_: str) -> list[dict[str, Any]]:
    """The events of a type, in order, with their subject."""
    import json

    found = rows(platform, "SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_)
    return [{"subject": row["subject"], **json.loads(row["payload"])} for row in found]
