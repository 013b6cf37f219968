"""One source one number over HTTP: the sources of data elements, and decisions on them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.catalog.sources.comparing import Comparing, Sources
from mumian.elements.catalog.sources.rules import Place, Role
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Name = Annotated[str, Path(max_length=200)]
Reader = Annotated[Caller, Depends(permit("source:read"))]


class PlaceView(BaseModel):
    """A field of a dataset."""

    dataset: str
    field: str


class CandidateView(PlaceView):
    """A field that may be another source; each reason is from 0 to 1, `values` is null where there are none to compare."""

    declared: bool
    name: float
    definition: float
    values: float | None
    score: float


class DecisionView(PlaceView):
    """What was decided of a field: authoritative, copy or different."""

    role: str
    reason: str
    decided_at: str
    decided_by: str


class SourcesView(BaseModel):
    """The sources of a data element; `open` candidates wait for a decision."""

    element: str
    authoritative: PlaceView | None
    declared: bool
    candidates: list[CandidateView]
    decisions: list[DecisionView]
    open: int


class Decision(BaseModel):
    """What a field is for an element, and why."""

    dataset: str = Field(max_length=80)
    field: str = Field(max_length=80)
    role: Role
    reason: str = Field(min_length=1, max_length=2000)


@router.get("/sources")
async def sources(
    platform: PlatformDep,
    caller: Reader,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> Page[SourcesView]:
    """The sources of all data elements, by name."""
    keys = parse_cursor(after, str)
    rest = [d.name for d in platform.declarations.all("DataElement") if keys is None or d.name > keys[0]]
    comparing = platform.get(Comparing)
    found = [_view(await comparing.sources(name)) for name in rest[:limit]]
    return Page(items=found, next=cursor(rest[limit - 1]) if len(rest) > limit else None)


@router.get("/elements/{name}/sources")
async def element_sources(platform: PlatformDep, caller: Reader, name: Name) -> SourcesView:
    """The sources of one data element."""
    return _view(await platform.get(Comparing).sources(name))


@router.post("/elements/{name}/decisions", status_code=201)
async def decide(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("source:decide"))], name: Name, decision: Decision
) -> SourcesView:
    """Decide what a field is for a data element."""
    comparing, place = platform.get(Comparing), Place(decision.dataset, decision.field)
    await platform.records.write(lambda tx: comparing.decide(tx, name, place, decision.role, decision.reason), caller.actor)
    return _view(await comparing.sources(name))


def _view(found: Sources) -> SourcesView:
    own = None if found.authoritative is None else PlaceView(**found.authoritative.__dict__)
    candidates = [
        CandidateView(
            **each.place.__dict__,
            declared=each.declared,
            name=round(each.name, 3),
            definition=round(each.definition, 3),
            values=None if each.values is None else round(each.values, 3),
            score=round(each.score, 3),
        )
        for each in found.candidates
    ]
    decisions = [DecisionView(**{key: row[key] for key in DecisionView.model_fields}) for row in found.decisions]
    return SourcesView(
        element=found.element,
        authoritative=own,
        declared=found.declared,
        candidates=candidates,
        decisions=decisions,
        open=found.open,
    )
