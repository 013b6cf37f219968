"""Catalogues over HTTP: harvest them, see what came of it, and fetch a dataset's data into one of the own."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.catalog.api import Catalog, Distribution, HarvestedDataset
from mumian.elements.collection import store as run_store
from mumian.elements.collection.harvest import store
from mumian.elements.collection.harvest.harvesting import Harvesting, known_at
from mumian.elements.collection.harvest.models import CatalogueSourceSpec
from mumian.elements.collection.models import ConnectorSpec, HttpSource, Reading
from mumian.elements.collection.reports.runs import RunView, run_view
from mumian.elements.collection.service.runner import Runner
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.errors import Invalid
from mumian.kernel.i18n import preferred, text
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter()
Reader = Annotated[Caller, Depends(permit("connector:read"))]
Name = Annotated[str, Path(max_length=80)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
_FORMATS = ("PARQUET", "CSV", "XLSX", "GEOJSON", "JSON", "JSONL", "TSV")


class SourceView(BaseModel):
    """A catalogue elsewhere, how many of its datasets are in ours, and how its last harvest ended."""

    name: str
    title: dict[str, str]
    face: str
    url: str
    every_seconds: int | None
    datasets: int
    last: dict[str, Any] | None


class HarvestView(BaseModel):
    """A harvest: `found` datasets, `entered` of them new or changed, `left` taken out, `refused` not understood."""

    id: str
    source: str
    state: str
    actor: str
    started_at: str
    ended_at: str | None
    found: int
    entered: int
    left: int
    refused: int
    error: str | None
    faults: list[dict[str, Any]]


class FetchBody(BaseModel):
    """Which dataset is to be fetched (as its catalogue calls it), from which of its distributions, into which of our own."""

    identifier: str = Field(min_length=1, max_length=400)
    dataset: str = Field(min_length=1, max_length=80)
    distribution: int | None = Field(None, ge=0, le=1000)
    fields: dict[str, str] = Field(default_factory=dict, max_length=2000)


@router.get("/catalogue-sources")
async def sources(
    platform: PlatformDep, _: Reader, after: Cursor = None, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> Page[SourceView]:
    """All catalogues that are harvested, by name."""
    keys = parse_cursor(after, str)
    found = [d for d in platform.declarations.all("CatalogueSource") if keys is None or d.name > keys[0]]
    items = []
    for each in found[:limit]:
        names, rows = await platform.records.read(
            lambda s, n=each.name: (platform.get(Catalog).harvested_names(s, n), store.page(s, n, None, 1))  # type: ignore[misc]
        )
        last = _harvest(rows[0], "en").model_dump(exclude={"faults"}) if rows else None
        spec = each.spec
        items.append(
            SourceView(
                name=each.name,
                title=each.title,
                face=spec.face,
                url=spec.url,
                every_seconds=spec.every_seconds,
                datasets=len(names),
                last=last,
            )
        )
    return Page(items=items, next=cursor(found[limit - 1].name) if len(found) > limit else None)


@router.post("/catalogue-sources/{name}/harvests", status_code=201)
async def harvest(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("catalogue-source:harvest"))], name: Name
) -> HarvestView:
    """Harvest a catalogue now."""
    id_ = await platform.get(Harvesting).harvest(name, caller.actor)
    rows = await platform.records.read(lambda session: store.page(session, name, None, 20))
    return _harvest(next(row for row in rows if row["id"] == id_), "en")


@router.get("/catalogue-sources/{name}/harvests")
async def harvests(
    platform: PlatformDep, _: Reader, name: Name, after: Cursor = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[HarvestView]:
    """Harvests of a catalogue, newest first."""
    platform.declarations.get("CatalogueSource", name)
    keys = parse_cursor(after, str)
    before = None if keys is None else keys[0]
    rows = await platform.records.read(lambda session: store.page(session, name, before, limit + 1))
    following = cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=[_harvest(row, preferred(None)) for row in rows[:limit]], next=following)


@router.post("/catalogue-sources/{name}/fetches", status_code=202)
async def fetch(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("connector:run"))], name: Name, body: FetchBody
) -> RunView:
    """Fetch a harvested dataset's data into a declared dataset, in the place of what is there: a run does it."""
    declared: CatalogueSourceSpec = platform.declarations.get("CatalogueSource", name).spec
    owner = platform.declarations.get("Dataset", body.dataset).spec.owner
    require(caller, "connector:run", owner)
    found = await platform.records.read(lambda session: Catalog.harvested(session, f"{name}:{body.identifier}"))
    way = _way(found, body.distribution)
    source = HttpSource(kind="http", url=way.url, auth=known_at(declared, way.url), reading=Reading())
    spec = ConnectorSpec(dataset=body.dataset, source=source, fields=body.fields, drift="report")
    runner = platform.get(Runner)
    id_ = await platform.records.write(lambda tx: runner.queue_spec(tx, f"fetch {found.name}", spec, "fetch"), caller.actor)
    runner.wake()
    row = await platform.records.read(lambda session: run_store.whole(session, id_))
    assert row is not None
    return run_view(run_store.run_of(row))


def _way(found: HarvestedDataset, number: int | None) -> Distribution:
    """The distribution that is asked for, else the one whose format is read best; raises Invalid."""
    ways = found.distributions
    if number is not None:
        if number >= len(ways):
            raise Invalid.field("distribution", "field.range", expected=f"0 … {len(ways) - 1}")
        return ways[number]
    fitting = [way for way in ways if way.format.upper() in _FORMATS and not way.service]
    if not fitting:
        raise Invalid.field("distribution", "collection.no_distribution", name=found.name)
    return min(fitting, key=lambda way: _FORMATS.index(way.format.upper()))


def _harvest(row: Row, language: str) -> HarvestView:
    error = json.loads(row["error"]) if row["error"] else None
    names = ("id", "source", "state", "actor", "started_at", "ended_at", "found", "entered", "refused")
    message = None if error is None else text(error["key"], language, **error["values"])
    faults = json.loads(row["faults"])
    return HarvestView(**{name: row[name] for name in names}, left=row["left_count"], error=message, faults=faults)
