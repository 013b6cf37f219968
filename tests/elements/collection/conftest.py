"""A town with datasets to be filled, and servers in this process to fill them from."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.elements.catalog.api import Tables
from mumian.elements.collection import store
from mumian.elements.collection.contracts import Run
from mumian.elements.collection.service.runner import Runner
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.engines import ENGINES, records_url

both = pytest.mark.parametrize("engine", ENGINES, indirect=True)
BASE = "/api/v1/elements/collection"
DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
kind: Dataset
name: shops
title: {zh: 商铺, en: Shops}
spec:
  owner: town
  opened: unconditional
  fields:
    - {name: 编号, type: integer, required: true}
    - {name: name, title: {zh: 名称, en: Name}}
    - {name: since, type: date}
    - {name: seats, type: integer}
    - {name: changed, type: time}
  key: [编号]
"""
Answer = Callable[[str, dict[str, str], dict[str, str]], tuple[int, dict[str, str], bytes]]


async def declare(platform: Platform, text: str) -> None:
    """Put declarations into force."""
    await platform.declarations.apply(read_text(text.encode()), "test")


async def connect(platform: Platform, name: str, **spec: Any) -> None:
    """Declare a connector into the shops."""
    document = {"kind": "Connector", "name": name, "title": {"zh": "接", "en": "C"}, "spec": {"dataset": "shops", **spec}}
    await declare(platform, json.dumps(document))


async def run(platform: Platform, name: str, **more: Any) -> Run:
    """Run a connector to its end."""
    id_ = await platform.records.write(lambda tx: platform.get(Runner).queue(tx, name, "person", **more))
    await platform.settle()
    return await found(platform, id_)


async def found(platform: Platform, id_: str) -> Run:
    """A run as it is now."""
    row = await platform.records.read(lambda session: store.whole(session, id_))
    assert row is not None
    return store.run_of(row)


async def held(platform: Platform, columns: str = '"编号", name', dataset: str = "shops") -> list[tuple[Any, ...]]:
    """The rows of a dataset."""
    info = await platform.get(Tables).ensure(dataset)
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    return await asyncio.to_thread(lake.rows, f"SELECT {columns} FROM {info.name} ORDER BY 1, _id")


def inbox(platform: Platform) -> Path:
    """The folder of files to be taken."""
    folder = platform.home / "inbox"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of the records; tests of what they keep ask for both."""
    return str(getattr(request, "param", "sqlite"))


@pytest_asyncio.fixture
async def town(settings: Settings, clock: ManualClock, engine: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """A town with a dataset of shops, which may reach servers on this machine."""
    monkeypatch.setenv("MUMIAN_COLLECTION_HOSTS", '["127.0.0.0/8"]')
    monkeypatch.setenv("MUMIAN_COLLECTION_ATTEMPTS", "2")
    monkeypatch.setenv("MUMIAN_COLLECTION_BATCH", "50")
    made = create_platform(settings.model_copy(update={"records": records_url(engine, "collection")}), clock)
    await made.start()
    await declare(made, DECLARED)
    await made.settle()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def admin(town: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client."""
    accounts = town.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("chief", {"zh": "管", "en": "Chief"}, "town", ("administrator",)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_asgi(town)), base_url="http://town", headers=headers, timeout=60
    ) as client:
        yield client


class Server:
    """A real HTTP server in this process; `answer(path, query, headers)` gives status, headers and body, `asked` is kept."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Answers as it is told."""

            def do_GET(self) -> None:
                url = httpx.URL(self.path)
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.asked.append((url.path, dict(url.params), headers))
                status, more, body = answer(url.path, dict(url.params), headers)
                self.send_response(status)
                for key, value in {"Content-Length": str(len(body)), **more}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    """Makes servers, and ends them."""
    made: list[Server] = []

    def make(answer: Answer) -> Server:
        made.append(Server(answer))
        return made[-1]

    yield make
    for each in made:
        each.close()
