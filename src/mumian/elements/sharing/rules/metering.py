"""Metering 计量: what of a quota is used in a day and a month, whether more may be had, and when it renews."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from mumian.elements.sharing.contracts import Quota

PERIODS = ("day", "month")


@dataclass(frozen=True)
class Use:
    """Calls, rows and bytes."""

    calls: int = 0
    rows: int = 0
    bytes: int = 0

    def __add__(self, other: "Use") -> "Use":
        return Use(self.calls + other.calls, self.rows + other.rows, self.bytes + other.bytes)


@dataclass(frozen=True)
class Exceeded:
    """What ran out: `what` is calls, rows or bytes, `period` day or month, `most` how much there was."""

    what: str
    period: str
    most: int


def most(quota: Quota, what: str, period: str) -> int | None:
    """How much of something may be had in a period."""
    found: int | None = getattr(quota, f"{what}_{period}")
    return found


def exceeded(quota: Quota, used: dict[str, Use], more: Use) -> Exceeded | None:
    """What would run out if `more` were had on top of what is `used` in each period; None if nothing would."""
    for period in PERIODS:
        total = used.get(period, Use()) + more
        for what in ("calls", "rows", "bytes"):
            limit = most(quota, what, period)
            if limit is not None and getattr(total, what) > limit:
                return Exceeded(what, period, limit)
    return None


def rows_left(quota: Quota, used: dict[str, Use]) -> int | None:
    """How many more rows may be had; None for any number."""
    left = [limit - used.get(p, Use()).rows for p in PERIODS if (limit := most(quota, "rows", p)) is not None]
    return max(min(left), 0) if left else None


def start(period: str, now: datetime, zone: tzinfo) -> date:
    """The first day of the period in which `now` lies."""
    today = now.astimezone(zone).date()
    return today if period == "day" else today.replace(day=1)


def renews(period: str, now: datetime, zone: tzinfo) -> datetime:
    """When the next period begins, in UTC."""
    first = start(period, now, zone)
    following = first + timedelta(days=1) if period == "day" else (first + timedelta(days=32)).replace(day=1)
    return datetime.combine(following, datetime.min.time(), zone).astimezone(UTC)
