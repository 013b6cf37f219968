"""Profiling: what each field of a dataset holds, as the public sees it: gaps, spread, distinct and frequent values, histogram."""

from collections.abc import Sequence
from datetime import date, datetime
from math import isfinite
from typing import Any

from mumian.elements.opening.rules.asking import quoted
from mumian.elements.protection.api import AnswerColumn, Delivery
from mumian.foundation.storage.contracts import Lake

_TOP, _BINS = 10, 20
_LONG = 200


def profile(lake: Lake, delivery: Delivery, columns: Sequence[AnswerColumn]) -> dict[str, Any]:
    """The profile of rows: two queries for all fields together. Distinct values are estimated (HyperLogLog)."""
    expressions = ["count(*)"]
    for column in columns:
        expressions += _expressions(column)
    found = list(lake.rows(f"SELECT {', '.join(expressions)} FROM ({delivery.sql}) AS q", **delivery.params)[0])
    rows, place, fields = int(found[0]), 1, []
    for column in columns:
        width = len(_expressions(column))
        fields.append(_field(column, rows, found[place : place + width]))
        place += width
    _histograms(lake, delivery, fields)
    return {"rows": rows, "fields": fields}


def _expressions(column: AnswerColumn) -> list[str]:
    name = quoted(column.name)
    value = f"left(CAST({name} AS VARCHAR), {_LONG})"
    found = [f"count({name})", f"approx_count_distinct({name})"]
    found.append(f"approx_top_k({value}, {_TOP})" if column.type in ("text", "boolean", "integer") else "NULL")
    if column.type in ("integer", "number"):
        finite = f"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN CAST({name} AS DOUBLE) END"
        found += [f"min({finite})", f"max({finite})", f"avg({finite})", f"stddev_samp({finite})"]
        found.append(f"approx_quantile({finite}, [0.25, 0.5, 0.75])")
    elif column.type in ("date", "time"):
        found += [f"min({name})", f"max({name})"]
    else:
        found += [f"min(length(CAST({name} AS VARCHAR)))", f"max(length(CAST({name} AS VARCHAR)))"]
    return found


def _field(column: AnswerColumn, rows: int, found: list[Any]) -> dict[str, Any]:
    values, distinct, top, *rest = found
    told: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "values": values,
        "nulls": rows - values,
        "distinct": min(distinct, values),
    }
    if top is not None:
        told["top"] = [value for value in top if value is not None]
    if column.type in ("integer", "number"):
        names = ("min", "max", "mean", "deviation")
        told |= {name: _plain(value) for name, value in zip(names, rest[:4], strict=True)}
        told["quartiles"] = None if rest[4] is None else [_plain(value) for value in rest[4]]
    elif column.type in ("date", "time"):
        told |= {"min": _plain(rest[0]), "max": _plain(rest[1])}
    else:
        told |= {"shortest": rest[0], "longest": rest[1]}
    return told


def _histograms(lake: Lake, delivery: Delivery, fields: list[dict[str, Any]]) -> None:
    """Twenty bins of equal width for each number, and how often the frequent values occur; one more pass for all."""
    expressions, owners = [], []
    for field in fields:
        name = quoted(field["name"])
        low, high = field.get("min"), field.get("max")
        if field["type"] in ("integer", "number") and isinstance(low, float) and isinstance(high, float) and high > low:
            width = (high - low) / _BINS
            place = f"least(CAST(floor(({name} - {low!r}) / {width!r}) AS BIGINT), {_BINS - 1})"
            expressions.append(f"histogram(CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN {place} END)")
            owners.append((field, "histogram"))
        if field.get("top"):
            value = f"left(CAST({name} AS VARCHAR), {_LONG})"
            among = ", ".join("'" + one.replace("'", "''") + "'" for one in field["top"])
            expressions.append(f"histogram(CASE WHEN {value} IN ({among}) THEN {value} END)")
            owners.append((field, "top"))
    if not expressions:
        return
    found = lake.rows(f"SELECT {', '.join(expressions)} FROM ({delivery.sql}) AS q", **delivery.params)[0]
    for (field, what), given in zip(owners, found, strict=True):
        counts = given or {}
        if what == "top":
            ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
            field["top"] = [{"value": value, "count": count} for value, count in ordered]
        else:
            field["histogram"] = [int(counts.get(place, 0)) for place in range(_BINS)]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return value.isoformat() if isinstance(value, date) else value
