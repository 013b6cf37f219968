"""Rules of context: names go there and back, queries agree with brute force, patches follow RFC 7396."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import core, matching, merging, query, selection, series, texts
from mumian.foundation.context.rules.entity import Entity, decode, encode
from mumian.foundation.context.rules.geometry import arc, parse
from mumian.foundation.context.rules.names import CORE, Names, build
from mumian.foundation.context.rules.rendering import Form, best_language, render
from mumian.foundation.context.rules.shape import Reader

NOW = "2014-01-01T00:00:00.000000Z"
WORDS = st.text("abcdefgxyz", min_size=1, max_size=5)
IRIS = st.builds("https://{}.org/{}".format, WORDS, st.text("abc/#", max_size=6))
CONTEXTS = st.dictionaries(WORDS, IRIS | st.builds("{}:{}".format, WORDS, WORDS) | IRIS.map(lambda i: {"@id": i, "@type": "@id"}))


@given(CONTEXTS, WORDS)
def test_a_term_is_found_again_by_its_address(context: dict[str, Any], word: str) -> None:
    names = build([context], None, "k")
    assert names.expand(names.compact(names.expand(word))) == names.expand(word)


@given(CONTEXTS, IRIS)
def test_every_address_comes_back_from_its_short_name(context: dict[str, Any], iri: str) -> None:
    names = build([context], None, "k")
    assert names.expand(names.compact(iri)) == iri


@given(CONTEXTS)
def test_no_context_gives_a_core_term_another_meaning(context: dict[str, Any]) -> None:
    names = build([{**context, "location": "https://other.org/location", "value": "https://other.org/value"}], None, "k")
    assert names.expand("location") == core.LOCATION
    assert names.expand("value") == "https://uri.etsi.org/ngsi-ld/hasValue"


def test_prefixes_circles_and_vocabularies_end() -> None:
    names = build([{"a": "b:x", "b": "a:y", "ex": "https://ex.org/", "t": "ex:T", "i": {"@id": "ex:i"}}], None, "k")
    assert (names.expand("t"), names.expand("i"), names.expand("ex:q")) == (
        "https://ex.org/T", "https://ex.org/i", "https://ex.org/q"
    )  # fmt: skip
    assert names.compact("https://ex.org/q") == "ex:q"
    assert CORE.expand("brand") == "https://uri.etsi.org/ngsi-ld/default-context/brand"
    with pytest.raises(BadRequestData):
        build([{"a": 5}], None, "k")


VALUES = st.integers(-3, 3) | st.booleans() | st.sampled_from(["a", "b", "ab", "2014-01-01T00:00:00Z"]) | st.floats(-2, 2)
ATTRIBUTES = st.dictionaries(st.sampled_from("pqr"), VALUES | st.lists(VALUES, min_size=1, max_size=3), max_size=3)


def entity(values: dict[str, Any]) -> Entity:
    document = {name: {"type": "Property", "value": value} for name, value in values.items()}
    return Reader(CORE, NOW).entity({"id": "urn:x:1", "type": "T", **document})


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:f}" if isinstance(value, float) else str(value)


OPERATORS = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
}  # fmt: skip
CONDITIONS = st.tuples(st.sampled_from("pqr"), st.sampled_from([*OPERATORS, ""]), VALUES)
TREES = st.recursive(
    CONDITIONS, lambda inner: st.tuples(st.sampled_from(";|"), st.lists(inner, min_size=2, max_size=3)), max_leaves=6
)


def written(tree: Any) -> str:
    if len(tree) == 3:
        name, sign, value = tree
        return f"{name}{sign}{literal(value)}" if sign else name
    return "(" + tree[0].join(written(part) for part in tree[1]) + ")"


def kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def brute(tree: Any, values: dict[str, Any]) -> bool:
    """The same question asked without the language."""
    if len(tree) == 2:
        parts = [brute(part, values) for part in tree[1]]
        return all(parts) if tree[0] == ";" else any(parts)
    name, sign, wanted = tree
    if name not in values or not sign:
        return name in values
    if isinstance(wanted, float):
        wanted = float(f"{wanted:f}")
    found = values[name] if isinstance(values[name], list) else [values[name]]
    if sign == "!=":
        return not any(kind(v) == kind(wanted) and v == wanted for v in found)
    ordered = kind(wanted) != "bool" or sign == "=="
    return ordered and any(kind(v) == kind(wanted) and OPERATORS[sign](v, wanted) for v in found)


@given(TREES, ATTRIBUTES)
def test_a_query_finds_what_brute_force_finds(tree: Any, values: dict[str, Any]) -> None:
    node = query.parse(written(tree), CORE.expand)
    assert matching.matches(node, entity(values), CORE.expand) == brute(tree, values)


@given(st.text('pq=!<>~;|()[]."ab1,- ', max_size=30))
def test_whatever_is_asked_is_answered_or_refused(text: str) -> None:
    with suppress(BadRequestData):
        node = query.parse(text, CORE.expand)
        assert matching.matches(node, entity({"p": 1, "q": "a"}), CORE.expand) in (True, False)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("speed>50", True), ("speed==40..60", True), ("speed!=40..60", False), ("speed==1,55", True), ("brand~=^K.a$", True),
        ("brand!~=^B", True), ("speed.observedAt>2013-12-31T00:00:00Z", True), ("speed.source==\"gps\"", True),
        ("address[city]==\"gz\"", True), ("address[street.no]==7", True), ("name[zh]==\"车\"", True), ("name[*]==\"car\"", True),
        ("ref==urn:x:2", True), ("missing", False), ("brand", True), ("(speed<1|speed>50);brand==\"Kia\"", True),
        ("category==\"a\"", True),
        ("type==https://uri.etsi.org/ngsi-ld/default-context/T", True), ("speed.unitCode==\"KMH\"", True),
    ],
)  # fmt: skip
def test_paths_reach_members_sub_attributes_and_values(text: str, hit: bool) -> None:
    found = Reader(CORE, NOW).entity({
        "id": "urn:x:1", "type": "T", "brand": "Kia", "ref": {"object": "urn:x:2"},
        "speed": {"value": 55, "unitCode": "KMH", "observedAt": "2014-01-01T00:00:00Z", "source": {"value": "gps"}},
        "address": {"value": {"city": "gz", "street": {"no": 7}}}, "name": {"languageMap": {"zh": "车", "en": "car"}},
        "category": {"vocab": "a"},
    })  # fmt: skip
    assert matching.matches(query.parse(text, CORE.expand), found, CORE.expand) is hit


def test_a_pattern_of_a_stranger_takes_no_longer_than_its_text() -> None:
    node = query.parse('p~="(a+)+$"', CORE.expand)
    assert not matching.matches(node, entity({"p": "a" * 5000 + "b"}), CORE.expand)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


def rfc7396(target: Any, patch: Any) -> Any:
    """MergePatch as RFC 7396, section 2, has it."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = rfc7396(target.get(name), value)
    return target


@given(JSON, JSON)
def test_values_merge_as_rfc_7396_says(target: Any, patch: Any) -> None:
    assert merging.merged_value(target, patch) == rfc7396(target, patch)


@given(ATTRIBUTES)
def test_an_entity_is_the_same_after_it_was_stored_and_after_it_was_shown(values: dict[str, Any]) -> None:
    made = entity(values)
    again = decode(made.id, encode(made))
    assert (again.types, again.attributes, again.created) == (made.types, made.attributes, made.created)
    for shape in ("normalized", "concise"):
        shown = render(made, CORE, Form(shape))
        assert Reader(CORE, NOW).entity(shown).attributes == made.attributes


def test_types_and_scopes_are_selected_by_small_languages() -> None:
    tree = selection.parse("(A;B),C", "type")
    types = [{CORE.expand(name) for name in names} for names in (["A"], ["A", "B"], ["C"], [])]
    assert [selection.typed(tree, held, CORE.expand) for held in types] == [False, True, True, False]
    for text, scopes, hit in [
        ("/gz/#", ("/gz/tianhe",), True), ("/gz", ("/gz/tianhe",), False), ("/+/tianhe", ("/gz/tianhe",), True),
        ("/gz/#;/x", ("/gz",), False), ("/gz/#,/x", ("/gz/a/b",), True),
    ]:  # fmt: skip
        assert selection.scoped(selection.parse(text, "scopeQ"), scopes) is hit
    with pytest.raises(BadRequestData):
        selection.parse("(A;B", "type")


@pytest.mark.parametrize(
    ("relation", "geometry", "coordinates", "hit"),
    [
        ("near;maxDistance==2000", "Point", "[113.31,23.1]", True), ("near;minDistance==2000", "Point", "[113.31,23.1]", False),
        ("within", "Polygon", "[[[113,23],[114,23],[114,24],[113,24],[113,23]]]", True),
        ("disjoint", "Polygon", "[[[113,23],[114,23],[114,24],[113,24],[113,23]]]", False),
        ("equals", "Point", "[113.3,23.1]", True), ("intersects", "LineString", "[[113.2,23.1],[113.4,23.1]]", True),
    ],
)  # fmt: skip
def test_geometries_lie_as_asked(relation: str, geometry: str, coordinates: str, hit: bool) -> None:
    asked = parse(relation, geometry, coordinates, core.LOCATION)
    assert asked.matches({"type": "Point", "coordinates": [113.3, 23.1]}) is hit


@given(st.floats(-179, 179), st.floats(-80, 80), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(1, 20_000))
def test_everything_near_lies_in_the_box_that_is_searched(x: float, y: float, dx: float, dy: float, metres: float) -> None:
    asked = parse(f"near;maxDistance=={metres:f}", "Point", f"[{x},{y}]", core.LOCATION)
    box = asked.box()
    if box is not None and arc(x, y, x + dx, y + dy) <= metres:
        assert box[0] <= x + dx <= box[2]
        assert box[1] <= y + dy <= box[3]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_aggregates_are_those_of_arithmetic(numbers: list[float]) -> None:
    assert series.aggregate("avg", numbers) == pytest.approx(sum(numbers) / len(numbers))
    assert series.aggregate("max", numbers) == max(numbers)
    assert series.aggregate("totalCount", numbers) == len(numbers)


@given(st.sampled_from(["PT1H", "P1D", "P1M", "PT90M", "P1W"]), st.integers(0, 10**15), st.integers(1, 10**13))
def test_periods_cover_all_time_without_gaps(text: str, start: int, span: int) -> None:
    found = list(series.periods(start, start + min(span, 10**12), series.duration(text)))
    assert found[0][0] == start
    assert found[-1][1] >= start + min(span, 10**12)
    assert all(one[1] == two[0] for one, two in pairwise(found))


def test_a_language_is_chosen_by_what_fits_best() -> None:
    words = {"zh": "车", "en-GB": "car", "fr": "voiture"}
    assert best_language(words, "en,zh;q=0.9") == ("en-GB", "car")
    assert best_language(words, "de") == ("zh", "车")


def test_ids_that_look_like_others_are_refused() -> None:
    assert texts.is_uri("urn:ngsi-ld:区:天河")
    assert not any(map(texts.is_uri, ["urn:x:a\u200bb", "urn:x:\u202eab", "urn:x:a b", "nothing", "urn:x:\ufeff"]))


def test_names_of_a_context_keep_their_address() -> None:
    assert Names({}, {}, "https://x.org/c.jsonld").key == "https://x.org/c.jsonld"
