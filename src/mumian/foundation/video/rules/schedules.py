"""Schedules: on which days and between which hours of the city a task looks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Span(Protocol):
    """Days and hours; `until` before `since` runs over midnight and belongs to the day on which it begins."""

    @property
    def days(self) -> Sequence[str]:
        """Names of days as in `DAYS`."""
        ...

    @property
    def since(self) -> str:
        """`HH:MM`."""
        ...

    @property
    def until(self) -> str:
        """`HH:MM`; 24:00 is the day's end."""
        ...


def due(spans: Sequence[Span], local: datetime) -> bool:
    """Whether a local time lies in any of the spans; no span at all means always."""
    if not spans:
        return True
    clock = f"{local:%H:%M}"
    today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
    for span in spans:
        if span.since <= span.until:
            if today in span.days and span.since <= clock < span.until:
                return True
        elif (today in span.days and clock >= span.since) or (yesterday in span.days and clock < span.until):
            return True
    return False
