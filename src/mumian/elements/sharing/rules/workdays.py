"""Working days 工作日: when a deadline falls that is counted in them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_LONGEST = 3660


@dataclass(frozen=True)
class Calendar:
    """Which days are worked: neither the `weekend` (ISO: 1 is Monday) nor `holidays`, but `workdays` whatever else they are."""

    weekend: Collection[int] = (6, 7)
    holidays: Collection[date] = frozenset()
    workdays: Collection[date] = frozenset()

    def worked(self, day: date) -> bool:
        """Whether a day is a working day."""
        return day in self.workdays or (day.isoweekday() not in self.weekend and day not in self.holidays)


def deadline(calendar: Calendar, start: datetime, days: int, zone: tzinfo) -> datetime:
    """The end, in UTC, of the `days`-th working day after the day of `start` in `zone`; that day itself does not count."""
    day = start.astimezone(zone).date()
    left = days
    for _ in range(_LONGEST):
        if left == 0:
            break
        day += timedelta(days=1)
        left -= calendar.worked(day)
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC)


def between(calendar: Calendar, start: datetime, end: datetime, zone: tzinfo) -> int:
    """How many working days begin after the day of `start` and not after that of `end`."""
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    days = min((last - first).days, _LONGEST)
    return sum(calendar.worked(first + timedelta(days=n)) for n in range(1, days + 1))
