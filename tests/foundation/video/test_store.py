"""The rows of video behave alike on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.foundation.video import store
from mumian.foundation.video.api import Video
from mumian.foundation.video.contracts import Clip, Detection, Look, Probe
from mumian.foundation.video.service import health
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Session
from tests.foundation.engines import ENGINES, records_url
from tests.foundation.video.conftest import code


@pytest_asyncio.fixture(params=ENGINES)
async def base(request: pytest.FixtureRequest, settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """A platform on one of the engines."""
    url = records_url(request.param, "video_store")
    made = await asyncio.to_thread(create_platform, settings.model_copy(update={"records": url}), clock)
    yield made
    for close in reversed(made.closers):
        close()
    made.records.close()


def detection(number: int, **given: Any) -> Detection:
    """A detection of a made-up task."""
    fields: dict[str, Any] = {
        "id": f"{number:032x}",
        "task": "t",
        "camera": code(1),
        "version": 1,
        "algorithm": "stay",
        "place": "bay",
        "detail": "",
        "time": f"2014-01-01T00:00:{number // 2:02d}.000000Z",
        "began": "2014-01-01T00:00:00.000000Z",
        "value": 1.5,
        "box": [0.1, 0.2, 0.3, 0.4],
        "owner": None,
        "longitude": None,
        "latitude": None,
        "picture": f"p/{number}",
        "sha256": "0" * 64,
        "bytes": 3,
        "masked": True,
        "expires": "2014-02-01T00:00:00.000000Z",
    }
    return Detection(**fields | given)


async def test_a_detection_is_kept_once_and_pages_do_not_lose_those_of_one_moment(base: Platform) -> None:
    def work(session: Session) -> list[bool]:
        return [store.add_detection(session, detection(number % 7)) for number in range(9)]

    assert await base.records.write(lambda tx: work(tx.session)) == [True] * 7 + [False] * 2
    seen: list[Detection] = []
    while True:
        before = (seen[-1].time, seen[-1].id) if seen else None
        page = await base.records.read(
            lambda session, b=before: store.detections(session, {"camera": code(1), "task": None}, b, 2)
        )  # type: ignore[misc]
        seen += page
        if len(page) < 2:
            break
    assert seen == [detection(number) for number in reversed(range(7))]


async def test_cameras_health_clips_and_looks_come_back_as_they_were_kept(base: Platform) -> None:
    video = base.get(Video)
    fields = {"title": {"zh": "机", "en": "C"}, "address": "file:a.mp4", "groups": ["a/b"], "uses": ["x"]}
    fields |= {"masks": [{"name": "m", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], "mode": "blur"}]}
    made = [await base.records.write(lambda tx, n=n: video.cameras.create(tx, code(n), fields)) for n in (2, 1)]  # type: ignore[misc]
    assert await base.records.read(lambda session: store.cameras(session, [code(1), code(9), code(2)])) == made[::-1]
    assert await asyncio.to_thread(video.directory.page, ["group:a"], "", code(1), 5) == [code(2)]
    await base.records.write(lambda tx: health.keep(tx, Probe(camera=code(2), reachable=True, fps=25.0, width=8, height=6)))
    known = await base.records.read(lambda session: store.health(session, code(2)))
    assert known is not None
    assert (known.state, known.fps, known.width) == ("online", 25.0, 8)
    assert await asyncio.to_thread(video.directory.page, ["health:online"], "", "", 5) == [code(2)]
    assert await base.records.read(lambda session: store.longest_unprobed(session, 5, "2099")) == [code(1), code(2)]
    clip = Clip(
        id="c", camera=code(1), origin="recorded", begins="2014", ends="2015", object="k", sha256="", bytes=1, codec="h264",
        width=1, height=1, masked=False, purpose="x", made_by="me", made="2014", expires="2014-01-02",
    )  # fmt: skip
    look = Look(id="l", camera=code(1), time="2014", actor="me", what="clip", target="c", purpose="x", note="", unmasked=True)

    def work(session: Session) -> None:
        store.add_clip(session, clip)
        store.add_look(session, look)

    await base.records.write(lambda tx: work(tx.session))
    assert await base.records.read(lambda session: store.clips(session, {"camera": code(1), "since": "2013"}, None, 5)) == [clip]
    assert await base.records.read(lambda session: store.looks(session, code(1), None, 5)) == [look]
    due = await base.records.read(lambda session: store.expired(session, "2014-01-03", 5))
    assert [(row["kind"], row["id"], row["object"]) for row in due] == [("clip", "c", "k")]


async def test_a_run_is_told_only_when_it_changes(base: Platform) -> None:
    row = {"task": "t", "camera": code(1), "version": 1, "digest": "d", "state": "running", "detail": "", "changed": "2014"}

    def work(session: Session) -> list[bool]:
        later = {**row, "changed": "2015"}
        return [
            store.put_run(session, row),
            store.put_run(session, later),
            store.put_run(session, {**later, "state": "finished"}),
        ]

    assert await base.records.write(lambda tx: work(tx.session)) == [True, False, True]
    assert [run["state"] for run in await base.records.read(store.runs)] == ["finished"]
