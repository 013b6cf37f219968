"""Registers over HTTP: the list, what a register is made of, its model, runs and figures."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.registers import store
from mumian.elements.registers.api import Known, Registers
from mumian.elements.registers.contracts import Model
from mumian.elements.registers.models import RegisterSpec
from mumian.elements.registers.rules import learning
from mumian.elements.registers.service.layout import Layout
from mumian.elements.registers.service.running import KIND
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/registers", tags=["registers"])
Name = Annotated[str, Path(max_length=80)]
Reader = Annotated[Caller, Depends(permit("register:read"))]
CursorText = Annotated[str | None, Query(alias="cursor", max_length=400)]


class RunView(BaseModel):
    """One run: what it was for, how it ended, and what it did."""

    number: int
    state: str
    whole: bool
    started_at: str
    ended_at: str | None
    counts: dict[str, int]
    error: str | None


class RegisterView(BaseModel):
    """A register in the list; `due` says that something changed since its last run."""

    name: str
    title: dict[str, str]
    entity: str
    owner: str
    golden: str
    sources: list[str]
    due: bool
    last_run: RunView | None


class LevelView(BaseModel):
    """A level of agreement: its chance among records of one entity (m) and of different ones (u), and its weight in bits."""

    level: str
    m: float
    u: float
    weight: float


class ComparisonView(BaseModel):
    """How an attribute is compared, and what was learned of it; the best level first."""

    attribute: str
    method: str
    frequency: bool
    levels: list[LevelView]


class ModelView(BaseModel):
    """What a register has learned; thresholds are probabilities, `prior` the chance that two records at random are one entity."""

    number: int
    prior: float
    match: float
    review: float
    records: int
    pairs: int
    matches: float
    comparisons: list[ComparisonView]


class SourceView(BaseModel):
    """A source and its records: how many are beyond the first of their entity there."""

    dataset: str
    records: int
    entities: int
    duplicates: int


class CoverView(BaseModel):
    """The share of a source's records that have an attribute."""

    dataset: str
    attribute: str
    filled: float


class ConflictView(BaseModel):
    """Two sources that know an attribute of the same entities, how often they differ, and whose value then stood."""

    attribute: str
    first: str
    second: str
    both: int
    differ: int
    first_survived: int
    second_survived: int


class FiguresView(BaseModel):
    """How good the sources are: coverage, duplicates and conflicts."""

    records: int
    entities: int
    sources: list[SourceView]
    cover: list[CoverView]
    conflicts: list[ConflictView]


async def readable(platform: Platform, caller: Caller, name: str, action: str = "register:read") -> Known:
    """The register, for a caller who may do `action` there; raises NotFound, Forbidden, NotYet."""
    require(caller, action, platform.declarations.get(KIND, name).spec.owner)
    return await platform.get(Registers).known(name)


@router.get("")
async def registers(
    platform: PlatformDep, caller: Reader, after: CursorText = None, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> Page[RegisterView]:
    """All registers, by name."""
    keys = parse_cursor(after, str)
    rest = [d for d in platform.declarations.all(KIND) if keys is None or d.name > keys[0]]
    found = [await _register(platform, declared) for declared in rest[:limit]]
    return Page(items=found, next=cursor(rest[limit - 1].name) if len(rest) > limit else None)


@router.get("/{name}")
async def register(platform: PlatformDep, caller: Reader, name: Name) -> RegisterView:
    """One register."""
    return await _register(platform, platform.declarations.get(KIND, name))


@router.get("/{name}/model")
async def model(platform: PlatformDep, caller: Reader, name: Name) -> ModelView | None:
    """What the register has learned; null before its first run."""
    spec: RegisterSpec = platform.declarations.get(KIND, name).spec
    row = await platform.records.read(lambda session: store.register(session, name))
    found = None if row is None else store.model(row)
    return None if found is None else _model(Layout(name, 0, spec), found)


@router.get("/{name}/runs")
async def runs(
    platform: PlatformDep,
    caller: Reader,
    name: Name,
    after: CursorText = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[RunView]:
    """The runs of a register, newest first."""
    platform.declarations.get(KIND, name)
    keys = parse_cursor(after, int)
    before = None if keys is None else keys[0]
    rows = await platform.records.read(lambda session: store.runs(session, name, before, limit + 1))
    following = cursor(rows[limit - 1]["number"]) if len(rows) > limit else None
    return Page(items=[_run(row) for row in rows[:limit]], next=following)


@router.post("/{name}/runs", status_code=202)
async def run(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("register:run"))],
    name: Name,
    relearn: bool = False,
) -> dict[str, Any]:
    """Bring the register up to date soon; `relearn` learns anew how records agree, with all decisions since."""
    require(caller, "register:run", platform.declarations.get(KIND, name).spec.owner)
    await platform.records.write(lambda tx: store.want(tx, name, relearn), caller.actor)
    return {"register": name, "due": True}


@router.get("/{name}/figures")
async def figures(platform: PlatformDep, caller: Reader, name: Name) -> FiguresView:
    """Coverage, duplicates and conflicts, as of the last run."""
    known = await readable(platform, caller, name)
    found = await platform.get(Registers).counting.figures(known)
    return FiguresView(
        records=found.records,
        entities=found.entities,
        sources=[SourceView(**each.__dict__) for each in found.sources],
        cover=[CoverView(**each.__dict__) for each in found.cover],
        conflicts=[ConflictView(**each.__dict__) for each in found.conflicts],
    )


async def _register(platform: Platform, declared: Declared[RegisterSpec]) -> RegisterView:
    row = await platform.records.read(lambda session: store.register(session, declared.name))
    last = await platform.records.read(lambda session: store.runs(session, declared.name, None, 1))
    return RegisterView(
        name=declared.name,
        title=declared.title,
        entity=declared.spec.entity,
        owner=declared.spec.owner,
        golden=declared.spec.golden,
        sources=[source.dataset for source in declared.spec.sources],
        due=row is None or row["wanted"] > row["done"],
        last_run=_run(last[0]) if last else None,
    )


def _run(row: Row) -> RunView:
    names = ("number", "state", "started_at", "ended_at", "error")
    return RunView(**{key: row[key] for key in names}, whole=bool(row["whole"]), counts=json.loads(row["counts"]))


def _model(layout: Layout, found: Model) -> ModelView:
    comparisons = []
    for index, one in enumerate(layout.compared[: len(found.m)]):
        levels = [
            LevelView(level=one.level(code + 1), m=round(m, 6), u=round(u, 9), weight=round(learning.weight(m, u), 3))
            for code, (m, u) in enumerate(zip(found.m[index], found.u[index], strict=True))
            if code < one.size
        ]
        comparisons.append(
            ComparisonView(attribute=one.attribute, method=one.method, frequency=one.frequency, levels=levels[::-1])
        )
    return ModelView(
        **{key: getattr(found, key) for key in ("number", "prior", "records", "pairs", "matches")},
        match=layout.spec.match,
        review=layout.spec.review,
        comparisons=comparisons,
    )
