"""Properties of the choice of a dispatch rule: it covers the incident, and the order of rules is no matter."""

from hypothesis import given
from hypothesis import strategies as st

from mumian.brain.dispatch.rules import Candidate, choose, covers

codes = ["440103", "440104", "440106"]
candidates = st.lists(
    st.builds(
        Candidate,
        name=st.uuids().map(str),
        types=st.frozensets(st.sampled_from(["air", "water"]), max_size=2),
        districts=st.frozensets(st.sampled_from([*codes, "*"]), max_size=3),
        city_level=st.booleans(),
        organisation=st.sampled_from(["gz", "gz-{district}-ecology"]),
        priority=st.integers(-3, 3),
    ),
    max_size=8,
    unique_by=lambda c: c.name,
)
places = st.sampled_from([None, *codes])


@given(candidates, places, st.randoms(use_true_random=False))
def test_the_choice_covers_the_incident_and_does_not_depend_on_the_order(
    rules: list[Candidate], district: str | None, random: object
) -> None:
    choice = choose(rules, "air", district)
    covering = [c for c in rules if covers(c, "air", district)]
    assert (choice is None) == (not covering)
    random.shuffle(rules)  # type: ignore[attr-defined]
    assert choose(rules, "air", district) == choice
    if choice is not None:
        assert {choice.rule, *choice.beaten} == {c.name for c in covering}
        assert "{" not in choice.organisation


@given(candidates, st.sampled_from(codes))
def test_a_rule_for_the_type_and_district_wins_over_one_for_all(rules: list[Candidate], district: str) -> None:
    exact = Candidate("exact", frozenset({"air"}), frozenset({district}), False, "gz-{district}-ecology", 100)
    wide = Candidate("wide", frozenset(), frozenset({"*"}), True, "gz", 1000)
    choice = choose([*rules, exact, wide], "air", district)
    assert choice is not None
    assert choice.rule == "exact"
    assert choice.organisation == f"gz-{district}-ecology"
