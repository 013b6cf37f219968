"""A served city, with an administrator's token, for tests that speak HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from mumian.app.platform import apply_city, create_platform
from mumian.app.server import serving
from mumian.foundation.identity.api import bootstrap
from mumian.kernel.settings import Settings
from tests.conftest import ROOT

PASSWORD = "a long enough passphrase 2026"


@dataclass(frozen=True)
class Served:
    """Where the city answers, and the headers of an administrator."""

    address: str
    headers: dict[str, str]


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The city that comes with Mumian, served by a thread of its own."""
    home, began, ended = tmp_path_factory.mktemp("home"), threading.Event(), threading.Event()
    found: dict[str, str] = {}

    async def serve() -> None:
        async with serving(platform, "127.0.0.1", 0) as address:
            found["address"] = address
            began.set()
            await asyncio.to_thread(ended.wait)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUMIAN_IDENTITY_ARGON2_KIB", "8192")
        patch.setenv("MUMIAN_IDENTITY_ARGON2_PASSES", "1")
        settings = Settings(home=home, records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal")
        platform = create_platform(settings)
        password = bootstrap(platform)
        apply_city(platform, ROOT / "cities" / "guangzhou")
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            assert began.wait(30)
            yield Served(found["address"], administrator(found["address"], str(password)))
        finally:
            ended.set()
            thread.join(30)


def administrator(address: str, password: str) -> dict[str, str]:
    """Sign in as the administrator with the one-time password, change it, and make a token."""
    base = f"{address}/api/v1/foundation/identity"
    with httpx.Client(base_url=base, headers={"Origin": address}) as client:
        client.post("/sessions", json={"login": "admin", "password": password}).raise_for_status()
        client.post("/password", json={"current": password, "new": PASSWORD}).raise_for_status()
        client.post("/sessions", json={"login": "admin", "password": PASSWORD}).raise_for_status()
        made = client.post("/tokens", json={"title": "conformance", "scopes": ["*"]})
        assert made.status_code == httpx.codes.CREATED, made.text
        return {"Authorization": f"Bearer {made.json()['secret']}"}
