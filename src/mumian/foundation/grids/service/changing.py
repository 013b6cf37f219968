"""Changing grids: new ones, other people in charge, and splits, merges and new codes from a day on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import shapely

from mumian.foundation.grids import store
from mumian.foundation.grids.contracts import Grid
from mumian.foundation.grids.errors import BadShape
from mumian.foundation.grids.rules import coding, history, shapes
from mumian.foundation.grids.service.recording import newest, record
from mumian.foundation.grids.store import GRIDS
from mumian.kernel.errors import Fault, Invalid, NotFound
from mumian.kernel.unit_of_work import Session, Transaction

_IN_CHARGE = ("title", "kind", "organisation", "people")


def compose(code: str, title: dict[str, str], date: str, geometry: Any = None, **more: Any) -> Grid:
    """A grid from what a person or a file says about it; raises Invalid."""
    level = coding.level_of(code)
    if level is None:
        raise Invalid.field("code", "grids.bad_code", code=code)
    grid = Grid(code=code, valid_from=date, level=level, parent=coding.parent_of(code), title=title, **more)
    if geometry is None:
        return grid
    shape, fault = shapes.read(geometry)
    if shape is None:
        raise Invalid.field("geometry", fault)
    longitude, latitude = shapes.inside_point(shape)
    text = json.dumps({"type": geometry["type"], "coordinates": geometry["coordinates"]}, separators=(",", ":"))
    return msgspec.structs.replace(grid, geometry=text, longitude=longitude, latitude=latitude, area=round(shapes.area(shape), 1))


def numbered(session: Session, grids: Sequence[Grid]) -> list[Grid]:
    """Each grid with the version number that follows those which its code had."""
    known = GRIDS.last_versions(session, [grid.code for grid in grids])
    return [msgspec.structs.replace(g, version=known[g.code].version + 1 if g.code in known else 1) for g in grids]


def change(tx: Transaction, code: str, values: Mapping[str, Any], date: str) -> Grid:
    """From a day on, another title, kind, organisation or people; the ground stays the same. Raises NotFound, Invalid."""
    old: Grid = newest(tx.session, GRIDS, code)
    if date <= old.valid_from:
        raise Invalid(Fault("date", "grids.not_in_force", {"code": code, "date": date}))
    changed = {name: values[name] for name in _IN_CHARGE if values.get(name) is not None}
    new: Grid = msgspec.structs.replace(old, **changed, version=old.version + 1, valid_from=date)
    record(tx, GRIDS, "change", [new], [(old, date)], {"date": date})
    return new


def split(tx: Transaction, code: str, parts: Sequence[Grid], date: str) -> list[Grid]:
    """A grid is divided into parts that cover its ground once; one of them may keep the code. Raises NotFound, BadShape."""
    return _step(tx, "split", [newest(tx.session, GRIDS, code)], parts, date)


def merge(tx: Transaction, codes: Sequence[str], code: str, title: dict[str, str] | None, date: str) -> Grid:
    """Grids become one, whose ground is all of theirs; it may keep the code of one of them. Raises NotFound, BadShape."""
    old: list[Grid] = [newest(tx.session, GRIDS, each) for each in dict.fromkeys(codes)]
    if len(old) < 2:
        raise Invalid.field("codes", "field.length", expected="≥ 2")
    first = old[0]
    ground = None
    if all(grid.geometry for grid in old):
        whole = shapely.union_all(shapes.parse([grid.geometry for grid in old]))
        ground = json.loads(shapely.to_geojson(whole))
    more = {"kind": first.kind, "organisation": first.organisation, "people": first.people}
    new = compose(code, title or first.title, date, ground, **more)
    return _step(tx, "merge", old, [new], date)[0]


def recode(tx: Transaction, code: str, new_code: str, date: str) -> Grid:
    """A grid goes on under another code. Raises NotFound, BadShape."""
    old: Grid = newest(tx.session, GRIDS, code)
    level = coding.level_of(new_code)
    if level != old.level:
        raise Invalid.field("code", "grids.bad_code", code=new_code)
    new = msgspec.structs.replace(old, code=new_code, parent=coding.parent_of(new_code), valid_from=date)
    return _step(tx, "recode", [old], [new], date)[0]


def _step(tx: Transaction, action: str, old: Sequence[Grid], new: Sequence[Grid], date: str) -> list[Grid]:
    leaving = {grid.code for grid in old}
    known = GRIDS.last_versions(tx.session, [grid.code for grid in new])
    taken = {code for code, grid in known.items() if code not in leaving and (not grid.valid_to or grid.valid_to > date)}
    faults = history.step_faults(old, new, date, taken)
    if action == "recode":
        faults = [fault for fault in faults if fault.key != "grids.other_parent"]
        faults += _missing_parent(tx.session, new[0], date)
    if faults:
        raise BadShape(*faults)
    made = numbered(tx.session, new)
    pairs = [(before.code, after.code) for before in old for after in made]
    batch = record(tx, GRIDS, action, made, [(grid, date) for grid in old], {"date": date, "lineage": pairs})
    store.keep_lineage(tx.session, batch, action, pairs, date)
    return made


def _missing_parent(session: Session, grid: Grid, date: str) -> list[Fault]:
    if not grid.parent or GRIDS.at(session, grid.parent, date) is not None:
        return []
    return [Fault("code", "grids.no_parent", {"code": grid.code, "parent": grid.parent})]


def end(tx: Transaction, code: str, date: str, reason: str) -> None:
    """From a day on there is no such grid, and none in its place. Raises NotFound, NotInForce; Invalid while it has children."""
    old: Grid = newest(tx.session, GRIDS, code)
    if date <= old.valid_from:
        raise Invalid(Fault("date", "grids.not_in_force", {"code": code, "date": date}))
    below = GRIDS.live(tx.session, date, parent=code)
    if below:
        raise Invalid(Fault("code", "grids.has_children", {"code": code, "count": len(below)}))
    record(tx, GRIDS, "end", [], [(old, date)], {"date": date, "reason": reason})


def future(session: Session, code: str, date: str) -> list[str]:
    """What a code has turned into by a day; raises NotFound for one that never was."""
    if not GRIDS.history(session, code):
        raise NotFound(kind="grid", name=code)
    steps = [(row["old"], row["new"]) for row in store.lineage(session) if row["date"] <= date]
    return history.descendants(steps, code)
