"""A platform with layers to read and to edit, and those who may."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.declarations.documents import Document
from mumian.kernel.platform import Platform

LAYERS: dict[str, dict[str, Any]] = {
    "lamps": {"editable": True, "time": ["lit"], "properties": [{"name": "watts", "type": "integer"}]},
    "strict": {
        "editable": True,
        "strict": True,
        "properties": [{"name": "code", "required": True}, {"name": "n", "type": "number"}],
    },
    "fixed": {"view": "streams"},
}


async def token_for(platform: Platform, login: str, *roles: str) -> dict[str, str]:
    """The headers of somebody with these roles."""

    def make() -> str:
        accounts = platform.get(Identity).accounts
        person, _ = accounts.create_person_now(PersonDraft(login, {"zh": login, "en": login}, None, roles))
        return accounts.create_token_now(person.id, "test", ["*"])[1]

    return {"Authorization": f"Bearer {await asyncio.to_thread(make)}"}


async def declare(platform: Platform, **layers: dict[str, Any]) -> None:
    """Put layers into force."""
    documents = [Document("Layer", name, {"zh": name, "en": name}, spec) for name, spec in layers.items()]
    await platform.declarations.apply(documents, "test")


@pytest_asyncio.fixture
async def layered(platform: Platform) -> Platform:
    """A platform with layers of each kind."""
    await declare(platform, **LAYERS)
    return platform


@pytest_asyncio.fixture
async def reader(layered: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(layered)), base_url="http://test/ogc") as client:
        yield client


@pytest_asyncio.fixture
async def editor(layered: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator."""
    headers = await token_for(layered, "gis", "administrator")
    transport = httpx.ASGITransport(create_asgi(layered))
    async with httpx.AsyncClient(transport=transport, base_url="http://test/ogc", headers=headers) as client:
        yield client
