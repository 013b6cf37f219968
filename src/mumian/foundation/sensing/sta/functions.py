"""Functions of query expressions: those of OGC 18-088 table 23 for texts, numbers and times, in SQL."""

from collections.abc import Callable
from dataclasses import dataclass

from mumian.foundation.sensing.sta.dialects import Dialect

DAY, HOUR, MINUTE, SECOND = 86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000
_FARTHEST = 1_000_000


@dataclass(frozen=True)
class Function:
    """A function: the kinds of its arguments (the last ones may be left out down to `least`), its result, and its SQL."""

    arguments: tuple[str, ...]
    result: str
    build: Callable[..., str]
    least: int | None = None

    @property
    def fewest(self) -> int:
        """How many arguments it needs."""
        return len(self.arguments) if self.least is None else self.least


def _starts(_: Dialect, text: str, part: str) -> str:
    return f"(substr({text}, 1, length({part})) = {part})"


def _ends(_: Dialect, text: str, part: str) -> str:
    return f"(length({text}) >= length({part}) AND substr({text}, length({text}) - length({part}) + 1) = {part})"


def _contains(dialect: Dialect, part: str, text: str) -> str:
    return f"({dialect.position(text, part)} > 0)"


def _place(number: str) -> str:
    clamped = f"CASE WHEN {number} < 0 THEN 0 WHEN {number} > {_FARTHEST} THEN {_FARTHEST} ELSE {number} END"
    return f"CAST({clamped} AS INTEGER)"


def _substring(_: Dialect, text: str, start: str, length: str = "") -> str:
    return f"substr({text}, {_place(start)} + 1{', ' + _place(length) if length else ''})"


def _daytime(time: str) -> str:
    return f"((({time}) % {DAY} + {DAY}) % {DAY})"


def _calendar(part: str) -> Function:
    return Function(("time",), "number", lambda dialect, time: dialect.calendar(part, time))


def _clock(unit: int, modulus: int) -> Function:
    def build(_: Dialect, time: str) -> str:
        down = f"({_daytime(time)} - {_daytime(time)} % {unit})"
        return f"(CAST({down} / {unit} AS BIGINT) % {modulus})"

    return Function(("time",), "number", build)


_TEXT, _NUMBER = ("text",), ("number",)
FUNCTIONS: dict[str, Function] = {
    "substringof": Function(("text", "text"), "bool", _contains),
    "contains": Function(("text", "text"), "bool", lambda d, text, part: _contains(d, part, text)),
    "startswith": Function(("text", "text"), "bool", _starts),
    "endswith": Function(("text", "text"), "bool", _ends),
    "substring": Function(("text", "number", "number"), "text", _substring, least=2),
    "indexof": Function(("text", "text"), "number", lambda d, text, part: f"({d.position(text, part)} - 1)"),
    "length": Function(_TEXT, "number", lambda d, text: f"length({text})"),
    "tolower": Function(_TEXT, "text", lambda d, text: f"lower({text})"),
    "toupper": Function(_TEXT, "text", lambda d, text: f"upper({text})"),
    "trim": Function(_TEXT, "text", lambda d, text: f"trim({text})"),
    "concat": Function(("text", "text"), "text", lambda d, left, right: f"({left} || {right})"),
    "round": Function(_NUMBER, "number", lambda d, number: d.rounded(number)),
    "floor": Function(_NUMBER, "number", lambda d, number: d.floor(number)),
    "ceiling": Function(_NUMBER, "number", lambda d, number: d.ceiling(number)),
    "year": _calendar("year"),
    "month": _calendar("month"),
    "day": _calendar("day"),
    "hour": _clock(HOUR, 24),
    "minute": _clock(MINUTE, 60),
    "second": _clock(SECOND, 60),
    "fractionalseconds": Function(
        ("time",), "number", lambda d, time: f"((({time}) % {SECOND} + {SECOND}) % {SECOND} / 1000000.0)"
    ),
    "totaloffsetminutes": Function(("time",), "number", lambda d, time: f"(CASE WHEN {time} IS NOT NULL THEN 0 END)"),
}
SPATIAL = (
    *("geo.distance", "geo.length", "geo.intersects", "st_equals", "st_disjoint", "st_touches", "st_within"),
    *("st_overlaps", "st_crosses", "st_intersects", "st_contains", "st_relate"),
)
TEMPORAL = ("before", "after", "meets", "during", "overlaps", "starts", "finishes")
MOMENTS = ("now", "mindatetime", "maxdatetime")
NAMES = (*FUNCTIONS, "date", "time", *MOMENTS, *TEMPORAL, *SPATIAL)
