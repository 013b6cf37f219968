"""Behaviour of CQL2 filters: what they select is what a reader of the standard would select by hand."""

import operator
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.spatial.features.engine import Engine
from mumian.foundation.spatial.features.geometry import locate
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.ogc.parameters import parse_filter
from mumian.foundation.spatial.rules.cql2 import compile_filter
from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.kernel.errors import Invalid
from tests.foundation.spatial.layering import Feature, ids_of, table_of

WORDS = ["Lamp", "lamp", "été", "ete", "路灯", "100%", "a_b", "", None]
START = datetime(2014, 1, 1, tzinfo=UTC)


def _features() -> Iterator[Feature]:
    for i in range(120):
        values: dict[str, Any] = {
            "n": None if i % 11 == 0 else i % 17 - 5,
            "x": None if i % 13 == 0 else (i % 7) / 2,
            "s": WORDS[i % len(WORDS)],
            "b": None if i % 5 == 0 else i % 2 == 0,
            "t": (START + timedelta(hours=5 * i)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tags": [["red", "big"], ["red"], [], ["small"]][i % 4],
        }
        point = shapely.Point(113 + i % 10 / 10, 23 + i // 10 / 10)
        yield f"f{i:03}", None if i % 19 == 0 else point if i % 3 else point.buffer(0.05, quad_segs=2), values


FEATURES = list(_features())


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Table]]:
    """A table of 120 features."""
    engine, table = table_of(tmp_path_factory.mktemp("cql2"), FEATURES)
    yield engine, table
    engine.close()


def _select(lamps: tuple[Engine, Table], tree: Any) -> set[str]:
    engine, table = lamps
    return set(ids_of(engine, table, compile_filter(tree, table.columns, locate(parse_crs("CRS84")))))


def _text(lamps: tuple[Engine, Table], text: str) -> set[str]:
    return _select(lamps, parse_filter(text, "cql2-text"))


numbers = st.one_of(st.integers(-8, 14), st.sampled_from([0.5, 1.5, 2.0, -3.5]))
words = st.sampled_from([w for w in WORDS if w is not None] + ["x"])
patterns = st.sampled_from(["%", "L%", "%amp", "l_mp", "100\\%", "a\\_b", "_", "%t%", "路%", ""])
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
ops = st.sampled_from(sorted(COMPARE))


def _node(op: str, *args: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


def _property(name: str) -> dict[str, str]:
    return {"property": name}


number_terms = st.recursive(
    st.one_of(st.sampled_from(["n", "x"]).map(_property), numbers),
    lambda inner: st.builds(_node, st.sampled_from(["+", "-", "*"]), inner, inner),
    max_leaves=4,
)
times = st.integers(-5, 700).map(lambda h: {"timestamp": (START + timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M:%SZ")})
boxes = st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 5), st.integers(0, 5)).map(
    lambda b: {"bbox": [112.97 + b[0] / 10, 22.97 + b[1] / 10, 113.02 + (b[0] + b[2]) / 10, 23.02 + (b[1] + b[3]) / 10]}
)
leaves = st.one_of(
    st.builds(_node, ops, number_terms, number_terms),
    st.builds(_node, ops, st.just(_property("s")), words),
    st.builds(_node, st.sampled_from(["=", "<>"]), st.just(_property("b")), st.booleans()),
    st.builds(_node, ops, st.just(_property("t")), times),
    st.builds(_node, st.just("like"), st.just(_property("s")), patterns),
    st.builds(_node, st.just("between"), number_terms, numbers, numbers),
    st.builds(_node, st.just("in"), st.just(_property("n")), st.lists(numbers, min_size=1, max_size=4)),
    st.builds(_node, st.just("in"), st.just(_property("s")), st.lists(words, min_size=1, max_size=4)),
    st.builds(_node, st.just("isNull"), st.sampled_from(["n", "x", "s", "b"]).map(_property)),
    st.builds(_node, st.sampled_from(["s_intersects", "s_within", "s_disjoint"]), st.just(_property("geometry")), boxes),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(_node, st.sampled_from(["and", "or"]), inner, inner), st.builds(_node, st.just("not"), inner)
    ),
    max_leaves=6,
)


def _value(node: Any, geometry: Any, values: dict[str, Any]) -> Any:
    """What a term or condition is for a feature, by hand: None is unknown, as in SQL."""
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return values.get(node["property"])
    if "timestamp" in node:
        return node["timestamp"]
    op, args = node["op"], node["args"]
    if op in ("and", "or"):
        found = [_value(arg, geometry, values) for arg in args]
        decisive = op == "or"
        return decisive if decisive in found else None if None in found else not decisive
    if op == "isNull":
        return _value(args[0], geometry, values) is None
    if op.startswith("s_"):
        return _spatial(op, geometry, shapely.box(*args[1]["bbox"]))
    if op == "in":
        return _value(_node("or", *(_node("=", args[0], c) for c in args[1]), False), geometry, values)
    terms = [_value(arg, geometry, values) for arg in args]
    return None if None in terms else _known(op, terms)


def _known(op: str, terms: list[Any]) -> Any:
    if op == "not":
        return not terms[0]
    if op == "between":
        return terms[1] <= terms[0] <= terms[2]
    if op == "like":
        parts = re.findall(r"\\.|.", terms[1], re.DOTALL)
        pattern = "".join({"%": ".*", "_": "."}.get(p, re.escape(p[-1])) for p in parts)
        return re.fullmatch(pattern, terms[0], re.DOTALL) is not None
    if op in COMPARE:
        return COMPARE[op](*terms)
    return {"+": operator.add, "-": operator.sub, "*": operator.mul}[op](*terms)


def _spatial(op: str, geometry: Any, box: Any) -> bool | None:
    if geometry is None:
        return None
    return bool({"s_intersects": geometry.intersects, "s_within": geometry.within, "s_disjoint": geometry.disjoint}[op](box))


@settings(max_examples=200)
@given(filters)
def test_a_filter_selects_what_it_selects_by_hand(lamps: tuple[Engine, Table], tree: Any) -> None:
    by_hand = {id_ for id_, geometry, values in FEATURES if _value(tree, geometry, values) is True}
    assert _select(lamps, tree) == by_hand


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("n BETWEEN 2 AND 4", lambda v: v["n"] is not None and 2 <= v["n"] <= 4),
        ("n NOT BETWEEN 2 AND 4", lambda v: v["n"] is not None and not 2 <= v["n"] <= 4),
        ("s NOT IN ('Lamp','路灯')", lambda v: v["s"] is not None and v["s"] not in ("Lamp", "路灯")),
        ("s IS NOT NULL", lambda v: v["s"] is not None),
        ("CASEI(s) = CASEI('LAMP')", lambda v: (v["s"] or "").lower() == "lamp"),
        ("CASEI(s) LIKE casei('LAM%')", lambda v: (v["s"] or "").lower().startswith("lam")),
        ("ACCENTI(s) = ACCENTI('été')", lambda v: v["s"] in ("été", "ete")),
        ("b", lambda v: v["b"] is True),
        ("NOT b", lambda v: v["b"] is False),
        ("n = 7 div 2", lambda v: v["n"] == 3),
        ("n = 7 % 4", lambda v: v["n"] == 3),
        ("n = 2^3", lambda v: v["n"] == 8),
        ("n / 2 = 1.5", lambda v: v["n"] == 3),
        ("n > x", lambda v: v["n"] is not None and v["x"] is not None and v["n"] > v["x"]),
        ("t < DATE('2014-01-02')", lambda v: v["t"] < "2014-01-02"),
        ("t = TIMESTAMP('2014-01-01T13:00:00+08:00')", lambda v: v["t"] == "2014-01-01T05:00:00Z"),
        ("T_AFTER(t, DATE('2014-01-20'))", lambda v: v["t"] > "2014-01-20T00:00:00Z"),
        ("T_DURING(t, INTERVAL('2014-01-02T00:00:00Z','2014-01-03'))", lambda v: "2014-01-02T00:00:00Z" < v["t"] < "2014-01-03"),
        ("T_INTERSECTS(t, INTERVAL('..','2014-01-01T10:00:00Z'))", lambda v: v["t"] <= "2014-01-01T10:00:00Z"),
        ("A_CONTAINS(tags, ('red','big'))", lambda v: {"red", "big"} <= set(v["tags"])),
        ("A_CONTAINEDBY(tags, ('red','big'))", lambda v: set(v["tags"]) <= {"red", "big"}),
        ("A_OVERLAPS(tags, ('small','big'))", lambda v: bool({"small", "big"} & set(v["tags"]))),
        ("A_EQUALS(tags, ('red'))", lambda v: v["tags"] == ["red"]),
    ],
)
def test_text_filters_mean_what_they_say(
    lamps: tuple[Engine, Table], text: str, condition: Callable[[dict[str, Any]], bool]
) -> None:
    wanted = {id_ for id_, _, values in FEATURES if condition(values)}
    assert _text(lamps, text) == wanted
    assert wanted


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("S_INTERSECTS", "intersects"),
        ("S_WITHIN", "within"),
        ("S_DISJOINT", "disjoint"),
        ("S_CROSSES", "crosses"),
        ("S_OVERLAPS", "overlaps"),
        ("S_TOUCHES", "touches"),
        ("S_CONTAINS", "contains"),
        ("S_EQUALS", "equals"),
    ],
)
@pytest.mark.parametrize(
    "wkt",
    [
        "POLYGON((112.95 22.95,113.4 22.95,113.4 23.5,112.95 23.5,112.95 22.95))",
        "LINESTRING(113 23,113.5 23.5)",
        "POINT(113.1 23)",
        "MULTIPOINT((113.1 23),(113.2 23))",
    ],
)
def test_spatial_functions_are_those_of_geos(lamps: tuple[Engine, Table], text: str, relation: str, wkt: str) -> None:
    shape = shapely.from_wkt(wkt)
    wanted = {id_ for id_, geometry, _ in FEATURES if geometry is not None and getattr(geometry, relation)(shape)}
    assert _text(lamps, f"{text}(geometry, {wkt})") == wanted


def test_geometries_of_a_filter_may_be_of_another_system(lamps: tuple[Engine, Table]) -> None:
    engine, table = lamps
    tree = parse_filter("S_INTERSECTS(geometry, BBOX(22.95,112.95,23.25,113.45))", "cql2-text")
    found = ids_of(engine, table, compile_filter(tree, table.columns, locate(parse_crs("EPSG:4326"))))
    assert set(found) == _text(lamps, "S_INTERSECTS(geometry, BBOX(112.95,22.95,113.45,23.25))")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n",
        "n =",
        "n = 'a'",
        "unknown = 1",
        "s + 1 = 2",
        "avg(n) = 1",
        "S_INTERSECTS(geometry, s)",
        "S_INTERSECTS(geometry, POLYGON((0 0,1 1)))",
        "t > TIMESTAMP('2014-02-30T00:00:00Z')",
        "t > DATE('2014-13-01')",
        "s LIKE 'x\\'",
        "T_MEETS(t, DATE('2014-01-01'))",
        "n = 1 AND " * 1000 + "n = 1",
        "not " * 400 + "n = 1",
        "n < '; DROP TABLE layer_1; --",
    ],
)
def test_what_is_no_filter_is_refused_by_name(lamps: tuple[Engine, Table], text: str) -> None:
    with pytest.raises(Invalid) as refused:
        _text(lamps, text)
    assert [fault.field for fault in refused.value.faults] == ["filter"]


def test_parentheses_alone_are_never_too_deep(lamps: tuple[Engine, Table]) -> None:
    assert _text(lamps, "(" * 400 + "n = 1" + ")" * 400) == _text(lamps, "n = 1")


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["op", "args", "property", "date", "timestamp", "interval", "bbox", "type"]), inner),
            st.builds(
                _node, st.sampled_from(["and", "=", "in", "like", "s_within", "t_during", "a_equals", "casei"]), inner, inner
            ),
        ),
        max_leaves=12,
    )
)
def test_no_json_breaks_the_compiler(lamps: tuple[Engine, Table], tree: Any) -> None:
    try:
        _select(lamps, tree)
    except Invalid:
        return


def test_a_filter_leaves_the_cache_as_it_was(lamps: tuple[Engine, Table], tmp_path: Path) -> None:
    assert len(_text(lamps, "s <> ''' OR 1=1 --' OR s IS NULL")) == len(FEATURES)
