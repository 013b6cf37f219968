"""Rows under a grant over HTTP: pages, lookups and SQL as JSON, whole answers as streams of CSV, lines of JSON or Parquet."""

import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from mumian.elements.protection.api import Answer, Gate, Limits
from mumian.elements.sharing.api import Asked, Sharing, request_digest
from mumian.elements.sharing.contracts import Grant, Proof
from mumian.elements.sharing.errors import OtherWay
from mumian.elements.sharing.rules import questions
from mumian.elements.sharing.service import writing
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
User = Annotated[Caller, Depends(permit("grant:use"))]
Id = Annotated[str, Path(max_length=80)]
Purpose = Annotated[str, Query(max_length=80, description="What the rows are for: the purpose of the grant.")]
Texts = Annotated[list[str] | None, Query(max_length=50)]
_encoder = msgspec.json.Encoder()


class QueryBody(BaseModel):
    """A question in SQL over the dataset of the grant; `match` asks for exact values before masking."""

    model_config = ConfigDict(extra="forbid")
    purpose: str = Field(max_length=80)
    sql: str = Field(min_length=1, max_length=20_000)
    params: dict[str, str | int | float | bool | None] = Field(default_factory=dict, max_length=100)
    match: dict[str, str | int | float | bool | None] = Field(default_factory=dict, max_length=20)
    limit: int = Field(1000, ge=1, le=100_000)


@router.get("/grants/{grant_id}/rows", response_class=Response)
async def rows(
    request: Request,
    platform: PlatformDep,
    caller: User,
    grant_id: Id,
    purpose: Purpose,
    fields: Annotated[str, Query(max_length=4000, description="Names with commas between; empty: all of the grant.")] = "",
    where: Annotated[Texts, Query(description="field:eq:value; also ne, lt, le, gt, ge, like, in, null, notnull.")] = None,
    match: Annotated[Texts, Query(description="field:value, for fields that the grant lets rows be looked up by.")] = None,
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    form: Annotated[Literal["json", "csv", "ndjson", "parquet"], Query(alias="format")] = "json",
) -> Response:
    """Rows of a granted dataset: a page of JSON, or all of them as a stream of CSV, lines of JSON, or Parquet.

    The header Mumian-Receipt names the receipt, Mumian-Proof holds it signed (base64url of the JSON that /receipts gives).
    """
    sharing = platform.get(Sharing)
    grant, left = await _open(sharing, caller, grant_id)
    asked = Asked(caller, grant_id, purpose, await _digest(request))
    keys = parse_cursor(after, int)
    wanted = [name for name in fields.split(",") if name]
    types = _types(platform, grant)
    question = questions.page(
        grant.dataset, types, wanted, where or (), None if keys is None else keys[0], limit + 1 if form == "json" else None
    )
    matched = _matched(match or [])
    if form == "json":
        limits = Limits(rows=limit + 1, seconds=platform.get(Gate).settings.seconds)
        content, proof = await sharing.query(asked, question.sql, limits, _page(limit, left), question.params, matched)
        return _signed(content, proof, "application/json")
    if matched:
        raise Invalid.field("match", "field.choice", expected="format=json")
    return await _streamed(platform, asked, question, form)


@router.post("/grants/{grant_id}/query", response_class=Response)
async def query(request: Request, platform: PlatformDep, caller: User, grant_id: Id, body: QueryBody) -> Response:
    """Ask the gate in SQL under a grant: sums, joins with what is shared without conditions, and the like."""
    sharing = platform.get(Sharing)
    await _open(sharing, caller, grant_id)
    asked = Asked(caller, grant_id, body.purpose, await _digest(request))
    limits = Limits(rows=body.limit, seconds=platform.get(Gate).settings.seconds)
    content, proof = await sharing.query(asked, body.sql, limits, None, body.params, body.match)
    return _signed(content, proof, "application/json")


async def _open(sharing: Sharing, caller: Caller, grant_id: str) -> tuple[Grant, int | None]:
    """A grant whose rows may be asked for, and how many more; raises OtherWay for one that is delivered otherwise."""
    grant, left = await sharing.reading.open(caller, grant_id)
    if grant.way not in ("query", "file"):
        raise OtherWay.field("way", "sharing.way", way=grant.way)
    return grant, left


async def _streamed(platform: Platform, asked: Asked, question: questions.Question, form: str) -> Response:
    """A whole answer: text as it is read, Parquet once its file is written."""
    sharing = platform.get(Sharing)
    limits = Limits(rows=1 << 60, bytes=1 << 60, seconds=platform.get(Gate).settings.seconds)
    name = f'attachment; filename="{asked.grant}.{form}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    if form == "parquet":
        content, proof = await writing.parquet(sharing.reading, asked, question, limits)
        return _signed(content, proof, "application/vnd.apache.parquet", headers)
    writer = writing.csv(question.fields) if form == "csv" else writing.lines(question.fields)
    stream = sharing.stream(asked, question, limits, writer)
    first = await anext(stream, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for content in stream:
            yield content

    media = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    headers["Mumian-Receipts"] = f"/api/v1/elements/sharing/grants/{asked.grant}/receipts"
    return StreamingResponse(whole(), media_type=media, headers=headers)


def _page(limit: int, left: int | None) -> Any:
    """Writes a page: its columns and rows without `_id`, and the cursor of the next, also where only the quota ends it."""

    def write(answer: Answer) -> bytes:
        columns = [{"name": column.name, "type": column.type} for column in answer.columns[1:]]
        more = len(answer.rows) > limit or (left is not None and 0 < left <= len(answer.rows))
        rows = answer.rows[:limit]
        del answer.rows[limit:]
        following = cursor(rows[-1][0]) if more else None
        return _encoder.encode({"columns": columns, "rows": [row[1:] for row in rows], "next": following})

    return write


def _signed(content: bytes, proof: Proof, media: str, more: dict[str, str] | None = None) -> Response:
    whole = base64.urlsafe_b64encode(_encoder.encode(proof.bundle())).decode()
    headers = {"Mumian-Receipt": proof.receipt.number, "Mumian-Proof": whole, "Cache-Control": "no-store", **(more or {})}
    return Response(content, media_type=media, headers=headers)


async def _digest(request: Request) -> str:
    query = request.scope.get("query_string", b"")
    path = request.scope.get("raw_path") or request.url.path.encode()
    target = path.split(b"?")[0] + (b"?" + query if query else b"")
    return request_digest(request.method, target.decode("latin-1"), await request.body())


def _types(platform: Platform, grant: Grant) -> dict[str, str]:
    """The fields of a grant that can be asked for, with the types they come out as: tokens are text."""
    spec = platform.get(Sharing).terms.dataset(grant.dataset)
    shown = questions.granted(grant.item, [field.name for field in spec.fields])
    declared = {field.name: field.type for field in spec.fields}
    return {name: "text" if name in grant.item.tokens else declared[name] for name in shown}


def _matched(given: list[str]) -> dict[str, str]:
    found = {}
    for index, text in enumerate(given):
        name, colon, value = text.partition(":")
        if not colon:
            raise Invalid.field(f"match[{index}]", "sharing.where", given=text[:80])
        found[name] = value
    return found
