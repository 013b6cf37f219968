"""Operands: what a property, a literal or a function is in SQL, and how one kind is taken for another."""

from dataclasses import dataclass
from typing import Any

from mumian.foundation.sensing.sta.dialects import Bind, Dialect, Parts
from mumian.foundation.sensing.sta.syntax import Literal
from mumian.foundation.sensing.sta.temporal import Pair

DAY = 86_400_000_000
LOOSE = ("json", "result", "quality")
TIMES = ("time", "period")


@dataclass(frozen=True)
class Operand:
    """An expression in SQL and its kind.

    A period has start and `end`. What is loose (JSON, results, quality) shows its kind only row by row: `sql` is the column of
    JSON and `parts` the path in it; a result's plain number is `number`, the bits of a quality are `bits`.
    """

    kind: str
    sql: str
    end: str = ""
    parts: tuple[str | int, ...] = ()
    number: str = ""
    bits: str = ""
    literal: Literal | None = None

    @property
    def pair(self) -> Pair:
        """Start and end of a time."""
        return (self.sql, self.end or self.sql)


class Converter:
    """Takes loose operands for what they are asked as."""

    def __init__(self, dialect: Dialect, bind: Bind, flags: dict[str, int]) -> None:
        self._dialect = dialect
        self._bind = bind
        self._flags = flags

    def as_kind(self, operand: Operand, kind: str) -> Operand | None:
        """The operand as `kind` (number, text, bool); None where it never is."""
        if operand.kind == kind:
            return operand
        if operand.kind == "result":
            return self._result(operand, kind)
        if operand.kind == "quality" and len(operand.parts) == 1:
            return Operand("text", self.quality_text(operand)) if kind == "text" else None
        if operand.kind in LOOSE and kind in ("number", "text", "bool"):
            return Operand(kind, f"({self._json(operand, kind)})")
        if operand.kind == "text" and operand.literal is not None and kind == "number":
            return self._numeric(operand.literal)
        return None

    def _result(self, operand: Operand, kind: str) -> Operand | None:
        if kind == "number" and len(operand.parts) == 1:
            return Operand("number", operand.number)
        return Operand(kind, f"({self._json(operand, kind)})") if kind in ("number", "text", "bool") else None

    def any(self, operand: Operand) -> str:
        """A loose operand as whatever it is; NULL where it is missing."""
        found = self._dialect.json_part(operand.sql, operand.parts, self._bind, "any")
        if operand.kind == "result" and len(operand.parts) == 1:
            return f"coalesce(CAST({operand.number} AS TEXT), {found})"
        if operand.kind == "quality":
            return f"CASE WHEN {operand.bits} <> 0 THEN 'flagged' ELSE {found} END"
        return found

    def quality_text(self, operand: Operand) -> str:
        """The names of all flags, with a space between them, or the text that came with the observation."""
        names = [f"CASE WHEN {operand.bits} & {bit} <> 0 THEN ' {name}' ELSE '' END" for name, bit in self._flags.items()]
        joined = f"trim({' || '.join(names)})" if names else "''"
        return f"CASE WHEN {operand.bits} <> 0 THEN {joined} ELSE ({self._json(operand, 'text')}) END"

    def quality_is(self, operand: Operand, name: str) -> str:
        """Whether an observation has the flag of that name, or came with that quality."""
        own = f"(({self._json(operand, 'text')}) = {self.text(name)})"
        bit = self._flags.get(name.lower().replace("_", "-"))
        own = f"coalesce({own}, FALSE)"
        return own if bit is None else f"({operand.bits} & {bit} <> 0 OR {own})"

    def _json(self, operand: Operand, kind: str) -> str:
        parts: Parts = operand.parts
        return self._dialect.json_part(operand.sql, parts, self._bind, kind)

    def _numeric(self, literal: Literal) -> Operand | None:
        from mumian.foundation.sensing.sta.literals import number

        try:
            value = number(str(literal.value).strip())
        except ValueError:
            return None
        return Operand("number", self._bind(value), literal=Literal("number", value, literal.at))

    def text(self, value: str) -> str:
        """A text as a parameter."""
        return f"CAST({self._bind(value)} AS TEXT)"

    def literal(self, given: Literal) -> Operand:
        """A literal as parameters."""
        value: Any = given.value
        if given.kind == "null":
            return Operand("null", "NULL", literal=given)
        if given.kind == "bool":
            return Operand("bool", "TRUE" if value else "FALSE", literal=given)
        if given.kind == "text":
            return Operand("text", self.text(value), literal=given)
        if given.kind == "period":
            return Operand("period", self._bind(value[0]), self._bind(value[1]), literal=given)
        if given.kind == "geometry":
            return Operand("geometry", "NULL", literal=given)
        return Operand(given.kind, self._bind(value), literal=given)

    def date(self, time: Operand) -> Operand:
        """The day, counted from 1970, on which a time starts."""
        return Operand("date", f"(({time.sql} - {_daytime(time.sql)}) / {DAY})")

    def clock(self, time: Operand) -> Operand:
        """How many µs after midnight UTC a time starts."""
        return Operand("clock", _daytime(time.sql))


def _daytime(sql: str) -> str:
    return f"((({sql}) % {DAY} + {DAY}) % {DAY})"
