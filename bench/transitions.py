"""Incident state changes per second, each with its history row, outbox event and ledger entry in one durable commit."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from mumian.app.platform import create_platform
from mumian.brain.incidents.api import Incident, Incidents, Report, Step
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Transaction

UNDER_WAY = 32
CHANGES = 20_000
_TITLE = {"zh": "基准", "en": "Benchmark"}


def run(data: Path | None) -> list[dict[str, Any]]:
    """1 and 8 writers on a new city with durable commits: each waiting for every change, and each keeping 32 under way."""
    cases = [(1, 1, CHANGES // 5), (8, 1, CHANGES // 2), (1, UNDER_WAY, CHANGES), (8, UNDER_WAY, CHANGES)]
    return [uvloop.run(_measure(*case)) for case in cases]


async def _measure(writers: int, under_way: int, changes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(
            home=Path(home), records="sqlite", lake="local", objects="local", messages="outbox", synchronous="full"
        )
        platform = create_platform(settings)
        incidents = [await platform.records.write(lambda tx: _prepared(platform, tx)) for _ in range(writers * under_way)]
        each = changes // len(incidents)
        start = time.perf_counter()
        taken = await asyncio.gather(*(_change(platform, incident, each) for incident in incidents))
        seconds = time.perf_counter() - start
        _check(platform, len(incidents), each)
        for close in reversed(platform.closers):
            close()
        platform.records.close()
    latencies = sorted(latency for some in taken for latency in some)
    return {
        "name": f"transitions-{writers}x{under_way}",
        "value": len(latencies) / seconds,
        "unit": "changes/s",
        "size": f"{len(latencies)} changes, {writers} writer(s) with {under_way} under way each",
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
    }


def _prepared(platform: Platform, tx: Transaction) -> Incident:
    incidents = platform.get(Incidents)
    incident = incidents.open(tx, Report(type="benchmark", title=_TITLE, severity="minor"))
    for step in (
        Step("file", tx.now_text, "bench"),
        Step("dispatch", tx.now_text, "bench", organisation="bench"),
        Step("take", tx.now_text, "bench", assignee="bench"),
    ):
        incident = incidents.act(tx, incident, step)
    return incident


async def _change(platform: Platform, incident: Incident, count: int) -> list[float]:
    """Resolve and return an incident in turn, reading it anew and naming the version seen, as the API does."""
    incidents, version, latencies = platform.get(Incidents), incident.version, []
    for index in range(count):
        action = "return" if index % 2 else "resolve"

        def work(tx: Transaction, action: str = action, version: int = version) -> Incident:
            present = incidents.find(tx.session, incident.number)
            return incidents.act(tx, present, Step(action, tx.now_text, tx.actor.id), expected=version)

        start = time.perf_counter()
        version = (await platform.records.write(work)).version
        latencies.append(time.perf_counter() - start)
    return latencies


def _check(platform: Platform, incidents: int, each: int) -> None:
    """Every change must have left its row, its event and its entry."""
    expected = incidents * (each + 4)
    for table in ("incidents_history", "kernel_outbox", "ledger_entry"):
        sql = f"SELECT COUNT(*) FROM {table}"
        found = platform.records.read_now(lambda session, sql=sql: session.value(sql))  # type: ignore[misc]
        if found != expected:
            raise RuntimeError(f"{table} holds {found} rows instead of {expected}")
