"""Forms over HTTP: a draft with what is known, and submissions."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.collection.forms import store
from mumian.elements.collection.forms.filling import Draft, Forms
from mumian.elements.collection.forms.models import FormSpec
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Filler = Annotated[Caller, Depends(permit("form:fill"))]
Name = Annotated[str, Path(max_length=80)]
Subject = Annotated[str, Query(min_length=1, max_length=200)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]


class FormView(BaseModel):
    """A form."""

    name: str
    title: dict[str, str]
    dataset: str
    subject: str
    fields: list[str]
    note: dict[str, str] | None


class PlaceView(BaseModel):
    """A field: its value where it is known, who knows it, and whether only that source may change it."""

    field: str
    title: dict[str, str] | None
    hint: dict[str, str] | None
    type: str
    required: bool
    value: Any
    origin: str | None
    read_only: bool
    choices: list[dict[str, Any]]


class DraftView(BaseModel):
    """A form as it stands; send `version` back with the values. `asked` are the fields that still have to be filled in."""

    form: str
    subject: str
    version: int
    fields: list[PlaceView]
    asked: list[str]


class SubmissionBody(BaseModel):
    """What was filled in; `version` is that of the draft."""

    subject: str = Field(min_length=1, max_length=200)
    version: int = Field(ge=0, lt=2**31)
    values: dict[str, Any] = Field(max_length=500)


class SubmissionView(BaseModel):
    """A submission; `load` is the load that brought it into the dataset, null while it waits."""

    id: str
    form: str
    dataset: str
    version: int
    actor: str
    organisation: str | None
    submitted_at: str
    load: int | None


class WholeSubmissionView(SubmissionView):
    """A submission with its values, and from where each is."""

    subject: str
    values: dict[str, Any]
    origins: dict[str, str]


@router.get("/forms")
async def forms(
    platform: PlatformDep, _: Filler, after: Cursor = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[FormView]:
    """All forms, by name."""
    keys = parse_cursor(after, str)
    found = [d for d in platform.declarations.all("Form") if keys is None or d.name > keys[0]]
    following = cursor(found[limit - 1].name) if len(found) > limit else None
    return Page(items=[_form(each) for each in found[:limit]], next=following)


@router.get("/forms/{name}/draft")
async def draft(platform: PlatformDep, caller: Filler, name: Name, subject: Subject) -> DraftView:
    """The form about a subject; those who may see what is known of others (form:prefill) find it filled in."""
    found = await platform.get(Forms).draft(name, subject, caller, caller.allowed("form:prefill"))
    if not caller.allowed("form:prefill"):
        await _own(platform, name, subject, caller)
    return _draft(platform, found)


@router.post("/forms/{name}/submissions", status_code=201)
async def submit(platform: PlatformDep, caller: Filler, name: Name, body: SubmissionBody) -> SubmissionView:
    """Hand a form in; every fault is named at once."""
    known = caller.allowed("form:prefill")
    if not known:
        await _own(platform, name, body.subject, caller)
    row = await platform.get(Forms).submit(name, body.subject, body.values, body.version, caller, known)
    return _submission(row)


@router.get("/forms/{name}/submissions")
async def submissions(
    platform: PlatformDep,
    _: Annotated[Caller, Depends(permit("form:review"))],
    name: Name,
    after: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[SubmissionView]:
    """Submissions of a form, newest first."""
    platform.declarations.get("Form", name)
    keys = parse_cursor(after, str)
    before = None if keys is None else keys[0]
    rows = await platform.records.read(lambda session: store.page(session, name, before, limit + 1))
    following = cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[_submission(row) for row in rows[:limit]], next=following)


@router.get("/forms/{name}/submissions/{id}")
async def submission(
    platform: PlatformDep, caller: Filler, name: Name, id_: Annotated[str, Path(alias="id", max_length=40)]
) -> WholeSubmissionView:
    """One submission with its values: for who handed it in, and for reviewers."""
    row = await platform.get(Forms).submission(name, id_)
    if row["actor"] != caller.actor.id and not caller.allowed("form:review"):
        raise NotFound(kind="submission", name=id_)
    told = _submission(row).model_dump()
    return WholeSubmissionView(**told, subject=row["subject"], values=store.values(row), origins=json.loads(row["origins"]))


async def _own(platform: Platform, name: str, subject: str, caller: Caller) -> None:
    """What somebody else handed in about a subject is not shown to, nor changed by, those who may not see it."""
    row = await platform.records.read(lambda session: store.last(session, name, subject))
    if row is not None and row["actor"] != caller.actor.id and not caller.allowed("form:review"):
        raise NotFound(kind="Form", name=name)


def _form(declared: Declared[FormSpec]) -> FormView:
    spec = declared.spec
    note = None if spec.note is None else spec.note.model_dump()
    names = [each.field for each in spec.fields]
    return FormView(name=declared.name, title=declared.title, dataset=spec.dataset, subject=spec.subject, fields=names, note=note)


def _draft(platform: Platform, found: Draft) -> DraftView:
    places = []
    for place in found.places:
        title, hint = place.spec.title, place.form.hint
        choices = [{"code": code, "title": told} for code, told in platform.get(Forms).choices(place.spec)]
        places.append(
            PlaceView(
                field=place.spec.name,
                title=None if title is None else title.model_dump(),
                hint=None if hint is None else hint.model_dump(),
                type=place.spec.type,
                required=place.required,
                value=place.value,
                origin=place.origin,
                read_only=place.read_only,
                choices=choices,
            )
        )
    asked = [place.field for place in places if place.value is None]
    return DraftView(form=found.form.name, subject=found.subject, version=found.version, fields=places, asked=asked)


def _submission(row: Row) -> SubmissionView:
    names = ("id", "form", "dataset", "version", "actor", "organisation", "submitted_at")
    return SubmissionView(**{name: row[name] for name in names}, load=row["load_number"])
