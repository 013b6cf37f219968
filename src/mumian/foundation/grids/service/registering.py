"""Registering buildings and components: one by one or from CSV, each linked to the grid that holds it."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import msgspec

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.grids.classes import categories
from mumian.foundation.grids.contracts import Building, Component, ImportReport, RowFault
from mumian.foundation.grids.errors import CodeTaken
from mumian.foundation.grids.rules import coding
from mumian.foundation.grids.rules.visiting import STATES
from mumian.foundation.grids.service.locating import Locating
from mumian.foundation.grids.service.recording import newest, record
from mumian.foundation.grids.store import BUILDINGS, COMPONENTS, GRIDS
from mumian.kernel.errors import Invalid, MumianError
from mumian.kernel.unit_of_work import Actor, Records, Session, Transaction, next_value

CHUNK, MOST_FAULTS = 2_000, 1_000
_EXTENSION = range(90, 100)
_WORDS = {
    "编码": "code", "部件编码": "code", "分类": "category", "类别代码": "category", "小类代码": "category", "名称": "name",
    "部件名称": "name", "区划": "district", "行政区划代码": "district", "经度": "longitude", "纬度": "latitude",
    "lon": "longitude", "lat": "latitude", "权属单位": "owner", "主管部门": "owner", "养护单位": "keeper", "状态": "state",
    "来源": "source",
}  # fmt: skip
_STATES = dict(zip(("完好", "破损", "丢失", "占用", "废弃"), STATES, strict=True))
_TEXTS = ("name", "owner", "keeper", "source")


@dataclass
class Place:
    """Where new things are put: the index of grids and the library of addresses."""

    locating: Locating
    addresses: Addresses

    def grid(self, session: Session, longitude: float | None, latitude: float | None, date: str) -> str:
        """The code of the finest grid that holds a point; empty where none does."""
        if longitude is None or latitude is None:
            return ""
        chain = self.locating.where(session, longitude, latitude, date).chain
        return chain[-1].code if chain else ""


def add_building(tx: Transaction, place: Place, values: Mapping[str, Any]) -> Building:
    """Register a building; its code is made from its grid unless it is given. Raises Invalid, CodeTaken."""
    date = tx.now_text[:10]
    address = str(values.get("address") or "")
    longitude, latitude = values.get("longitude"), values.get("latitude")
    if address:
        known = place.addresses.find(tx.session, address)
        if known is None:
            raise Invalid.field("address", "grids.no_address", code=address)
        longitude = known.longitude if longitude is None else longitude
        latitude = known.latitude if latitude is None else latitude
    grid = str(values.get("grid") or place.grid(tx.session, longitude, latitude, date))
    if not grid or GRIDS.at(tx.session, grid, date) is None:
        raise Invalid.field("grid", "grids.no_grid", code=grid)
    code = str(values.get("code") or "")
    if not code:
        code = coding.building_code(grid, next_value(tx.session, f"grids.building.{grid}"))
    if BUILDINGS.history(tx.session, code):
        raise CodeTaken(code=code)
    made = Building(
        code=code,
        valid_from=tx.now_text,
        title=values["title"],
        grid=grid,
        address=address,
        longitude=longitude,
        latitude=latitude,
        floors=int(values.get("floors") or 0),
    )
    record(tx, BUILDINGS, "add", [made])
    return made


def change_building(tx: Transaction, code: str, values: Mapping[str, Any]) -> Building:
    """A new version of a building; its code stays. Raises NotFound, Invalid."""
    old: Building = newest(tx.session, BUILDINGS, code)
    changes = {name: value for name, value in values.items() if value is not None and name != "code"}
    if "grid" in changes and GRIDS.at(tx.session, changes["grid"], tx.now_text[:10]) is None:
        raise Invalid.field("grid", "grids.no_grid", code=changes["grid"])
    new: Building = msgspec.structs.replace(old, **changes, version=old.version + 1, valid_from=tx.now_text)
    record(tx, BUILDINGS, "change", [new], [(old, tx.now_text)])
    return new


def compose_component(session: Session, place: Place, values: Mapping[str, Any], now: str) -> Component:
    """A component from fields; its code may be empty yet. Raises Invalid."""
    code = str(values.get("code") or "")
    category = str(values.get("category") or code[6:10])
    known = categories().get(category)
    own = len(category) == 4 and category.isascii() and category.isdigit() and int(category[2:]) in _EXTENSION
    if known is None and not (own and f"{category[:2]}01" in categories()):
        raise Invalid.field("category", "grids.no_category", code=category)
    longitude, latitude = _degrees("longitude", values, 180), _degrees("latitude", values, 90)
    if longitude is None or latitude is None:
        raise Invalid.field("longitude", "field.missing")
    grid = place.grid(session, longitude, latitude, now[:10])
    district = str(values.get("district") or code[:6] or grid[:6])
    if len(district) != 6 or not (district.isascii() and district.isdigit()):
        raise Invalid.field("district", "grids.no_district")
    if code and not (coding.is_component_code(code) and code.startswith(district + category)):
        raise Invalid.field("code", "grids.component_code", start=district + category)
    state = _STATES.get(str(values.get("state") or ""), str(values.get("state") or "intact"))
    if state not in STATES:
        raise Invalid.field("state", "field.choice", expected=", ".join(STATES))
    texts = {name: str(values.get(name) or "") for name in _TEXTS}
    if long := next((name for name, text in texts.items() if len(text) > 200), None):
        raise Invalid.field(long, "field.length", expected="≤ 200")
    name = texts.pop("name")
    title = {"zh": name or (known.zh if known else category), "en": name or (known.en if known else category)}
    made = Component(code=code, valid_from=now, category=category, title=title, district=district, grid=grid, state=state)
    changes: dict[str, Any] = {"longitude": longitude, "latitude": latitude, **texts}
    return msgspec.structs.replace(made, **changes)


def _degrees(name: str, values: Mapping[str, Any], most: int) -> float | None:
    given = values.get(name)
    if given in (None, ""):
        return None
    try:
        value = float(str(given))
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise Invalid.field(name, "field.range", expected=f"-{most} … {most}")
    return value


def add_components(tx: Transaction, components: Sequence[Component], action: str, detail: Mapping[str, Any]) -> list[Component]:
    """Register components whose codes are free; those without a code get the next serial of their district and class."""
    made = list(components)
    wanting: dict[tuple[str, str], list[int]] = {}
    for position, component in enumerate(made):
        if not component.code:
            wanting.setdefault((component.district, component.category), []).append(position)
    for (district, category), positions in wanting.items():
        first = next_value(tx.session, f"grids.component.{district}{category}", len(positions))
        codes = [coding.component_code(district, category, first + i) for i in range(len(positions))]
        while COMPONENTS.last_versions(tx.session, codes):
            first = next_value(tx.session, f"grids.component.{district}{category}", len(positions))
            codes = [coding.component_code(district, category, first + i) for i in range(len(positions))]
        for position, code in zip(positions, codes, strict=True):
            made[position] = msgspec.structs.replace(made[position], code=code)
    record(tx, COMPONENTS, action, made, (), detail)
    return made


def add_component(tx: Transaction, place: Place, values: Mapping[str, Any]) -> Component:
    """Register one component. Raises Invalid, CodeTaken."""
    component = compose_component(tx.session, place, values, tx.now_text)
    if component.code and COMPONENTS.history(tx.session, component.code):
        raise CodeTaken(code=component.code)
    return add_components(tx, [component], "add", {})[0]


def change_component(tx: Transaction, code: str, values: Mapping[str, Any]) -> Component:
    """A new version of a component: owner, keeper, state or title. Raises NotFound."""
    old: Component = newest(tx.session, COMPONENTS, code)
    changes = {name: value for name, value in values.items() if value is not None}
    new: Component = msgspec.structs.replace(old, **changes, version=old.version + 1, valid_from=tx.now_text)
    record(tx, COMPONENTS, "change", [new], [(old, tx.now_text)])
    return new


class _Tally:
    def __init__(self) -> None:
        self.rows = self.added = self.repeated = self.refused = 0
        self.faults: list[RowFault] = []
        self.batch = ""

    def refuse(self, row: int, error: MumianError) -> None:
        self.refused += 1
        fault = error.faults[0] if error.faults else None
        if len(self.faults) < MOST_FAULTS:
            field, key = (fault.field, fault.key) if fault else ("code", error.key)
            values = fault.values if fault else error.values
            self.faults.append(RowFault(row, field, key, {name: str(value) for name, value in values.items()}))


def import_components_now(records: Records, place: Place, text: TextIO, source: str, actor: Actor) -> ImportReport:
    """Import components from CSV with a header (code or category and district, name, longitude, latitude, owner, keeper, state).

    Each 2,000 rows are one commit. For threads other than the event loop's; raises Invalid for a header without a class.
    """
    reader = csv.reader(text)
    header = [_WORDS.get(cell.strip().lstrip("\ufeff"), cell.strip().lower()) for cell in next(reader, [])[:60]]
    if not {"code", "category"} & set(header) or "longitude" not in header:
        raise Invalid.field("header", "grids.header", expected="code | category, longitude, latitude")
    day = records.write_now(lambda tx: tx.now_text[:10], actor)
    records.read_now(lambda session: place.locating.where(session, 0.0, 0.0, day))  # the index is made before the writer waits
    tally = _Tally()
    for chunk in _chunks(reader, header, source):
        records.write_now(partial(_keep, chunk=chunk, place=place, tally=tally, source=source), actor)
    return ImportReport(tally.rows, tally.added, tally.repeated, tally.refused, tuple(tally.faults), (), tally.batch)


def _chunks(reader: Any, header: Sequence[str], source: str) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    chunk: list[tuple[int, dict[str, Any]]] = []
    for cells in reader:
        if any(cells):
            values: dict[str, Any] = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
            chunk.append((reader.line_num, {"source": source} | values))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _keep(tx: Transaction, chunk: Sequence[tuple[int, dict[str, Any]]], place: Place, tally: _Tally, source: str) -> None:
    known = COMPONENTS.last_versions(tx.session, [str(values.get("code") or "") for _, values in chunk])
    new: dict[int, Component] = {}
    seen: set[str] = set()
    for row, values in chunk:
        tally.rows += 1
        try:
            component = compose_component(tx.session, place, values, tx.now_text)
            old = known.get(component.code)
            if component.code in seen or (old is not None and not _same(old, component)):
                raise CodeTaken(code=component.code)
        except MumianError as error:
            tally.refuse(row, error)
            continue
        if old is not None:
            tally.repeated += 1
            continue
        seen |= {component.code} - {""}
        new[row] = component
    if new:
        add_components(tx, list(new.values()), "import", {"source": source})
        tally.added += len(new)


def _same(old: Component, new: Component) -> bool:
    shared = {"version": old.version, "valid_from": old.valid_from, "inspected": old.inspected, "source": old.source}
    return msgspec.structs.replace(new, **shared) == old
