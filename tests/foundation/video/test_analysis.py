"""Tasks watch files in worker processes: detections with evidence, candidates, observations, each once, whatever breaks."""

import asyncio
import os
import shutil
import signal
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.storage.contracts import Objects
from mumian.foundation.video.api import Video, stream_name
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.foundation.video.conftest import Add, code, events, rows
from tests.foundation.video.scenes import Image, play, vehicle, write

PARKING = """
kind: AnalyticTask
name: parking
title: {{zh: 违停, en: Illegal parking}}
spec:
  algorithm: stay
  cameras: ["{camera}"]
  zones: [{{name: bay, polygon: [[0.05, 0.3], [0.45, 0.3], [0.45, 0.95], [0.05, 0.95]]}}]
  seconds: 5
  observe: {{interval_seconds: 5}}
  candidate: {{incident_type: parked, severity: moderate}}
"""
COUNTING = """
kind: AnalyticTask
name: counting
title: {{zh: 计数, en: Counting}}
spec:
  algorithm: line_count
  cameras: ["{camera}"]
  lines: [{{name: middle, points: [[0.5, 0.1], [0.5, 1.0]]}}]
  observe: {{interval_seconds: 10}}
"""
BEGIN = 1388530800 * 1_000_000  # 2013-12-31T23:00:00Z


def parked(picture: Image, time: float) -> None:
    """A car parks at second 4, others pass."""
    vehicle(picture, min(90.0, -30 + 60 * (time - 2)), 120)
    vehicle(picture, 350 - 90 * (time - 6), 70, (200, 60, 30))


async def declare(platform: Platform, text: str, **values: Any) -> None:
    """Apply a task."""
    await platform.declarations.apply(read_text(text.format(camera=code(1), **values).encode()), "town")


def runs(platform: Platform) -> list[tuple[str, str, str]]:
    """How the tasks stand: task, state, detail."""
    return [(row["task"], row["state"], row["detail"]) for row in rows(platform, "SELECT * FROM video_run ORDER BY task")]


async def test_a_parked_car_becomes_a_detection_with_evidence_a_candidate_and_observations(
    town: Platform, add: Add, files: Path
) -> None:
    write(files / "scene.mp4", play(20, parked))
    await add(longitude=113.3, latitude=23.1, uses=["traffic"])
    await declare(town, PARKING)
    await town.settle()
    assert runs(town) == [("parking", "finished", "")]
    [made] = events(town, "video.detection.made")
    [candidate] = events(town, "video.candidate.raised")
    assert (made["task"], made["camera"], made["place"]) == ("parking", code(1), "bay")
    assert "2013-12-31T23:00:09" <= made["time"] <= "2013-12-31T23:00:12"
    assert candidate["incident_type"] == "parked"
    assert candidate["subject"] == made["subject"]
    assert candidate["evidence"]["sha256"] == made["sha256"]
    assert (candidate["longitude"], candidate["matter"]) == (113.3, f"parking/{code(1)}/bay")
    picture = town.get(Objects).get(made["picture"])  # type: ignore[type-abstract]
    assert sha256(picture).hexdigest() == made["sha256"]
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)
    sensing = town.get(Sensing)
    seen = sensing.window([sensing.stream(stream_name("parking", code(1), "alarms")).id], BEGIN, BEGIN + 60_000_000)
    assert seen.results.tolist() == [0, 1, 0, 0]


async def test_counts_become_observations_of_whole_intervals(town: Platform, add: Add, files: Path) -> None:
    def draw(picture: Image, time: float) -> None:
        for start in (2.0, 6.0, 13.0):
            vehicle(picture, -30 + 90 * (time - start), 120)

    write(files / "scene.mp4", play(20, draw, fps=12.5), fps=12.5)
    await add()
    await declare(town, COUNTING)
    await town.settle()
    sensing = town.get(Sensing)
    stream = sensing.stream(stream_name("counting", code(1), "middle.out"))
    found = sensing.window([stream.id], BEGIN, BEGIN + 60_000_000)
    assert found.results.tolist() == [2, 1]
    assert ((found.times - BEGIN) // 1_000_000).tolist() == [0, 10]
    assert (stream.observed_property, stream.owner) == ("count", "roads")


async def test_a_file_watched_again_gives_nothing_twice(town: Platform, add: Add, files: Path) -> None:
    write(files / "scene.mp4", play(20, parked))
    await add()
    await declare(town, PARKING)
    await town.settle()
    before = rows(town, "SELECT id, sha256 FROM video_detection")
    await town.records.write(lambda tx: tx.session.execute("DELETE FROM video_run"))
    town.get(Video).analysis._told.clear()
    await town.settle()
    assert runs(town) == [("parking", "finished", "")]
    assert rows(town, "SELECT id, sha256 FROM video_detection") == before
    assert len(events(town, "video.candidate.raised")) == 1
    assert len(before) == 1


async def test_a_killed_worker_is_started_again_and_loses_and_doubles_nothing(town: Platform, add: Add, files: Path) -> None:
    write(files / "scene.mp4", play(300, lambda picture, time: parked(picture, time % 30)))
    await add()
    await declare(town, PARKING)
    analysis = town.get(Video).analysis
    killed = 0
    while await analysis.round(live=False):
        [worker] = analysis.workers
        if worker.pid is not None and killed < 2 and rows(town, "SELECT id FROM video_detection"):
            os.kill(worker.pid, signal.SIGKILL)
            killed += 1
        await asyncio.sleep(0.02)
    assert killed >= 1
    assert analysis.workers[0].starts == killed + 1
    times = [row["time"] for row in rows(town, "SELECT time FROM video_detection ORDER BY time")]
    assert len(times) == len(set(times)) == 10
    assert len(events(town, "video.candidate.raised")) == 10


@pytest.mark.parametrize("content", [b"", b"\x00" * 5000, b"#EXTM3U\nfile:///etc/passwd\n"])
async def test_a_file_that_is_no_video_fails_with_its_reason_and_harms_nothing(
    town: Platform, add: Add, files: Path, content: bytes
) -> None:
    (files / "scene.mp4").write_bytes(content)
    await add()
    await declare(town, PARKING)
    await town.settle()
    assert runs(town) == [("parking", "failed", "unreadable")]
    assert events(town, "video.detection.made") == []


async def test_of_a_torn_file_what_can_be_read_is_watched(town: Platform, add: Add, files: Path) -> None:
    whole = write(files / "whole.mkv", play(30, parked))
    (files / "scene.mkv").write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.7)])
    await add(file="scene.mkv")
    await declare(town, PARKING)
    await town.settle()
    assert len(events(town, "video.detection.made")) == 1


async def test_a_file_that_comes_later_or_is_replaced_is_watched_then(town: Platform, add: Add, files: Path) -> None:
    await add()
    await declare(town, PARKING)
    await town.settle()
    assert runs(town) == [("parking", "failed", "unreachable")]
    write(files / "new.mp4", play(20, parked))
    shutil.move(files / "new.mp4", files / "scene.mp4")
    await town.settle()
    assert runs(town) == [("parking", "finished", "")]
    assert len(events(town, "video.detection.made")) == 1


async def test_odd_sizes_and_a_variable_frame_rate_are_watched(town: Platform, add: Add, files: Path) -> None:
    def uneven() -> Any:
        for index, (picture, time) in enumerate(play(24, parked, fps=10)):
            if index % 7 in (0, 1, 3) or 80 < index < 100:
                yield picture[:177, :319], time

    write(files / "scene.mkv", uneven(), codec="ffv1", options={})
    await add(file="scene.mkv")
    await declare(town, PARKING)
    await town.settle()
    [made] = events(town, "video.detection.made")
    assert "2013-12-31T23:00:09" <= made["time"] <= "2013-12-31T23:00:12"


async def test_evidence_is_masked_before_it_is_stored(town: Platform, add: Add, files: Path) -> None:
    write(files / "scene.mp4", play(20, parked))
    await add(masks=[{"name": "window", "polygon": [[0, 0], [1, 0], [1, 0.2], [0, 0.2]], "mode": "black"}])
    await declare(town, PARKING)
    await town.settle()
    [made] = events(town, "video.detection.made")
    picture = cv2.imdecode(np.frombuffer(town.get(Objects).get(made["picture"]), np.uint8), cv2.IMREAD_COLOR)  # type: ignore[type-abstract]
    assert made["masked"] is True
    assert picture[:30].max() < 20
    assert picture[60:].mean() > 60


async def test_a_camera_that_is_not_in_the_ledger_is_named(town: Platform) -> None:
    await declare(town, PARKING)
    await town.settle()
    assert runs(town) == [("parking", "failed", "no camera")]


@pytest.mark.parametrize(
    ("polygon", "key"),
    [
        ("[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]", "video.polygon.crossing"),
        ("[[0.1, 0.1], [1.5, 0.1], [0.5, 0.9]]", "video.polygon.outside"),
        ("[[0.1, 0.1], [0.1, 0.1], [0.5, 0.9], [0.2, 0.8]]", "video.polygon.repeated"),
        ("[[0.1, 0.1], [0.102, 0.1], [0.101, 0.102]]", "video.polygon.tiny"),
    ],
)
async def test_a_bad_polygon_is_refused_with_its_place_and_its_fix(town: Platform, polygon: str, key: str) -> None:
    text = PARKING.replace("[[0.05, 0.3], [0.45, 0.3], [0.45, 0.95], [0.05, 0.95]]", polygon)
    with pytest.raises(Invalid) as refused:
        await declare(town, text)
    [fault] = refused.value.faults
    assert (fault.field, fault.key, fault.line) == ("spec.zones[0].polygon", key, 8)
    assert town.declarations.all("AnalyticTask") == []


async def test_a_task_for_an_incident_type_that_is_not_declared_is_refused(town: Platform) -> None:
    with pytest.raises(Invalid) as refused:
        await declare(town, PARKING.replace("incident_type: parked", "incident_type: nothing"))
    assert [fault.field for fault in refused.value.faults] == ["spec.candidate.incident_type"]


async def test_a_task_without_libraries_says_what_to_install(
    town: Platform, add: Add, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mumian.foundation.video.service.analysis as analysis

    monkeypatch.setattr(analysis, "installed", lambda: False)
    write(files / "scene.mp4", play(2, parked))
    await add()
    await declare(town, PARKING)
    await town.get(Video).analysis.round()
    assert runs(town) == [("parking", "failed", analysis.MISSING)]
    assert "pip install" in analysis.MISSING
