"""Behaviour of the simulated officer's pace."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.demo.rules import NEXT, delay_minutes, is_simulated, pace


@settings(deadline=None)
@given(st.text(max_size=40))
def test_the_same_number_always_has_the_same_positive_pace(number: str) -> None:
    assert pace(number) == pace(number)
    assert all(minutes > 0 for minutes in pace(number).__dict__.values())


def test_most_incidents_are_handled_within_a_day_and_some_are_late() -> None:
    late = sum(pace(f"X-{i}").take + pace(f"X-{i}").resolve > 24 * 60 for i in range(1000))
    assert 60 < late < 200


def test_the_officer_has_a_step_for_every_state_after_dispatch_until_it_is_closed() -> None:
    assert list(NEXT) == ["dispatched", "handling", "handled", "verified"]
    assert delay_minutes("X-1", "closed") is delay_minutes("X-1", "reported") is None


def test_what_a_person_has_taken_is_left_alone() -> None:
    assert is_simulated(None)
    assert is_simulated("demo-officer-1")
    assert not is_simulated("li.na")
