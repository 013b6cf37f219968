"""Queries of features: a box, a filter, an order and a page become one statement over a layer's table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.spatial.contracts import Bounds
from mumian.foundation.spatial.features.engine import Engine
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.rules.cql2 import Compiled

_FEW = 20_000


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
    found = _found(engine, query, table.name, where, params)
    return [Row(f[0], f[1], f[2], f[3], tuple(f[4:])) for f in found]


def page(engine: Engine, table: Table, query: Query) -> tuple[list[Row], int]:
    """What `find` and `count` answer; by one look at the table where the boxes are small."""
    if not query.boxes or query.limit is None or _expected(table, query.boxes) > _FEW:
        return find(engine, table, query), count(engine, table, query)
    where, params = conditions(table, query)
    matching = f"(SELECT *, count(*) OVER () AS matched_ FROM {table.name} WHERE {where}) m"
    found = _found(engine, query, matching, "TRUE", params, ", matched_")
    rows = [Row(f[0], f[1], f[2], f[3], tuple(f[4:-1])) for f in found]
    if found:
        return rows, int(found[0][-1])
    return rows, 0 if query.after is None else count(engine, table, query)


def _found(
    engine: Engine, query: Query, relation: str, where: str, params: dict[str, Any], also: str = ""
) -> list[tuple[Any, ...]]:
    keys = [column for column, _ in query.sort]
    if query.after is not None:
        text, bound = _beyond(query.sort, query.after)
        where, params = f"{where} AND {text}", {**params, **bound}
    geometry = "ST_AsWKB(geom)" if query.wkb else "ST_AsGeoJSON(geom)"
    order = ", ".join([*(f"{column} {'DESC' if down else 'ASC'} NULLS LAST" for column, down in query.sort), "seq"])
    limit = "" if query.limit is None else f" LIMIT {int(query.limit) + 1}"
    more = "".join(f", {column}" for column in keys)
    sql = f"SELECT fid, ver, {geometry}, props{more}, seq{also} FROM {relation} WHERE {where} ORDER BY {order}{limit}"
    return engine.rows(sql, params)


def _expected(table: Table, boxes: Sequence[Bounds]) -> float:
    """How many features would lie in boxes if they lay evenly."""
    if table.bounds is None:
        return 0
    west, south, east, north = table.bounds
    width, height = max(east - west, 1e-9), max(north - south, 1e-9)
    shares = (
        max(0.0, min(e, east) - max(w, west)) / width * max(0.0, min(n, north) - max(s, south)) / height for w, s, e, n in boxes
    )
    return table.count * sum(shares)


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
            if table.points:
                boxes.append(f"(west BETWEEN {w} AND {e} AND south BETWEEN {s} AND {n})")
                continue
            exact = f" AND ST_Intersects(geom, ST_MakeEnvelope({w}, {s}, {e}, {n}))"
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
