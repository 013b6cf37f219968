"""Behaviour of freshness."""

from datetime import UTC, datetime, timedelta

import pytest

from mumian.elements.catalog.rules import freshness

NOW = datetime(2014, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "expected"), [(0, "fresh"), (2, "fresh"), (2.1, "late"), (24, "late"), (24.1, "silent"), (-1, "fresh")]
)
def test_an_hourly_stream_is_fresh_for_two_hours_late_for_a_day_and_then_silent(hours: float, expected: str) -> None:
    assert freshness(NOW - timedelta(hours=hours), 3600, NOW) == expected


def test_without_observations_or_without_a_frequency_nobody_knows() -> None:
    assert freshness(None, 3600, NOW) == freshness(NOW, None, NOW) == "unknown"
