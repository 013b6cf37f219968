"""A small city with models, its API and clients of several roles."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from mumian.app.platform import create_platform
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.models import endpoints
from mumian.foundation.models.api import Models
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems
from tests.foundation.engines import ENGINES, records_url

DECLARED = """
{kind: Organisation, name: city, title: {zh: 市, en: City}, spec: {level: city}}
---
{kind: Role, name: keeper, title: {zh: 模型管理员, en: Keeper}, spec: {actions: ["model:*"], reach: city}}
---
{kind: Role, name: user, title: {zh: 使用者, en: User}, spec: {actions: ["model:use"], reach: city}}
"""


class City:
    """The platform and how to reach it."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.models = platform.get(Models)
        self.clients: list[httpx.AsyncClient] = []
        self._app = FastAPI()
        self._app.state.platform = platform
        problems.install(self._app)
        self._app.include_router(endpoints.router)

    async def person(self, role: str) -> httpx.AsyncClient:
        """A client of a new person with that role."""
        accounts = self.platform.get(Identity).accounts
        person, _ = await accounts.create_person(PersonDraft(f"p-{new_id().lower()}", {"zh": "人", "en": "P"}, "city", (role,)))
        _, secret = await accounts.create_token(person.id, "test", ["*"])
        headers = {"Accept-Language": "en", "Authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self.clients.append(
            httpx.AsyncClient(transport=transport, base_url=f"http://city{endpoints.router.prefix}", headers=headers)
        )
        return self.clients[-1]


@pytest_asyncio.fixture(params=ENGINES)
async def made(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[City]:
    """The city on every engine."""
    url = records_url(request.param, "models_test")
    ports = {"lake": "local", "objects": "local", "messages": "outbox"}
    settings = Settings(home=tmp_path / "home", records=url, synchronous="normal", **ports)  # type: ignore[arg-type]
    platform = create_platform(settings, clock)
    platform.declarations.apply_now(read_text(DECLARED.encode(), "models.yaml"), "test")
    await platform.start()
    city = City(platform)
    yield city
    for client in city.clients:
        await client.aclose()
    await platform.stop()
