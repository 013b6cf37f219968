"""The pure decisions of identity: where a browser comes from, how long to wait, what a circle is."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.identity import rules
from mumian.foundation.identity.rules import Origin


@pytest.mark.parametrize(
    ("method", "where", "may"),
    [
        ("GET", Origin("city.test", "http://evil.test", "cross-site"), True),
        ("HEAD", Origin(), True),
        ("POST", Origin("city.test", "http://city.test"), True),
        ("POST", Origin("city.test:8080", "http://city.test:8080"), True),
        ("DELETE", Origin("CITY.test", "https://city.TEST"), True),
        ("POST", Origin("city.test", None, "same-origin"), True),
        ("POST", Origin("city.test", None, "none"), True),
        ("POST", Origin("city.test", "http://city.test", "cross-site"), False),
        ("POST", Origin("city.test", None, "same-site"), False),
        ("POST", Origin("city.test", "http://evil.test"), False),
        ("POST", Origin("city.test", "http://city.test.evil.test"), False),
        ("POST", Origin("city.test", "http://city.test:81"), False),
        ("POST", Origin("city.test", "null"), False),
        ("POST", Origin("city.test", None), False),
        ("POST", Origin(None, "http://city.test"), False),
        ("PATCH", Origin("", ""), False),
    ],
)
def test_a_change_with_a_cookie_must_come_from_this_very_site(method: str, where: Origin, may: bool) -> None:
    assert rules.same_origin(method, where) is may


def test_silence_about_the_origin_is_not_foreign() -> None:
    assert not rules.foreign(Origin("city.test"))
    assert not rules.foreign(Origin("city.test", "http://city.test"))
    assert rules.foreign(Origin("city.test", "http://evil.test"))
    assert rules.foreign(Origin("city.test", None, "cross-site"))


@given(st.integers(0, 10_000))
def test_waiting_grows_and_stays_bounded(failures: int) -> None:
    assert 0 <= rules.wait_seconds(failures) <= rules.wait_seconds(failures + 1) <= 300
    assert (rules.wait_seconds(failures) == 0) == (failures < 5)


@given(st.dictionaries(st.integers(0, 8).map(str), st.integers(0, 8).map(str)), st.integers(0, 8).map(str))
def test_a_circle_is_found_exactly_where_the_chain_of_parents_never_ends(parents: dict[str, str], start: str) -> None:
    circle = rules.cycle(dict(parents), start)
    here: str | None = start
    for _ in range(20):
        here = parents.get(here) if here is not None else None
    assert (circle is not None) == (here is not None)
    if circle is not None:
        assert circle[0] == circle[-1]
        assert all(parents[below] == above for below, above in pairwise(circle))


@pytest.mark.parametrize("scope", ["*", "incident:*", "incident:act", "big-noun:big-verb"])
def test_scopes_are_actions_groups_of_them_or_all(scope: str) -> None:
    assert rules.bad_scopes([scope]) == []


@pytest.mark.parametrize(
    "scope", ["", "**", "incident", "incident:", ":act", "*:act", "Incident:act", "incident:act:now", "incident:*\n"]
)
def test_anything_else_is_no_scope(scope: str) -> None:
    assert rules.bad_scopes([scope]) == [scope]
