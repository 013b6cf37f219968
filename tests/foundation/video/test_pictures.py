"""Pictures leave with a purpose, masked, and every look is in the evidence ledger."""

import asyncio
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import cv2
import httpx
import numpy as np
import pytest

from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from tests.foundation.video.conftest import Add, code, events, rows
from tests.foundation.video.scenes import Image, play, vehicle, write

MASK = [{"name": "window", "polygon": [[0, 0], [1, 0], [1, 0.3], [0, 0.3]], "mode": "black"}]
LOOK = {"purpose": "traffic"}


def moving(picture: Image, time: float) -> None:
    """A car passes."""
    vehicle(picture, 20 + 30 * time, 120)


def decoded(content: bytes) -> Image:
    """A JPEG as a picture."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


async def test_a_snapshot_needs_an_allowed_purpose_and_is_in_the_ledger(
    town: Platform, add: Add, files: Path, officer: httpx.AsyncClient
) -> None:
    write(files / "scene.mp4", play(4, moving))
    await add(uses=["traffic"])
    shot = await officer.post(f"/cameras/{code(1)}/snapshot", json={**LOOK, "note": "jam", "at": 2})
    assert (shot.status_code, shot.headers["content-type"]) == (200, "image/jpeg")
    assert decoded(shot.content).shape == (180, 320, 3)
    refused = await officer.post(f"/cameras/{code(1)}/snapshot", json={"purpose": "curiosity"})
    assert refused.status_code == 403
    assert (await officer.post(f"/cameras/{code(1)}/snapshot", json={})).status_code == 422
    [look] = events(town, "video.picture.looked")
    assert (look["subject"], look["what"], look["purpose"], look["note"]) == (code(1), "snapshot", "traffic", "jam")
    entries = await town.get(Ledger).entries(subject=code(1))
    assert "video.picture.looked" in [entry.type for entry in entries]


async def test_only_the_owners_people_look_and_only_auditors_see_who_did(
    town: Platform, add: Add, files: Path, officer: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    write(files / "scene.mp4", play(2, moving))
    await add(1)
    await add(2, owner="parks")
    assert (await officer.post(f"/cameras/{code(1)}/snapshot", json=LOOK)).status_code == 200
    assert (await officer.post(f"/cameras/{code(2)}/snapshot", json=LOOK)).status_code == 403
    assert (await officer.get(f"/cameras/{code(1)}/looks")).status_code == 403
    looks = (await admin.get(f"/cameras/{code(1)}/looks")).json()["items"]
    assert [(look["what"], look["purpose"]) for look in looks] == [("snapshot", "traffic")]


async def test_privacy_areas_are_hidden_and_lifted_only_by_a_policy(
    add: Add, files: Path, officer: httpx.AsyncClient, admin: httpx.AsyncClient, town: Platform
) -> None:
    write(files / "scene.mp4", play(2, moving))
    await add(masks=MASK)
    hidden = decoded((await officer.post(f"/cameras/{code(1)}/snapshot", json=LOOK)).content)
    assert hidden[:50].max() < 20
    assert hidden[70:].mean() > 60
    assert (await officer.post(f"/cameras/{code(1)}/snapshot", json={**LOOK, "unmasked": True})).status_code == 403
    plain = decoded((await admin.post(f"/cameras/{code(1)}/snapshot", json={**LOOK, "unmasked": True})).content)
    assert plain[:50].mean() > 60
    assert [look["unmasked"] for look in events(town, "video.picture.looked")] == [False, True]


async def test_a_clip_is_recorded_masked_indexed_and_played_by_ranges(
    town: Platform, add: Add, files: Path, officer: httpx.AsyncClient
) -> None:
    write(files / "scene.mp4", play(10, moving, fps=12.5), fps=12.5)
    await add(masks=MASK)
    made = (await officer.post(f"/cameras/{code(1)}/clips", json={**LOOK, "at": 2, "seconds": 4})).json()
    assert made["begins"] == "2013-12-31T23:00:02.000000Z"
    assert made["masked"] is True
    url = f"/clips/{made['id']}/content"
    whole = await officer.get(url, params=LOOK)
    assert (whole.status_code, len(whole.content)) == (200, made["bytes"])
    part = await officer.get(url, params=LOOK, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{made['bytes']}"
    tail = await officer.get(url, params=LOOK, headers={"Range": "bytes=-5"})
    assert tail.content == whole.content[-5:]
    assert (await officer.get(url, params=LOOK, headers={"Range": f"bytes={made['bytes']}-"})).status_code == 416
    assert (await officer.get(url)).status_code == 422
    with av.open(BytesIO(whole.content)) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert 45 <= len(pictures) <= 51
    assert max(picture[:45].max() for picture in pictures) < 40
    looks = [look["target"] for look in events(town, "video.picture.looked")]
    size = made["bytes"]
    assert looks == [made["id"], f"{made['id']} 10-19", f"{made['id']} {size - 5}-{size - 1}"]
    listed = (await officer.get("/clips", params={"camera": code(1), "since": "2013-12-31T23:00:00Z"})).json()["items"]
    assert [clip["id"] for clip in listed] == [made["id"]]


async def test_a_recording_is_handed_in_only_where_nothing_must_be_hidden_and_only_if_it_is_video(
    add: Add, files: Path, admin: httpx.AsyncClient
) -> None:
    content = write(files / "scene.mp4", play(3, moving)).read_bytes()
    await add(1)
    await add(2, masks=MASK)
    query = {"purpose": "traffic", "begins": "2013-12-31T20:00:00+08:00"}
    made = await admin.put(f"/cameras/{code(1)}/clips", params=query, content=content, headers={"Content-Type": "video/mp4"})
    assert made.status_code == 201, made.text
    assert (made.json()["begins"], made.json()["ends"]) == ("2013-12-31T12:00:00.000000Z", "2013-12-31T12:00:03.000000Z")
    assert (await admin.put(f"/cameras/{code(2)}/clips", params=query, content=content)).status_code == 409
    broken = await admin.put(f"/cameras/{code(1)}/clips", params=query, content=b"no video")
    assert 400 <= broken.status_code < 500


async def test_what_is_past_its_time_is_deleted_and_its_digest_stays(
    town: Platform, add: Add, files: Path, officer: httpx.AsyncClient, clock: ManualClock
) -> None:
    write(files / "scene.mp4", play(4, moving))
    await add(retention_days=2)
    made = (await officer.post(f"/cameras/{code(1)}/clips", json={**LOOK, "seconds": 2})).json()
    objects = town.get(Objects)  # type: ignore[type-abstract]
    assert len(await asyncio.to_thread(objects.list, "video/clips/")) == 1
    clock.set(clock.now() + timedelta(days=3))
    await town.settle()
    assert await asyncio.to_thread(objects.list, "video/clips/") == []
    gone = await officer.get(f"/clips/{made['id']}/content", params=LOOK)
    assert gone.status_code == 409
    [told] = events(town, "video.pictures.expired")
    assert told["items"] == [{"kind": "clip", "id": made["id"], "sha256": made["sha256"]}]


async def test_evidence_that_was_kept_as_it_is_leaves_masked(
    town: Platform, add: Add, files: Path, officer: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    from mumian.kernel.declarations.documents import read_text
    from tests.foundation.video.test_analysis import PARKING, parked

    write(files / "scene.mp4", play(14, parked))
    await add(masks=MASK, store_masked=False)
    await town.declarations.apply(read_text(PARKING.format(camera=code(1)).encode()), "tasks")
    await town.settle()
    [detection] = (await officer.get("/detections", params={"camera": code(1)})).json()["items"]
    url = f"/detections/{detection['id']}/picture"
    assert decoded((await officer.get(url, params=LOOK)).content)[:50].max() < 20
    assert (await officer.get(url, params={**LOOK, "unmasked": True})).status_code == 403
    assert decoded((await admin.get(url, params={**LOOK, "unmasked": True})).content)[:50].mean() > 60
    assert rows(town, "SELECT masked FROM video_detection") == [{"masked": 0}]
    tasks = (await officer.get("/tasks")).json()
    assert [(task["name"], task["runs"][0]["state"]) for task in tasks["items"]] == [("parking", "finished")]


@pytest.mark.parametrize("path", ["/clips/" + "0" * 26 + "/content", "/detections/" + "0" * 32 + "/picture"])
async def test_what_is_not_there_is_not_found(officer: httpx.AsyncClient, path: str) -> None:
    assert (await officer.get(path, params=LOOK)).status_code == 404
