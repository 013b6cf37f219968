"""Spatial conditions: `geo.*` and `st_*` of OGC 18-088 over many geometries at once, in the plane of their coordinates."""

import json
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.sensing.sta.faults import query_fault
from mumian.foundation.sensing.sta.syntax import Binary, Call, Expression, Literal

Bounds = tuple[float, float, float, float]
Mask = NDArray[np.bool_]
_PREDICATES = {
    "geo.intersects": "intersects",
    "st_intersects": "intersects",
    "st_equals": "equals",
    "st_disjoint": "disjoint",
    "st_touches": "touches",
    "st_within": "within",
    "st_overlaps": "overlaps",
    "st_crosses": "crosses",
    "st_contains": "contains",
}
_COMPARE = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_MIRRORED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_RELATE = frozenset("TF*012")


def bounds_of(node: Expression) -> Bounds | None:
    """Outside of which bounds no geometry can fulfil the condition; None: anything may."""
    import shapely

    if isinstance(node, Binary):
        call, limit, sign = _sides(node, "")
        if call.name != "geo.distance" or sign not in ("lt", "le", "eq"):
            return None
        grown = max(0.0, float(limit))
    elif isinstance(node, Call) and node.name not in ("st_disjoint", "st_relate"):
        call, grown = node, 0.0
    else:
        return None
    given = next((part for part in call.arguments if isinstance(part, Literal) and part.kind == "geometry"), None)
    if given is None:
        return None
    west, south, east, north = shapely.bounds(shapely.from_wkt(given.value)).tolist()
    return (west - grown, south - grown, east + grown, north + grown)


def chosen(node: Expression, texts: Sequence[str | None], option: str) -> Mask:
    """Which of these geometries (GeoJSON) fulfil the condition; what is no geometry fulfils none."""
    import shapely

    geometries: Any = shapely.from_geojson([_geometry(text) for text in texts], on_invalid="ignore")
    there: Mask = ~shapely.is_missing(geometries)
    with np.errstate(invalid="ignore"):
        if isinstance(node, Binary):
            call, limit, sign = _sides(node, option)
            found: Mask = _COMPARE[sign](_measured(call, geometries, option), limit)
        else:
            assert isinstance(node, Call)
            found = _related(node, geometries, option)
    return found & there


def _geometry(text: str | None) -> str | None:
    """A geometry's text; of a Feature that of its geometry."""
    if text and '"Feature"' in text:
        try:
            inner = json.loads(text).get("geometry")
        except (ValueError, AttributeError):
            return None
        return json.dumps(inner) if inner else None
    return text or None


def _sides(node: Binary, option: str) -> tuple[Call, float, str]:
    left, right, sign = node.left, node.right, node.operator
    if not isinstance(left, Call):
        left, right, sign = right, left, _MIRRORED.get(sign, sign)
    if not isinstance(left, Call) or not isinstance(right, Literal) or right.kind != "number":
        raise query_fault(option or "$filter", "measured", node.at)
    return left, float(right.value), sign


def _arguments(call: Call, geometries: Any, count: int, option: str) -> list[Any]:
    import shapely

    if len(call.arguments) != count:
        raise query_fault(option, "arguments", call.at, name=call.name, expected=count)
    found = []
    for part in call.arguments[:2]:
        if isinstance(part, Literal) and part.kind != "geometry":
            raise query_fault(option, "kind", part.at, name=call.name, expected="geometry", found=part.kind)
        found.append(shapely.from_wkt(part.value) if isinstance(part, Literal) else geometries)
    return found


def _measured(call: Call, geometries: Any, option: str) -> Any:
    import shapely

    if call.name == "geo.length":
        return shapely.length(_arguments(call, geometries, 1, option)[0])
    if call.name != "geo.distance":
        raise query_fault(option, "measured", call.at)
    return shapely.distance(*_arguments(call, geometries, 2, option))


def _related(call: Call, geometries: Any, option: str) -> Mask:
    import shapely

    if call.name != "st_relate":
        left, right = _arguments(call, geometries, 2, option)
        found: Mask = getattr(shapely, _PREDICATES[call.name])(left, right)
        return found
    left, right = _arguments(call, geometries, 3, option)
    pattern = call.arguments[2]
    if not isinstance(pattern, Literal) or pattern.kind != "text" or len(pattern.value) != 9 or set(pattern.value) - _RELATE:
        raise query_fault(option, "kind", pattern.at, name="st_relate", expected="'T*F**F***'", found=_kind(pattern))
    return np.asarray(shapely.relate_pattern(left, right, pattern.value), np.bool_)


def _kind(node: Expression) -> str:
    return node.kind if isinstance(node, Literal) else "expression"
