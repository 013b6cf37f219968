"""The grammar of queries: what is written is read as it was meant, and what cannot be read is refused by option and character."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing.sta.grammar import parse_filter, parse_orderby
from mumian.foundation.sensing.sta.options import parse_query
from mumian.foundation.sensing.sta.syntax import Binary, Call, Expression, In, Literal, Not, Quantifier
from mumian.kernel.errors import Invalid, MumianError
from mumian.kernel.i18n import describe
from tests.foundation.sensing.query_texts import conditions, write

CONDITIONS = conditions(["result", "id"], ["name", "properties/owner"], ["phenomenonTime"])


def refusal(parse: Callable[[Any], Any], given: Any) -> MumianError | None:
    """Why it cannot be read."""
    try:
        parse(given)
    except MumianError as error:
        return error
    return None


def placeless(node: Any) -> Any:
    """A tree without places."""
    if isinstance(node, Binary):
        return replace(node, left=placeless(node.left), right=placeless(node.right), at=0)
    if isinstance(node, Not):
        return replace(node, operand=placeless(node.operand), at=0)
    if isinstance(node, In):
        return replace(node, operand=placeless(node.operand), choices=tuple(map(placeless, node.choices)), at=0)
    if isinstance(node, Call):
        return replace(node, arguments=tuple(map(placeless, node.arguments)), at=0)
    if isinstance(node, Quantifier):
        return replace(node, path=placeless(node.path), body=placeless(node.body), at=0)
    return replace(node, at=0)


@given(CONDITIONS)
def test_what_is_written_is_read_as_it_was_meant(condition: Expression) -> None:
    assert placeless(parse_filter(write(condition))) == condition


@given(CONDITIONS, st.data())
def test_what_is_spoilt_is_read_otherwise_or_refused_with_a_place(condition: Expression, data: st.DataObject) -> None:
    text = write(condition)
    at = data.draw(st.integers(0, len(text)))
    sign = data.draw(
        st.sampled_from(["", "(", ")", "'", ",", "/", " not ", "9" * 400, "é", "$", "--", "geography'POINT(1", "[", "T"])
    )
    spoilt = text[:at] + sign + text[at + data.draw(st.integers(0, 3)) :]
    refused = refusal(parse_filter, spoilt)
    if refused is None:
        return
    assert refused.faults[0].field == "$filter"
    assert 1 <= refused.faults[0].values["at"] <= len(spoilt) + 1
    for language in ("zh", "en"):
        assert str(refused.faults[0].values["at"]) in describe(refused, language)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_filter, parse_orderby):
        refused = refusal(parse, text)
        assert refused is None or refused.faults[0].field in ("$filter", "$orderby")


@given(st.binary(max_size=80) | st.text("$filterxpandoby=&;(),/' 1", max_size=60).map(str.encode))
def test_any_query_string_is_read_or_refused(query: bytes) -> None:
    refused = refusal(parse_query, query)
    assert refused is None or refused.faults


def test_operators_bind_as_the_standard_says() -> None:
    found = parse_filter("not a eq 1 and b add 2 mul 3 gt 4 or c eq 'x'")
    assert isinstance(found, Binary)
    assert found.operator == "or"
    both = found.left
    assert isinstance(both, Binary)
    assert (both.operator, isinstance(both.left, Not)) == ("and", True)
    compared = both.right
    assert isinstance(compared, Binary)
    assert isinstance(compared.left, Binary)
    assert (compared.operator, compared.left.operator) == ("gt", "add")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("-3", "number", -3),
        ("2.5e2", "number", 250.0),
        ("'it''s'", "text", "it's"),
        ("2014-01-01T00:00:00Z", "time", 1_388_534_400_000_000),
        ("2014-01-01T08:00:00.000+08:00", "time", 1_388_534_400_000_000),
        ("2014-01-01T08:00:00 08:00", "time", 1_388_534_400_000_000),
        ("2014-01-01T00:00:00Z/2014-01-01T01:00:00Z", "period", (1_388_534_400_000_000, 1_388_538_000_000_000)),
        ("2014-01-01T00:00:00Z/PT1H", "period", (1_388_534_400_000_000, 1_388_538_000_000_000)),
        ("P1D/2014-01-02T00:00:00Z", "period", (1_388_534_400_000_000, 1_388_620_800_000_000)),
        ("2014-01-01", "date", 16071),
        ("12:30:01.5", "clock", 45_001_500_000),
        ("duration'PT1H30M'", "duration", 5_400_000_000),
        ("duration'-P1D'", "duration", -86_400_000_000),
        ("geography'POINT(-122, 43)'", "geometry", "POINT (-122 43)"),
        ("true", "bool", True),
        ("null", "null", None),
    ],
)
def test_literals_have_their_values(text: str, kind: str, value: object) -> None:
    found = parse_filter(f"x eq {text}")
    assert isinstance(found, Binary)
    assert isinstance(found.right, Literal)
    assert (found.right.kind, found.right.value) == (kind, value)


@pytest.mark.parametrize(
    ("text", "what", "at"),
    [
        ("name eq", "operand", 8),
        ("name eq 'x", "character", 9),
        ("(name eq 'x'", "closing", 13),
        ("name eq 'x' 'y'", "rest", 13),
        ("name eq 2014-13-01T00:00:00Z", "literal", 9),
        ("name in 3", "list", 9),
        ("Datastreams/any(d name)", "variable", 19),
        ("(" * 60 + "1" + ")" * 60, "deep", 42),
        ("1 eq 1 or " * 600 + "1 eq 1", "long", 5001),
        ("1 eq 1 or " * 150 + "1 eq 1", "long", 998),
        ("x eq geography'POINT(1'", "literal", 6),
        ("x[y] eq 1", "index", 3),
        ("x eq duration'P'", "literal", 6),
    ],
)
def test_faults_name_the_character(text: str, what: str, at: int) -> None:
    with pytest.raises(Invalid) as caught:
        parse_filter(text)
    fault = caught.value.faults[0]
    assert (fault.field, fault.key) == ("$filter", f"sensing.query.{what}")
    assert fault.values["at"] == at


def test_expansions_nest_and_merge() -> None:
    query = b"$expand=Datastreams/Thing,Datastreams/Sensor,Locations($top=1;$filter=name%20eq%20';)';$expand=Things/Datastreams)"
    options = parse_query(query)
    assert list(options.expand["Datastreams"].expand) == ["Thing", "Sensor"]
    assert options.expand["Locations"].top == 1
    assert list(options.expand["Locations"].expand["Things"].expand) == ["Datastreams"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (b"$filter=", "$filter"),
        (b"$top=-1", "$top"),
        (b"$count=yes", "$count"),
        (b"$format=xml", "$format"),
        (b"$top=1&$top=2", "$top"),
        (b"$resultFormat=xml", "$resultFormat"),
        (b"$expand=A($expand=B($filter=x))&$select=", "$select"),
        (b"$expand=A($expand=B($filter=x%20eq))", "$expand.A.$expand.B.$filter"),
        (b"$expand=A($nothing=1)", "$expand.A.$nothing"),
        (b"$expand=" + b"A/" * 10 + b"A", "$expand.A.A.A.A.A.A.A.A"),
        (b"$skiptoken=xx", "$skiptoken"),
        (b"$orderby=name%20up", "$orderby"),
    ],
)
def test_faults_name_the_option(query: bytes, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_query(query)
    assert caught.value.faults[0].field == field
