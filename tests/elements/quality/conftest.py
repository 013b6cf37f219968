"""A town with made companies and people in the lake: no row is about anybody."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest_asyncio

from mumian.elements.catalog.api import Load, LoadMode, Tables
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: market, title: {zh: 市场局, en: Market}, spec: {level: department, parent: town}}
---
kind: CodeList
name: districts
title: {zh: 区, en: Districts}
spec: {codes: [{code: "440103", title: {zh: 荔湾, en: Liwan}}, {code: "440104", title: {zh: 越秀, en: Yuexiu}}]}
---
kind: Dataset
name: companies
title: {zh: 企业, en: Companies}
spec:
  owner: market
  fields:
    - {name: code, required: true}
    - {name: name}
    - {name: 区, code_list: districts}
    - {name: capital, type: number}
    - {name: founded, type: date}
    - {name: closed, type: date}
    - {name: phone, personal: personal}
    - {name: chief}
  key: [code]
---
kind: Dataset
name: people
title: {zh: 人员, en: People}
spec:
  owner: town
  fields: [{name: id}, {name: company}, {name: capital, type: number}, {name: note}]
  key: [id]
"""
RULES = """
kind: QualityRule
name: companies
title: {zh: 企业质量规则, en: Quality of companies}
spec:
  dataset: companies
  deadline_days: 5
  rules:
    - {id: code-valid, check: format, field: code, format: credit_code}
    - {id: named, check: not_null, field: name, tolerance: 0.1}
    - {id: phone, check: format, field: phone, format: phone, severity: minor}
    - {id: capital, check: range, field: capital, least: 0, most: 1000000}
    - {id: dates, check: condition, sql: "closed >= founded"}
    - {id: one-name, check: unique, fields: [name], where: "capital > 1"}
    - {id: chief, check: reference, fields: [chief], dataset: people}
"""
CODES = ("91110000600037341L", "91440101231245152Y", "914403001922038216", "91110000710931459D")
TYPES = {"capital": "DOUBLE", "founded": "DATE", "closed": "DATE", "age": "BIGINT", "at": "TIMESTAMP"}


def fill(columns: Mapping[str, Sequence[Any]]) -> Callable[[LakeTransaction], str]:
    """Rows given column by column, as texts or None."""

    def work(lake: LakeTransaction) -> str:
        given = {
            f"c{i}": np.array([None if v is None else str(v) for v in values], dtype=object)
            for i, values in enumerate(columns.values())
        }
        lake.offer("given", given)
        picked = [f'CAST(c{i} AS {TYPES.get(name, "VARCHAR")}) AS "{name}"' for i, name in enumerate(columns)]
        return f"SELECT {', '.join(picked)} FROM given"

    return work


async def load(platform: Platform, dataset: str, columns: Mapping[str, Sequence[Any]], mode: LoadMode = "append") -> Load:
    """Bring rows into a dataset."""
    return await platform.get(Tables).load(dataset, fill(columns), mode, "made")


async def apply(platform: Platform, text: str) -> None:
    """Declare something."""
    await platform.declarations.apply(read_text(text.encode()), "town")


async def told(platform: Platform, type_: str) -> list[dict[str, Any]]:
    """The events of a type."""
    rows = await platform.records.read(
        lambda s: s.rows("SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_)
    )
    return [{"subject": row["subject"], **json.loads(row["payload"])} for row in rows]


def companies(count: int = 4, **changes: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Companies without a fault."""
    good: dict[str, Sequence[Any]] = {
        "code": CODES[:count],
        "name": [f"company {i}" for i in range(count)],
        "区": ["440103"] * count,
        "capital": [100 + i for i in range(count)],
        "founded": ["2010-01-01"] * count,
        "closed": [None] * count,
        "phone": ["13800000000"] * count,
        "chief": ["p1"] * count,
    }
    return {**good, **changes}


@pytest_asyncio.fixture
async def town(platform: Platform) -> AsyncIterator[Platform]:
    """A town with its datasets declared, and one person."""
    await apply(platform, DECLARED)
    await load(platform, "people", {"id": ["p1"], "company": [CODES[0]], "capital": [100], "note": ["x"]})
    yield platform
