"""Implied: what a dataset's own declaration promises about its rows are rules, too; they count in scores and open no tickets."""

from collections.abc import Iterator

from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.quality.contracts import Rule
from mumian.elements.quality.models import Check, Codes, Freshness, NotNull, QualityRuleSpec, Unique

DECLARED = "declared"
_ID = "declared"  # replaced by the name of the rule, in which fields may have any letters


def implied(dataset: str, spec: DatasetSpec) -> list[Rule]:
    """Required fields are given, codes are of their lists, keys are unique, and updates come as often as is said."""
    return [Rule(f"{DECLARED}:{name}", dataset, check, 0, implied=True) for name, check in _implied(spec)]


def _implied(spec: DatasetSpec) -> Iterator[tuple[str, Check]]:
    for field in spec.fields:
        if field.required:
            yield f"required.{field.name}", NotNull(id=_ID, check="not_null", field=field.name)
        if field.code_list is not None:
            yield f"codes.{field.name}", Codes(id=_ID, check="codes", field=field.name)
    if spec.fields and spec.key:
        yield "key", Unique(id=_ID, check="unique", fields=list(spec.key))
    if spec.frequency_seconds is not None and (spec.fields or spec.observed_property is not None):
        yield "frequency", Freshness(id=_ID, check="freshness")


def in_force(dataset: str, spec: DatasetSpec, documents: list[tuple[str, QualityRuleSpec]]) -> list[Rule]:
    """All rules of a dataset, declared ones first; what a declared rule says itself is not implied again."""
    declared = [
        Rule(f"{name}:{check.id}", dataset, check, check.deadline_days or document.deadline_days)
        for name, document in documents
        if document.dataset == dataset
        for check in document.rules
    ]
    said = {_gist(rule.check) for rule in declared}
    return declared + [rule for rule in implied(dataset, spec) if _gist(rule.check) not in said]


def _gist(check: Check) -> tuple[str, ...]:
    """What a rule is about, as far as implied rules go; a rule for some rows only is another."""
    if getattr(check, "where", None) is not None:
        return (check.check, check.id, "some")
    match check:
        case NotNull() | Codes():
            return (check.check, check.field.casefold())
        case Unique():
            return (check.check, *sorted(name.casefold() for name in check.fields))
        case Freshness() if check.field is None:
            return (check.check,)
        case _:
            return (check.check, check.id)
