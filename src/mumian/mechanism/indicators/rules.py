"""Rules of indicators: which target holds, and whether a value meets it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

Status = Literal["met", "missed", "unknown"]
Direction = Literal["up", "down"]


def target_for(year: int, always: float | None, by_year: Mapping[int, float]) -> float | None:
    """The target in a year: that of the nearest year still ahead (or this one), else of the last; without any, `always`."""
    if not by_year:
        return always
    ahead = [y for y in by_year if y >= year]
    return by_year[min(ahead) if ahead else max(by_year)]


def status(value: float | None, target: float | None, direction: Direction) -> Status:
    """Whether a value meets its target; equal is met."""
    if value is None or target is None:
        return "unknown"
    return "met" if (value >= target if direction == "up" else value <= target) else "missed"


def moved(before: float | None, after: float | None) -> bool:
    """Whether a measurement tells something new."""
    if before is None or after is None:
        return before is not after
    return abs(after - before) > 1e-9


def ends_days(frequency_seconds: int, zone: str) -> bool:
    """Whether a vital whose values stand at whole multiples of its frequency (UTC) has one at every midnight of a time zone."""
    midnights = (datetime(2024, month, 1, tzinfo=ZoneInfo(zone)).timestamp() for month in range(1, 13))
    return 86400 % frequency_seconds == 0 and all(midnight % frequency_seconds == 0 for midnight in midnights)
