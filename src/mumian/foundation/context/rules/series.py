"""Series: instances of attributes in time, chosen, ordered, shown as values or aggregated over periods (4.5.7–4.5.19, 4.11)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

from mumian.foundation.context.errors import BadRequestData, TooComplexQuery
from mumian.foundation.context.rules import texts
from mumian.foundation.context.rules.core import VALUE_KEYS
from mumian.foundation.context.rules.entity import Instance

METHODS = ("totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq")
PROPERTIES = ("observedAt", "createdAt", "modifiedAt", "deletedAt")
EARLIEST, LATEST = -(2**62), 2**62
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_MOST_PERIODS = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LISTS = {
    "value": "values", "object": "objects", "languageMap": "languageMaps", "json": "jsons", "vocab": "vocabs",
    "valueList": "valueLists", "objectList": "objectLists",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """An instance in time: when it was observed (µs; None: not said), when it was recorded, its id, and what it is."""

    observed: int | None
    recorded: int
    id: str
    instance: Instance

    def at(self, by: str) -> int | None:
        """The instant that counts."""
        return self.observed if by == "observedAt" else self.recorded


@dataclass(frozen=True)
class Window:
    """A temporal query: start ≤ time < end (µs) of the property `by`; `last` keeps so many of the newest instances."""

    start: int = EARLIEST
    end: int = LATEST
    by: str = "observedAt"
    last: int | None = None
    asked: bool = False

    def holds(self, moment: Moment) -> bool:
        """Whether an instance lies within; without a temporal relation all do."""
        if not self.asked:
            return True
        at = moment.at(self.by)
        return at is not None and self.start <= at < self.end


def window(timerel: str | None, time_at: str | None, end_at: str | None, by: str, last: int | None) -> Window:
    """A temporal query from its parameters (4.11); raises BadRequestData."""
    if by not in PROPERTIES:
        raise BadRequestData.field("timeproperty", "field.choice", expected=", ".join(PROPERTIES))
    if timerel is None:
        if time_at is not None or end_at is not None:
            raise BadRequestData.field("timerel", "field.missing")
        return Window(by=by, last=last)
    if timerel not in ("before", "after", "between"):
        raise BadRequestData.field("timerel", "field.choice", expected="before, after, between")
    if time_at is None:
        raise BadRequestData.field("timeAt", "field.missing")
    at = texts.moment(time_at, "timeAt")
    if timerel == "before":
        return Window(EARLIEST, at, by, last, True)
    if timerel == "after":
        return Window(at, LATEST, by, last, True)
    if end_at is None:
        raise BadRequestData.field("endTimeAt", "field.missing")
    return Window(at, texts.moment(end_at, "endTimeAt"), by, last, True)


def chosen(moments: Sequence[Moment], query: Window) -> list[Moment]:
    """The instances within a window, oldest first; of these the newest where only the last ones are wanted."""
    inside = [moment for moment in moments if query.holds(moment)]
    inside.sort(key=lambda moment: (moment.at(query.by) or moment.recorded, moment.recorded))
    return inside if query.last is None else inside[len(inside) - min(query.last, len(inside)) :]


def values(moments: Sequence[Moment], by: str, simple: Callable[[Instance], Any]) -> dict[str, Any]:
    """The simplified form: values, as `simple` shows each, and instants alone (4.5.8)."""
    kind = moments[-1].instance["type"]
    key = VALUE_KEYS[kind]
    pairs = [
        [simple(moment.instance), iso(moment.at(by) if moment.at(by) is not None else moment.recorded)]
        for moment in moments
        if moment.instance["type"] == kind
    ]
    return {"type": kind, _LISTS[key]: pairs}


def iso(time: int | None) -> str:
    """µs since 1970-01-01 UTC as ISO 8601."""
    moment = _EPOCH + timedelta(microseconds=time or 0)
    micros = moment.microsecond
    spec = "microseconds" if micros % 1000 else "milliseconds" if micros else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


@dataclass(frozen=True)
class Period:
    """A duration in calendar months and µs; both 0: the whole time."""

    months: int
    micros: int


def duration(text: str) -> Period:
    """An ISO 8601 duration such as `PT1H`, `P1D`, `P1M`; raises BadRequestData."""
    found = _DURATION.fullmatch(text)
    if found is None or text in ("P", "PT") or text.endswith("T") or len(text) > 40:
        raise BadRequestData.field("aggrPeriodDuration", "field.pattern", expected="P1DT12H, PT1H, P1M")
    years, months, weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    micros = round((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60_000_000 + seconds * 1_000_000)
    return Period(int(years * 12 + months), micros)


def periods(start: int, end: int, period: Period) -> Iterator[tuple[int, int]]:
    """Periods from `start` on that together cover all up to `end`."""
    if period.months == 0 and period.micros == 0:
        yield start, max(end, start + 1)
        return
    low = start
    for count in range(1, _MOST_PERIODS + 2):
        if count > _MOST_PERIODS:
            raise TooComplexQuery(limit=_MOST_PERIODS)
        high = low + period.micros if not period.months else _later(start, period, count)
        yield low, high
        if high >= end:
            return
        low = high


def _later(start: int, period: Period, count: int) -> int:
    first = _EPOCH + timedelta(microseconds=start)
    month = first.month - 1 + period.months * count
    year = first.year + month // 12
    if year > 9998:
        return LATEST
    moment = first.replace(year=year, month=month % 12 + 1, day=min(first.day, 28))
    return (moment - _EPOCH) // timedelta(microseconds=1) + period.micros * count


def aggregated(moments: Sequence[Moment], by: str, methods: Sequence[str], period: Period, start: int | None) -> dict[str, Any]:
    """Each method's values with the period that each is of (4.5.19); periods without instances are left out."""
    timed = [(moment.at(by) or moment.recorded, moment.instance.get(VALUE_KEYS[moment.instance["type"]])) for moment in moments]
    timed.sort(key=lambda pair: pair[0])
    shown: dict[str, Any] = {"type": moments[-1].instance["type"], **{method: [] for method in methods}}
    place = 0
    first = timed[0][0] if start is None or start <= EARLIEST else start
    for low, high in periods(first, timed[-1][0] + 1, period):
        inside = []
        while place < len(timed) and timed[place][0] < high:
            inside.append(timed[place][1])
            place += 1
        if inside:
            for method in methods:
                shown[method].append([aggregate(method, inside), iso(low), iso(high)])
        if place == len(timed):
            break
    return shown


def aggregate(method: str, found: Sequence[Any]) -> Any:
    """One method over some values; what has no number, or no order, is left out of those that need it; None of nothing."""
    if method == "totalCount":
        return len(found)
    if method == "distinctCount":
        return len({repr(value) for value in found})
    numbers = [float(v) if isinstance(v, bool) else v for v in found if isinstance(v, int | float)]
    if method in ("min", "max"):
        ordered: list[Any] = numbers or [value for value in found if isinstance(value, str)]
        if not ordered:
            return None
        return min(ordered) if method == "min" else max(ordered)
    if not numbers:
        numbers = [float(len(value)) for value in found if isinstance(value, list)]
        if not numbers:
            return None
    return _moments_of(method, numbers)


def _moments_of(method: str, numbers: list[float]) -> float:
    total = sum(numbers)
    if method == "sum":
        return total
    if method == "avg":
        return total / len(numbers)
    if method == "sumsq":
        return sum(number * number for number in numbers)
    mean = total / len(numbers)
    return sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers))
