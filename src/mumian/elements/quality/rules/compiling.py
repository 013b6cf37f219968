"""Compiling: the row rules of a dataset become one SELECT, so that one scan judges them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from mumian.elements.quality.models import (
    Between,
    Codes,
    Condition,
    Formatted,
    NotNull,
    RowsSpec,
    Scalar,
    Unique,
)
from mumian.elements.quality.rules import formats
from mumian.elements.quality.rules.formats import literal

KEPT = 100
Scanned = NotNull | Formatted | Between | Codes | Condition | Unique


@dataclass(frozen=True)
class Frame:
    """A dataset as rules see it: its table, the type of each field, and the codes of code lists by field."""

    table: str
    types: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> dict[str, str]:
        """The names of fields, by name in lower case."""
        return {name.casefold(): name for name in self.types}

    def field(self, name: str) -> str:
        """A field's name as it is declared, whatever case a rule has it in."""
        return self.names[name.casefold()]


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def column(frame: Frame, name: str) -> str:
    """A field as SQL."""
    return quoted(frame.field(name))


def text(frame: Frame, name: str) -> str:
    """A field's value as text."""
    own = column(frame, name)
    return own if frame.types[frame.field(name)] in ("text", "json") else f"CAST({own} AS VARCHAR)"


def given(frame: Frame, name: str) -> str:
    """The condition, never NULL, that a row has a value: a text that is empty or only blanks is none."""
    own = column(frame, name)
    if frame.types[frame.field(name)] not in ("text", "json"):
        return f"({own} IS NOT NULL)"
    return f"coalesce({own} <> '' AND (NOT starts_with({own}, ' ') OR trim({own}) <> ''), false)"


@dataclass(frozen=True)
class Judged:
    """How a rule judges a row: `parts` are computed first, rows where `applies` are judged, and those where `bad` fail."""

    parts: tuple[tuple[str, str], ...]
    applies: str
    bad: str


def judged(rule: Scanned, frame: Frame, prefix: str) -> Judged:
    """A row rule as SQL; of a unique rule only which rows are judged. Raises Unclear, KeyError for an unknown field."""
    own = _judged(rule, frame, prefix)
    return own if rule.where is None else Judged(own.parts, f"({own.applies}) AND {where(rule, frame)}", own.bad)


def where(rule: RowsSpec, frame: Frame) -> str:
    """The rule's own condition, never NULL."""
    if rule.where is None:
        return "true"
    from mumian.elements.quality.rules.conditions import condition

    return f"coalesce({condition(rule.where, frame.names)}, false)"


def _judged(rule: Scanned, frame: Frame, prefix: str) -> Judged:
    match rule:
        case NotNull():
            return Judged((), "true", f"NOT {given(frame, rule.field)}")
        case Formatted():
            value = text(frame, rule.field)
            if rule.format is not None:
                written = formats.written(rule.format, value, prefix)
            else:
                written = formats.matching(rule.pattern or "", value)
            return Judged(written.parts, given(frame, rule.field), f"NOT ({written.ok})")
        case Between():
            return Judged((), given(frame, rule.field), f"NOT ({_between(rule, frame)})")
        case Codes():
            return Judged((), given(frame, rule.field), f"NOT ({_among(rule, frame)})")
        case Condition():
            from mumian.elements.quality.rules.conditions import condition

            told = condition(rule.sql, frame.names)
            return Judged((), f"{told} IS NOT NULL", f"NOT {told}")
        case Unique():
            return Judged((), " AND ".join(given(frame, name) for name in rule.fields), "false")
        case _:
            assert_never(rule)


def _between(rule: Between, frame: Frame) -> str:
    own, type_ = column(frame, rule.field), frame.types[frame.field(rule.field)]
    bounds = []
    for sign, bound in ((">=", rule.least), ("<=", rule.most)):
        if bound is not None:
            as_ = {"date": "DATE", "time": "TIMESTAMP"}.get(type_)
            bounds.append(f"{own} {sign} " + (f"CAST({literal(str(bound))} AS {as_})" if as_ else f"{float(bound)!r}"))
    return " AND ".join(bounds)


def _among(rule: Codes, frame: Frame) -> str:
    values: Sequence[Scalar] = rule.values if rule.values is not None else frame.codes[frame.field(rule.field)]
    return f"{text(frame, rule.field)} IN ({', '.join(literal(code_text(value)) for value in values)})"


def code_text(value: Scalar) -> str:
    """A value as DuckDB casts it to text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def scan(rules: Sequence[Scanned], frame: Frame, after: int) -> str:
    """One SELECT over the rows of loads after `after` (0: all).

    It gives how many rows there are and the newest load; then for each rule how many were judged, how many failed, and the
    `_id` of the first of these.
    """
    parts, judgements, answers = [], [], ["count(*)", "coalesce(max(_load), 0)"]
    for i, rule in enumerate(rules):
        own = judged(rule, frame, f"p{i}_")
        parts += [f"{sql} AS {name}" for name, sql in own.parts]
        judgements.append(f"CASE WHEN {own.applies} THEN {own.bad} END AS j{i}")
        answers += [f"count(j{i})", f"count(*) FILTER (j{i})", f"min(_id, {KEPT}) FILTER (j{i})"]
    rows = f"SELECT * FROM lake.main.{frame.table}" + (f" WHERE _load > {after}" if after else "")
    with_parts = f"SELECT *, {', '.join(parts)} FROM ({rows})" if parts else rows
    inner = f"SELECT {', '.join(['_id', '_load', *judgements])} FROM ({with_parts})"
    return f"SELECT {', '.join(answers)} FROM ({inner})"
