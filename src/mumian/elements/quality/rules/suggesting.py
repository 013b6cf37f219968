"""Suggesting: from a profile to rules that the data already keep, or nearly keep, each with the evidence that speaks for it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.elements.quality.rules.profiling import FieldProfile

LEAST_ROWS = 30
NEARLY = 0.95  # what so many values keep is a rule, and the others are its first finds
_MOST_CODES = 20
_POSTCODE_NAMES = r"邮编|邮政编码|post|zip"
_SPECIAL_FORMATS = ("id_card", "credit_code", "bank_card", "mobile", "phone", "email", "plate", "date", "time", "url", "postcode")


@dataclass(frozen=True)
class Suggestion:
    """A rule that could be declared: `rule` as it would stand in a QualityRule document, and why."""

    id: str
    rule: dict[str, Any]
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What is known of a dataset beside its fields.

    `keys` are combinations of fields whose values differ in every row. `references`: field, other dataset, its field and the
    share of values found there. `lists`: for a field, code lists that hold a share of its values. `totals` are rows after each
    load, newest first, `intervals` the seconds between loads.
    """

    fields: Sequence[FieldProfile]
    keys: Sequence[tuple[str, ...]] = ()
    references: Sequence[tuple[str, str, str, float]] = ()
    lists: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    totals: Sequence[int] = ()
    intervals: Sequence[float] = ()


def suggestions(facts: Facts) -> list[Suggestion]:
    """All rules that the profile speaks for; their `id` is stable, so that what was declined stays declined."""
    found: list[Suggestion] = []
    for each in facts.fields:
        if each.rows >= LEAST_ROWS:
            found += _of_field(each, facts)
    for key in facts.keys:
        rows = facts.fields[0].rows if facts.fields else 0
        rule = {"check": "unique", "fields": list(key)}
        found.append(Suggestion(f"unique-{_slug(*key)}", rule, {"rows": rows, "distinct": rows}))
    for name, dataset, target, share in facts.references:
        rule = {"check": "reference", "fields": [name], "dataset": dataset, "target": [target]}
        found.append(Suggestion(f"reference-{_slug(name, dataset)}", rule, {"share": round(share, 4)}))
    found += _of_loads(facts)
    return [Suggestion(one.id, {"id": one.id, **one.rule}, one.evidence) for one in found]


def _of_field(one: FieldProfile, facts: Facts) -> Iterator[Suggestion]:
    if one.missing <= (1 - NEARLY) * one.rows / 5:
        rule: dict[str, Any] = {"check": "not_null", "field": one.name}
        yield Suggestion(f"not-null-{_slug(one.name)}", rule, {"missing": one.missing, "rows": one.rows})
    if one.given < LEAST_ROWS:
        return
    yield from _format(one)
    if one.name in facts.lists:
        name, share = facts.lists[one.name]
        rule = {"check": "codes", "field": one.name, "code_list": name}
        yield Suggestion(f"codes-{_slug(one.name)}", rule, {"share": round(share, 4)})
    elif _is_code(one):
        rule = {"check": "codes", "field": one.name, "values": [value for value, _ in one.top]}
        yield Suggestion(f"codes-{_slug(one.name)}", rule, {"distinct": len(one.top), "values": dict(one.top)})
    if one.negative is not None and one.negative <= (1 - NEARLY) * one.given:
        rule = {"check": "range", "field": one.name, "least": 0}
        shown = {} if one.labelled else {"least": one.least, "most": one.most, "mean": one.mean}
        yield Suggestion(f"range-{_slug(one.name)}", rule, {"negative": one.negative, **shown})


def _format(one: FieldProfile) -> Iterator[Suggestion]:
    shares = {} if _is_code(one) else dict(one.formats or {})
    if not re.search(_POSTCODE_NAMES, one.name, re.IGNORECASE):
        shares.pop("postcode", None)  # any six digits are
    best = next((name for name in _SPECIAL_FORMATS if shares.get(name, 0.0) >= NEARLY), None)
    if best is not None:
        rule = {"check": "format", "field": one.name, "format": best}
        yield Suggestion(f"format-{_slug(one.name)}", rule, {"share": round(shares[best], 4), "given": one.given})
        return
    if one.type == "text" and one.shapes and one.shapes[0][1] >= NEARLY * one.given and one.distinct > _MOST_CODES:
        form, count = one.shapes[0]
        if "9" in form or "A" in form:
            rule = {"check": "format", "field": one.name, "pattern": pattern(form)}
            yield Suggestion(f"format-{_slug(one.name)}", rule, {"shape": form, "share": round(count / one.given, 4)})


def _is_code(one: FieldProfile) -> bool:
    """Few values that come again and again, all of which are known; never those of labelled fields."""
    seen = sum(count for _, count in one.top)
    few = 2 <= len(one.top) <= _MOST_CODES and seen == one.given and one.given >= 10 * len(one.top)
    return few and one.type == "text" and not one.labelled


def _of_loads(facts: Facts) -> Iterator[Suggestion]:
    if len(facts.totals) >= 3 and min(facts.totals) > 0:
        mean = sum(facts.totals[1:]) / len(facts.totals[1:])
        widest = max(abs(total - mean) / mean for total in facts.totals)
        if widest <= 0.5:
            rule = {"check": "volume", "of": "total", "change": 0.5}
            yield Suggestion("volume", rule, {"totals": list(facts.totals[:10])})
    if len(facts.intervals) >= 2:
        usual = sorted(facts.intervals)[len(facts.intervals) // 2]
        if usual >= 60:
            rule = {"check": "freshness", "seconds": int(2 * usual)}
            yield Suggestion("freshness", rule, {"usual_seconds": int(usual)})


def pattern(form: str) -> str:
    """A regular expression for a form of 9 (digit), A (letter) and 中 (Chinese character)."""
    classes = {"9": r"\d", "A": "[A-Za-z]", "中": r"[\x{4e00}-\x{9fff}]"}
    found, i = "", 0
    while i < len(form):
        run = len(form[i:]) - len(form[i:].lstrip(form[i]))
        one = classes.get(form[i], re.escape(form[i]))
        found += one if run == 1 else f"{one}{{{run}}}"
        i += run
    return found


def _slug(*names: str) -> str:
    """A name for a rule from names of fields; what has no Latin letters is written by its code points."""
    text = "-".join(
        "".join(c if c.isascii() and c.isalnum() else "-" if c in "_-." else f"u{ord(c):x}" for c in n) for n in names
    )
    return re.sub(r"-+", "-", text.lower()).strip("-")[:40] or "field"
