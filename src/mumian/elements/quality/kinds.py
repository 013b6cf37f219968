"""The kind QualityRule 质量规则: what is asked of a dataset's rows, checked against what the dataset declares."""

from collections.abc import Iterable

from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.quality.models import (
    Between,
    Check,
    Codes,
    Condition,
    Consistent,
    Drift,
    Formatted,
    Freshness,
    QualityRuleSpec,
    Query,
    Reference,
    RowsSpec,
)
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "QualityRuleSpec", "check_rules"]
_NUMBERS = ("integer", "number")
_TIMES = ("date", "time")
Fields = dict[str, str]


def check_rules(document: Document, spec: QualityRuleSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The dataset has what the rules speak of, in fitting types, and conditions and patterns can be read."""
    dataset = catalogue.get("Dataset", spec.dataset)
    if dataset is None:
        yield document.fault("spec.dataset", "field.reference", kind="Dataset", name=spec.dataset)
        return
    for i, rule in enumerate(spec.rules):
        yield from _Checking(document, f"spec.rules[{i}]", dataset.spec, spec.dataset, catalogue).faults(rule)


class _Checking:
    """Checks one rule at its place."""

    def __init__(self, document: Document, place: str, spec: DatasetSpec, dataset: str, catalogue: Catalogue) -> None:
        self._document = document
        self._place = place
        self._spec = spec
        self._dataset = dataset
        self._catalogue = catalogue
        self._fields = _types(spec)

    def faults(self, rule: Check) -> Iterable[Fault]:
        if isinstance(rule, Freshness):
            yield from self._freshness(rule)
            return
        if not self._fields:
            yield self._fault("check", "quality.no_own_rows", dataset=self._dataset)
            return
        for part in ("field", "fields", "key"):
            yield from self._known(part, getattr(rule, part, None), self._fields, self._dataset)
        if isinstance(rule, RowsSpec) and rule.where is not None:
            yield from self._condition("where", rule.where)
        if isinstance(rule, Condition):
            yield from self._condition("sql", rule.sql)
        yield from self._special(rule)

    def _special(self, rule: Check) -> Iterable[Fault]:
        match rule:
            case Formatted() if rule.pattern is not None:
                yield from self._pattern(rule.pattern)
            case Between():
                yield from self._between(rule)
            case Codes():
                yield from self._codes(rule)
            case Reference() | Consistent():
                yield from self._other(rule)
            case Drift() if rule.method == "ks" and self._fields.get(rule.field.casefold()) in ("text", "json", "boolean"):
                yield self._fault("method", "quality.not_ordered", name=rule.field)
            case Query():
                yield from self._query(rule.sql)
            case _:
                return

    def _fault(self, part: str, key: str, **values: object) -> Fault:
        return self._document.fault(f"{self._place}.{part}", key, **values)

    def _known(self, part: str, names: str | list[str] | None, fields: Fields, dataset: str) -> Iterable[Fault]:
        for name in [names] if isinstance(names, str) else names or []:
            if name.casefold() not in fields:
                yield self._fault(part, "quality.no_such_field", dataset=dataset, name=name)

    def _freshness(self, rule: Freshness) -> Iterable[Fault]:
        if rule.seconds is None and self._spec.frequency_seconds is None:
            yield self._fault("seconds", "field.missing")
        if rule.field is None:
            if not self._fields and self._spec.observed_property is None:
                yield self._fault("check", "quality.no_own_rows", dataset=self._dataset)
            return
        yield from self._known("field", rule.field, self._fields, self._dataset)
        if self._fields.get(rule.field.casefold(), "date") not in _TIMES:
            yield self._fault("field", "quality.type", expected=", ".join(_TIMES))

    def _condition(self, part: str, sql: str) -> Iterable[Fault]:
        from mumian.elements.quality.rules.conditions import Unclear, condition

        try:
            condition(sql, {field.name.casefold(): field.name for field in self._spec.fields})
        except Unclear as error:
            yield self._fault(part, "quality.condition", reason=str(error))

    def _pattern(self, pattern: str) -> Iterable[Fault]:
        import re2  # type: ignore[import-untyped]

        try:
            re2.compile(pattern)
        except re2.error as error:
            yield self._fault("pattern", "field.syntax", reason=str(error)[:200])

    def _between(self, rule: Between) -> Iterable[Fault]:
        type_ = self._fields.get(rule.field.casefold())
        if type_ is not None and type_ not in (*_NUMBERS, *_TIMES):
            yield self._fault("field", "quality.type", expected=", ".join((*_NUMBERS, *_TIMES)))
            return
        for part in ("least", "most"):
            bound = getattr(rule, part)
            if bound is not None and type_ is not None and not _bound(bound, type_):
                expected = "a number" if type_ in _NUMBERS else "a date or time like 2014-01-02"
                yield self._fault(part, "field.type", expected=expected)

    def _codes(self, rule: Codes) -> Iterable[Fault]:
        if rule.code_list is not None and not self._catalogue.has("CodeList", rule.code_list):
            yield self._fault("code_list", "field.reference", kind="CodeList", name=rule.code_list)
        field = next((f for f in self._spec.fields if f.name.casefold() == rule.field.casefold()), None)
        if rule.values is None and rule.code_list is None and field is not None and field.code_list is None:
            yield self._fault("code_list", "field.missing")

    def _other(self, rule: Reference | Consistent) -> Iterable[Fault]:
        other = self._catalogue.get("Dataset", rule.dataset)
        if other is None:
            yield self._fault("dataset", "field.reference", kind="Dataset", name=rule.dataset)
            return
        fields, spec = _types(other.spec), other.spec
        if isinstance(rule, Reference):
            target = rule.target or spec.key
            yield from self._known("target", rule.target, fields, rule.dataset)
            if len(target) != len(rule.fields):
                yield self._fault("target", "quality.as_many", expected=len(rule.fields))
            return
        key = rule.target_key or rule.key
        yield from self._known("target_key", key, fields, rule.dataset)
        yield from self._known("target_field", rule.target_field or rule.field, fields, rule.dataset)
        if len(key) != len(rule.key):
            yield self._fault("target_key", "quality.as_many", expected=len(rule.key))

    def _query(self, sql: str) -> Iterable[Fault]:
        import sqlglot
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        try:
            trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
        except (SqlglotError, RecursionError) as error:
            yield self._fault("sql", "field.syntax", reason=str(error).splitlines()[0][:200])
            return
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            yield self._fault("sql", "quality.one_select")


def _types(spec: DatasetSpec) -> Fields:
    return {field.name.casefold(): field.type for field in spec.fields}


def _bound(bound: float | str, type_: str) -> bool:
    from datetime import datetime

    if type_ in _NUMBERS:
        return not isinstance(bound, str)
    try:
        return isinstance(bound, str) and datetime.fromisoformat(bound) is not None
    except ValueError:
        return False


KINDS = [Kind("QualityRule", QualityRuleSpec, "What is asked of the rows of a dataset.", check_rules)]
