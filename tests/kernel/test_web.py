"""What every request meets: problems in the reader's language, limits, paging cursors."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mumian.kernel.errors import Conflict, Forbidden, Invalid, MumianError, NotFound, Stale, StorageFull, TooMany, Unauthenticated
from mumian.kernel.platform import Platform
from mumian.kernel.web import problems
from mumian.kernel.web.limits import Limits
from mumian.kernel.web.paging import cursor, parse_cursor

ERRORS: dict[str, MumianError] = {
    "not-found": NotFound(kind="street", name="x"),
    "conflict": Conflict(reason="closed"),
    "stale": Stale(expected=1, found=2),
    "unauthenticated": Unauthenticated(),
    "forbidden": Forbidden(action="incident:act"),
    "too-many": TooMany(seconds=3),
    "storage-full": StorageFull(),
    "invalid": Invalid.field("name", "field.missing"),
}


class NoteIn(BaseModel, extra="forbid"):
    number: int


@pytest_asyncio.fixture
async def client(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.platform = platform
    problems.install(app)

    @app.get("/error/{name}")
    async def error(name: str) -> None:
        raise ERRORS[name]

    @app.post("/api/notes", status_code=201)
    async def note(body: NoteIn) -> dict[str, int]:
        return {"number": body.number}

    transport = httpx.ASGITransport(app=Limits(app, 1000), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city") as made:
        yield made


@pytest.mark.parametrize(("name", "status"), [
    ("not-found", 404), ("conflict", 409), ("stale", 412), ("unauthenticated", 401), ("forbidden", 403), ("too-many", 429),
    ("storage-full", 507), ("invalid", 422),
])  # fmt: skip
async def test_every_error_is_a_problem_in_both_languages(client: httpx.AsyncClient, name: str, status: int) -> None:
    bodies: dict[str, dict[str, Any]] = {}
    for language in ("zh-CN,zh;q=0.9,en;q=0.8", "en-GB"):
        answer = await client.get(f"/error/{name}", headers={"Accept-Language": language})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        bodies[language[:2]] = answer.json()
    assert bodies["zh"]["type"] == bodies["en"]["type"] == f"/problems/{name}"
    assert bodies["zh"]["detail"] != bodies["en"]["detail"]
    assert "{" not in bodies["zh"]["detail"] + bodies["en"]["detail"]


async def test_what_nobody_foresaw_tells_no_secrets(client: httpx.AsyncClient) -> None:
    answer = await client.get("/error/unheard-of")
    assert answer.status_code == 500
    assert "KeyError" not in answer.text
    assert answer.json()["key"] == "error.internal"


@pytest.mark.parametrize(("content", "status", "field"), [
    (b'{"number": "x"}', 422, "number"),
    (b'{"number": 1, "other": 2}', 422, "other"),
    (b"{}", 422, "number"),
    (b"{", 400, ""),
    (b'{"number": NaN}', 422, "number"),
    (b"\xff\xfe", 400, ""),
    (b"[1]", 422, ""),
])  # fmt: skip
async def test_bad_bodies_are_refused_naming_the_field(
    client: httpx.AsyncClient, content: bytes, status: int, field: str
) -> None:
    answer = await client.post("/api/notes", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused_before_it_is_read(client: httpx.AsyncClient, declared: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    content: Any = b" " * 2000 if declared else chunks()
    answer = await client.post("/api/notes", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@given(st.text(max_size=60))
def test_no_text_as_cursor_makes_anything_but_a_clear_refusal(text: str) -> None:
    try:
        keys = parse_cursor(text, str, int)
    except Invalid as error:
        assert error.faults[0].field == "cursor"  # noqa: PT017
    else:
        assert keys is not None
        assert len(keys) == 2


@given(st.text(max_size=20), st.integers(-(2**62), 2**62))
def test_a_cursor_comes_back_as_it_was(name: str, number: int) -> None:
    assert parse_cursor(cursor(name, number), str, int) == [name, number]
