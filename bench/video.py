"""Streams of 640×360 at 5 fps that two workers analyse in real time: decoding, analysis, observations, all of it."""

import asyncio
import resource
import tempfile
import time
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from mumian.app.platform import create_platform
from mumian.foundation.video.api import Video, VideoSettings
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

STREAMS, SECONDS, WIDTH, HEIGHT = 8, 60, 640, 360
_TASK = """
kind: AnalyticTask
name: watch-{name}
title: {{zh: 基准, en: Benchmark}}
spec:
  algorithm: {algorithm}
  fps: 5
  groups: [bench]
  {place}
"""
_LINE = "lines: [{name: line, points: [[0.5, 0.1], [0.5, 0.9]]}]"
_ZONE = "zones: [{name: zone, polygon: [[0.1, 0.3], [0.9, 0.3], [0.9, 0.9], [0.1, 0.9]]}]"
CASES = {
    "three-tasks-5fps": (5, {"line_count": _LINE, "stay": _ZONE, "tamper": ""}),
    "count-5fps": (5, {"line_count": _LINE}),
    "count-25fps": (25, {"line_count": _LINE}),
    "three-tasks-25fps": (25, {"line_count": _LINE, "stay": _ZONE, "tamper": ""}),
}


def run(data: Path | None) -> list[dict[str, Any]]:
    """8 files of a minute each, watched once as fast as it goes; cameras deliver 5 or 25 fps, of which 5 are looked at."""
    return [uvloop.run(_measure(name, rate, tasks)) for name, (rate, tasks) in CASES.items()]


async def _measure(name: str, rate: int, tasks: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), records="sqlite", lake="local", objects="local", messages="outbox")
        platform = create_platform(settings, ManualClock(datetime(2026, 11, 21, tzinfo=UTC)))
        (platform.home / "video").mkdir()
        await asyncio.to_thread(_draw, platform.home / "video" / "scene.mp4", rate)
        await platform.start()
        await _prepare(platform, tasks)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        await platform.get(Video).analysis.settle()
        elapsed = time.perf_counter() - start
        finished = platform.records.read_now(
            lambda session: session.value("SELECT COUNT(*) FROM video_run WHERE state = 'finished'")
        )
        await platform.stop()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if finished != STREAMS * len(tasks):
        raise RuntimeError(f"{finished} runs finished instead of {STREAMS * len(tasks)}")
    burnt = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "name": f"video-{name}",
        "value": STREAMS * SECONDS / elapsed,
        "unit": "streams in real time",
        "size": f"{STREAMS} × {SECONDS} s of {WIDTH}×{HEIGHT} H.264 at {rate} fps, {len(tasks)} task(s) at 5 fps, "
        f"{VideoSettings().workers} workers",
        "cpu_seconds_per_stream_second": round(burnt / (STREAMS * SECONDS), 4),
        "streams_two_cores_carry": round(2 * STREAMS * SECONDS / burnt, 1),
    }


async def _prepare(platform: Platform, tasks: dict[str, str]) -> None:
    cameras = platform.get(Video).cameras
    title = {"zh": "基准", "en": "Benchmark"}
    given = {"title": title, "address": "file:scene.mp4", "groups": ["bench"], "recorded_from": "2026-11-20T00:00:00Z"}
    for serial in range(STREAMS):
        await platform.records.write(lambda tx, code=f"44010600081326{serial:06d}": cameras.create(tx, code, given))  # type: ignore[misc]
    text = "---".join(
        _TASK.format(name=algorithm.replace("_", "-"), algorithm=algorithm, place=place) for algorithm, place in tasks.items()
    )
    await platform.declarations.apply(read_text(text.encode()), "bench")


def _draw(path: Path, rate: int) -> None:
    """A street with noise and three cars under way."""
    import av

    rng = np.random.default_rng(1)
    street = rng.normal(110, 12, (HEIGHT, WIDTH, 3))
    grain = [rng.normal(0, 3, (HEIGHT, WIDTH, 3)) for _ in range(5)]
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23"}
        for index in range(rate * SECONDS):
            picture = street + grain[index % 5]
            for lane, speed in ((90, 130), (190, -160), (280, 200)):
                left = int(speed * index / rate) % (WIDTH + 100) - 100
                picture[lane : lane + 50, max(0, left) : max(0, left + 90)] = (40, 60, 40 + lane // 2)
            frame = av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="bgr24")
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
