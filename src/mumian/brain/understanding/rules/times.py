"""Times in texts: days, hours and spans as people write them, made definite by the instant of the report."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_NUMBER = r"(?:\d{1,2}|[零〇一二两三四五六七八九十]{1,3})"
_PARTS = {"凌晨": (0, 6), "清晨": (5, 8), "早上": (6, 9), "早晨": (6, 9), "上午": (8, 12), "中午": (11, 14), "下午": (12, 18),
          "傍晚": (17, 19), "晚上": (18, 24), "夜里": (22, 24), "深夜": (22, 24), "半夜": (0, 4)}  # fmt: skip
_RELATIVE = {"今天": 0, "今日": 0, "今早": 0, "今晚": 0, "昨天": -1, "昨日": -1, "昨晚": -1, "前天": -2, "前日": -2, "大前天": -3,
             "明天": 1, "后天": 2, "today": 0, "yesterday": -1, "tomorrow": 1}  # fmt: skip
_DAY = re.compile(
    rf"(?P<year>(?:19|20)\d\d)\s*[年/.\-]\s*(?P<month>{_NUMBER})\s*[月/.\-]\s*(?P<day>{_NUMBER})\s*[日号]?"
    rf"|(?P<month2>{_NUMBER})\s*月\s*(?P<day2>{_NUMBER})\s*[日号]"
    rf"|(?P<relative>{'|'.join(sorted(_RELATIVE, key=len, reverse=True))})"
    r"|(?P<week>上|本|这|下)个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])",
    re.IGNORECASE,
)
_HOUR = re.compile(
    rf"[，,的\s]{{0,2}}(?P<part>{'|'.join(_PARTS)})?\s*"
    rf"(?:(?P<hour>{_NUMBER})\s*(?:[点时]钟?(?!间|候|代)|[:：])\s*(?P<minute>半|{_NUMBER}(?=分|\b|[^\d]|$))?分?)?"
)
_MOST = 20


class Moment(msgspec.Struct, frozen=True):
    """A time in a text: its words, where they begin, and the local span that they mean, from inclusive to exclusive.

    `precision` is `day`, `part` (a part of the day), `hour` or `minute`; the times are ISO 8601 without an offset.
    """

    words: str
    start: int
    begins: str
    ends: str
    precision: str


def moments(text: str, now: datetime) -> list[Moment]:
    """The times that a text names, at most twenty; `now` is when it was written, in local time."""
    return list(_moments(text[:20_000], now.replace(tzinfo=None, microsecond=0)))[:_MOST]


def _moments(text: str, now: datetime) -> Iterator[Moment]:
    for found in _DAY.finditer(text):
        day = _day(found, now)
        if day is None:
            continue
        hour = _HOUR.match(text, found.end())
        begins, ends, precision, length = _span(day, found.group(), hour)
        yield Moment(text[found.start() : found.end() + length], found.start(), begins.isoformat(), ends.isoformat(), precision)


def _day(found: re.Match[str], now: datetime) -> datetime | None:
    """The day that is meant; None where there is no such day."""
    midnight = now.replace(hour=0, minute=0, second=0)
    if found["relative"]:
        return midnight + timedelta(days=_RELATIVE[found["relative"].lower()])
    if found["week"]:
        weeks = {"上": -1, "下": 1}.get(found["week"], 0)
        weekday = "一二三四五六日".index(found["weekday"].replace("天", "日"))
        return midnight + timedelta(days=weekday - midnight.weekday() + 7 * weeks)
    month, day = number(found["month"] or found["month2"]), number(found["day"] or found["day2"])
    year = int(found["year"]) if found["year"] else now.year
    try:
        made = midnight.replace(year=year, month=month, day=day)
        late = not found["year"] and made > midnight + timedelta(days=31)
        return made.replace(year=year - 1) if late else made
    except ValueError:
        return None


def _span(day: datetime, words: str, hour: re.Match[str] | None) -> tuple[datetime, datetime, str, int]:
    part = hour["part"] if hour else None
    part = part or {"今早": "早上", "今晚": "晚上", "昨晚": "晚上"}.get(words)
    if hour is not None and hour["hour"]:
        clock = number(hour["hour"])
        clock += 12 if part in ("下午", "傍晚", "晚上", "夜里", "深夜") and clock < 12 else 0
        minute = 30 if hour["minute"] == "半" else number(hour["minute"]) if hour["minute"] else None
        if clock <= 24 and (minute or 0) < 60:
            begins = day + timedelta(hours=clock, minutes=minute or 0)
            precision, minutes = ("hour", 60) if minute is None else ("minute", 1)
            return begins, begins + timedelta(minutes=minutes), precision, hour.end() - hour.start()
    if part:
        first, last = _PARTS[part]
        told = hour.end("part") - hour.start() if hour is not None and hour["part"] else 0
        return day + timedelta(hours=first), day + timedelta(hours=last), "part", told
    return day, day + timedelta(days=1), "day", 0


def number(text: str) -> int:
    """A number below 100 in digits or Chinese characters: `25`, `二十五`, `十`."""
    if text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, ones = text.partition("十")
        return 10 * (_DIGITS.get(tens, 1)) + _DIGITS.get(ones, 0)
    return int("".join(str(_DIGITS[character]) for character in text))
