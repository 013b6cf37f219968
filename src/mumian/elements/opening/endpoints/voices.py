"""What the public says over HTTP: requests 需求, corrections 纠错, use cases 应用成果, ratings, and applications for data."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from mumian.elements.opening.api import Opening
from mumian.elements.opening.endpoints.datasets import Name, peer
from mumian.elements.opening.service.voices import Voice, require_for
from mumian.elements.opening.store import voices
from mumian.elements.protection.api import Gate
from mumian.elements.sharing.api import Sharing
from mumian.elements.sharing.contracts import Draft, Item
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Conflict, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
Kind = Literal["request", "correction", "use-case"]
Speaker = Annotated[Caller, Depends(permit("open:speak"))]
Number = Annotated[int, Path(ge=1, lt=2**62)]
Text = Annotated[str, Field(min_length=1, max_length=5000, pattern=r"^[^\x00]*$")]
Short = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class VoiceBody(BaseModel):
    """What somebody says: a request for data, a correction of a dataset (with the rows and fields that are wrong), or what was
    made of a dataset (with its address). `contact` is shown to nobody but the owner.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    dataset: Short | None = None
    title: Short
    text: Text
    fields: list[Short] = Field(default_factory=list, max_length=100)
    row: Short | None = Field(None, description="Which row is wrong, by its key.")
    url: str | None = Field(None, max_length=1000, pattern=r"^https?://[^\s\x00]+$")
    contact: Short | None = None


class VoiceView(BaseModel):
    """What was said, and the answer; `state` is filed, planned, done, declined or hidden. `contact` is for the owner alone."""

    number: int
    kind: str
    dataset: str | None
    owner: str | None
    state: str
    said: dict[str, Any]
    contact: str | None
    filed_at: str
    due: str | None
    answer: str | None
    answered_at: str | None


class AnswerBody(BaseModel):
    """An answer: planned, done (opened, corrected, published), declined (with the reason), or hidden (spam)."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["planned", "done", "declined", "hidden"]
    text: Text


class RatingBody(BaseModel):
    """One to five stars."""

    stars: int = Field(ge=1, le=5)


class RatingView(BaseModel):
    """How many gave so many stars."""

    stars: dict[int, int]


class ApplicationBody(BaseModel):
    """An application for a conditionally opened dataset 有条件开放: which fields, what for, for how long."""

    model_config = ConfigDict(extra="forbid")
    fields: list[Short] = Field(min_length=1, max_length=200)
    reasons: dict[str, Short] = Field(default_factory=dict, max_length=200)
    purpose: str = Field(pattern=r"^[a-z][a-z-]{0,79}$")
    use: Text
    basis: Text
    days: int = Field(ge=1, le=3650)


class ApplicationView(BaseModel):
    """The applications that were made of it; they are followed up in sharing."""

    numbers: list[str]
    states: list[str]
    due: list[str | None]


@router.post("/voices", status_code=201)
async def hear(platform: PlatformDep, caller: Speaker, request: Request, body: VoiceBody) -> VoiceView:
    """Say something; the owner answers by `due`, and others see it once it was looked at."""
    opening, person = platform.get(Opening), _person(platform, caller, request)
    opening.admit_post(person)
    if body.dataset is not None:
        await opening.opened.dataset(body.dataset, caller)
    said = body.model_dump(include={"title", "text", "fields", "row", "url"}, exclude_none=True, exclude_defaults=True)
    voice = Voice(body.kind, body.dataset, said, body.contact)
    return _view(await platform.records.write(lambda tx: opening.voices.hear(tx, voice, person), caller.actor), whole=True)


@router.get("/voices")
async def listed(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("open:read"))],
    kind: Kind | None = None,
    dataset: Annotated[str | None, Query(max_length=200)] = None,
    owner: Annotated[
        str | None, Query(max_length=80, description="All that this owner has to answer, for those who may.")
    ] = None,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Page[VoiceView]:
    """What was said, newest first: for everybody what was looked at, for an owner all of its own."""
    keys = parse_cursor(after, int)
    whole = owner is not None
    if whole:
        require_for(caller, "open:answer", owner)
    wanted = {"kind": kind, "dataset": dataset, "owner": owner}
    states = None if whole else voices.PUBLIC
    before = 1 << 62 if keys is None else keys[0]
    rows = await platform.records.read(lambda session: voices.some(session, wanted, states, before, limit + 1))
    following = cursor(rows[limit - 1]["number"]) if len(rows) > limit else None
    return Page(items=[_view(row, whole) for row in rows[:limit]], next=following)


@router.get("/voices/{number}")
async def one(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("open:read"))], request: Request, number: Number
) -> VoiceView:
    """What was said under a number: for everybody once it was looked at, before for who said it and for the owner."""
    row = await platform.records.read(lambda session: voices.one(session, number))
    if row is None:
        raise NotFound(kind="Voice", name=str(number))
    mine = row["person"] == _person(platform, caller, request)
    answers = not caller.anonymous and caller.allowed("open:answer", row["owner"])
    if row["state"] not in voices.PUBLIC and not mine and not answers:
        raise NotFound(kind="Voice", name=str(number))
    return _view(row, answers or (mine and not caller.anonymous))


@router.post("/voices/{number}/answer")
async def answer(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("open:answer"))], number: Number, body: AnswerBody
) -> VoiceView:
    """Answer what was said."""
    work = platform.get(Opening).voices.answer
    return _view(
        await platform.records.write(lambda tx: work(tx, caller, number, body.state, body.text), caller.actor), whole=True
    )


@router.put("/datasets/{name}/rating")
async def rate(platform: PlatformDep, caller: Speaker, request: Request, name: Name, body: RatingBody) -> RatingView:
    """Rate a dataset; a later rating takes the place of the first."""
    opening, person = platform.get(Opening), _person(platform, caller, request)
    opening.admit_post(person)
    await opening.opened.dataset(name, caller)
    work = opening.voices.rate
    return RatingView(stars=await platform.records.write(lambda tx: work(tx, name, person, body.stars), caller.actor))


@router.post("/datasets/{name}/applications", status_code=201)
async def apply(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("open:apply"))], name: Name, body: ApplicationBody
) -> ApplicationView:
    """Apply for a conditionally opened dataset; the owner decides, and its data are had under the grant, from sharing."""
    found = await platform.get(Opening).opened.dataset(name, caller)
    if found.opened != "conditional":
        raise Conflict(reason=f"{name} is not opened on conditions, but {found.opened}")
    item = Item(dataset=name, fields=tuple(body.fields), reasons=body.reasons)
    draft = Draft(items=(item,), purpose=body.purpose, use=body.use, basis=body.basis, days=body.days, channel="opening")
    sharing = platform.get(Sharing)
    made = await platform.records.write(lambda tx: sharing.apply(tx, caller, draft), caller.actor)
    return ApplicationView(numbers=[a.number for a in made], states=[a.state for a in made], due=[a.due for a in made])


def _person(platform: Platform, caller: Caller, request: Request) -> str:
    """Tells people apart and nothing else: a keyed digest of who is signed in, or of the address."""
    who = caller.person or f"address {peer(request)}"
    return platform.get(Gate).keys.token("opening-people", who)[:32]


def _view(row: Row, whole: bool) -> VoiceView:
    shown = {key: row[key] for key in VoiceView.model_fields if key in row}
    return VoiceView(**(shown | ({} if whole else {"contact": None})))
