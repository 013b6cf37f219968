"""Importing grids from GeoJSON: every feature is checked for itself, against the others, its parent and what holds already."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from shapely.geometry.base import BaseGeometry

from mumian.foundation.grids.contracts import Grid, ImportReport, RowFault
from mumian.foundation.grids.rules import coding, shapes
from mumian.foundation.grids.service.changing import compose, numbered
from mumian.foundation.grids.service.recording import record
from mumian.foundation.grids.store import GRIDS, newest_batch
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Session, Transaction

MOST_FEATURES, MOST_FAULTS = 100_000, 1_000
_PROPERTIES = {"code", "title", "name", "name_en", "kind", "organisation", "people"}


class Checked:
    """The features of one import with what is wrong with them."""

    def __init__(self) -> None:
        self.rows = 0
        self.repeated = 0
        self.grids: dict[int, Grid] = {}
        self.faults: list[RowFault] = []
        self.notes: list[RowFault] = []

    def refuse(self, row: int, field: str, key: str, **values: object) -> None:
        """Note a fault; the feature stays out."""
        self.grids.pop(row, None)
        self.faults.append(RowFault(row, field, key, {name: str(value) for name, value in values.items()}))

    def report(self, batch: str) -> ImportReport:
        """The report."""
        refused = len({fault.row for fault in self.faults})
        faults = tuple(sorted(self.faults, key=lambda fault: fault.row)[:MOST_FAULTS])
        return ImportReport(self.rows, len(self.grids), self.repeated, refused, faults, tuple(self.notes[:MOST_FAULTS]), batch)


Prepared = tuple["Checked", str]


def prepare(session: Session, collection: Any, date: str) -> Prepared:
    """Check a FeatureCollection whose features have `code` and `title` or `name`; also which change of grids was the last then.

    A feature without geometry is a grid whose boundary is not known. Raises Invalid for what is no FeatureCollection.
    """
    features = collection.get("features") if isinstance(collection, Mapping) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise Invalid.field("body", "grids.no_collection")
    if len(features) > MOST_FEATURES:
        raise Invalid.field("features", "field.length", expected=f"≤ {MOST_FEATURES}")
    return check(session, features, date), newest_batch(session)


def keep(tx: Transaction, prepared: Prepared, collection: Any, date: str) -> ImportReport:
    """Record what was checked; what others changed meanwhile is checked against anew."""
    checked, last = prepared
    if last != newest_batch(tx.session):
        checked, _ = prepare(tx.session, collection, date)
    if not checked.grids:
        return checked.report("")
    grids = numbered(tx.session, list(checked.grids.values()))
    return checked.report(record(tx, GRIDS, "import", grids, (), {"date": date}))


def check(session: Session, features: Sequence[Any], date: str) -> Checked:
    """Look at every feature."""
    checked = Checked()
    for row, feature in enumerate(features, 1):
        checked.rows += 1
        try:
            checked.grids[row] = _grid(feature, date)
        except Invalid as error:
            fault = error.faults[0]
            checked.refuse(row, fault.field, fault.key, **fault.values)
    _codes(session, checked, date)
    _ground(session, checked, date)
    return checked


def _grid(feature: Any, date: str) -> Grid:
    properties = feature.get("properties") if isinstance(feature, Mapping) else None
    if not isinstance(properties, Mapping) or feature.get("type") != "Feature":
        raise Invalid.field("feature", "grids.no_feature")
    given = {name: properties[name] for name in _PROPERTIES if properties.get(name) not in (None, "")}
    for name in ("code", "name", "name_en", "kind", "organisation"):
        if not isinstance(given.get(name, ""), str) or len(given.get(name, "")) > 200:
            raise Invalid.field(f"properties.{name}", "field.type", expected="text")
    title = given.get("title") or {"zh": given.get("name", ""), "en": given.get("name_en") or given.get("name", "")}
    more: dict[str, Any] = {name: given[name] for name in ("organisation",) if name in given}
    more["kind"] = given.get("kind", "general")
    if more["kind"] not in ("general", "special"):
        raise Invalid.field("properties.kind", "field.choice", expected="general, special")
    try:
        title = msgspec.convert(title, dict[str, str])
        more["people"] = msgspec.convert(given.get("people", []), list[dict[str, str]])
    except msgspec.ValidationError:
        raise Invalid.field("properties.people", "field.type", expected="[{role, name, contact}]") from None
    if not title.get("zh") or not title.get("en"):
        raise Invalid.field("properties.title", "field.missing")
    return compose(given.get("code", ""), title, date, feature.get("geometry"), **more)


def _codes(session: Session, checked: Checked, date: str) -> None:
    """Codes are free and given once; what is there just so already is a repeat; each parent exists."""
    counts = Counter(grid.code for grid in checked.grids.values())
    known = GRIDS.last_versions(session, [code for grid in checked.grids.values() for code in (grid.code, grid.parent) if code])
    open_codes = {code for code, grid in known.items() if not grid.valid_to or grid.valid_to > date}
    for row, grid in list(checked.grids.items()):
        old = known.get(grid.code)
        if counts[grid.code] > 1:
            checked.refuse(row, "properties.code", "grids.twice", code=grid.code)
        elif old is not None and old.code in open_codes:
            if msgspec.structs.replace(grid, version=old.version, valid_from=old.valid_from) == old:
                checked.repeated += 1
                del checked.grids[row]
            else:
                checked.refuse(row, "properties.code", "grids.taken", code=grid.code)
        elif grid.parent and grid.parent not in open_codes and grid.parent not in counts:
            checked.refuse(row, "properties.code", "grids.no_parent", code=grid.code, parent=grid.parent)


def _ground(session: Session, checked: Checked, date: str) -> None:
    """Boundaries of one level do not overlap, lie within their parents, and leave no gap there."""
    by_level: dict[str, list[int]] = {}
    for row, grid in checked.grids.items():
        if grid.geometry:
            by_level.setdefault(grid.level, []).append(row)
    for level, rows in by_level.items():
        present = [grid for grid in GRIDS.live(session, date, level=level) if grid.geometry]
        _overlaps(checked, rows, present)
    parents = {code for grid in checked.grids.values() for code in coding.ancestors(grid.code)[:-1]}
    kept = GRIDS.last_versions(session, parents)
    offered = {grid.code: grid for grid in checked.grids.values()}
    above = {code: offered.get(code) or kept.get(code) for code in parents}
    shape_of = {c: shapes.parse([g.geometry])[0] for c, g in above.items() if g is not None and g.geometry and not g.valid_to}
    _parents(session, checked, shape_of, date)


def _overlaps(checked: Checked, rows: list[int], present: list[Grid]) -> None:
    grids = [checked.grids[row] for row in rows]
    new = list(shapes.parse([grid.geometry for grid in grids]))
    for a, b, shared in shapes.overlaps(new):
        for row, grid, other in ((rows[a], grids[a], grids[b]), (rows[b], grids[b], grids[a])):
            checked.refuse(row, "geometry", "grids.overlap", code=grid.code, other=other.code, area=f"{shared:.0f}")
    old = list(shapes.parse([grid.geometry for grid in present])) if present else []
    for a, b, shared in shapes.overlaps(new, old) if old else ():
        checked.refuse(rows[a], "geometry", "grids.overlap", code=grids[a].code, other=present[b].code, area=f"{shared:.0f}")


def _parents(session: Session, checked: Checked, shape_of: dict[str, BaseGeometry], date: str) -> None:
    children: dict[str, list[BaseGeometry]] = {}
    for row, grid in list(checked.grids.items()):
        if not grid.geometry or grid.parent not in shape_of:
            continue
        shape = shapes.parse([grid.geometry])[0]
        beyond = shapes.outside(shape, shape_of[grid.parent])
        if beyond:
            checked.refuse(row, "geometry", "grids.outside", code=grid.code, parent=grid.parent, area=f"{beyond:.0f}")
        else:
            children.setdefault(grid.parent, []).append(shape)
    for parent, parts in children.items():
        present = [grid.geometry for grid in GRIDS.live(session, date, parent=parent) if grid.geometry]
        left = shapes.gaps(shape_of[parent], [*parts, *(shapes.parse(present) if present else ())])
        if left:
            checked.notes.append(RowFault(0, "geometry", "grids.gap", {"parent": parent, "area": f"{left:.0f}"}))
