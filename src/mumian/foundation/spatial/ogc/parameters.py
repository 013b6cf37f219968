"""Parameters of a search for features: parsed into a query over the layer's table, or refused with the parameter's name."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
import shapely

from mumian.foundation.spatial.contracts import Bounds
from mumian.foundation.spatial.features.geometry import locate, parse_box, region_of
from mumian.foundation.spatial.features.queries import Query
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.rules.cql2 import Compiled, compile_filter
from mumian.foundation.spatial.rules.cql2.operands import Operand, as_time, comparable
from mumian.foundation.spatial.rules.crs import Crs, offered, parse_crs
from mumian.kernel.errors import Invalid

NAMES = "bbox bbox-crs crs cursor datetime filter filter-crs filter-lang limit live properties skipGeometry sortby".split()
MOST = 10_000
DEFAULT = 10
_MOST_FILTER = 10_000
_CRS84 = parse_crs("CRS84")
_WORLD: Bounds = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class Search:
    """A parsed search: the query, the system of the answer, and which properties and geometries it has."""

    query: Query
    crs: Crs
    properties: tuple[str, ...] | None
    geometry: bool


def parse(params: Mapping[str, str], table: Table, spec: LayerSpec) -> Search:
    """The search that the parameters ask for; raises Invalid naming the parameter."""
    known = systems(table)
    crs = chosen(params.get("crs"), known, "crs")
    columns = table.columns
    boxes, region = _box(params, known)
    filters = [*_filter(params, columns, known), *_equalities(params, columns), *_datetime(params, columns, spec)]
    sort = _sort(params.get("sortby"), columns)
    query = Query(boxes, region, tuple(filters), sort, _cursor(params.get("cursor"), len(sort)), _limit(params.get("limit")))
    if crs != _CRS84:
        query = replace(query, wkb=True)
    return Search(query, crs, _properties(params.get("properties"), columns), _flag(params.get("skipGeometry")) is False)


def systems(table: Table) -> list[Crs]:
    """The systems in which a layer's features are served."""
    west, _, east, _ = table.bounds or _WORLD
    return offered(west, east)


def chosen(text: str | None, known: list[Crs], field: str) -> Crs:
    """The system that a parameter names, if it is served."""
    if text is None:
        return _CRS84
    crs = parse_crs(text, field)
    if crs not in known:
        raise Invalid.field(field, "field.choice", expected=", ".join(c.uri for c in known))
    return crs


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) < 1:
        raise Invalid.field("limit", "field.range", expected=f"1 … {MOST}")
    return min(int(text), MOST)


def _flag(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise Invalid.field("skipGeometry", "field.choice", expected="true, false")
    return text == "true"


def _box(params: Mapping[str, str], known: list[Crs]) -> tuple[tuple[Bounds, ...], bytes | None]:
    crs = chosen(params.get("bbox-crs"), known, "bbox-crs")
    text = params.get("bbox")
    if text is None:
        return (), None
    box = parse_box(text.split(","), "bbox")
    if crs == _CRS84 or crs.name == "EPSG:4326":
        south_west = (box[1], box[0], box[3], box[2]) if crs.northing_first else box
        west, south, east, north = south_west
        if south > north or max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
            raise Invalid.field("bbox", "spatial.bbox")
        if west > east:
            return ((west, south, 180.0, north), (-180.0, south, east, north)), None
        return (south_west,), None
    region = region_of(box, crs)
    bounds: Any = tuple(shapely.bounds(region).tolist())
    return (bounds,), shapely.to_wkb(region)


def _filter(params: Mapping[str, str], columns: Mapping[str, tuple[str, str]], known: list[Crs]) -> list[Compiled]:
    crs = chosen(params.get("filter-crs"), known, "filter-crs")
    language = params.get("filter-lang", "cql2-text")
    if language not in ("cql2-text", "cql2-json"):
        raise Invalid.field("filter-lang", "field.choice", expected="cql2-text, cql2-json")
    text = params.get("filter")
    if text is None:
        return []
    if len(text) > _MOST_FILTER:
        raise Invalid.field("filter", "field.length", expected=f"≤ {_MOST_FILTER}")
    return [compile_filter(parse_filter(text, language), columns, locate(crs))]


def parse_filter(text: str, language: str) -> Any:
    """A filter's JSON form; raises Invalid with the place of the fault."""
    import cql2

    try:
        return cql2.parse_text(text).to_json() if language == "cql2-text" else msgspec.json.decode(text)
    except (cql2.ParseError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise Invalid.field("filter", "spatial.filter", reason=reason) from error


def _equalities(params: Mapping[str, str], columns: Mapping[str, tuple[str, str]]) -> list[Compiled]:
    made = []
    for index, (name, text) in enumerate(params.items()):
        if name in NAMES or name not in columns:
            continue
        column, type_ = columns[name]
        bound = f"e{index}"
        made.append(Compiled(_equal(name, column, type_, bound, text), {bound: _value(name, type_, text)}))
    return made


def _equal(name: str, column: str, type_: str, bound: str, text: str) -> str:
    literal = Operand(f"${bound}", "string", text, literal=True)
    if type_ in ("date", "datetime"):
        try:
            left, right = comparable(Operand(column, type_), literal)
        except Invalid as error:
            raise Invalid.field(name, "field.type", expected=type_) from error
        return f"{left} = {right}"
    return f"{column} = ${bound}"


def _value(name: str, type_: str, text: str) -> Any:
    try:
        if type_ == "integer":
            value = int(text)
            if abs(value) >= 2**63:
                raise ValueError
            return value
        if type_ == "number":
            return float(text)
        if type_ == "boolean":
            return {"true": True, "false": False}[text]
    except (ValueError, KeyError) as error:
        raise Invalid.field(name, "field.type", expected=type_) from error
    return text


def _datetime(params: Mapping[str, str], columns: Mapping[str, tuple[str, str]], spec: LayerSpec) -> list[Compiled]:
    text = params.get("datetime")
    if text is None:
        return []
    start, end = _interval(text)
    properties = [name for name in spec.time if name in columns and columns[name][1] in ("date", "datetime")]
    if not properties:
        return []
    first, last = (as_time(Operand(*columns[name])) for name in (properties[0], properties[-1]))
    texts, bound = [], {}
    if start is not None:
        texts.append(f"({last} IS NULL OR {last} >= $t0)" if first != last else f"{last} >= $t0")
        bound["t0"] = start
    if end is not None:
        texts.append(f"{first} <= $t1")
        bound["t1"] = end
    return [Compiled(" AND ".join(texts) or "TRUE", bound)]


def _interval(text: str) -> tuple[datetime | None, datetime | None]:
    ends = text.split("/")
    if len(ends) > 2 or (len(ends) == 1 and ends[0] in ("", "..")):
        raise Invalid.field("datetime", "spatial.datetime")
    start, end = (_moment(ends[0], first=True), _moment(ends[-1], first=False))
    if start is not None and end is not None and start > end:
        raise Invalid.field("datetime", "spatial.datetime")
    return start, end


def _moment(text: str, first: bool) -> datetime | None:
    """An instant in UTC without a zone, as the tables keep it; a day begins and ends with itself."""
    if text in ("", ".."):
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, *(() if first else (23, 59, 59, 999_999)))  # noqa: DTZ001
        found = datetime.fromisoformat(text)
        offset = found.utcoffset()
        if offset is None:
            raise ValueError
        return found.replace(tzinfo=None) - offset
    except (ValueError, OverflowError) as error:
        raise Invalid.field("datetime", "spatial.datetime") from error


def _sort(text: str | None, columns: Mapping[str, tuple[str, str]]) -> tuple[tuple[str, bool], ...]:
    keys: list[tuple[str, bool]] = []
    for part in text.split(",") if text else []:
        name = part.strip().lstrip("+-")
        if name not in columns or len(keys) >= 8:
            raise Invalid.field("sortby", "field.choice", expected=", ".join(columns))
        keys.append((columns[name][0], part.strip().startswith("-")))
    return tuple(keys)


def _properties(text: str | None, columns: Mapping[str, tuple[str, str]]) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(part for part in text.split(",") if part)
    if any(name not in columns for name in names):
        raise Invalid.field("properties", "field.choice", expected=", ".join(columns))
    return names


def write_cursor(keys: tuple[Any, ...]) -> str:
    """The cursor that stands behind a row with these keys."""
    plain = [[type(k).__name__, k.isoformat()] if isinstance(k, date) else k for k in keys]
    return base64.urlsafe_b64encode(msgspec.json.encode(plain)).decode().rstrip("=")


def _cursor(text: str | None, sorted_by: int) -> tuple[Any, ...] | None:
    if text is None:
        return None
    try:
        keys = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(keys, list) or len(keys) != sorted_by + 1 or not isinstance(keys[-1], int):
            raise ValueError
        return tuple(_key(key) for key in keys)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid.field("cursor", "field.cursor") from error


def _key(key: Any) -> Any:
    if isinstance(key, list):
        kind, text = key
        return {"date": date, "datetime": datetime}[kind].fromisoformat(text)
    if isinstance(key, int) and abs(key) >= 2**63:
        raise ValueError
    if not isinstance(key, str | int | float | bool | None):
        raise TypeError
    return key
