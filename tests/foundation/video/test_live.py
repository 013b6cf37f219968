"""Live streams over RTSP, played by FFmpeg's own client: credentials, breaks and returns, counting, health."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.foundation.sensing.api import Sensing, microseconds
from mumian.foundation.video.api import Video, stream_name
from mumian.foundation.video.contracts import Health
from mumian.foundation.video.service import health
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import MumianError
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.video.conftest import TOWN, code, events, rows, signed_in
from tests.foundation.video.scenes import Image, play, vehicle
from tests.foundation.video.streaming import RtspCamera, encoded, rtsp

INTRUSION = f"""
kind: AnalyticTask
name: yard
title: {{zh: 闯入, en: Intrusion}}
spec:
  algorithm: intrusion
  cameras: ["{code(1)}"]
  zones: [{{name: yard, polygon: [[0.05, 0.3], [0.95, 0.3], [0.95, 0.95], [0.05, 0.95]]}}]
  observe: {{interval_seconds: 1}}
"""


def passing(picture: Image, time: float) -> None:
    """A car that comes after two seconds and goes."""
    vehicle(picture, -30 + 80 * (time - 2), 120)


@pytest_asyncio.fixture
async def live(settings: Settings) -> AsyncIterator[Platform]:
    """A town on the machine's own clock."""
    made = create_platform(settings)
    await made.declarations.apply(read_text(TOWN.encode()), "town")
    await made.start()
    yield made
    await made.stop()


async def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.1)


async def register(platform: Platform, port: int, credentials: str = "", **given: object) -> None:
    """Camera 1 at a port."""
    fields = {"title": {"zh": "机位", "en": "Camera"}, "address": f"rtsp://{credentials}127.0.0.1:{port}/main", "owner": "roads"}
    cameras = platform.get(Video).cameras
    await platform.records.write(lambda tx: cameras.create(tx, code(1), fields | given))


async def test_a_live_stream_is_watched_again_after_it_broke_and_returned(live: Platform) -> None:
    camera = RtspCamera(encoded(play(8, passing)), speed=2.0)
    async with rtsp(camera) as port:
        await register(live, port)
        await live.declarations.apply(read_text(INTRUSION.encode()), "tasks")
        await until(lambda: len(events(live, "video.detection.made")) >= 1)
        served = camera.served
        camera.break_off()
        await until(lambda: camera.served > served)
        before = len(events(live, "video.detection.made"))
        await until(lambda: len(events(live, "video.detection.made")) > before)
    sensing = live.get(Sensing)
    stream = sensing.stream(stream_name("yard", code(1), "yard"))
    now = microseconds(live.clock.now())
    found = await asyncio.to_thread(sensing.window, [stream.id], now - 120_000_000, now)
    assert len(found) > 0
    ids = [event["subject"] for event in events(live, "video.detection.made")]
    assert len(ids) == len(set(ids))
    await until(lambda: rows(live, "SELECT state FROM video_health") == [{"state": "online"}])


async def test_credentials_reach_the_camera_and_nothing_else(live: Platform, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    camera = RtspCamera(encoded(play(3, passing)), "root:s3cret-Pass")
    async with rtsp(camera) as port:
        await register(live, port, "root:s3cret-Pass@", uses=["traffic"])
        async with await signed_in(live, "admin2", "administrator", "town") as client:
            shot = await client.post(f"/cameras/{code(1)}/snapshot", json={"purpose": "traffic"})
            shown = (await client.get(f"/cameras/{code(1)}")).json()
        assert (shot.status_code, shot.content[:2]) == (200, b"\xff\xd8")
        assert camera.served == 1
        assert shown["address"] == f"rtsp://127.0.0.1:{port}/main"
    tables = ("video_camera", "kernel_outbox", "ledger_entry")
    kept = "".join(str(rows(live, f"SELECT * FROM {table}")) for table in tables)
    assert "s3cret" not in kept + caplog.text


async def test_a_camera_that_is_away_is_offline_only_after_three_looks_and_back_after_two(live: Platform) -> None:
    probe = live.get(Video).health.probe
    camera = RtspCamera(encoded(play(2, passing)), speed=4.0)
    async with rtsp(camera) as port:
        await register(live, port, monitored=False)
        await probe([code(1)])
        assert await state(live) == "online"
    for expected in ("online", "online", "offline"):
        await probe([code(1)])
        assert await state(live) == expected
    async with rtsp(camera, port):
        for expected in ("offline", "online"):
            await probe([code(1)])
            assert await state(live) == expected
    assert [(e["before"], e["state"]) for e in events(live, "video.camera.health")] == [
        ("unknown", "online"),
        ("online", "offline"),
        ("offline", "online"),
    ]


async def state(platform: Platform) -> str:
    """The settled health of camera 1."""
    found: Health = await platform.records.read(lambda session: health.of(session, code(1), ""))
    return found.state


async def test_a_snapshot_of_a_camera_that_is_away_says_so_and_leaves_no_look(live: Platform) -> None:
    await register(live, 9, uses=["traffic"], monitored=False)
    async with await signed_in(live, "admin3", "administrator", "town") as client:
        answer = await client.post(f"/cameras/{code(1)}/snapshot", json={"purpose": "traffic"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "video.source") or answer.status_code == 503
    assert events(live, "video.picture.looked") == []


def test_the_error_of_a_missing_library_names_the_command() -> None:
    from mumian.foundation.video.errors import VideoMissing

    error: MumianError = VideoMissing(command="pip install 'mumian[video]'")
    assert "pip install" in str(error)
