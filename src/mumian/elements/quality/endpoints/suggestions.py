"""Profiles and suggestions over HTTP: what a dataset looks like, which rules that speaks for, and what people say to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from mumian.elements.quality.api import Quality
from mumian.elements.quality.endpoints.views import WITHOUT_NUL
from mumian.elements.quality.store import profiles
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import PlatformDep

router = APIRouter()
Name = Annotated[str, Path(max_length=200, pattern=WITHOUT_NUL)]
Suggester = Annotated[Caller, Depends(permit("quality:suggest"))]


class ProfileView(BaseModel):
    """What a dataset looks like as of a load; `sampled` rows were looked at. Of labelled fields no value is shown."""

    dataset: str
    load: int
    at: str
    rows: int
    sampled: int
    fields: list[dict[str, Any]]
    keys: list[list[str]]
    references: list[list[Any]]


class SuggestionView(BaseModel):
    """A rule that could be declared, and what speaks for it."""

    id: str
    rule: dict[str, Any]
    evidence: dict[str, Any]


class Accepted(BaseModel):
    """The suggestions that are accepted, by id."""

    ids: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=200)


class DeclarationView(BaseModel):
    """A QualityRule document with the suggestions accepted, to be looked over and applied."""

    yaml: str


class Declined(BaseModel):
    """Why a suggestion is declined."""

    reason: str = Field(min_length=1, max_length=1000, pattern=WITHOUT_NUL)


@router.get("/datasets/{dataset}/profile", dependencies=[Depends(permit("quality:suggest"))])
async def profile(platform: PlatformDep, dataset: Name) -> ProfileView:
    """The last profile of a dataset."""
    row = await platform.records.read(lambda session: profiles.profile(session, dataset))
    if row is None:
        raise NotFound(kind="Profile", name=dataset)
    return _view(row)


@router.post("/datasets/{dataset}/profile", status_code=201)
async def make_profile(platform: PlatformDep, caller: Suggester, dataset: Name) -> ProfileView:
    """Profile a dataset now."""
    require(caller, "quality:suggest", platform.declarations.get("Dataset", dataset).spec.owner)
    return _view(await platform.get(Quality).profiling.profile(dataset, caller.actor))


@router.get("/datasets/{dataset}/suggestions", dependencies=[Depends(permit("quality:suggest"))])
async def suggestions(platform: PlatformDep, dataset: Name) -> list[SuggestionView]:
    """The rules that the last profile speaks for, but those declared or declined."""
    found = await platform.get(Quality).profiling.suggestions(dataset)
    return [SuggestionView(id=one.id, rule=one.rule, evidence=one.evidence) for one in found]


@router.post("/datasets/{dataset}/suggestions/accepted")
async def accept(platform: PlatformDep, caller: Suggester, dataset: Name, accepted: Accepted) -> DeclarationView:
    """The declaration with the suggestions accepted; it takes effect when it is applied."""
    return DeclarationView(yaml=await platform.get(Quality).profiling.accepted(dataset, accepted.ids))


@router.post("/datasets/{dataset}/suggestions/{suggestion}/declined", status_code=204)
async def decline(
    platform: PlatformDep,
    caller: Suggester,
    dataset: Name,
    suggestion: Annotated[str, Path(max_length=100, pattern=WITHOUT_NUL)],
    declined: Declined,
) -> None:
    """Decline a suggestion, so that it does not come again."""
    require(caller, "quality:suggest", platform.declarations.get("Dataset", dataset).spec.owner)
    profiling = platform.get(Quality).profiling
    if suggestion not in {one.id for one in await profiling.suggestions(dataset)}:
        raise NotFound(kind="Suggestion", name=suggestion)
    await platform.records.write(lambda tx: profiling.decline(tx, dataset, suggestion, declined.reason), caller.actor)


def _view(row: Row) -> ProfileView:
    told = {name: row["profile"][name] for name in ("sampled", "fields", "keys", "references")}
    return ProfileView(dataset=row["dataset"], load=row["load"], at=row["at"], rows=row["held_rows"], **told)
