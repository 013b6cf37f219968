"""Endpoints of models: the register, what is decided about versions, and answers of those in use."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.models import store
from mumian.foundation.models.api import Models
from mumian.foundation.models.contracts import Version
from mumian.foundation.models.text.files import MOST_BYTES
from mumian.foundation.models.text.model import TextModel
from mumian.kernel.errors import Invalid, NotFound, TooLarge
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/models", tags=["models"])
Reads = Annotated[Caller, Depends(permit("model:read"))]
Registers = Annotated[Caller, Depends(permit("model:register"))]
Approves = Annotated[Caller, Depends(permit("model:approve"))]
Uses = Annotated[Caller, Depends(permit("model:use"))]
Name = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9-]{0,59}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_BODY = {"requestBody": {"required": True, "content": _BINARY}}


class Body(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NoteBody(Body):
    """Why it was decided so."""

    note: str = Field("", max_length=1000)


class PredictBody(Body):
    """Texts to judge, each in the parts (title, body …) that the model learned; `explain` adds reasons and similar cases."""

    texts: list[Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(min_length=1, max_length=10)]] = Field(
        min_length=1, max_length=200
    )
    candidates: int = Field(3, ge=1, le=20)
    explain: bool = False


@router.get("")
async def list_models(platform: PlatformDep, _: Reads, cursor_text: Cursor = None, limit: Limit = 100) -> Page[dict[str, Any]]:
    """All models by name, each with the version in use."""
    keys = parse_cursor(cursor_text, str)

    def read(session: Any) -> list[dict[str, Any]]:
        found = store.models(session, keys[0] if keys else "", limit)
        used = {each.name: store.newest(session, each.name, ("approved",)) for each in found}
        return [{**msgspec.to_builtins(each), "in_use": v.number if (v := used[each.name]) else None} for each in found]

    items = await platform.records.read(read)
    return Page(items=items, next=cursor(items[-1]["name"]) if len(items) == limit else None)


@router.get("/{name}")
async def get_model(platform: PlatformDep, _: Reads, name: Name) -> dict[str, Any]:
    """A model with the version in use."""
    models = platform.get(Models)

    def read(session: Any) -> dict[str, Any]:
        found = store.newest(session, name, ("approved",))
        told: dict[str, Any] = msgspec.to_builtins(models.keeping.model(session, name))
        return {**told, "in_use": None if found is None else shown(found)}

    return await platform.records.read(read)


@router.get("/{name}/versions")
async def list_versions(
    platform: PlatformDep, _: Reads, name: Name, cursor_text: Cursor = None, limit: Limit = 100
) -> Page[dict[str, Any]]:
    """The versions of a model, the newest first."""
    keys = parse_cursor(cursor_text, int)
    models = platform.get(Models)

    def read(session: Any) -> list[Version]:
        models.keeping.model(session, name)
        return store.versions(session, name, keys[0] if keys else 2**31, limit)

    found = await platform.records.read(read)
    return Page(items=[shown(each) for each in found], next=cursor(found[-1].number) if len(found) == limit else None)


@router.get("/{name}/versions/{number}")
async def get_version(platform: PlatformDep, _: Reads, name: Name, number: Number) -> dict[str, Any]:
    """A version: what it learned from, how good it was found to be, who decided."""
    models = platform.get(Models)
    return shown(await platform.records.read(lambda session: models.keeping.version(session, name, number)))


@router.post("/{name}/versions", status_code=201, openapi_extra=_BODY)
async def upload_version(platform: PlatformDep, caller: Registers, name: Name, request: Request) -> dict[str, Any]:
    """Register a text model's file, such as one that another city gave; it is a draft, and has to be evaluated here."""
    content = await _received(request)
    made = await asyncio.to_thread(platform.get(Models).upload, name, content, caller.actor, {})
    return shown(made)


@router.post("/{name}/versions/{number}/approve")
async def approve_version(platform: PlatformDep, caller: Approves, name: Name, number: Number, body: NoteBody) -> dict[str, Any]:
    """Let a draft take over. 409: it is no draft, or not better on held-out corrections than the version in use."""
    models = platform.get(Models)
    return shown(await platform.records.write(lambda tx: models.approve(tx, name, number, body.note), caller.actor))


@router.post("/{name}/versions/{number}/retire")
async def retire_version(platform: PlatformDep, caller: Approves, name: Name, number: Number, body: NoteBody) -> dict[str, Any]:
    """Let a version be used no longer. 409: it is retired already."""
    models = platform.get(Models)
    return shown(await platform.records.write(lambda tx: models.retire(tx, name, number, body.note), caller.actor))


@router.post("/{name}/predict")
async def predict(platform: PlatformDep, _: Uses, name: Name, body: PredictBody) -> dict[str, Any]:
    """What the version in use says of texts: labels with calibrated confidence; `label` is empty where it abstains."""
    found = await platform.get(Models).using(name)
    if found is None:
        raise NotFound(kind="approved version of the model", name=name)
    version, model = found
    return {"model": name, "version": version.number, "answers": await asyncio.to_thread(_answers, model, body)}


def _answers(model: TextModel, body: PredictBody) -> list[dict[str, Any]]:
    told = []
    for parts, answer in zip(body.texts, model.predict(body.texts, body.candidates), strict=True):
        one: dict[str, Any] = msgspec.to_builtins(answer)
        one["candidates"] = [{"label": label, "confidence": confidence} for label, confidence in answer.candidates]
        if body.explain:
            one["reasons"] = msgspec.to_builtins(model.reasons(parts, answer.candidates[0][0]))
            one["similar"] = msgspec.to_builtins(model.similar(parts))
        told.append(one)
    return told


async def _received(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    parts, size = [], int(length) if length.isdigit() and len(length) < 15 else 0
    if size > MOST_BYTES:
        raise TooLarge(limit=f"{MOST_BYTES} bytes")
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLarge(limit=f"{MOST_BYTES} bytes")
        parts.append(part)
    if not size:
        raise Invalid.field("body", "field.missing")
    return b"".join(parts)


def shown(version: Version) -> dict[str, Any]:
    """A version for an answer."""
    told: dict[str, Any] = msgspec.to_builtins(version)
    return told
