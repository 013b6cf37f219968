"""Rules of retention: where days begin and when their time is over."""

HOUR = 3_600_000_000
DAY = 24 * HOUR


def cutoff(now: int, days: int, offset_hours: int) -> int:
    """The start of the day that lies `days` whole days before today; times in µs since 1970."""
    offset = offset_hours * HOUR
    return (now + offset) // DAY * DAY - offset - days * DAY
