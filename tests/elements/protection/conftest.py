"""A town with made people in the lake: no row is about anybody."""

import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest_asyncio

from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import Gate, RowRequest
from mumian.foundation.identity.api import Caller, Identity
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: clinic, title: {zh: 医院, en: Clinic}, spec: {level: department, parent: town}}
---
{kind: Role, name: keeper, title: {zh: 管理员, en: Keeper}, spec: {actions: ["row:read"]}}
---
{kind: Role, name: doctor, title: {zh: 医生, en: Doctor}, spec: {actions: ["unmask:care"], reach: city}}
---
kind: Dataset
name: people
title: {zh: 人口, en: People}
spec:
  owner: town
  fields:
    - {name: 身份证, personal: personal}
    - {name: phone, personal: personal}
    - {name: born, type: date, personal: personal}
    - {name: illness, personal: sensitive}
    - {name: district}
    - {name: height, type: number}
    - {name: site, grade: core}
  key: [身份证]
---
kind: Dataset
name: shops.open
title: {zh: 商铺, en: Shops}
spec:
  owner: town
  opened: unconditional
  fields:
    - {name: 编号, type: integer}
    - {name: district}
    - {name: since, type: date}
    - {name: capacity, type: integer, grade: important}
---
{kind: Dataset, name: bare, title: {zh: 空, en: Bare}, spec: {owner: town, opened: unconditional, fields: [{name: a}]}}
"""
PEOPLE = [
    ("440103199001010011", "13800000001", "1990-01-01", "none", "440103", 170.5, "a"),
    ("440104198505050022", "13800000002", "1985-05-05", "flu", "440104", 160.25, "b"),
    ("440103200012120033", "13800000003", "2000-12-12", "none", "440103", 181.0, "c"),
]


def fill_people(work: LakeTransaction) -> str:
    names = ["身份证", "phone", "born", "illness", "district", "height", "site"]
    work.offer("given", {f"c{i}": np.array([row[i] for row in PEOPLE], dtype=object) for i in range(7)})
    kinds = {"born": "DATE", "height": "DOUBLE"}
    return "SELECT " + ", ".join(f'CAST(c{i} AS {kinds.get(n, "VARCHAR")}) AS "{n}"' for i, n in enumerate(names)) + " FROM given"


def fill_shops(work: LakeTransaction) -> str:
    return (
        "SELECT CAST(range AS BIGINT) AS \"编号\", CASE WHEN range % 2 = 0 THEN '440103' ELSE '440104' END AS district, "
        "DATE '2014-01-01' + CAST(range AS INTEGER) AS since, range * 10 AS capacity FROM range(100)"
    )


async def loaded(platform: Platform) -> None:
    """Declare the town and fill it."""
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    await platform.get(Tables).load("people", fill_people, "append", "made")
    await platform.get(Tables).load("shops.open", fill_shops, "append", "made")


@pytest_asyncio.fixture
async def town(platform: Platform) -> AsyncIterator[Platform]:
    """A town with three people and a hundred shops."""
    await loaded(platform)
    yield platform


def caller(platform: Platform, *roles: str, organisation: str | None = "town") -> Caller:
    """Somebody with these roles."""
    decide = platform.get(Identity).decisions.allowed
    return Caller(Actor("p1", "person", roles, organisation), person="p1", login="p1", decide=decide)


async def ask(platform: Platform, sql: str, *roles: str, **more: Any) -> list[tuple[Any, ...]]:
    """The rows that somebody with these roles gets."""
    organisation = more.pop("organisation", "town")
    request = RowRequest(caller(platform, *roles, organisation=organisation), more.pop("purpose", "audit"), sql, **more)
    return (await platform.get(Gate).query(request)).rows


async def told(platform: Platform, type_: str = "elements.protection.read") -> list[dict[str, Any]]:
    """The evidence of what was read."""
    rows = await platform.records.read(
        lambda s: s.rows("SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_)
    )
    return [{"subject": row["subject"], **json.loads(row["payload"])} for row in rows]
