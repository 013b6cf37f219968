"""Identity and the ledger on real records, served over HTTP, without the rest of the city."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from mumian.foundation.cryptography import tasks as cryptography
from mumian.foundation.identity import endpoints, kinds
from mumian.foundation.identity.api import Identity, Person, PersonDraft
from mumian.foundation.identity.settings import IdentitySettings
from mumian.foundation.ledger import endpoints as ledger_endpoints
from mumian.foundation.ledger import tasks as ledger
from mumian.foundation.storage.records.opening import open_records
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.migrations import migrate
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems
from tests.foundation.engines import ENGINES, records_url

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
BASE = "/api/v1/foundation/identity"
ORGANISATIONS = """
{kind: Organisation, name: town, title: {zh: 城, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: north, title: {zh: 北区, en: North}, spec: {level: district, parent: town, district: "110101"}}
---
{kind: Organisation, name: north-air, title: {zh: 北区环保, en: North Air}, spec: {level: department, parent: north}}
---
{kind: Organisation, name: south, title: {zh: 南区, en: South}, spec: {level: district, parent: town}}
"""


@dataclass
class Town:
    """A small city: its platform, its application and the machine's clock that identity lives by."""

    platform: Platform
    app: FastAPI
    clock: ManualClock
    url: str

    @property
    def identity(self) -> Identity:
        return self.platform.get(Identity)

    def kept(self) -> str:
        """All that the tables of identity and the ledger hold."""
        tables = ("identity_person", "identity_session", "identity_token", "identity_attempt", "ledger_entry", "kernel_outbox")
        return self.platform.records.read_now(lambda s: str([s.rows(f"SELECT * FROM {table}") for table in tables]))

    def apply(self, text: str) -> None:
        """Put declarations into force."""
        self.platform.declarations.apply_now(read_text(text.encode()), "test")

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser that is on the city's own site, unless `headers` say otherwise."""
        own = {"origin": "http://city.test", **headers}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://city.test", headers=own)

    async def person(self, login: str, *roles: str, organisation: str | None = None) -> tuple[Person, str]:
        """A person who has already chosen a password, and that password."""
        draft = PersonDraft(login, {"zh": login, "en": login}, organisation, roles)
        person, once = await self.identity.accounts.create_person(draft)
        password = f"well chosen {login[::-1]}!"
        caller = self.identity.callers.of_person(person, None)
        await self.identity.sign_in.change_password(caller, once, password)
        return person, password

    async def signed_in(self, login: str, *roles: str, organisation: str | None = None) -> httpx.AsyncClient:
        """The browser of a new person who has signed in."""
        _, password = await self.person(login, *roles, organisation=organisation)
        client = self.client()
        answer = await client.post(f"{BASE}/sessions", json={"login": login, "password": password})
        assert answer.status_code == 201, answer.text
        return client


def open_town(home: Path, url: str = "sqlite") -> Town:
    """A platform with identity and the ledger; passwords are cheap to check."""
    home.mkdir(parents=True, exist_ok=True)
    clock = ManualClock(NOW)
    records = open_records(url, home, clock, "normal")
    migrate(records)
    declarations = Declarations(records, {kind.name: kind for kind in kinds.KINDS})
    declarations.load()
    platform = Platform(Settings(home=home), clock, records, declarations)
    cryptography.register(platform)
    platform.provide(Identity, Identity(platform, clock, IdentitySettings(argon2_kib=8192, argon2_passes=1)))
    ledger.register(platform)
    app = FastAPI()
    app.state.platform = platform
    problems.install(app)
    app.include_router(endpoints.router)
    app.include_router(ledger_endpoints.router)
    town = Town(platform, app, clock, url)
    if town.platform.declarations.revision == 0:
        town.apply(ORGANISATIONS)
    return town


@pytest.fixture(params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A small city, on every engine."""
    made = open_town(tmp_path / "home", records_url(request.param, "identity_test"))
    yield made
    made.platform.records.close()


@pytest_asyncio.fixture
async def stranger(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which nobody is signed in."""
    async with town.client() as client:
        yield client
