"""Duty lists over HTTP: the link duty – dataset – data, its gaps, and both as files."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel

from mumian.elements.catalog.duties import linking
from mumian.elements.catalog.duties.models import DutySpec
from mumian.elements.catalog.duties.rules import Gap, Held, holding
from mumian.foundation.identity.api import permit
from mumian.foundation.tables.api import csv_lines, workbook
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.i18n import text
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(dependencies=[Depends(permit("duty:read"))])
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Organisation = Annotated[str | None, Query(max_length=80)]
File = Annotated[Literal["csv", "xlsx"], Path()]
Language = Annotated[Literal["zh", "en"], Query()]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}, _XLSX: {}}, "description": "A file of rows."}}


class HolderView(BaseModel):
    """A dataset that holds a duty's data, and whether data ever came."""

    name: str
    owner: str
    frequency_seconds: int | None
    reached: bool


class DutyDataView(BaseModel):
    """Data that a duty must produce, with the datasets that hold them."""

    name: str
    title: dict[str, str]
    elements: list[str]
    frequency_seconds: int | None
    datasets: list[HolderView]


class DutyView(BaseModel):
    """A duty with its data: the three levels in one."""

    name: str
    title: dict[str, str]
    organisation: str
    duty: dict[str, str]
    basis: str
    matters: list[str]
    version: int
    data: list[DutyDataView]


class GapView(BaseModel):
    """A gap: kinds are overstep, foreign, no-dataset, no-data, no-element, too-seldom."""

    kind: str
    organisation: str
    duty: str | None
    data: str | None
    dataset: str | None
    detail: str


class GapCount(BaseModel):
    """How many gaps of each kind an organisation has."""

    organisation: str
    counts: dict[str, int]


@router.get("/duties")
async def duties(
    platform: PlatformDep, organisation: Organisation = None, after: Cursor = None, limit: Limit = 200
) -> Page[DutyView]:
    """Duty items with the datasets that hold their data, by name."""
    keys = parse_cursor(after, str)
    held = await platform.records.read(lambda session: linking.held(platform, session))
    rest = [d for d in _duties(platform, organisation) if keys is None or d.name > keys[0]]
    following = cursor(rest[limit - 1].name) if len(rest) > limit else None
    return Page(items=[_view(d, held) for d in rest[:limit]], next=following)


@router.get("/duty-gaps")
async def duty_gaps(
    platform: PlatformDep,
    organisation: Organisation = None,
    kind: Annotated[str | None, Query(max_length=20)] = None,
    after: Cursor = None,
    limit: Limit = 200,
) -> Page[GapView]:
    """The gaps between duties, datasets and data, by organisation."""
    keys = parse_cursor(after, str, str, str, str, str, str)
    found = [(_key(gap), gap) for gap in await _gaps(platform, organisation) if kind is None or gap.kind == kind]
    rest = [(key, gap) for key, gap in found if keys is None or key > tuple(keys)]
    following = cursor(*rest[limit - 1][0]) if len(rest) > limit else None
    return Page(items=[GapView(**gap.__dict__) for _, gap in rest[:limit]], next=following)


@router.get("/duty-gaps/counts")
async def duty_gap_counts(platform: PlatformDep) -> list[GapCount]:
    """How many gaps each organisation has, those with most first."""
    counts: dict[str, dict[str, int]] = {}
    for gap in await _gaps(platform, None):
        kinds = counts.setdefault(gap.organisation, {})
        kinds[gap.kind] = kinds.get(gap.kind, 0) + 1
    order = sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return [GapCount(organisation=name, counts=kinds) for name, kinds in order]


@router.get("/duties.{file}", response_class=Response, responses=_FILES)
async def duty_file(platform: PlatformDep, file: File, language: Language = "zh", organisation: Organisation = None) -> Response:
    """The duty list as CSV or XLSX: one row for each data of a duty and each dataset that holds them."""
    held = await platform.records.read(lambda session: linking.held(platform, session))
    columns = ("organisation", "duty", "title", "basis", "data", "elements", "dataset", "reached")
    rows = [[text(f"catalog.column.{name}", language) for name in columns]]
    for duty in (_view(d, held) for d in _duties(platform, organisation)):
        head = [_title(platform, duty.organisation, language), duty.name, duty.title[language], duty.basis]
        for data in duty.data:
            there = [(each.name, str(each.reached).lower()) for each in data.datasets] or [("", "")]
            rows += [[*head, data.title[language], " ".join(data.elements), *pair] for pair in there]
        if not duty.data:
            rows.append([*head, "", "", "", ""])
    return _file(rows, file, "duties")


@router.get("/duty-gaps.{file}", response_class=Response, responses=_FILES)
async def gap_file(platform: PlatformDep, file: File, language: Language = "zh", organisation: Organisation = None) -> Response:
    """The gaps as CSV or XLSX."""
    columns = ("organisation", "gap", "duty", "data", "dataset", "detail")
    rows = [[text(f"catalog.column.{name}", language) for name in columns]]
    for gap in await _gaps(platform, organisation):
        named = [gap.duty or "", gap.data or "", gap.dataset or "", gap.detail]
        rows.append([_title(platform, gap.organisation, language), text(f"catalog.gap.{gap.kind}", language), *named])
    return _file(rows, file, "duty-gaps")


def _duties(platform: Platform, organisation: str | None) -> list[Declared[DutySpec]]:
    return [d for d in platform.declarations.all("DutyItem") if organisation is None or d.spec.organisation == organisation]


async def _gaps(platform: Platform, organisation: str | None) -> list[Gap]:
    found = await platform.records.read(lambda session: linking.found(platform, session))
    return [gap for gap in found if organisation is None or gap.organisation == organisation]


def _key(gap: Gap) -> tuple[str, ...]:
    return (gap.organisation, gap.duty or "", gap.data or "", gap.dataset or "", gap.kind, gap.detail)


def _view(declared: Declared[DutySpec], held: list[Held]) -> DutyView:
    spec = declared.spec
    data = [
        DutyDataView(
            name=each.name,
            title=each.title.model_dump(),
            elements=each.elements,
            frequency_seconds=each.frequency_seconds,
            datasets=[
                HolderView(name=h.name, owner=h.owner, frequency_seconds=h.frequency_seconds, reached=h.reached)
                for h in holding(declared.name, each, held)
            ],
        )
        for each in spec.data
    ]
    return DutyView(
        name=declared.name,
        title=declared.title,
        organisation=spec.organisation,
        duty=spec.duty.model_dump(),
        basis=spec.basis,
        matters=spec.matters,
        version=declared.version,
        data=data,
    )


def _title(platform: Platform, organisation: str, language: str) -> str:
    for declared in platform.declarations.all("Organisation"):
        if declared.name == organisation:
            return declared.title[language]
    return organisation


def _file(rows: list[list[str]], file: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{file}"'}
    if file == "csv":
        return Response("\ufeff" + csv_lines(rows), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(workbook(rows), media_type=_XLSX, headers=headers)
