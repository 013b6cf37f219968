"""Questions for rows of a granted dataset: fields, conditions and pages become SQL with parameters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mumian.elements.sharing.contracts import Item
from mumian.kernel.errors import Invalid

_WHERE = re.compile(r"(?P<field>[^:]{1,63}):(?P<op>[a-z]+)(?::(?P<value>.*))?", re.DOTALL)
COMPARE = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
TESTS = {"null": "IS NULL", "notnull": "IS NOT NULL"}
_CASTS = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
_MOST = 20


@dataclass(frozen=True)
class Question:
    """SQL over the name of the dataset, and its parameters; `fields` are those that come out, behind `_id`."""

    sql: str
    params: dict[str, Any]
    fields: tuple[str, ...]


def granted(item: Item, declared: Sequence[str]) -> tuple[str, ...]:
    """The fields that a grant shows, in the order of the declaration."""
    return tuple(name for name in declared if not item.fields or name in item.fields)


def page(
    dataset: str, types: dict[str, str], wanted: Sequence[str], where: Sequence[str], after: int | None, limit: int | None
) -> Question:
    """One page of rows by `_id`, after the row `after`; `types` are the fields that may be asked for. Raises Invalid.

    Each of `where` reads `field:eq:value`, with eq, ne, lt, le, gt, ge, like, in (values separated by `|`), null or notnull.
    """
    fields = tuple(wanted) or tuple(types)
    for index, name in enumerate(fields):
        if name not in types:
            raise Invalid.field(f"fields[{index}]", "sharing.no_such_field", name=name[:80], dataset=dataset)
    if len(where) > _MOST:
        raise Invalid.field("where", "field.length", expected=f"≤ {_MOST}")
    params: dict[str, Any] = {}
    conditions = [_condition(index, text, types, params, dataset) for index, text in enumerate(where)]
    if after is not None:
        conditions.append("_id > $after")
        params["after"] = after
    columns = ", ".join(["_id", *(quoted(name) for name in fields)])
    sql = f"SELECT {columns} FROM {quoted(dataset)}"
    if conditions:
        sql += f" WHERE {' AND '.join(conditions)}"
    sql += " ORDER BY _id"
    return Question(sql if limit is None else f"{sql} LIMIT {limit}", params, fields)


def _condition(index: int, text: str, types: dict[str, str], params: dict[str, Any], dataset: str) -> str:
    found = _WHERE.fullmatch(text)
    place = f"where[{index}]"
    if found is None:
        raise Invalid.field(place, "sharing.where", given=text[:80])
    field, op, value = found["field"], found["op"], found["value"]
    if field not in types:
        raise Invalid.field(place, "sharing.no_such_field", name=field[:80], dataset=dataset)
    if op in TESTS and value is None:
        return f"{quoted(field)} {TESTS[op]}"
    if value is None or op not in (*COMPARE, "like", "in"):
        raise Invalid.field(place, "sharing.where", given=text[:80])
    values = value.split("|") if op == "in" else [value]
    if len(values) > 100:
        raise Invalid.field(place, "field.length", expected="≤ 100")
    names = [f"w{index}_{place}" for place in range(len(values))]
    params.update(zip(names, values, strict=True))
    cast = _CASTS.get(types[field])
    sides = [f"CAST(${name} AS {cast})" if cast and op != "like" else f"${name}" for name in names]
    if op == "in":
        return f"{quoted(field)} IN ({', '.join(sides)})"
    if op == "like":
        return f"CAST({quoted(field)} AS VARCHAR) LIKE {sides[0]}"
    return f"{quoted(field)} {COMPARE[op]} {sides[0]}"


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
