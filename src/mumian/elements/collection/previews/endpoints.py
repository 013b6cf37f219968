"""Previews over HTTP: look, correct what was guessed, and have declarations drafted."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.collection.models import Format, Reading
from mumian.elements.collection.previews.describing import Previews
from mumian.elements.collection.previews.drafting import declarations
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.declarations.kinds import NAME_PATTERN
from mumian.kernel.web import PlatformDep

router = APIRouter()
Previewer = Annotated[Caller, Depends(permit("connector:preview"))]
Id = Annotated[str, Path(alias="id", max_length=40)]


class ColumnView(BaseModel):
    """A column with the type that suits its values."""

    name: str
    type: str


class PreviewView(BaseModel):
    """How a file would be read: `reading` may be sent back with corrections.

    `tables` are those found in the file, `notes` lines that belong to none, `mended` lines whose quotes or columns were put
    right, `alternatives` what the encoding and the delimiter could be instead, with scores.
    """

    id: str
    file: str
    bytes: int
    format: str
    reading: dict[str, Any]
    columns: list[ColumnView]
    sample: list[list[str]]
    tables: list[dict[str, Any]]
    notes: list[list[Any]]
    mended: list[int]
    unreadable: list[list[Any]] = Field(default_factory=list)
    alternatives: dict[str, list[Any]]


class ConfirmBody(BaseModel):
    """What the dataset is to be called, who owns it, which columns tell its rows apart, and how the file is read."""

    name: str = Field(pattern=NAME_PATTERN)
    title: dict[str, str]
    owner: str = Field(max_length=80)
    key: list[str] = Field(default_factory=list, max_length=20)
    reading: Reading = Field(default_factory=Reading)


class DraftView(BaseModel):
    """Declarations to be looked through and applied."""

    documents: str


@router.get("/previews/{id}")
async def preview(
    platform: PlatformDep,
    caller: Previewer,
    id_: Id,
    format_: Annotated[Format, Query(alias="format")] = "auto",
    encoding: Annotated[str | None, Query(max_length=20)] = None,
    delimiter: Annotated[str | None, Query(min_length=1, max_length=1)] = None,
    quote: Annotated[str, Query(max_length=1)] = '"',
    header: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    table: Annotated[int | None, Query(ge=0, le=1000)] = None,
    rows: Annotated[str, Query(max_length=400)] = "",
) -> PreviewView:
    """How an uploaded file would be read; what is given overrules what is guessed."""
    reading = Reading(format=format_, encoding=encoding, delimiter=delimiter, quote=quote, header=header, table=table, rows=rows)
    told = await asyncio.to_thread(platform.get(Previews).describe, id_, caller.actor.id, reading)
    return PreviewView(**told)


@router.post("/previews/{id}/declarations")
async def draft(platform: PlatformDep, caller: Previewer, id_: Id, body: ConfirmBody) -> DraftView:
    """A dataset and a connector for files like this one, drafted from what was confirmed."""
    told = await asyncio.to_thread(platform.get(Previews).describe, id_, caller.actor.id, body.reading)
    return DraftView(documents=declarations(told, body.name, body.title, body.owner, body.key, body.reading.model_fields_set))
