"""From an observation sent to its incident seen over the API, while five thousand other observations a second come in."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from mumian.app.platform import create_platform
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.declarations.documents import Document
from mumian.kernel.settings import Settings

PROBES = 200
BACKGROUND_STREAMS = 1000
BATCH = 500
PER_SECOND = 5000
PATIENCE_SECONDS = 30.0
_TEXT = {"zh": "基准", "en": "Benchmark"}
_STA = "/sta/v1.1/CreateObservations"


def run(data: Path | None) -> list[dict[str, Any]]:
    """A city in a process of its own with durable commits; both kinds of streams have vitals, the probes' also a warning."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        token, probes, background = _prepare(home)
        latencies, sent, seconds = asyncio.run(_measure(home, token, probes, background))
    latencies.sort()
    return [
        {
            "name": "loop",
            "value": latencies[int(len(latencies) * 0.99)] * 1000,
            "unit": "ms (p99)",
            "size": f"{len(latencies)} incidents, {PER_SECOND} observations/s wanted beside them over {len(background)} streams",
            "p50_ms": latencies[len(latencies) // 2] * 1000,
            "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
            "background_per_second": sent / seconds,
        }
    ]


def _prepare(home: Path) -> tuple[str, list[int], list[int]]:
    """Declare the streams, the vitals, the warning and who handles it; returns a token and the ids of the streams."""
    platform = create_platform(Settings(home=home, records="sqlite", lake="local", objects="local", messages="outbox"))
    platform.declarations.apply_now(list(_documents()), "bench")
    accounts = platform.get(Identity).accounts
    person, _ = accounts.create_person_now(PersonDraft("bench", _TEXT, "bench", ("administrator",)))
    _, token = accounts.create_token_now(person.id, "bench", ["*"])
    streams = platform.get(Sensing).streams()
    for close in reversed(platform.closers):
        close()
    platform.records.close()
    ids = {kind: [s.id for s in streams if s.observed_property == kind] for kind in ("probe", "load")}
    return token, ids["probe"], ids["load"]


def _documents() -> list[Document]:
    def document(kind: str, name: str, **spec: Any) -> Document:
        return Document(kind, name, _TEXT, spec)

    def stream(kind: str, index: int) -> Document:
        place = {"thing": f"{kind}-{index}", "longitude": 0.0, "latitude": 0.0, "sensor": "bench"}
        return document("Stream", f"{kind}-{index}", **place, observed_property=kind, unit="1", frequency_seconds=60)

    def vital(kind: str) -> Document:
        window = {"observed_property": kind, "hours": 1, "aggregate": "max", "minimum_share": 0.0}
        return document("Vital", kind, theme="bench", unit="1", owner="bench", frequency_seconds=60, source={"window": window})

    line = {"level": "blue", "enter": 100, "leave": 90}
    return [
        document("Organisation", "bench", level="city"),
        *(stream("probe", index) for index in range(PROBES)),
        *(stream("load", index) for index in range(BACKGROUND_STREAMS)),
        vital("probe"),
        vital("load"),
        document("Warning", "probe", vital="probe", levels=[line], message={"zh": "{label}", "en": "{label}"}),
        document("IncidentType", "probe", category="bench", opened_by=["probe"]),
        document("DispatchRule", "probe", incident_types=["probe"], city_level=True, organisation="bench"),
    ]


async def _measure(home: Path, token: str, probes: list[int], background: list[int]) -> tuple[list[float], int, float]:
    async with _serving(home) as address:
        limits = httpx.Limits(max_connections=20)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=PATIENCE_SECONDS) as client:
            counter = [0]
            load = asyncio.create_task(_load(client, background, counter))
            opened: asyncio.Queue[str] = asyncio.Queue()
            ready = asyncio.Event()
            listener = asyncio.create_task(_listen(client, opened, ready))
            await ready.wait()
            await asyncio.sleep(2.0)
            counter[0], start = 0, time.perf_counter()
            latencies = [await _probe(client, stream, opened) for stream in probes]
            seconds, sent = time.perf_counter() - start, counter[0]
            listener.cancel()
            load.cancel()
            with suppress(asyncio.CancelledError):
                await load
    return latencies, sent, seconds


async def _load(client: httpx.AsyncClient, streams: list[int], counter: list[int]) -> None:
    """Send batches at a steady pace; a slow answer does not slow the others."""
    sending: list[asyncio.Task[None]] = []
    start, number = time.perf_counter(), 0
    try:
        while True:
            chosen = [streams[(number * BATCH + i) % len(streams)] for i in range(BATCH)]
            sending.append(asyncio.create_task(_send(client, chosen, float(number % 50), counter)))
            number += 1
            await asyncio.sleep(max(0.0, start + number * BATCH / PER_SECOND - time.perf_counter()))
    finally:
        await asyncio.gather(*sending)


async def _send(client: httpx.AsyncClient, streams: list[int], result: float, counter: list[int]) -> None:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    answer = await client.post(_STA, json=[_entry(stream, now, result) for stream in streams])
    answer.raise_for_status()
    counter[0] += len(streams)


async def _probe(client: httpx.AsyncClient, stream: int, opened: "asyncio.Queue[str]") -> float:
    """Send one observation over the line at the last full minute; wait until its incident can be read."""
    minute = datetime.now(UTC).replace(second=0, microsecond=0).isoformat().replace("+00:00", "Z")
    start = time.perf_counter()
    answer = await client.post(_STA, json=[_entry(stream, minute, 200.0)])
    answer.raise_for_status()
    number = await asyncio.wait_for(opened.get(), PATIENCE_SECONDS)
    seen = await client.get(f"/api/v1/brain/incidents/{number}")
    seen.raise_for_status()
    seconds = time.perf_counter() - start
    await asyncio.sleep(0.05)
    return seconds


async def _listen(client: httpx.AsyncClient, opened: "asyncio.Queue[str]", ready: asyncio.Event) -> None:
    async with client.stream("GET", "/api/v1/events?types=brain.incidents.opened", timeout=None) as events:
        events.raise_for_status()
        ready.set()
        async for line in events.aiter_lines():
            if line.startswith("data:"):
                opened.put_nowait(json.loads(line.removeprefix("data:"))["subject"])


def _entry(stream: int, time_: str, result: float) -> dict[str, Any]:
    rows = [[time_, result]]
    return {"Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"], "dataArray": rows}


@asynccontextmanager
async def _serving(home: Path) -> AsyncIterator[str]:
    """A city served by a process of its own on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MUMIAN_")} | {"MUMIAN_HOME": str(home)}
    command = [sys.executable, "-c", "from mumian.cli import main; main()", "up", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)
    try:
        await _until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


async def _until_ready(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(base_url=address) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if (await client.get("/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError("the city did not start")
