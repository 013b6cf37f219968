"""A small city with pools and types of job, whose scripts lie beside the declarations, on every engine of the records."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from mumian.app.platform import create_platform
from mumian.foundation.compute import endpoints
from mumian.foundation.compute.api import Compute, Job
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems
from tests.foundation.engines import ENGINES, records_url

BASE = "/api/v1/foundation/compute"
DECLARED = """
{kind: Organisation, name: city, title: {zh: 市, en: City}, spec: {level: city}}
---
{kind: Organisation, name: science, title: {zh: 科技局, en: Science}, spec: {level: department, parent: city}}
---
{kind: Organisation, name: health, title: {zh: 卫健委, en: Health}, spec: {level: department, parent: city}}
---
{kind: Role, name: analyst, title: {zh: 分析员, en: Analyst}, spec: {actions: ["job:*"], reach: own}}
---
{kind: Role, name: agent, title: {zh: 算力节点, en: Agent}, spec: {actions: ["pool:*"], reach: own}}
---
{kind: ComputePool, name: here, title: {zh: 本机, en: Here}, spec: {owner: city, cores: 2, memory: 4, grades: [general, important], runner: local}}
---
{kind: ComputePool, name: centre, title: {zh: 智算中心, en: Centre}, spec: {owner: science, cores: 100, memory: 400, gpus: {A: 8}, core_hour: 1, grades: [general]}}
---
{kind: JobType, name: double, title: {zh: 加倍, en: Double}, spec: {script: double.py, parameters: {number: {type: number, required: true}}}}
---
{kind: JobType, name: script, title: {zh: 脚本, en: Script}, spec: {script: given.py, grade: important}}
---
{kind: JobType, name: persistent, title: {zh: 再试, en: Persistent}, spec: {script: given.py, grade: important, attempts: 2}}
---
{kind: JobType, name: shell, title: {zh: 命令, en: Shell}, spec: {script: tool.sh, grade: important}}
---
{kind: JobType, name: called, title: {zh: 函数, en: Called}, spec: {entry: "json:dumps", grade: important, parameters: {word: {type: text}}}}
---
{kind: JobType, name: large, title: {zh: 大, en: Large}, spec: {script: given.py, most_cores: 1000, most_memory: 1000, most_gpus: 8}}
"""  # noqa: E501 - a declaration a line
DOUBLE = """
import json, sys
from pathlib import Path
number = json.loads(Path("parameters.json").read_text())["number"]
Path("out/answer.json").write_text(json.dumps({"answer": 2 * number}))
print("doubled")
"""


class City:
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
    def compute(self) -> Compute:
        return self.platform.get(Compute)

    async def person(self, role: str, organisation: str | None = None) -> httpx.AsyncClient:
        """A client of a new person with that role."""
        accounts = self.platform.get(Identity).accounts
        draft = PersonDraft(f"p-{new_id().lower()}", {"zh": "人", "en": "Person"}, organisation, (role,))
        person, _ = await accounts.create_person(draft)
        _, secret = await accounts.create_token(person.id, "test", ["*"])
        headers = {"Accept-Language": "en", "Authorization": f"Bearer {secret}"}
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self.clients.append(httpx.AsyncClient(transport=transport, base_url=f"http://city{BASE}", headers=headers))
        return self.clients[-1]

    def job(self, id_: str) -> Job:
        """A job as it is kept."""
        return self.platform.records.read_now(lambda session: self.compute.job(session, id_))

    async def ended(self, id_: str) -> Job:
        """A job once it has ended."""
        while (job := self.job(id_)).state not in ("done", "failed", "cancelled"):
            await self.platform.settle()
            await asyncio.sleep(0.02)
        return job

    def output(self, job: Job, name: str) -> bytes:
        """One of a job's files."""
        number = next(file["number"] for file in job.result["files"] if file["name"] == name)
        return self.compute.output(job, number)


async def open_city(folder: Path, clock: ManualClock, url: str, given: str = "") -> City:
    """Build and start the city, anew or again on the same home; `given` is the script of the types that name `given.py`."""
    settings = Settings(home=folder / "home", records=url, lake="local", objects="local", messages="outbox", synchronous="normal")
    platform = create_platform(settings, clock)
    if platform.declarations.revision == 0:
        (folder / "double.py").write_text(DOUBLE, "utf-8")
        (folder / "given.py").write_text(given, "utf-8")
        (folder / "tool.sh").write_text("#!/bin/sh\necho $0 | wc -l > out/lines\n", "utf-8")
        platform.declarations.apply_now(read_text(DECLARED.encode(), "compute.yaml", folder), "test")
    await platform.start()
    await platform.settle()
    return City(platform, clock)


@pytest_asyncio.fixture(params=ENGINES)
async def made(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[City]:
    """The city on every engine."""
    city = await open_city(tmp_path, clock, records_url(request.param, "compute_test"))
    yield city
    for client in city.clients:
        await client.aclose()
    await city.platform.stop()


async def submit(client: httpx.AsyncClient, type_: str, **fields: Any) -> dict[str, Any]:
    """A job handed in."""
    body = {"type": type_, "organisation": "city", "memory": 0.5, "hours": 0.02, **fields}
    answer = await client.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told
