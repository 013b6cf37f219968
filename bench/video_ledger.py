"""A ledger of 350,000 cameras: lists, filters, neighbourhoods and views over the API, p50 and p99."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvloop

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.video import store
from mumian.foundation.video.api import Video
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

CAMERAS, REQUESTS = 350_000, 300
_BASE = "/api/v1/foundation/video"


def run(data: Path | None) -> list[dict[str, Any]]:
    """One client, one request at a time, each of another place or page."""
    return uvloop.run(_measure())


async def _measure() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), records="sqlite", lake="local", objects="local", messages="outbox")
        platform = await asyncio.to_thread(create_platform, settings)
        await asyncio.to_thread(_fill, platform)
        client = await _client(platform)
        started = time.perf_counter()
        await client.get("/summary")
        loaded = time.perf_counter() - started
        figures = [await _figure(client, name, path, query) for name, path, query in _cases()]
        await client.aclose()
        for close in reversed(platform.closers):
            close()
        platform.records.close()
    size = f"{CAMERAS} cameras"
    return [{"name": "video-ledger-first", "value": loaded, "unit": "s", "size": f"{size}, read into memory"}, *figures]


def _fill(platform: Platform) -> None:
    rng = np.random.default_rng(1)
    places = rng.normal((113.3, 23.1), (0.15, 0.12), (CAMERAS, 2))
    video = platform.get(Video)
    now = platform.clock.now()
    for start in range(0, CAMERAS, 10_000):
        made = []
        for i in range(start, min(start + 10_000, CAMERAS)):
            given = {
                "title": {"zh": f"路口机位{i}", "en": f"Crossing {i}"},
                "address": f"rtsp://10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}/main",
                "longitude": float(places[i, 0]),
                "latitude": float(places[i, 1]),
                "heading": float(i % 360),
                "field_of_view": 60.0,
                "reach": 80.0,
                "groups": [f"district {i % 11}/street {i % 178}"],
                "tags": [f"pole {i % 5000}"],
                "uses": ["traffic" if i % 3 else "safety"],
            }
            made.append(video.cameras.made(None, f"44010{i % 9 + 1}00081326{i:06d}", given, now))
        platform.records.write_now(lambda tx, part=made: store.put_cameras(tx.session, part))  # type: ignore[misc]


async def _client(platform: Platform) -> httpx.AsyncClient:
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("bench", {"zh": "b", "en": "b"}, None, ("administrator",)))
    token = (await accounts.create_token(person.id, "bench", ["*"]))[1]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_asgi(platform)), base_url=f"http://bench{_BASE}", headers=headers
    )


def _cases() -> list[tuple[str, str, Any]]:
    rng = np.random.default_rng(2)

    def place() -> dict[str, Any]:
        longitude, latitude = rng.normal((113.3, 23.1), (0.1, 0.1))
        return {"longitude": round(float(longitude), 6), "latitude": round(float(latitude), 6)}

    return [
        ("list", "/cameras", lambda i: {"limit": 100}),
        ("filtered", "/cameras", lambda i: {"limit": 100, "group": f"district {i % 11}", "tag": f"pole {i % 5000}"}),
        ("near-500m", "/cameras/near", lambda i: {**place(), "metres": 500, "limit": 100}),
        ("seeing", "/cameras/seeing", lambda i: place()),
    ]


async def _figure(client: httpx.AsyncClient, name: str, path: str, query: Any) -> dict[str, Any]:
    latencies, cursor, items = [], None, 0
    for index in range(REQUESTS):
        asked = query(index) | ({"cursor": cursor} if cursor and name == "list" else {})
        start = time.perf_counter()
        answer = await client.get(path, params=asked)
        latencies.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
        found = answer.json()
        cursor, items = found["next"], items + len(found["items"])
    latencies.sort()
    return {
        "name": f"video-ledger-{name}",
        "value": 1000 * REQUESTS / sum(latencies),
        "unit": "requests/s",
        "size": f"{CAMERAS} cameras, {items / REQUESTS:.1f} in an answer",
        "p50_ms": latencies[REQUESTS // 2],
        "p99_ms": latencies[int(REQUESTS * 0.99)],
    }
