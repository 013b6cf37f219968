"""Dataset pages over HTTP: what is in a dataset, how it can be had and shown, how it is used."""

import json
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel

from mumian.elements.catalog.api import Catalog
from mumian.elements.opening.api import Asker, Opening, Question
from mumian.elements.opening.rules import charts
from mumian.elements.opening.service.opened import offered
from mumian.elements.opening.store import checks, usage
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import iso
from mumian.kernel.errors import Forbidden, NotFound
from mumian.kernel.unit_of_work import Session
from mumian.kernel.web import Page, PlatformDep

router = APIRouter()
Name = Annotated[str, Path(max_length=200)]
Reader = Annotated[Caller, Depends(permit("open:read"))]


class FileView(BaseModel):
    """A way to have the data."""

    format: str
    url: str
    media_type: str | None
    service: bool


class PageView(BaseModel):
    """What the page of a dataset shows beside its description in the catalogue.

    `check` is the state of the check for re-identification: none, due, passed, failed, exempt; `withheld`: not opened because
    of it. `charts` are pictures that suit the data, best first. `uses` counts 30 days by way; `stars` counts ratings.
    """

    name: str
    title: dict[str, str]
    description: dict[str, str] | None
    owner: str | None
    opened: str | None
    licence: str | None
    rows: int | None
    changed_at: str
    last_loaded: str | None
    files: list[FileView]
    charts: list[dict[str, Any]]
    check: str
    withheld: bool
    uses: dict[str, int]
    stars: dict[int, int]
    score: float | None


class ProfileView(BaseModel):
    """What each field holds, as everybody may see it, after load `load`; distinct values are estimated."""

    load: int
    made_at: str
    rows: int
    fields: list[dict[str, Any]]


class PreviewView(BaseModel):
    """The first rows."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]
    total: int | None


class UseView(BaseModel):
    """How often a dataset was used on a day, in a way (csv, xlsx, …, records, ckan, preview)."""

    day: str
    way: str
    uses: int


class MostUsedView(BaseModel):
    """A dataset with its uses."""

    dataset: str
    uses: int


def address(request: Request) -> str:
    """Where this server is, as the caller sees it."""
    return str(request.base_url).rstrip("/")


def peer(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client is not None else "unknown"


@router.get("/datasets/{name}")
async def page(platform: PlatformDep, caller: Reader, name: Name) -> PageView:
    """The page of an opened dataset."""
    opening = platform.get(Opening)
    found = await opening.opened.dataset(name, caller)
    state = await opening.opened.state(name)
    since = iso(platform.clock.now() - timedelta(days=30))[:10]

    def work(session: Session) -> tuple[Any, list[Any], dict[int, int]]:
        return checks.profile(session, name), usage.uses(session, name, since), usage.rating(session, name)

    profile, uses, stars = await platform.records.read(work)
    told = {} if profile is None or state["withheld"] else {f["name"]: f for f in json.loads(profile["profile"])["fields"]}
    counted: dict[str, int] = {}
    for row in uses:
        counted[row["way"]] = counted.get(row["way"], 0) + row["uses"]
    ways = [
        w for w in platform.get(Catalog).distributions(found) if not state["withheld"] or not w.url.startswith("/api/v1/elements")
    ]
    return PageView(
        **{key: getattr(found, key) for key in ("name", "title", "description", "owner", "opened", "licence", "rows", "score")},
        changed_at=found.changed_at,
        last_loaded=None if found.last_observed is None else iso(found.last_observed),
        files=[FileView(format=w.format, url=w.url, media_type=w.media_type, service=w.service) for w in ways],
        charts=charts.suggested([(f["name"], f["type"]) for f in found.fields], told),
        check=state["state"],
        withheld=state["withheld"],
        uses=counted,
        stars=stars,
    )


@router.get("/datasets/{name}/profile")
async def profile(platform: PlatformDep, caller: Reader, name: Name) -> ProfileView:
    """Statistics of each field, made once for each load: gaps, spread, quartiles, histogram, frequent values."""
    opening = platform.get(Opening)
    found = await opening.opened.dataset(name, caller)
    row = await platform.records.read(lambda session: checks.profile(session, name))
    if row is None:
        raise NotFound(kind="Profile", name=name)
    free = found.opened == "unconditional" and not (await opening.opened.state(name))["withheld"]
    if not free and not caller.allowed("row:read", found.owner):
        raise await opening.opened.explained(name, Forbidden(action="row:read"))
    return ProfileView(load=row["load_number"], made_at=row["made_at"], **json.loads(row["profile"]))


@router.get("/datasets/{name}/preview")
async def preview(
    platform: PlatformDep, caller: Reader, request: Request, name: Name, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> PreviewView:
    """The first rows of a dataset."""
    opening = platform.get(Opening)
    opening.admit(caller, peer(request))
    await opening.opened.dataset(name, caller)
    info = await opening.asking.table(name)
    try:
        found = await opening.asking.rows(Asker(caller), info, Question(limit=limit))
    except Forbidden as error:
        raise await opening.opened.explained(name, error) from None
    opening.counting.count(name, "preview")
    columns = [{"name": column.name, "type": column.type} for column in found.answer.columns]
    return PreviewView(columns=columns[1:], rows=[list(row[1:]) for row in found.answer.rows], total=found.total)


@router.get("/datasets/{name}/usage")
async def uses(
    platform: PlatformDep, caller: Reader, name: Name, days: Annotated[int, Query(ge=1, le=366)] = 90
) -> Page[UseView]:
    """How often a dataset was used, by day and way."""
    await platform.get(Opening).opened.dataset(name, caller)
    since = iso(platform.clock.now() - timedelta(days=days))[:10]
    rows = await platform.records.read(lambda session: usage.uses(session, name, since))
    return Page(items=[UseView(**row) for row in rows])


@router.get("/usage", dependencies=[Depends(permit("open:read"))])
async def most_used(
    platform: PlatformDep, days: Annotated[int, Query(ge=1, le=366)] = 30, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Page[MostUsedView]:
    """The most used datasets."""
    since = iso(platform.clock.now() - timedelta(days=days))[:10]
    rows = await platform.records.read(lambda session: usage.totals(session, since, limit))
    return Page(items=[MostUsedView(dataset=row["dataset"], uses=int(row["uses"])) for row in rows])


@router.get("/datasets/{name}/openapi.json")
async def description(platform: PlatformDep, caller: Reader, request: Request, name: Name) -> dict[str, Any]:
    """The API of one dataset, described in OpenAPI 3.1, to be read by programmes."""
    found = await platform.get(Opening).opened.dataset(name, caller)
    return _openapi(found, address(request))


@router.get("/datasets/{name}/csvw.json")
async def table_description(platform: PlatformDep, caller: Reader, request: Request, name: Name) -> dict[str, Any]:
    """What stands in the CSV file of a dataset, after CSV on the Web (W3C 2015): columns with types, titles and units."""
    found = await platform.get(Opening).opened.dataset(name, caller)
    types = {"integer": "integer", "number": "double", "boolean": "boolean", "date": "date", "time": "dateTime"}
    columns = [
        {
            "name": field["name"],
            "titles": field["title"] or field["name"],
            "datatype": types.get(field["type"], "string"),
            "required": field["required"],
            **({"dc:description": field["description"]} if field["description"] else {}),
        }
        for field in found.fields
    ]
    told: dict[str, Any] = {"columns": columns} | ({"primaryKey": list(found.key)} if found.key else {})
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": f"{address(request)}/api/v1/elements/opening/datasets/{name}/data.csv",
        "dc:title": found.title,
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "lineTerminators": ["\r\n"]},
        "tableSchema": told,
    }


def _openapi(found: Any, server: str) -> dict[str, Any]:
    types = {"integer": "integer", "number": "number", "boolean": "boolean"}
    formats = {"date": {"format": "date"}, "time": {"format": "date-time"}}
    fields = {
        field["name"]: {"type": [types.get(field["type"], "string"), "null"], **formats.get(field["type"], {})}
        | ({"description": field["description"]["en"]} if field["description"] else {})
        for field in found.fields
    }

    def parameter(name: str, description: str, type_: str = "string") -> dict[str, Any]:
        return {"name": name, "in": "query", "description": description, "schema": {"type": type_}}

    record = {"type": "object", "properties": fields}
    rows = {"type": "object", "properties": {"items": {"type": "array", "items": record}, "next": {"type": ["string", "null"]}}}
    asked = [
        parameter("filters", 'JSON: a value or a list of values for each field, {"colour": ["red"]}'),
        parameter("q", "Words that must occur in a row"),
        parameter("fields", "Names of fields, separated by commas"),
        parameter("sort", "field asc, other desc"),
        parameter("limit", "Rows in an answer", "integer"),
        parameter("cursor", "`next` of the answer before"),
    ]
    endings = [form.ending for form in offered((field["name"], field["type"]) for field in found.fields)]
    base = f"/api/v1/elements/opening/datasets/{found.name}"
    answer = {"200": {"description": "Rows", "content": {"application/json": {"schema": rows}}}}
    ending = {"name": "ending", "in": "path", "required": True, "schema": {"type": "string", "enum": endings}}
    return {
        "openapi": "3.1.0",
        "info": {"title": found.title["en"], "version": str(found.version)},
        "servers": [{"url": server}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"key": []}],
        "paths": {
            f"{base}/records": {"get": {"operationId": "records", "parameters": asked, "responses": answer}},
            f"{base}/data.{{ending}}": {
                "get": {"operationId": "download", "parameters": [ending], "responses": {"200": {"description": "The file"}}}
            },
        },
    }
