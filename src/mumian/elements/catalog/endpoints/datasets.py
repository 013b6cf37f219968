"""Datasets over HTTP: the list, search with facets, one dataset with its history and loads, and what was harvested."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, StringConstraints

from mumian.elements.catalog import history
from mumian.elements.catalog.api import FACETS, Catalog, Dataset, Question, Tables, sees_all
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("dataset:read"))]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Annotated[str, Path(max_length=500)]
Value = Annotated[str, StringConstraints(max_length=200)]
Values = Annotated[tuple[Value, ...], Query(max_length=50)]
Formats = Annotated[tuple[Value, ...], Query(alias="format", max_length=50)]


class DistributionView(BaseModel):
    """A way to have the data."""

    format: str
    url: str
    media_type: str | None
    title: dict[str, str]
    service: bool
    licence: str | None
    bytes: int | None


class DatasetView(BaseModel):
    """A dataset with its owner, update frequency and freshness."""

    name: str
    title: dict[str, str]
    description: dict[str, str] | None
    owner: str | None
    kind: str
    unit: str | None
    observed_property: str | None
    frequency_seconds: int | None
    licence: str | None
    source: str | None
    members: list[str]
    last_observed: str | None
    freshness: str
    observations: int
    origin: str | None
    theme: str | None
    duty: str | None
    share: str | None
    opened: str | None
    keywords: list[str]
    formats: list[str]
    rows: int | None
    score: float | None
    uses: int
    version: int
    entered_at: str
    changed_at: str
    publisher: str | None
    landing_page: str | None
    source_url: str | None
    contact: str | None
    series: str | None
    high_value: str | None
    issued: str | None
    modified: str | None


class WholeDatasetView(DatasetView):
    """A dataset with its fields and the ways to have its data; `lineage` is where its lineage is told."""

    fields: list[dict[str, Any]]
    key: list[str]
    distributions: list[DistributionView]
    lineage: str


class SearchView(BaseModel):
    """One page of what was found. `read_as` is the question as it was understood where a word seemed mistyped; `relaxed`
    tells that not all words had to be found. Each facet counts what is left by all other filters."""

    items: list[DatasetView]
    next: str | None
    total: int
    facets: dict[str, dict[str, int]]
    read_as: str | None
    relaxed: bool


class LoadView(BaseModel):
    """One delivery of rows."""

    number: int
    mode: str
    source: str
    watermark: str | None
    state: str
    started_at: str
    ended_at: str | None
    rows: int | None
    total: int | None


class ChangeView(BaseModel):
    """One version of a declaration: who changed it when, and what is other than before."""

    revision: int
    version: int
    time: str
    actor: str
    source: str
    deleted: bool
    changes: list[str]


class OriginalView(BaseModel):
    """A harvested dataset as it came."""

    name: str
    origin: str
    identifier: str
    source_url: str | None
    original: Any


@router.get("/datasets")
async def datasets(platform: PlatformDep, caller: Reader, after: Cursor = None, limit: Limit = MOST) -> Page[DatasetView]:
    """All datasets that the caller may see, by name."""
    keys, now = parse_cursor(after, str), platform.clock.now()
    behind = None if keys is None else (0.0, keys[0])
    question = Question(every=sees_all(caller), after=behind, limit=limit, facets=False)
    found, answer = await platform.get(Catalog).page(question, now)
    following = cursor(answer.hits[-1][1]) if answer.more else None
    return Page(items=[DatasetView(**_told(each)) for each in found], next=following)


@router.get("/search")
async def search(
    platform: PlatformDep,
    caller: Reader,
    text: Annotated[str, Query(alias="q", max_length=500)] = "",
    theme: Values = (),
    owner: Values = (),
    share: Values = (),
    opened: Values = (),
    kind: Values = (),
    origin: Values = (),
    quality: Values = (),
    freshness: Values = (),
    formats: Formats = (),
    order: Literal["relevance", "name", "changed", "uses", "score"] | None = None,
    facets: bool = True,
    after: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> SearchView:
    """Datasets by words in Chinese or English, filtered by facets (several values of one facet: any of them).

    `quality` are scores of 90 and more, 75 up to 90, 60 up to 75, or 0 up to 60.
    """
    given = (theme, owner, share, opened, kind, origin, quality, freshness, formats)
    wanted = {facet: values for facet, values in zip(FACETS, given, strict=True) if values}
    keys = parse_cursor(after, float, str)
    question = Question(
        text=text,
        wanted=wanted,
        order=order or ("relevance" if text.strip() else "name"),
        every=sees_all(caller),
        after=None if keys is None else (keys[0], keys[1]),
        limit=limit,
        facets=facets,
    )
    found, answer = await platform.get(Catalog).page(question, platform.clock.now())
    return SearchView(
        items=[DatasetView(**_told(each)) for each in found],
        next=cursor(*answer.hits[-1]) if answer.more else None,
        total=answer.total,
        facets=answer.facets,
        read_as=answer.read_as,
        relaxed=answer.relaxed,
    )


@router.get("/datasets/{name:path}/history")
async def dataset_history(
    platform: PlatformDep, caller: Reader, name: Name, after: Cursor = None, limit: Limit = 100
) -> Page[ChangeView]:
    """Who changed the declaration of a dataset, when and what, newest first."""
    _seen(await platform.get(Catalog).get(name, platform.clock.now()), caller)
    keys = parse_cursor(after, int)
    before = None if keys is None else keys[0]
    found = await platform.records.read(lambda session: history.changes(session, "Dataset", name, before, limit + 1))
    following = cursor(found[limit - 1].revision) if len(found) > limit else None
    return Page(items=[ChangeView(**each.__dict__) for each in found[:limit]], next=following)


@router.get("/datasets/{name:path}/loads")
async def dataset_loads(
    platform: PlatformDep, caller: Reader, name: Name, after: Cursor = None, limit: Limit = 100
) -> Page[LoadView]:
    """The loads of a dataset, newest first."""
    _seen(await platform.get(Catalog).get(name, platform.clock.now()), caller)
    keys = parse_cursor(after, int)
    found = await platform.get(Tables).loads(name, None if keys is None else keys[0], limit + 1)
    following = cursor(found[limit - 1].number) if len(found) > limit else None
    fields = LoadView.model_fields
    return Page(items=[LoadView(**{key: getattr(load, key) for key in fields}) for load in found[:limit]], next=following)


@router.get("/datasets/{name:path}/original")
async def dataset_original(platform: PlatformDep, caller: Reader, name: Name) -> OriginalView:
    """The record of a harvested dataset as its own catalogue gave it."""
    found = await platform.records.read(lambda session: Catalog.harvested(session, name))
    return OriginalView(
        name=name, origin=found.origin, identifier=found.identifier, source_url=found.source_url, original=found.original
    )


@router.get("/datasets/{name:path}")
async def dataset(platform: PlatformDep, caller: Reader, name: Name) -> WholeDatasetView:
    """One dataset."""
    catalog = platform.get(Catalog)
    found = await catalog.get(name, platform.clock.now())
    _seen(found, caller)
    ways = [DistributionView(**each.__dict__) for each in catalog.distributions(found)]
    told = _told(found) | {"fields": list(found.fields), "key": list(found.key), "distributions": ways}
    return WholeDatasetView(**told, lineage=f"/api/v1/elements/lineage/datasets/{found.name}")


def _seen(dataset: Dataset, caller: Caller) -> None:
    if not dataset.public and not sees_all(caller):
        raise NotFound(kind="Dataset", name=dataset.name)


def _told(dataset: Dataset) -> dict[str, Any]:
    told = {key: getattr(dataset, key) for key in DatasetView.model_fields}
    last = None if dataset.last_observed is None else iso(dataset.last_observed)
    lists = {key: list(getattr(dataset, key)) for key in ("members", "keywords", "formats")}
    return told | lists | {"last_observed": last}
