"""Live events reach a page from where it left off, in whichever city it finds itself, for as long as its reader may read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

import httpx
import pytest

from mumian.app.web import create_api
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.events import Event
from mumian.kernel.platform import Platform
from mumian.kernel.web import live
from mumian.kernel.web.live import event_stream


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    type: ClassVar[str] = "test.noted"
    number: int


async def note(platform: Platform, number: int) -> None:
    await platform.records.write(lambda tx: tx.emit(Noted(subject=f"n{number}", number=number)))


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def following(stream: AsyncIterator[bytes]) -> str:
    return (await asyncio.wait_for(anext(stream), 10)).decode()


async def test_live_events_resume_behind_the_last_one_seen(platform: Platform) -> None:
    for number in (1, 2, 3):
        await note(platform, number)
    ids = await platform.records.read(
        lambda s: [r["id"] for r in s.rows("SELECT id FROM kernel_outbox WHERE type = 'test.noted' ORDER BY id")]
    )
    stream = event_stream(platform, ids[0], ["test.*"], lambda event: event.data["number"] != 2, yes)
    assert await anext(stream) == b"retry: 2000\n\n"
    message = await following(stream)
    assert message.startswith(f"id: {ids[2]}\nevent: test.noted\ndata: ")
    assert '"number":3' in message
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_page_that_saw_more_than_this_city_has_lived_hears_what_happens_from_now_on(platform: Platform) -> None:
    await note(platform, 1)
    stream = event_stream(platform, 10**9, ["test.*"], lambda event: True, yes)
    assert await anext(stream) == b"retry: 2000\n\n"
    await note(platform, 2)
    assert '"number":2' in await following(stream)
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_quiet_stream_beats_and_ends_when_its_reader_may_no_longer_read(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.01)
    answers = [False, True]

    async def may_read() -> bool:
        return answers.pop()

    stream = event_stream(platform, None, ["test.*"], lambda event: True, may_read)
    assert [chunk async for chunk in stream] == [b"retry: 2000\n\n", b": still here\n\n"]


async def test_a_busy_stream_ends_too_when_its_reader_may_no_longer_read(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await note(platform, number)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.0)
    stream = event_stream(platform, 0, [], lambda event: True, no)
    assert [chunk async for chunk in stream] == [b"retry: 2000\n\n"]


async def test_the_stream_of_a_token_ends_when_the_token_is_revoked(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.01)
    identity = platform.get(Identity)
    person, _ = await identity.accounts.create_person(PersonDraft("li.na", {"zh": "李娜", "en": "Li Na"}, None, ()))
    token, secret = await identity.accounts.create_token(person.id, "probe", ["event:read"])
    transport = httpx.ASGITransport(app=create_api(platform))
    async with httpx.AsyncClient(transport=transport, base_url="http://city", timeout=30) as client:
        listening = asyncio.ensure_future(client.get("/api/v1/events", headers={"Authorization": f"Bearer {secret}"}))
        await asyncio.sleep(0.1)
        assert not listening.done()
        await identity.accounts.revoke_token(identity.callers.of_person(person, None), token.id)
        answer = await asyncio.wait_for(listening, 30)
    assert answer.status_code == 200
    assert ": still here" in answer.text
