"""A small town: records on either engine, keys, ledger, identity, the spatial base, addresses; served over HTTP."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from mumian.foundation.addresses import endpoints as address_endpoints
from mumian.foundation.addresses import kinds as address_kinds
from mumian.foundation.addresses import tasks as addresses
from mumian.foundation.addresses.api import Addresses, ImportReport
from mumian.foundation.cryptography import tasks as cryptography
from mumian.foundation.identity import kinds as identity_kinds
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.identity.settings import IdentitySettings
from mumian.foundation.ledger import tasks as ledger
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.storage.records.opening import open_records
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Kind
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.ids import new_id
from mumian.kernel.migrations import migrate
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems

NOW = datetime(2014, 1, 1, tzinfo=UTC)


@dataclass
class Town:
    """Its platform and its application."""

    platform: Platform
    app: FastAPI

    def apply(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Put a declaration into force."""
        self.platform.declarations.apply_now([Document(kind, name, {"zh": name, "en": name}, spec)], "test")

    def client(self, *roles: str) -> httpx.AsyncClient:
        """A client with a token of somebody who has these roles; administrator by default."""
        accounts = self.platform.get(Identity).accounts
        draft = PersonDraft(f"p-{new_id().lower()}", {"zh": "人", "en": "Person"}, None, roles or ("administrator",))
        person, _ = accounts.create_person_now(draft)
        headers = {"Authorization": f"Bearer {accounts.create_token_now(person.id, 'test', ('*',))[1]}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://city.test", headers=headers, timeout=60)

    async def fill(self, text: str) -> ImportReport:
        """Import addresses from CSV, off the event loop."""
        return await asyncio.to_thread(self.platform.get(Addresses).import_now, io.StringIO(text), "test")


def open_town(home: Path, url: str = "sqlite", more: Sequence[Kind] = ()) -> Town:
    """A town without a city declared, on a clock that stands at the start of 2014."""
    home.mkdir(parents=True, exist_ok=True)
    clock = ManualClock(NOW)
    records = open_records(url, home, clock, "normal")
    migrate(records)
    kinds = [*identity_kinds.KINDS, *address_kinds.KINDS, *more]
    declarations = Declarations(records, {kind.name: kind for kind in kinds})
    declarations.load()
    platform = Platform(Settings(home=home), clock, records, declarations)
    platform.provide(EvidenceChecks, EvidenceChecks())
    cryptography.register(platform)
    platform.provide(Identity, Identity(platform, clock, IdentitySettings(argon2_kib=8192, argon2_passes=1)))
    ledger.register(platform)
    platform.provide(Spatial, Spatial(platform))
    addresses.register(platform)
    app = FastAPI()
    app.state.platform = platform
    problems.install(app)
    app.include_router(address_endpoints.router)
    return Town(platform, app)
