"""Questions in CKAN's notation, and SQL made of them: read as Solr and CKAN read them, with every value bound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.elements.opening.ckan.errors import CkanError
from mumian.elements.opening.ckan.queries import Query, order, parse
from mumian.elements.opening.rules import charts, indices, places
from mumian.elements.opening.rules.asking import Question, Refused, parse_sort, statement, typed

VALUES = st.one_of(st.text(max_size=9), st.integers(), st.none())
FIELDS = {"_id": "integer", "n": "integer", "名": "text", 'q"x': "number", "day": "date", "yes": "boolean"}


@pytest.mark.parametrize(("text", "wanted", "unwanted"), [
    ("organization:town", {"owner": [["town"]]}, {}),
    ("+groups:health +tags:\"a b\"", {"theme": [["health"]], "tags": [["a b"]]}, {}),
    ("res_format:(CSV OR JSON)", {"format": [["CSV", "JSON"]]}, {}),
    ("(organization:town)", {"owner": [["town"]]}, {}),
    ("-organization:town state:active dataset_type:dataset", {}, {"owner": ["town"]}),
    ("metadata_modified:[* TO NOW]", {}, {}),
])  # fmt: skip
def test_filters_are_read_as_solr_reads_them(text: str, wanted: object, unwanted: object) -> None:
    query = parse(text, Query(), words=False)
    assert (query.wanted, query.unwanted) == (wanted, unwanted)


def test_words_and_fields_stand_side_by_side_in_q() -> None:
    query = parse('tea title:"green cake" organization:town *', Query(), words=True)
    assert query.words == ["tea", "green cake", ""]
    assert query.wanted == {"owner": [["town"]]}


@settings(max_examples=100)
@given(st.text(max_size=60), st.booleans())
def test_any_query_is_read_or_refused(text: str, words: bool) -> None:
    try:
        parse(text, Query(), words)
        order(text)
    except CkanError:
        return


@pytest.mark.parametrize(("given_", "found"), [
    ("n desc", [("n", True)]),
    ('"q""x" asc, 名', [('q"x', False), ("名", False)]),
    (["day DESC nulls last"], [("day", True)]),
    ("", []),
])  # fmt: skip
def test_orders_are_read(given_: object, found: object) -> None:
    assert parse_sort(given_) == found


@pytest.mark.parametrize("bad", ["n; drop", "n desc desc", 'n"', "count(*)", "n,,;"])
def test_orders_that_are_none_are_refused(bad: str) -> None:
    with pytest.raises(Refused):
        statement("d", FIELDS, Question(sort=parse_sort(bad)))


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from([*FIELDS, "other"]), st.lists(VALUES, max_size=3), max_size=3),
    st.text(max_size=20),
)  # fmt: skip
def test_no_value_stands_in_the_sql(filters: dict[str, list[object]], word: str) -> None:
    marked = {name: [f"§{value}" if isinstance(value, str) else value for value in values] for name, values in filters.items()}
    try:
        made = statement("d", FIELDS, Question(filters=marked, words={None: f"§{word}"}))  # type: ignore[arg-type]
    except Refused:
        return
    assert "§" not in made.sql + made.count
    assert set(made.params) == {f"p{i}" for i in range(len(made.params))}


@pytest.mark.parametrize(("type_", "value"), [
    ("integer", "x"), ("integer", 2**63), ("number", "nan"), ("number", "inf"), ("date", "tomorrow"), ("boolean", "maybe"),
    ("time", "noon"),
])  # fmt: skip
def test_values_that_a_field_cannot_have_are_refused(type_: str, value: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        typed(type_, value)  # type: ignore[arg-type]


def test_places_and_charts_follow_from_the_fields() -> None:
    assert places.geometry([("lon", "number"), ("lat", "number")]) == places.Geometry(("lon", "lat"))
    assert places.geometry([("geometry", "json"), ("lon", "number")]) == places.Geometry(("geometry",))
    assert places.geometry([("lon", "text"), ("lat", "text")]) is None
    assert places.division([("行政区划代码", "text")]) == "行政区划代码"
    fields = [("day", "date"), ("kind", "text"), ("amount", "number")]
    found = charts.suggested(fields, {"kind": {"distinct": 4}})
    assert [chart["kind"] for chart in found] == ["line", "bar", "histogram"]


def test_licences_are_open_or_not() -> None:
    assert [indices.is_open(text) for text in ("CC BY 4.0", "CC-BY-NC 4.0", "ODbL", None, "all rights reserved")] == [
        True,
        False,
        True,
        False,
        False,
    ]
