"""Data elements, code lists and terms over HTTP."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.elements.catalog.vocabulary.models import CodeListSpec, CodeSpec, ElementSpec, TermSpec
from mumian.foundation.identity.api import permit
from mumian.foundation.search.api import Search
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(dependencies=[Depends(permit("dataset:read"))])
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Annotated[str, Path(max_length=200)]
Text = Annotated[str, Query(alias="q", max_length=500)]


class ElementView(BaseModel):
    """A data element as it is declared."""

    name: str
    title: dict[str, str]
    version: int
    element: ElementSpec


class CodeListView(BaseModel):
    """A code list without its codes."""

    name: str
    title: dict[str, str]
    version: int
    description: dict[str, str] | None
    standard: str | None
    owner: str | None
    since: date | None
    until: date | None
    codes: int


class TermView(BaseModel):
    """A term of the glossary."""

    name: str
    title: dict[str, str]
    version: int
    term: TermSpec


@router.get("/elements")
async def elements(platform: PlatformDep, text: Text = "", after: Cursor = None, limit: Limit = MOST) -> Page[ElementView]:
    """Data elements, by name; `q` finds words of names, titles, definitions and other names."""
    kept, following = await _page(platform, "DataElement", text, after, limit)
    return Page(items=[ElementView(name=d.name, title=d.title, version=d.version, element=d.spec) for d in kept], next=following)


@router.get("/elements/{name}")
async def element(platform: PlatformDep, name: Name) -> ElementView:
    """One data element."""
    found = platform.declarations.get("DataElement", name)
    return ElementView(name=found.name, title=found.title, version=found.version, element=found.spec)


@router.get("/code-lists")
async def code_lists(platform: PlatformDep, text: Text = "", after: Cursor = None, limit: Limit = MOST) -> Page[CodeListView]:
    """Code lists, by name."""
    kept, following = await _page(platform, "CodeList", text, after, limit)
    return Page(items=[_codes(d) for d in kept], next=following)


@router.get("/code-lists/{name}")
async def code_list(platform: PlatformDep, name: Name) -> CodeListView:
    """One code list."""
    return _codes(platform.declarations.get("CodeList", name))


@router.get("/code-lists/{name}/codes")
async def codes(
    platform: PlatformDep,
    name: Name,
    on: Annotated[date | None, Query(description="Only codes valid on this day.")] = None,
    after: Cursor = None,
    limit: Limit = MOST,
) -> Page[CodeSpec]:
    """The codes of a list, in its order."""
    spec: CodeListSpec = platform.declarations.get("CodeList", name).spec
    keys = parse_cursor(after, int)
    start = 0 if keys is None else max(keys[0], 0)
    kept = [(i, code) for i, code in enumerate(spec.codes) if i >= start and _valid(code, on)]
    following = cursor(kept[limit][0]) if len(kept) > limit else None
    return Page(items=[code for _, code in kept[:limit]], next=following)


@router.get("/terms")
async def terms(platform: PlatformDep, text: Text = "", after: Cursor = None, limit: Limit = MOST) -> Page[TermView]:
    """The glossary, by name."""
    kept, following = await _page(platform, "Term", text, after, limit)
    return Page(items=[TermView(name=d.name, title=d.title, version=d.version, term=d.spec) for d in kept], next=following)


async def _page(
    platform: Platform, kind: str, text: str, after: str | None, limit: int
) -> tuple[list[Declared[Any]], str | None]:
    keys = parse_cursor(after, str)
    found = platform.declarations.all(kind)
    if text.strip():
        scope = f"elements.catalog.{kind}"
        hits = await platform.records.read(lambda session: platform.get(Search).find(session, scope, text, limit=10_000).hits)
        wanted = {key for key, _ in hits}
        found = [d for d in found if d.name in wanted]
    rest = [d for d in found if keys is None or d.name > keys[0]]
    return rest[:limit], cursor(rest[limit - 1].name) if len(rest) > limit else None


def _valid(code: CodeSpec, on: date | None) -> bool:
    return on is None or ((code.since is None or code.since <= on) and (code.until is None or on <= code.until))


def _codes(declared: Declared[CodeListSpec]) -> CodeListView:
    spec = declared.spec
    description = None if spec.description is None else spec.description.model_dump()
    return CodeListView(
        name=declared.name,
        title=declared.title,
        version=declared.version,
        description=description,
        standard=spec.standard,
        owner=spec.owner,
        since=spec.since,
        until=spec.until,
        codes=len(spec.codes),
    )
