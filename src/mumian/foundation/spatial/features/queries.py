"""Queries of features: a box, a filter, an order and a page become one statement over a layer's table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.spatial.contracts import Bounds
from mumian.foundation.spatial.features.engine import Engine
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.rules.cql2 import Compiled


@dataclass(frozen=True)
class Query:
    """What is asked: `boxes` (one of which a feature must meet), a region's WKB, a compiled filter, (column, descending) keys
    to sort by, and the keys of the row after which the page begins."""

    boxes: tuple[Bounds, ...] = ()
    region: bytes | None = None
    filters: tuple[Compiled, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    after: tuple[Any, ...] | None = None
    limit: int | None = 10
    wkb: bool = False


@dataclass(frozen=True)
class Row:
    """A feature as found: geometry is GeoJSON text, or WKB where that was asked for; `keys` are its place in the order."""

    id: str
    version: int
    geometry: Any
    properties: str
    keys: tuple[Any, ...] = field(default=())


def find(engine: Engine, table: Table, query: Query) -> list[Row]:
    """The features of one page, and one more where there are more."""
    where, params = conditions(table, query)
    keys = [column for column, _ in query.sort]
    if query.after is not None:
        text, bound = _beyond(query.sort, query.after)
        where, params = f"{where} AND {text}", {**params, **bound}
    geometry = "ST_AsWKB(geom)" if query.wkb else "ST_AsGeoJSON(geom)"
    order = ", ".join([*(f"{column} {'DESC' if down else 'ASC'} NULLS LAST" for column, down in query.sort), "seq"])
    limit = "" if query.limit is None else f" LIMIT {int(query.limit) + 1}"
    more = "".join(f", {column}" for column in keys)
    sql = f"SELECT fid, ver, {geometry}, props{more}, seq FROM {table.name} WHERE {where} ORDER BY {order}{limit}"
    return [Row(f[0], f[1], f[2], f[3], tuple(f[4:])) for f in engine.rows(sql, params)]


def count(engine: Engine, table: Table, query: Query) -> int:
    """How many features there are in all."""
    if not (query.boxes or query.filters or query.region):
        return table.count
    where, params = conditions(table, query)
    return int(engine.rows(f"SELECT count(*) FROM {table.name} WHERE {where}", params)[0][0])


def one(engine: Engine, table: Table, fid: str) -> Row | None:
    """The feature of that id."""
    sql = f"SELECT fid, ver, ST_AsGeoJSON(geom), props FROM {table.name} WHERE fid = $fid"
    found = engine.rows(sql, {"fid": fid})
    return Row(*found[0]) if found else None


def conditions(table: Table, query: Query) -> tuple[str, dict[str, Any]]:
    """The WHERE of a query and its parameters."""
    texts: list[str] = []
    params: dict[str, Any] = {}
    if query.boxes:
        boxes = []
        for index, box in enumerate(query.boxes):
            names = [f"b{index}{side}" for side in "wsen"]
            params |= dict(zip(names, (float(v) for v in box), strict=True))
            w, s, e, n = (f"${name}" for name in names)
            exact = "" if table.points else f" AND ST_Intersects(geom, ST_MakeEnvelope({w}, {s}, {e}, {n}))"
            boxes.append(f"(west <= {e} AND east >= {w} AND south <= {n} AND north >= {s}{exact})")
        texts.append("(" + " OR ".join(boxes) + ")")
    if query.region is not None:
        texts.append("ST_Intersects(geom, ST_GeomFromWKB($region::BLOB))")
        params["region"] = query.region
    for index, compiled in enumerate(query.filters):
        names_ = sorted(compiled.params, key=len, reverse=True)
        sql = compiled.sql
        for name in names_:
            sql = sql.replace(f"${name}", f"$f{index}{name}")
        texts.append(f"({sql})")
        params |= {f"f{index}{name}": value for name, value in compiled.params.items()}
    return " AND ".join(texts) or "TRUE", params


def _beyond(sort: Sequence[tuple[str, bool]], after: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """The rows that come after one in the order; nulls come last either way."""
    *values, seq = after
    params: dict[str, Any] = {"after_seq": seq}
    text = "seq > $after_seq"
    for index, ((column, down), value) in reversed(list(enumerate(zip(sort, values, strict=True)))):
        if value is None:
            text = f"({column} IS NULL AND {text})"
            continue
        name = f"after_{index}"
        params[name] = value
        compare = "<" if down else ">"
        text = f"({column} {compare} ${name} OR {column} IS NULL OR ({column} = ${name} AND {text}))"
    return text, params


def by_ids(ids: Sequence[str]) -> Compiled:
    """The filter for features of these ids."""
    return Compiled("fid IN (SELECT unnest($ids::VARCHAR[]))", {"ids": list(ids)})
