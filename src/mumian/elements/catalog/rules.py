"""Rules of the catalogue: how fresh data are."""

from datetime import datetime
from typing import Literal

Freshness = Literal["fresh", "late", "silent", "unknown"]
LATE_AFTER = 2
SILENT_AFTER = 24


def freshness(last_observed: datetime | None, frequency_seconds: int | None, now: datetime) -> Freshness:
    """How fresh data are by the time since the last observation, counted in periods of their frequency.

    Up to 2 periods `fresh`, up to 24 `late`, beyond `silent`; `unknown` without a frequency or before any observation.
    """
    if last_observed is None or frequency_seconds is None:
        return "unknown"
    periods = (now - last_observed).total_seconds() / frequency_seconds
    if periods <= LATE_AFTER:
        return "fresh"
    return "late" if periods <= SILENT_AFTER else "silent"
