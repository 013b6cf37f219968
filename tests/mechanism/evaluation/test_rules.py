"""Behaviour of the figures of incident handling."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.kernel.clock import iso
from mumian.mechanism.evaluation.rules import Facts, figures, hours_to_close, on_time, overdue

START = datetime(2014, 1, 1, tzinfo=UTC)


def at(hours: float) -> str:
    """An instant so many hours after the start."""
    return iso(START + timedelta(hours=hours))


OPEN = Facts(None, at(0), None, None, None, at(2), at(24), at(36))
CLOSED = replace(OPEN, taken_at=at(1), resolved_at=at(20), verified_at=at(22), closed_at=at(23))


def test_an_incident_handled_by_its_deadline_is_on_time_even_if_it_was_closed_later() -> None:
    assert on_time(CLOSED)
    assert on_time(replace(CLOSED, closed_at=at(50)))
    assert on_time(replace(CLOSED, resolved_at=at(24)))
    assert not on_time(replace(CLOSED, resolved_at=at(24.1)))
    assert not on_time(OPEN)


def test_without_a_deadline_a_closed_incident_is_on_time() -> None:
    assert on_time(replace(CLOSED, due_resolve=None))


@pytest.mark.parametrize(
    ("facts", "hours", "late"),
    [
        (OPEN, 1, False),
        (OPEN, 2.1, True),
        (replace(OPEN, taken_at=at(1)), 23, False),
        (replace(OPEN, taken_at=at(1)), 25, True),
        (replace(OPEN, taken_at=at(1), resolved_at=at(20)), 30, False),
        (replace(OPEN, taken_at=at(1), resolved_at=at(20)), 37, True),
        (CLOSED, 100, False),
    ],
)
def test_an_open_incident_is_overdue_once_the_deadline_of_its_next_stage_has_passed(
    facts: Facts, hours: float, late: bool
) -> None:
    assert overdue(facts, at(hours)) is late


def test_the_figures_of_a_few_incidents_are_those_worked_out_by_hand() -> None:
    late = replace(CLOSED, resolved_at=at(30), closed_at=at(33))
    found = figures([CLOSED, late, replace(CLOSED, closed_at=at(28)), OPEN], at(3))
    assert (found.closed, found.on_time, found.open, found.overdue) == (3, 2, 1, 1)
    assert found.on_time_rate == pytest.approx(2 / 3)
    assert found.median_hours == pytest.approx(28)


def test_over_nothing_there_is_no_rate_and_no_median() -> None:
    assert figures([], at(0)).on_time_rate is None
    assert figures([OPEN], at(0)).median_hours is None


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=30))
def test_every_incident_is_counted_once_and_rates_lie_between_nought_and_one(drawn: list[tuple[float, bool]]) -> None:
    incidents = [replace(CLOSED if closed else OPEN, resolved_at=at(hours) if closed else None) for hours, closed in drawn]
    found = figures(incidents, at(200))
    assert found.closed + found.open == len(drawn)
    assert found.on_time_rate is None or 0 <= found.on_time_rate <= 1
    assert found.on_time <= found.closed


def test_hours_to_close_run_from_opening_to_closing() -> None:
    assert hours_to_close(CLOSED) == pytest.approx(23)
    assert hours_to_close(OPEN) is None
