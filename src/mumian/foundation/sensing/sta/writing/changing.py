"""Changing entities: some properties (PATCH), all of them (PUT), by JSON Patch, and their links by `$ref`."""

import json
from typing import Any

from mumian.foundation.sensing import store
from mumian.foundation.sensing.sta.writing.bodies import Draft, measure
from mumian.foundation.sensing.sta.writing.creating import attach, check_several, refuse_kept_target
from mumian.foundation.sensing.sta.writing.errors import Ended, Fixed, Kept
from mumian.foundation.sensing.sta.writing.model import TYPES, EntityType
from mumian.foundation.sensing.sta.writing.work import Work, refuse_declared, refuse_renaming
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Row

_ENDS = ("completed", "failed", "cancelled")


def change(work: Work, draft: Draft, number: int, whole: bool = False) -> None:
    """Give an entity the properties and links of a draft; if `whole`, what the draft does not name goes back to its default."""
    kind = draft.kind
    row = work.row(kind, number)
    if kind.table == "sensing_stream":
        refuse_declared(row)
    if work.kept(kind, row):
        _cancel(work, draft, row)
        return
    if whole:
        _complete(draft)
    if "geometry" in {p.form for n, p in kind.properties.items() if n in draft.given}:
        measure(draft, {**row, **draft.columns})
    columns = {name: value for name, value in draft.columns.items() if row.get(name) != value}
    if "name" in columns:
        refuse_renaming(work, kind, row)
    _particular(work, kind, row, columns)
    links = {}
    for name, linked in draft.links.items():
        numbers = [one for one in linked if isinstance(one, int)]
        if relink(work, kind, row, name, numbers, draft.place(name), columns):
            links[name] = numbers if kind.links[name].many else numbers[0]
    if kind.name == "MultiDatastreams":
        count = len(work.linked(_through(kind, "ObservedProperties"), number))
        check_several(
            draft, count, columns.get("units") or row["units"], columns.get("observation_types") or row["observation_types"]
        )
    store.update(work.tx, kind.table, number, columns)
    _follow(work, kind, number, columns)
    properties = {n: draft.given[n] for n, p in kind.properties.items() if n in draft.given and _differs(n, p.column, columns)}
    work.changed(kind, number, properties, links)


def _cancel(work: Work, draft: Draft, row: Row) -> None:
    """Of what somebody else keeps a task can be cancelled, and nothing more."""
    own = [known.column for name, known in draft.kind.properties.items() if name != "status" and name in draft.given]
    others = [column for column in own if draft.columns.get(column) != row.get(column)]
    if draft.kind.name != "Tasks" or others or draft.links:
        raise Kept(entity=f"{draft.kind.name}({row['id']})")
    status = draft.given.get("status", row["status"])
    if status == row["status"]:
        return
    if status != "cancelled":
        raise Kept(entity=f"Tasks({row['id']})")
    work.permit(draft.kind)
    assert work.keeper is not None
    assert work.caller is not None
    work.keeper.cancel(work.tx, work.caller, row["id"])


def relink(work: Work, kind: EntityType, row: Row, name: str, numbers: list[int], at: str, columns: Row) -> bool:
    """Link an entity to others that exist; a column that this changes is put to `columns`. False if nothing changed."""
    link = kind.links[name]
    numbers = [work.existing(link.target, one, f"{at}[{i}]" if link.many else at) for i, one in enumerate(numbers)]
    if link.column:
        if row[link.column] == numbers[0]:
            return False
        refuse_kept_target(work, kind, link.column, numbers[0])
        columns[link.column] = numbers[0]
        return True
    if name == "ObservedProperties" and kind.name == "MultiDatastreams":
        before = "SELECT property FROM sensing_stream_property WHERE stream = :stream ORDER BY place"
        if len(numbers) != len(work.tx.session.rows(before, stream=row["id"])):
            raise Fixed(link=name)
        store.keep_properties(work.tx, row["id"], numbers)
        columns["property"] = numbers[0]
        return True
    if link.target == "MultiDatastreams" and link.through is not None:
        raise Fixed(link=name)
    if kind.name == "Things" and name == "Locations" and numbers == work.linked(_through(kind, name), row["id"]):
        return False
    attach(work, kind, row["id"], name, numbers)
    return True


def detach(work: Work, kind: EntityType, number: int, name: str, other: int | None) -> None:
    """Remove a link to many (`$ref` with DELETE); links that an entity cannot be without stay."""
    work.row(kind, number)
    link = kind.links[name]
    if link.through is None or other is None or link.target == "MultiDatastreams" or kind.name == "MultiDatastreams":
        raise Fixed(link=name)
    linked = work.linked(link.through, number)
    work.row(TYPES[link.target], other)
    if other not in linked:
        raise Invalid.field(name, "field.reference", kind=TYPES[link.target].single, name=other)
    if kind.name == "HistoricalLocations" and len(linked) == 1:
        raise Fixed(link=name)
    left = [one for one in linked if one != other]
    if kind.name == "Things":
        work.move(number, left)
    elif kind.name == "Locations" and name == "Things":
        work.move(other, [one for one in work.linked(_through(TYPES["Things"], "Locations"), other) if one != number])
    else:
        table, own, column = link.through
        sql = f"DELETE FROM {table} WHERE {own} = :own AND {column} = :other"
        work.tx.session.execute(sql, own=number, other=other)
    work.changed(kind, number, {}, {name: left})


def _complete(draft: Draft) -> None:
    for name, known in draft.kind.properties.items():
        if known.form == "derived" or name in draft.given:
            continue
        if known.required:
            raise Invalid.field(draft.place(name), "field.missing")
        draft.given[name] = None
        draft.columns[known.column] = known.default
        if known.form == "json":
            draft.columns[f"{known.column}_json"] = None


def _particular(work: Work, kind: EntityType, row: Row, columns: Row) -> None:
    """What is particular to some sets."""
    if "title_en" in columns:
        columns["title_zh"] = columns["title_en"]
    if kind.name == "Tasks":
        if row["status"] in _ENDS and columns.get("status", row["status"]) != row["status"]:
            raise Ended(status=row["status"])
        if columns:
            columns["changed"] = work.tx.now_text


def _follow(work: Work, kind: EntityType, number: int, columns: Row) -> None:
    """What follows from a change: streams are told anew, things have moved."""
    if kind.table == "sensing_stream" and columns:
        work.streams.add(number)
        if "thing" in columns:
            store.settle(work.tx, columns["thing"])
        store.announce(work.tx, number)
    if kind.name == "Locations" and "location" in columns:
        for thing in work.linked(_through(kind, "Things"), number):
            work.move(thing, work.linked(_through(TYPES["Things"], "Locations"), thing))


def _differs(name: str, column: str, columns: Row) -> bool:
    if name == "unitOfMeasurement":
        return bool({"unit", "unit_name", "unit_definition"} & columns.keys())
    return column in columns or f"{column}_json" in columns


def _through(kind: EntityType, name: str) -> tuple[str, str, str]:
    through = kind.links[name].through
    assert through is not None
    return through


def patched(value: Any, operations: Any) -> Any:
    """A JSON value after a JSON Patch (RFC 6902); raises Invalid that names the operation."""
    if not isinstance(operations, list):
        raise Invalid.field("", "field.type", expected="a list")
    value = json.loads(json.dumps(value))
    for place, operation in enumerate(operations[:1000]):
        try:
            value = _operate(value, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise Invalid.field(f"[{place}]", "sensing.json_patch", reason=str(error)[:200]) from None
    return value


def _operate(value: Any, operation: Any) -> Any:
    kind, path = operation["op"], _steps(operation["path"])
    if kind == "test":
        if _at(value, path) != operation["value"]:
            raise ValueError("the test failed")
        return value
    if kind == "remove":
        return _removed(value, path)
    if kind in ("add", "replace"):
        if kind == "replace":
            _at(value, path)
            value = _removed(value, path) if path else value
        return _added(value, path, operation["value"])
    if kind in ("move", "copy"):
        source = _steps(operation["from"])
        moved = json.loads(json.dumps(_at(value, source)))
        return _added(_removed(value, source) if kind == "move" else value, path, moved)
    raise ValueError(f"there is no operation {kind}")


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise ValueError(f"{path} does not begin with /")
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _removed(value: Any, steps: list[str]) -> Any:
    around = _at(value, steps[:-1])
    del around[int(steps[-1]) if isinstance(around, list) else steps[-1]]
    return value


def _added(value: Any, steps: list[str], new: Any) -> Any:
    if not steps:
        return new
    around, last = _at(value, steps[:-1]), steps[-1]
    if isinstance(around, list):
        at = len(around) if last == "-" else int(last)
        if not 0 <= at <= len(around):
            raise IndexError(f"there is no place {last}")
        around.insert(at, new)
    else:
        around[last] = new
    return value
