"""A town whose three departments have files about made people; no row is about anybody."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mumian.elements.catalog.api import Tables
from mumian.foundation.storage.contracts import Lake, LakeTransaction
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: police, title: {zh: 公安, en: Police}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: labour, title: {zh: 人社, en: Labour}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: health, title: {zh: 卫健, en: Health}, spec: {level: department, parent: town}}
---
kind: Role
name: clerk
title: {zh: 核对员, en: Clerk}
spec: {actions: ["register:read", "register:review", "row:read"], reach: city}
---
kind: Role
name: counter
title: {zh: 窗口, en: Counter}
spec: {actions: ["unmask:service", "unmask-sensitive:service"], reach: city}
---
{kind: Role, name: reader, title: {zh: 查阅, en: Reader}, spec: {actions: ["register:read"], reach: city}}
---
kind: Dataset
name: people.household
title: {zh: 户籍, en: Households}
spec:
  owner: police
  fields: &fields
    - {name: code}
    - {name: id_card, personal: personal}
    - {name: name, personal: personal}
    - {name: born, personal: personal}
    - {name: sex}
    - {name: phone, personal: personal}
    - {name: address, personal: personal}
    - {name: updated, type: date}
  key: [code]
---
kind: Dataset
name: people.insurance
title: {zh: 社保, en: Insurance}
spec:
  owner: labour
  fields: FIELDS
  key: [code]
---
kind: Dataset
name: people.clinic
title: {zh: 就诊, en: Clinic}
spec:
  owner: health
  fields: FIELDS
  key: [code]
---
kind: Dataset
name: population.golden
title: {zh: 人口基础库, en: Population}
spec:
  owner: town
  fields:
    - {name: entity, type: integer}
    - {name: version, type: integer}
    - {name: current, type: boolean}
    - {name: valid_from, type: time}
    - {name: valid_to, type: time}
    - {name: records, type: integer}
    - {name: id_card, personal: personal}
    - {name: name, personal: personal}
    - {name: born, type: date, personal: personal}
    - {name: sex}
    - {name: phone, personal: personal}
    - {name: address, personal: personal}
  key: [entity, version]
---
kind: Register
name: population
title: {zh: 人口库, en: Population}
spec:
  entity: person
  owner: town
  golden: population.golden
  sources:
    - dataset: people.household
      rank: 1
      unique: true
      updated: updated
      fields: &mapped {id_card: id_card, name: name, born: born, sex: sex, phone: phone, address: address}
    - {dataset: people.insurance, rank: 2, updated: updated, fields: MAPPED}
    - {dataset: people.clinic, rank: 3, updated: updated, fields: MAPPED}
  attributes:
    - {name: id_card, kind: identifier, scheme: id_card, identity: true, find: true, survival: [frequent, rank]}
    - {name: name, kind: name}
    - {name: born, kind: date}
    - {name: sex}
    - {name: phone, kind: phone, survival: [newest, rank]}
    - {name: address, kind: address, survival: [newest]}
  comparisons:
    - {attribute: id_card}
    - {attribute: name, frequency: true}
    - {attribute: born}
    - {attribute: phone}
    - {attribute: address}
  blocking:
    - [id_card]
    - ["name:sound", "born:year"]
    - [phone]
    - ["born", "address:road"]
    - ["name", "address:door"]
"""
_FIELDS = DECLARED.split("fields: &fields\n", 1)[1].split("  key:", 1)[0]
_MAPPED = "{" + DECLARED.split("&mapped {", 1)[1].split("}", 1)[0] + "}"
TEXT = (
    DECLARED.replace("&fields", "")
    .replace("fields: FIELDS\n", f"fields:\n{_FIELDS}")
    .replace("&mapped ", "")
    .replace("MAPPED", _MAPPED)
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a town with a population register out of eight rows: made once, and copied for each test."""
    from tests.elements.registers.test_matching import build

    return build(tmp_path_factory)


Rows = Sequence[Mapping[str, Any]]
FIELDS = ("code", "id_card", "name", "born", "sex", "phone", "address", "updated")


def filled(rows: Rows, fields: Sequence[str] = FIELDS) -> Any:
    """What loads these rows."""

    def fill(work: LakeTransaction) -> str:
        work.offer("given", {f: np.array([*(row.get(f) for row in rows), None], dtype=object)[:-1] for f in fields})
        return "SELECT " + ", ".join(f"CAST({f} AS DATE) AS {f}" if f == "updated" else f for f in fields) + " FROM given"

    return fill


async def load(platform: Platform, dataset: str, rows: Rows, mode: Any = "upsert") -> None:
    """Load a file of one department."""
    await platform.get(Tables).load(dataset, filled(rows), mode, "made")


async def declared(platform: Platform, text: str = TEXT) -> None:
    """Declare the town and its register."""
    await platform.declarations.apply(read_text(text.encode()), "town")


def members(platform: Platform) -> dict[tuple[str, str], int]:
    """The entity of each live record, by dataset and code."""
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    rows = lake.rows(
        "SELECT r.dataset, r.key, m.entity FROM registers_record_1 r JOIN registers_member_1 m ON m.record = r.number "
        "WHERE r.ended IS NULL"
    )
    return {(dataset, key): entity for dataset, key, entity in rows}


def golden(platform: Platform, current: bool = True) -> list[dict[str, Any]]:
    """The golden records as they are, without any mask, by entity and version."""
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    number = platform.records.read_now(lambda s: s.value("SELECT number FROM catalog_table WHERE dataset = 'population.golden'"))
    names = [row[0] for row in lake.rows(f"DESCRIBE dataset_{number}")]
    where = "WHERE current" if current else ""
    found = lake.rows(f"SELECT * FROM dataset_{number} {where} ORDER BY entity, version")
    return [dict(zip(names, row, strict=True)) for row in found]
