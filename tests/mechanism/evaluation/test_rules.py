"""Behaviour of the judgement of one incident."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mumian.kernel.clock import iso
from mumian.mechanism.evaluation.rules import Facts, hours_to_close, next_due, on_time

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
    due = next_due(facts)
    assert (due is not None and due < at(hours)) is late


def test_hours_to_close_run_from_opening_to_closing() -> None:
    assert hours_to_close(CLOSED) == pytest.approx(23)
    assert hours_to_close(OPEN) is None
