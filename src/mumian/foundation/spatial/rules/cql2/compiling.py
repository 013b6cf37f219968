"""The compiler: a CQL2 filter in its JSON form becomes one SQL predicate and its bound parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.spatial.contracts import Bounds
from mumian.foundation.spatial.rules.cql2 import times
from mumian.foundation.spatial.rules.cql2.operands import (
    Operand,
    as_time,
    comparable,
    date_text,
    numeric,
    refuse,
    textual,
    time_text,
)

MOST_NODES = 2000
MOST_DEPTH = 100
GEOMETRY = "geometry"
Located = tuple[bytes, Bounds]
Locate = Callable[[Mapping[str, Any]], Located]
_COMPARISONS = {"=", "<>", "<", ">", "<=", ">="}
_ARITHMETIC = {"+": "{} + {}", "-": "{} - {}", "*": "{} * {}", "/": "{} / {}", "%": "fmod({}, {})", "^": "pow({}, {})"}
_ARITHMETIC["div"] = "trunc({} / {})"
_SPATIAL = {
    "s_contains": "ST_Contains",
    "s_crosses": "ST_Crosses",
    "s_disjoint": "ST_Disjoint",
    "s_equals": "ST_Equals",
    "s_intersects": "ST_Intersects",
    "s_overlaps": "ST_Overlaps",
    "s_touches": "ST_Touches",
    "s_within": "ST_Within",
}
_ARRAYS = {
    "a_contains": "list_has_all({a}, {b})",
    "a_containedby": "list_has_all({b}, {a})",
    "a_equals": "(list_has_all({a}, {b}) AND list_has_all({b}, {a}))",
    "a_overlaps": "list_has_any({a}, {b})",
}


@dataclass(frozen=True)
class Compiled:
    """A predicate over a layer's table, and the values of its `$name` parameters."""

    sql: str
    params: dict[str, Any] = field(default_factory=dict)


def compile_filter(tree: Any, columns: Mapping[str, tuple[str, str]], locate: Locate) -> Compiled:
    """Compile CQL2 JSON; `columns` maps a queryable to its column and type, `locate` turns a GeoJSON geometry (or
    `{"bbox": […]}`) of the filter's system into WKB and bounds in WGS 84. Raises Invalid on the field `filter`.

    The layer's table has the columns geom, west, south, east, north. Three-valued logic is that of SQL: what compares with
    null is unknown, and unknown selects nothing.
    """
    compiler = _Compiler(columns, locate)
    return Compiled(compiler.predicate(tree, 0), compiler.params)


class _Compiler:
    def __init__(self, columns: Mapping[str, tuple[str, str]], locate: Locate) -> None:
        self._columns = columns
        self._locate = locate
        self._nodes = 0
        self.params: dict[str, Any] = {}

    def predicate(self, node: Any, depth: int) -> str:
        self._count(depth)
        if isinstance(node, bool):
            return "TRUE" if node else "FALSE"
        if isinstance(node, dict) and set(node) == {"property"}:
            found = self.operand(node, depth)
            if found.type != "boolean":
                raise refuse(f"{node['property']!r} is not a condition")
            return found.sql
        operator, args = _call(node)
        if operator in ("and", "or"):
            if len(args) < 2:
                raise refuse(f"{operator.upper()} wants two conditions")
            return "(" + f" {operator.upper()} ".join(self.predicate(a, depth + 1) for a in args) + ")"
        if operator == "not":
            return f"(NOT {self.predicate(_sized(operator, args, 1)[0], depth + 1)})"
        return self._simple(operator, args, depth + 1)

    def _simple(self, operator: str, args: Sequence[Any], depth: int) -> str:
        if operator in _COMPARISONS:
            a, b = (self.operand(x, depth) for x in _sized(operator, args, 2))
            left, right = comparable(a, b)
            return f"({left} {operator} {right})"
        if operator in _SPATIAL:
            return self._spatial(operator, _sized(operator, args, 2), depth)
        if operator in times.TEMPORAL_OPERATORS:
            a_, b_ = (self._interval(x, depth) for x in _sized(operator, args, 2))
            return times.relation(operator, a_, b_)
        if operator in _ARRAYS:
            a_list, b_list = (self._list(x, depth) for x in _sized(operator, args, 2))
            return "(" + _ARRAYS[operator].format(a=a_list, b=b_list) + ")"
        return self._advanced(operator, args, depth)

    def _advanced(self, operator: str, args: Sequence[Any], depth: int) -> str:
        if operator == "like":
            text, pattern = (self.operand(x, depth) for x in _sized(operator, args, 2))
            if isinstance(pattern.value, str) and (len(pattern.value) - len(pattern.value.rstrip("\\"))) % 2:
                raise refuse("a pattern may not end in a single backslash")
            return f"({textual(text)} LIKE {textual(pattern)} ESCAPE '\\')"
        if operator == "between":
            value, low, high = (self.operand(x, depth) for x in _sized(operator, args, 3))
            (a, lowest), (b, highest) = comparable(value, low), comparable(value, high)
            return f"({a} >= {lowest} AND {b} <= {highest})"
        if operator == "in":
            value, choices = _sized(operator, args, 2)
            if not isinstance(choices, list) or not choices:
                raise refuse("IN wants a list of values")
            one = self.operand(value, depth)
            return "(" + " OR ".join("{} = {}".format(*comparable(one, self.operand(c, depth))) for c in choices) + ")"
        if operator == "isnull":
            (node,) = _sized(operator, args, 1)
            sql = "geom" if self._is_geometry(node) else self.operand(node, depth).sql
            return f"({sql} IS NULL)"
        raise refuse(f"the function {operator!r} is not known here")

    def operand(self, node: Any, depth: int) -> Operand:
        self._count(depth)
        if isinstance(node, bool):
            return Operand("TRUE" if node else "FALSE", "boolean", node, literal=True)
        if isinstance(node, int | float):
            return self._number(node)
        if isinstance(node, str):
            return Operand(self._bind(node), "string", node, literal=True)
        if not isinstance(node, dict):
            raise refuse("a value or property is wanted here")
        if "property" in node:
            return self._property(node["property"])
        if "date" in node:
            text = date_text(node["date"])
            return Operand(f"CAST({self._bind(text)} AS DATE)", "date", text, literal=True)
        if "timestamp" in node:
            text = time_text(node["timestamp"])
            return Operand(f"(CAST({self._bind(text)} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')", "datetime", text, literal=True)
        return self._function(node, depth)

    def _number(self, value: float) -> Operand:
        whole = isinstance(value, int) or (value.is_integer() and abs(value) < 2**53)
        if isinstance(value, int) and abs(value) >= 2**63:
            raise refuse("a whole number is too large")
        return Operand(self._bind(int(value) if whole else value), "integer" if whole else "number", value, literal=True)

    def _property(self, name: Any) -> Operand:
        if not isinstance(name, str) or name not in self._columns:
            raise refuse(f"there is no queryable {str(name)[:80]!r}; there are: {', '.join(self._columns)}")
        column, type_ = self._columns[name]
        return Operand(column, type_)

    def _function(self, node: Mapping[str, Any], depth: int) -> Operand:
        operator, args = _call(node)
        if operator in ("casei", "accenti"):
            inner = textual(self.operand(_sized(operator, args, 1)[0], depth + 1))
            return Operand(f"{'lower' if operator == 'casei' else 'strip_accents'}({inner})", "string")
        if operator in _ARITHMETIC:
            if operator == "-" and len(args) == 1:
                return Operand(f"(-{numeric(self.operand(args[0], depth + 1))})", "number")
            a, b = (numeric(self.operand(x, depth + 1)) for x in _sized(operator, args, 2))
            return Operand("(" + _ARITHMETIC[operator].format(a, b) + ")", "number")
        if operator in _COMPARISONS | {"and", "or", "not", "like", "between", "in", "isnull"} or operator in _SPATIAL:
            return Operand(self.predicate(node, depth + 1), "boolean")
        raise refuse(f"the function {operator!r} is not known here")

    def _is_geometry(self, node: Any) -> bool:
        return isinstance(node, dict) and node.get("property") in (GEOMETRY, "geom") and node["property"] not in self._columns

    def _spatial(self, operator: str, args: Sequence[Any], depth: int) -> str:
        self._count(depth)
        sqls, bounds = [], []
        for node in args:
            if self._is_geometry(node):
                sqls.append("geom")
                continue
            wkb, box = self._locate(_literal_geometry(node))
            sqls.append(f"ST_GeomFromWKB({self._bind(wkb)}::BLOB)")
            bounds.append(box)
        test = f"{_SPATIAL[operator]}({sqls[0]}, {sqls[1]})"
        if "geom" not in sqls or not bounds or operator == "s_disjoint":
            return f"({test})"
        west, south, east, north = (self._bind(float(value)) for value in bounds[0])
        return f"(west <= {east} AND east >= {west} AND south <= {north} AND north >= {south} AND {test})"

    def _interval(self, node: Any, depth: int) -> times.Interval:
        if not (isinstance(node, dict) and "interval" in node):
            return times.instant(as_time(self.operand(node, depth)))
        ends = node["interval"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise refuse("INTERVAL wants two ends")
        start, end = (None if e in ("..", "") else as_time(self.operand(e, depth)) for e in ends)
        return times.interval(start, end)

    def _list(self, node: Any, depth: int) -> str:
        if isinstance(node, list):
            return "[" + ", ".join(f"CAST({self.operand(x, depth).sql} AS VARCHAR)" for x in node) + "]::VARCHAR[]"
        found = self.operand(node, depth)
        if found.type != "json":
            raise refuse(f"an array is wanted here, not {found.type}")
        return f"TRY_CAST(CAST({found.sql} AS JSON) AS VARCHAR[])"

    def _bind(self, value: Any) -> str:
        name = f"c{len(self.params)}"
        self.params[name] = value
        return f"${name}"

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > MOST_DEPTH:
            raise refuse(f"it is too long: at most {MOST_NODES} parts, {MOST_DEPTH} deep")


def _call(node: Any) -> tuple[str, list[Any]]:
    if not isinstance(node, dict) or not isinstance(node.get("op"), str) or not isinstance(node.get("args"), list):
        raise refuse("a condition is wanted: {op, args}")
    return node["op"].lower(), node["args"]


def _sized(operator: str, args: Sequence[Any], count: int) -> Sequence[Any]:
    if len(args) != count:
        raise refuse(f"{operator.upper()} wants {count} operands")
    return args


def _literal_geometry(node: Any) -> Mapping[str, Any]:
    if isinstance(node, dict) and ("bbox" in node or ("type" in node and ("coordinates" in node or "geometries" in node))):
        return node
    name = node.get("property", node.get("op")) if isinstance(node, dict) else node
    raise refuse(f"a geometry is wanted here, not {str(name)[:80]!r}; the geometry of a feature is the property {GEOMETRY!r}")
