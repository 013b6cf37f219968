"""The demo live: served over HTTP on a replayed clock, resumed where it was left, never sent back in time."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from mumian.app.platform import offline
from mumian.app.server import serving
from mumian.demo.api import city_folder
from mumian.demo.contracts import DemoOptions
from mumian.demo.errors import BadReplay
from mumian.demo.live import works
from mumian.demo.opening import Opened, open_city
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.storage.contracts import Lake

FAST = 90_000.0
PATIENCE_SECONDS = 90


async def _until_closed(http: httpx.AsyncClient) -> dict[str, Any]:
    for _ in range(PATIENCE_SECONDS * 5):
        await asyncio.sleep(0.2)
        groups = (await http.get("/api/v1/mechanism/evaluation", params={"by": "organisation"})).json()["items"]
        closed = [group for group in groups if group["closed"]]
        if closed:
            return dict(closed[0])
    raise AssertionError("no incident was closed")


async def _live(opened: Opened) -> dict[str, Any]:
    async with serving(opened.platform, "127.0.0.1", 0) as address, httpx.AsyncClient(base_url=address, timeout=30) as http:
        tasks = [asyncio.create_task(work) for work in await works(opened, http)]
        try:
            return await _until_closed(http)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _gaps() -> list[float]:
    """The pauses between the hours of the first stream that are not an hour long."""
    with offline(ports=True) as platform:
        stream = platform.get(Sensing).stream("air.city-station.pm25").id
        lake = platform.get(Lake)  # type: ignore[type-abstract]
        times = sorted(t for (t,) in lake.rows("SELECT DISTINCT time FROM observation WHERE stream = $stream", stream=stream))
    assert len(times) > 24
    return [(b - a) / 3.6e9 for a, b in pairwise(times) if b - a != 3_600_000_000]


async def test_a_day_after_the_first_warning_an_incident_is_closed_and_a_restart_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUMIAN_HOME", str(tmp_path / "home"))
    opened = await asyncio.to_thread(open_city, DemoOptions(speed=FAST), city_folder())
    closed = await _live(opened)
    assert closed["key"].endswith("ecology")
    again = await asyncio.to_thread(open_city, DemoOptions(speed=FAST), city_folder())
    assert again.start > opened.start
    await _live(again)
    assert await _gaps() == []
    with pytest.raises(BadReplay) as refused:
        await asyncio.to_thread(open_city, DemoOptions(from_="2014-01-01"), city_folder())
    assert refused.value.faults[0].key == "demo.resume"
