"""Entities over HTTP: search, golden records now and as of an instant, their versions, their sources and why they are one."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from mumian.elements.registers.api import Pair, Registers, Version
from mumian.elements.registers.endpoints.registers import Name, Reader, readable
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/registers", tags=["registers"])
Number = Annotated[int, Path(ge=1, lt=2**62)]
Purpose = Annotated[str, Query(min_length=1, max_length=200, description="What for: it goes into the ledger.")]


class SearchBody(BaseModel):
    """What is looked for: exact values of attributes, and what for."""

    purpose: str = Field(min_length=1, max_length=200)
    match: dict[str, str] = Field(min_length=1, max_length=20)
    limit: int = Field(20, ge=1, le=200)
    cursor: str | None = Field(None, max_length=400)


class GoldenView(BaseModel):
    """A golden record as the caller may see it."""

    entity: int
    version: int
    values: dict[str, Any]


class OriginView(BaseModel):
    """Where a value comes from: record and revision in a dataset, the rule by which it survived, how many values there were."""

    attribute: str
    dataset: str
    record: int
    revision: int
    rule: str
    variants: int


class VersionView(BaseModel):
    """One version: how it came about, from which records, and what became of it."""

    version: int
    state: str
    time: str
    run: int
    records: list[int]
    origin: list[OriginView]
    successors: list[int]
    origins: list[int]


class EntityView(BaseModel):
    """An entity: its golden record (null where it is not one any more), its newest version, and where it lives on (`forward`)."""

    entity: int
    golden: GoldenView | None
    version: VersionView
    forward: list[int]


class EvidenceView(BaseModel):
    """What one comparison says: the level of agreement, and its weight in bits (for the same entity, or against)."""

    attribute: str
    method: str
    level: str
    weight: float


class PairView(BaseModel):
    """Two records and the evidence that they are one entity; `reason` says why they are apart though they may be."""

    a: int
    b: int
    datasets: tuple[str, str]
    entities: tuple[int | None, int | None]
    weight: float
    probability: float
    evidence: list[EvidenceView]
    reason: str | None


class RowView(BaseModel):
    """A row behind a golden record; `values` is null when it is gone from its source."""

    record: int
    dataset: str
    row: int | None
    values: dict[str, Any] | None


@router.post("/{name}/search")
async def search(platform: PlatformDep, caller: Reader, name: Name, body: SearchBody) -> Page[GoldenView]:
    """Entities with exactly these values."""
    known = await readable(platform, caller, name)
    keys = parse_cursor(body.cursor, int)
    looking = platform.get(Registers).looking
    found = await looking.search(caller, known, body.purpose, body.match, keys[0] if keys else 0, body.limit + 1)
    following = cursor(found[body.limit - 1].entity) if len(found) > body.limit else None
    return Page(items=[GoldenView(**each.__dict__) for each in found[: body.limit]], next=following)


@router.get("/{name}/entities/{entity}")
async def entity(
    platform: PlatformDep,
    caller: Reader,
    name: Name,
    entity: Number,
    purpose: Purpose,
    at: Annotated[AwareDatetime | None, Query(description="As it was at this instant.")] = None,
) -> EntityView:
    """One entity with its golden record, and the way back of each value."""
    known = await readable(platform, caller, name)
    registers = platform.get(Registers)
    versions = await registers.explaining.versions(known, entity)
    version = _at(versions, at)
    golden = None
    if version.state in ("created", "changed"):
        looked = await registers.looking.entity(caller, known, entity, purpose, at)
        golden = GoldenView(**looked.__dict__)
    forward = await registers.explaining.forward(known, entity)
    return EntityView(entity=entity, golden=golden, version=_version(version), forward=forward)


@router.get("/{name}/entities/{entity}/versions")
async def versions(platform: PlatformDep, caller: Reader, name: Name, entity: Number) -> list[VersionView]:
    """How an entity came to be what it is, newest first."""
    known = await readable(platform, caller, name)
    return [_version(each) for each in await platform.get(Registers).explaining.versions(known, entity)]


@router.get("/{name}/entities/{entity}/rows")
async def rows(platform: PlatformDep, caller: Reader, name: Name, entity: Number, purpose: Purpose) -> list[RowView]:
    """The rows of all sources behind an entity, as the caller may see them."""
    known = await readable(platform, caller, name)
    found = await platform.get(Registers).looking.rows(caller, known, entity, purpose)
    return [RowView(**each.__dict__) for each in found]


@router.get("/{name}/records/{record}")
async def record(platform: PlatformDep, caller: Reader, name: Name, record: Number, purpose: Purpose) -> RowView:
    """The row behind one record."""
    known = await readable(platform, caller, name)
    return RowView(**(await platform.get(Registers).looking.row(caller, known, record, purpose)).__dict__)


@router.get("/{name}/entities/{entity}/pairs")
async def pairs(platform: PlatformDep, caller: Reader, name: Name, entity: Number) -> list[PairView]:
    """Why these records are one entity, and what speaks for others that are left apart."""
    known = await readable(platform, caller, name)
    return [pair_view(each) for each in await platform.get(Registers).explaining.pairs(known, entity)]


@router.get("/{name}/pairs/{a}/{b}")
async def pair(platform: PlatformDep, caller: Reader, name: Name, a: Number, b: Number) -> PairView:
    """The evidence about two records."""
    known = await readable(platform, caller, name)
    return pair_view(await platform.get(Registers).explaining.pair(known, a, b))


def pair_view(pair: Pair) -> PairView:
    """A pair for the wire."""
    return PairView(**{**pair.__dict__, "evidence": [EvidenceView(**each.__dict__) for each in pair.evidence]})


def _version(version: Version) -> VersionView:
    data = {key: value for key, value in version.__dict__.items() if key != "entity"}
    data |= {key: list(data[key]) for key in ("records", "successors", "origins")}
    return VersionView(**{**data, "origin": [OriginView(**each.__dict__) for each in version.origin]})


def _at(versions: list[Version], at: datetime | None) -> Version:
    """The version in force at an instant; the first one for instants before it, which the golden record then refuses."""
    if at is None:
        return versions[0]
    return next((each for each in versions if datetime.fromisoformat(each.time) <= at), versions[-1])
