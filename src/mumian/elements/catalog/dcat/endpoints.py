"""The faces: `/catalog` and `/dataset/{name}` as linked data, by the ending of the address or by what the reader accepts."""

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from mumian.elements.catalog.api import Catalog, Question, sees_all
from mumian.elements.catalog.dcat import rules
from mumian.elements.catalog.dcat.graphs import House, Writer
from mumian.elements.catalog.errors import NoSuchForm
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(tags=["DCAT"])
Reader = Annotated[Caller, Depends(permit("dataset:read"))]
Accept = Annotated[str, Header(max_length=1000)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=500)]
_FORMATS = {"text/turtle": "turtle", "application/ld+json": "json-ld", "application/rdf+xml": "xml"}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {} for media in _FORMATS}, "description": "Linked data after DCAT-AP 3."},
    303: {"description": "A browser is sent to the screen."},
}


@router.get("/catalog.{ending}", responses=_ANSWERS, response_class=Response)
async def catalogue_file(
    request: Request,
    platform: PlatformDep,
    caller: Reader,
    ending: Annotated[str, Path(max_length=20)],
    after: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The catalogue, one page after another (`hydra:next`): what the caller may see, by name."""
    media = rules.TYPES.get(ending)
    if media is None:
        raise NotFound(kind="page", name=f"/catalog.{ending}")
    return await _catalogue(request, platform, caller, media, after, limit)


@router.get("/catalog", responses=_ANSWERS, response_class=Response)
async def catalogue(
    request: Request, platform: PlatformDep, caller: Reader, accept: Accept = "*/*", after: Cursor = None, limit: Limit = 100
) -> Response:
    """The catalogue in the form that the reader accepts; a browser is sent to the screen."""
    media = rules.preferred(accept)
    if media == rules.HTML:
        return RedirectResponse("/catalogue", 303, headers={"Vary": "Accept"})
    if media is None:
        raise NoSuchForm(accepted=accept[:200])
    return await _catalogue(request, platform, caller, media, after, limit)


@router.get("/dataset/{name:path}", responses=_ANSWERS, response_class=Response)
async def dataset(
    request: Request,
    platform: PlatformDep,
    caller: Reader,
    name: Annotated[str, Path(max_length=500)],
    accept: Accept = "*/*",
) -> Response:
    """One dataset, by the ending of its address (.ttl, .jsonld, .rdf) or in the form that the reader accepts."""
    stem, _, ending = name.rpartition(".")
    media = rules.TYPES.get(ending)
    if media is None:
        stem, media = name, rules.preferred(accept)
    if media is None:
        raise NoSuchForm(accepted=accept[:200])
    catalog = platform.get(Catalog)
    found = await catalog.get(stem, platform.clock.now())
    if not found.public and not sees_all(caller):
        raise NotFound(kind="Dataset", name=stem)
    if media == rules.HTML:
        return RedirectResponse(f"/catalogue?dataset={quote(stem, safe='')}", 303, headers={"Vary": "Accept"})
    ways = catalog.distributions(found)

    def made() -> bytes:
        writer = Writer(_house(platform, request))
        writer.dataset(found, ways)
        return _serialised(writer, media)

    return Response(await asyncio.to_thread(made), media_type=media, headers={"Vary": "Accept"})


async def _catalogue(request: Request, platform: Platform, caller: Caller, media: str, after: str | None, limit: int) -> Response:
    catalog, keys = platform.get(Catalog), parse_cursor(after, str)
    behind = None if keys is None else (0.0, keys[0])
    question = Question(every=sees_all(caller), after=behind, limit=limit, facets=False)
    found, answer = await catalog.page(question, platform.clock.now())
    path = request.url.path
    page = {"total": answer.total, "here": _address(path, after, limit), "first": _address(path, None, limit)}
    if answer.more:
        page["next"] = _address(path, cursor(answer.hits[-1][1]), limit)

    def made() -> bytes:
        writer = Writer(_house(platform, request))
        writer.catalogue([(each, catalog.distributions(each)) for each in found], page)
        return _serialised(writer, media)

    return Response(await asyncio.to_thread(made), media_type=media, headers={"Vary": "Accept"})


def _address(path: str, after: str | None, limit: int) -> str:
    return f"{path}?limit={limit}" + (f"&cursor={after}" if after else "")


def _house(platform: Platform, request: Request) -> House:
    organisations = {d.name: d.title for d in platform.declarations.all("Organisation")}
    roots = [d.name for d in platform.declarations.all("Organisation") if d.spec.parent is None]
    cities = platform.declarations.all("City")
    title = cities[0].title if cities else {"zh": "木棉", "en": "Mumian"}
    return House(str(request.base_url), title, roots[0] if roots else None, organisations)


def _serialised(writer: Writer, media: str) -> bytes:
    """The graph; JSON-LD brings its context along, so that nobody has to fetch one."""
    compact = media == "application/ld+json"
    made: bytes = writer.graph.serialize(format=_FORMATS[media], encoding="utf-8", **({"auto_compact": True} if compact else {}))  # type: ignore[call-overload]
    return made
