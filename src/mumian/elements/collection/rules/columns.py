"""Columns: which column of a source fills which field, what type a column has, and how that differs from what was accepted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mumian.elements.catalog.kinds import FieldSpec
from mumian.elements.collection.contracts import Drift
from mumian.foundation.tables.contracts import plain

_SHARE = 0.9
_LEAST_TYPED = 5
_LEAST_LOOSE = 20
_KINDS = ("integer", "number", "boolean", "date", "time")
_WIDER = {"text": {"integer", "number", "boolean", "date", "time", "json"}, "number": {"integer"}, "time": {"date"}}
_WIDER["json"] = _WIDER["text"]


def matched(columns: Sequence[str], fields: Sequence[FieldSpec], declared: Mapping[str, str]) -> dict[str, str]:
    """Field by column: as declared, else by the field's name or one of its titles, however it is written; the first counts."""
    names = {plain(field.name): field.name for field in fields}
    for field in fields:
        for title in () if field.title is None else (field.title.zh, field.title.en):
            names.setdefault(plain(title), field.name)
    found: dict[str, str] = {}
    taken = {declared[column] for column in columns if column in declared}
    for column in columns:
        field_name = declared.get(column) or names.get(plain(column))
        if field_name is None or column in found:
            continue
        if column not in declared and field_name in taken:
            continue
        found[column] = field_name
        taken.add(field_name)
    return found


def add_profile(profile: dict[str, Any], columns: Iterable[str], counts: Mapping[str, Mapping[str, int]], loose: bool) -> None:
    """Add to what is known of a run's columns: how many values there are, and how many of them read as each type.

    `loose` says that the source may leave columns out where they have no value, as JSON does.
    """
    known: dict[str, Any] = profile.setdefault("columns", {})
    for column in columns:
        told = known.setdefault(column, {})
        for kind, number in counts.get(column, {}).items():
            told[kind] = number if kind == "declared" else told.get(kind, 0) + number
    profile["loose"] = bool(profile.get("loose")) or loose


def types(profile: Mapping[str, Any]) -> dict[str, str]:
    """The type of each column: as the source declares it, else the narrowest that nine of ten values have, `empty` for none."""
    return {column: _type(told) for column, told in profile.get("columns", {}).items()}


def _type(told: Mapping[str, Any]) -> str:
    if "declared" in told:
        return str(told["declared"])
    there = told.get("there", 0)
    if not there:
        return "empty"
    for kind in _KINDS:
        if told.get(kind, 0) >= _SHARE * there:
            return kind
    return "text"


def drift(accepted: Mapping[str, str], profile: Mapping[str, Any], rows: int) -> Drift:
    """What is new, lost or of another type. A few values prove no other type, and a loose source may leave columns out."""
    now = types(profile)
    told = profile.get("columns", {})
    if rows == 0:
        return Drift()
    new = tuple(column for column in now if column not in accepted)
    lost = tuple(column for column in accepted if column not in now)
    if profile.get("loose") and rows < _LEAST_LOOSE:
        lost = ()
    changed = []
    for column, kind in now.items():
        before = accepted.get(column, kind)
        declared = "declared" in told[column]
        enough = declared or told[column].get("there", 0) >= _LEAST_TYPED
        if enough and not _within(before, kind, declared):
            changed.append((column, before, kind))
    return Drift(new, lost, tuple(changed))


def _within(before: str, now: str, declared: bool) -> bool:
    if before == now or "empty" in (before, now):
        return True
    return not declared and now in _WIDER.get(before, set())


def accepted_after(before: Mapping[str, str], profile: Mapping[str, Any]) -> dict[str, str]:
    """The columns to expect from now on, after those of a run were accepted: a type seen to be narrower does not narrow it."""
    told = profile.get("columns", {})
    found = {}
    for column, kind in types(profile).items():
        old = before.get(column)
        keep = old is not None and _within(old, kind, "declared" in told[column]) and old != "empty"
        found[column] = old if keep and old is not None else kind
    if profile.get("loose"):
        found = {**before, **found}
    return found


def required_missing(fields: Sequence[FieldSpec], matches: Mapping[str, str]) -> list[str]:
    """Required fields that no column fills."""
    there = set(matches.values())
    return [field.name for field in fields if field.required and field.name not in there]
