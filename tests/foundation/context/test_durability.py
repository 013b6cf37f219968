"""Durability: what was acknowledged outlives a killed process, and whoever changes it behind our back is found out."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

import httpx

from mumian.foundation.ledger.api import Ledger
from mumian.kernel.platform import Platform
from tests.foundation.context.conftest import ROOT, vehicle

REPOSITORY = Path(__file__).resolve().parents[3]


def faults_of(platform: Platform) -> list[str]:
    """The faults of entities that a verification finds."""
    report = platform.get(Ledger).verify_now()
    return [fault.table for fault in report.faults if fault.table == "context_entity"]


async def test_an_entity_changed_behind_our_back_is_found_out(http: httpx.AsyncClient) -> None:
    platform: Platform = http.platform  # type: ignore[attr-defined]
    await http.post(f"{ROOT}/entityOperations/create", json=[vehicle(1), vehicle(2), vehicle(3)])
    await http.patch(f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A1/attrs", json={"speed": {"value": 1}})
    await http.delete(f"{ROOT}/entities/urn:ngsi-ld:Vehicle:A2")
    assert await asyncio.to_thread(faults_of, platform) == []

    def tamper(sql: str) -> None:
        with sqlite3.connect(platform.home / "records" / "city.sqlite") as connection:
            connection.execute(sql)
        connection.close()

    await asyncio.to_thread(tamper, "UPDATE context_entity SET body = replace(body, 'Kia', 'BMW') WHERE id LIKE '%A1'")
    assert await asyncio.to_thread(faults_of, platform) == ["context_entity"]
    await asyncio.to_thread(tamper, "DELETE FROM context_entity WHERE id LIKE '%A3'")
    assert await asyncio.to_thread(faults_of, platform) == ["context_entity"] * 2


async def test_what_was_acknowledged_outlives_a_killed_process(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}:{os.environ.get('PYTHONPATH', '')}"}

    async def serve() -> tuple[asyncio.subprocess.Process, str, str]:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.ngsi_ld", "serve", str(tmp_path),
            stdout=asyncio.subprocess.PIPE, env=environment, cwd=REPOSITORY,
        )  # fmt: skip
        assert child.stdout is not None
        address, token = json.loads(await asyncio.wait_for(child.stdout.readline(), 60))
        return child, address, token

    child, address, token = await serve()
    acknowledged: set[str] = set()

    async def write(client: httpx.AsyncClient, series: int) -> None:
        for number in range(1000):
            body = vehicle(series * 1000 + number)
            try:
                answer = await client.post(f"{ROOT}/entities", json=body)
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                acknowledged.add(str(body["id"]))
            if len(acknowledged) == 100:
                os.kill(child.pid, signal.SIGKILL)

    async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        await asyncio.gather(*(write(client, series) for series in range(8)))
    await child.wait()
    with sqlite3.connect(tmp_path / "records" / "city.sqlite") as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM context_entity")}
    connection.close()
    assert len(acknowledged) >= 100
    assert acknowledged <= kept
