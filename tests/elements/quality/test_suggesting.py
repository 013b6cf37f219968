"""Suggesting: rules that nearly all values keep, with the evidence; what a code list holds, and what a name must confirm."""

from mumian.elements.quality.rules.profiling import FieldProfile
from mumian.elements.quality.rules.suggesting import Facts, suggestions

_COUNT = 1000


def field(name: str, **known: object) -> FieldProfile:
    """A text field with a thousand rows."""
    facts = {"type": "text", "labelled": False, "rows": _COUNT, "missing": 500, "distinct": 900, **known}
    return FieldProfile(name=name, **facts)  # type: ignore[arg-type]


def offered(one: FieldProfile, **facts: object) -> dict[str, dict[str, object]]:
    return {each.id: each.rule for each in suggestions(Facts([one], **facts))}  # type: ignore[arg-type]


def test_a_code_list_that_holds_the_values_is_suggested_before_the_values_themselves() -> None:
    district = field("district", distinct=2, top=(("440103", 300), ("440104", 200)), formats={"postcode": 1.0})
    assert offered(district, lists={"district": ("districts", 1.0)})["codes-district"]["code_list"] == "districts"
    assert offered(district)["codes-district"]["values"] == ["440103", "440104"]
    assert "format-district" not in offered(district), "six digits alone are no postcode"
    assert offered(field("邮编", formats={"postcode": 1.0}))["format-u90aeu7f16"]["format"] == "postcode"


def test_a_few_negative_numbers_are_what_the_rule_would_find() -> None:
    assert "range-capital" in offered(field("capital", type="number", negative=25))
    assert "range-capital" not in offered(field("capital", type="number", negative=26))


def test_values_of_labelled_fields_are_in_no_suggestion() -> None:
    labelled = field("illness", labelled=True, top=(), distinct=2, missing=0)
    assert list(offered(labelled)) == ["not-null-illness"]


def test_regular_loads_suggest_volume_and_freshness() -> None:
    found = offered(field("a"), totals=[100, 101, 99], intervals=[3600.0, 3500.0, 3700.0])
    assert found["volume"]["change"] == 0.5
    assert found["freshness"]["seconds"] == 7200
    assert offered(field("a"), totals=[100, 10, 1], intervals=[1.0, 2.0]) == {}


def test_few_rows_prove_nothing() -> None:
    assert offered(field("a", rows=29, missing=0)) == {}
