"""Declaring: rules that do not fit their dataset are refused with the place and the fix."""

import pytest

from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.elements.quality.conftest import apply

_DOCUMENT = """
kind: QualityRule
name: odd
title: {{zh: 怪, en: Odd}}
spec: {{dataset: {dataset}, rules: [{{id: one, {rule}}}]}}
"""


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("check: not_null, field: nothing", "rules[0].field: names nothing, which is no field of the dataset companies"),
        ("check: colour, field: code", "spec.rules[0]: must be one of"),
        ("check: range, field: name, least: 1", "rules[0].field: must be a field of one of these types"),
        ("check: range, field: founded, least: 5", "rules[0].least: must be a date or time"),
        ("check: range, field: capital, least: x", "rules[0].least: must be a number"),
        ("check: range, field: capital", "give least, most or both"),
        ("check: codes, field: name", "rules[0].code_list: is required"),
        ("check: codes, field: name, code_list: none", "refers to the CodeList"),
        ("check: format, field: code", "give either format or pattern"),
        ("check: format, field: code, pattern: '('", "rules[0].pattern: is not well-formed"),
        ("check: condition, sql: 'nothing > 1'", "rules[0].sql: is not a condition that can be used: it speaks of nothing"),
        ("check: not_null, field: code, where: 'a > (SELECT 1)'", "rules[0].where: is not a condition"),
        ("check: reference, fields: [code, name], dataset: people", "rules[0].target: must have 2 fields"),
        ("check: reference, fields: [code], dataset: nowhere", "refers to the Dataset"),
        ("check: consistency, key: [code], field: capital, dataset: people", "rules[0].target_key: names code"),
        ("check: freshness", "rules[0].seconds: is required"),
        ("check: freshness, seconds: 5, field: code", "rules[0].field: must be a field of one of these types"),
        ("check: volume", "give least, most or change"),
        ("check: drift, field: name, method: ks", "rules[0].method: needs values in an order"),
        ("check: sql, sql: 'DROP TABLE x'", "rules[0].sql: must be exactly one SELECT"),
        ("check: sql, sql: 'SELECT ((('", "rules[0].sql: is not well-formed"),
    ],
)
async def test_a_rule_that_does_not_fit_is_refused_with_its_place(town: Platform, rule: str, fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        await apply(town, _DOCUMENT.format(dataset="companies", rule=rule))
    assert fault in str(refused.value)


async def test_rules_need_a_dataset_with_rows(town: Platform) -> None:
    await apply(town, "{kind: Dataset, name: bare, title: {zh: 空, en: Bare}, spec: {owner: town}}")
    for dataset, fault in (("bare", "needs rows"), ("nowhere", "refers to the Dataset")):
        with pytest.raises(Invalid) as refused:
            await apply(town, _DOCUMENT.format(dataset=dataset, rule="check: not_null, field: a"))
        assert fault in str(refused.value)
