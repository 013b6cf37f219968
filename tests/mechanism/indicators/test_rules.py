"""Behaviour of targets and their fulfilment."""

import pytest

from mumian.mechanism.indicators.rules import ends_days, moved, status, target_for


@pytest.mark.parametrize(("year", "target"), [(2014, 10), (2025, 10), (2026, 12), (2027, 12), (2030, 12)])
def test_the_target_of_the_next_year_that_has_one_holds_and_after_the_last_year_that_of_the_last(
    year: int, target: float
) -> None:
    assert target_for(year, None, {2027: 12, 2025: 10}) == target


def test_a_target_without_years_holds_always() -> None:
    assert target_for(2014, 0.9, {}) == 0.9
    assert target_for(2014, None, {}) is None


def test_a_value_equal_to_its_target_meets_it_in_both_directions() -> None:
    assert status(0.9, 0.9, "up") == status(24, 24, "down") == "met"
    assert status(0.89, 0.9, "up") == status(25, 24, "down") == "missed"
    assert status(None, 0.9, "up") == status(1, None, "up") == "unknown"


def test_only_a_change_is_a_movement() -> None:
    assert moved(None, 0.5)
    assert moved(0.5, None)
    assert moved(0.5, 0.6)
    assert not moved(None, None)
    assert not moved(0.1 + 0.2, 0.3)


@pytest.mark.parametrize(
    ("seconds", "zone", "ends"),
    [
        (3600, "Asia/Shanghai", True),
        (28800, "Asia/Shanghai", True),
        (86400, "UTC", True),
        (86400, "Asia/Shanghai", False),
        (43200, "Asia/Shanghai", False),
        (7000, "UTC", False),
        (3600, "Asia/Kolkata", False),
        (1800, "Asia/Kolkata", True),
        (21600, "Europe/Berlin", False),
        (3600, "Europe/Berlin", True),
    ],
)
def test_a_vital_ends_days_where_its_marks_fall_on_every_local_midnight(seconds: int, zone: str, ends: bool) -> None:
    assert ends_days(seconds, zone) == ends
