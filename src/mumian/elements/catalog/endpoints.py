"""The catalogue over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.catalog.api import Catalog, Dataset
from mumian.foundation.identity.api import permit
from mumian.kernel.clock import iso
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/catalog", tags=["catalog"], dependencies=[Depends(permit("dataset:read"))])


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


@router.get("/datasets")
async def datasets(
    platform: PlatformDep,
    cursor_text: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Page[DatasetView]:
    """All datasets, by name."""
    keys, now = parse_cursor(cursor_text, str), platform.clock.now()
    found = await platform.get(Catalog).all(now)
    rest = [dataset for dataset in found if keys is None or dataset.name > keys[0]]
    following = cursor(rest[limit - 1].name) if len(rest) > limit else None
    return Page(items=[_view(dataset) for dataset in rest[:limit]], next=following)


@router.get("/datasets/{name}")
async def dataset(platform: PlatformDep, name: Annotated[str, Path(max_length=200)]) -> DatasetView:
    """One dataset."""
    now = platform.clock.now()
    return _view(await platform.get(Catalog).get(name, now))


def _view(dataset: Dataset) -> DatasetView:
    last = None if dataset.last_observed is None else iso(dataset.last_observed)
    return DatasetView(**{**dataset.__dict__, "members": list(dataset.members), "last_observed": last})
