"""Rows of datasets: loads happen wholly or not at all, in three modes, and are told and provable."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.elements.catalog.api import Tables
from mumian.elements.catalog.errors import NoFields
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import Lake, LakeTransaction
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
kind: Dataset
name: shops.open
title: {zh: 商铺, en: Shops}
spec:
  owner: town
  fields:
    - {name: 编号, type: integer, required: true}
    - {name: order, type: text}
    - {name: since, type: date}
  key: [编号]
---
{kind: Dataset, name: bare, title: {zh: 空, en: Bare}, spec: {owner: town}}
"""


@pytest_asyncio.fixture
async def town(platform: Platform) -> AsyncIterator[Platform]:
    """A town with a dataset of shops."""
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    yield platform


def shops(*rows: tuple[int, str]) -> Any:
    def fill(work: LakeTransaction) -> str:
        names = np.array([name for _, name in rows], dtype=object)
        work.offer("given", {"n": np.array([number for number, _ in rows], np.int64), "name": names})
        return 'SELECT n AS "编号", name AS "order" FROM given'

    return fill


async def held(platform: Platform) -> list[tuple[Any, ...]]:
    info = await platform.get(Tables).ensure("shops.open")
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    return await asyncio.to_thread(lake.rows, f'SELECT _id, _load, "编号", "order" FROM {info.name} ORDER BY _id')


async def test_rows_are_added_replaced_and_put_in_the_place_of_those_with_the_same_key(town: Platform) -> None:
    tables = town.get(Tables)
    first = await tables.load("shops.open", shops((1, "a"), (2, "b")), "append", "list")
    assert (first.rows, first.total, first.state) == (2, 2, "done")
    await tables.load("shops.open", shops((2, "B"), (3, "c"), (3, "C")), "upsert", "list")
    assert await held(town) == [(1, 1, 1, "a"), (3, 2, 2, "B"), (5, 2, 3, "C")]
    await tables.load("shops.open", shops((9, "z")), "replace", "list", watermark="2014-01-02")
    assert await held(town) == [(6, 3, 9, "z")]
    assert [(load.mode, load.rows, load.total) for load in await tables.loads("shops.open")] == [
        ("replace", 1, 1),
        ("upsert", 2, 3),
        ("append", 2, 2),
    ]
    told = await town.records.read(lambda s: s.rows("SELECT payload FROM kernel_outbox WHERE type = 'elements.catalog.loaded'"))
    assert [json.loads(row["payload"])["watermark"] for row in told] == [None, None, "2014-01-02"]
    assert (await town.get(Ledger).verify()).sound


async def test_a_load_that_fails_leaves_everything_as_it_was(town: Platform) -> None:
    tables = town.get(Tables)
    await tables.load("shops.open", shops((1, "a")), "append", "list")

    def broken(work: LakeTransaction) -> str:
        return "SELECT 'x' AS \"编号\""

    with pytest.raises(Exception, match="x"):
        await tables.load("shops.open", broken, "replace", "list")
    assert await held(town) == [(1, 1, 1, "a")]
    assert [load.state for load in await tables.loads("shops.open")] == ["failed", "done"]
    assert (await town.get(Ledger).verify()).sound


@pytest.mark.parametrize("reached", [False, True])
async def test_a_load_cut_off_by_the_end_of_the_process_is_finished_or_forgotten(
    town: Platform, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    tables = town.get(Tables)

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "_finish" if reached else "_work", killed if reached else lambda *_: 1 / 0)
        patch.setattr("mumian.elements.catalog.store.end_load", lambda *_: None)
        with pytest.raises((KeyboardInterrupt, ZeroDivisionError)):
            await tables.load("shops.open", shops((1, "a")), "append", "list")
    await town.stop()
    again = create_platform(settings, clock)
    await again.start()
    assert [load.state for load in await again.get(Tables).loads("shops.open")] == ["done" if reached else "failed"]
    assert len(await held(again)) == reached
    assert (await again.get(Ledger).verify()).sound
    await again.stop()


async def test_a_dataset_without_fields_or_declaration_takes_no_rows(town: Platform) -> None:
    with pytest.raises(NoFields):
        await town.get(Tables).load("bare", shops((1, "a")), "append", "list")
    with pytest.raises(NotFound):
        await town.get(Tables).load("nowhere", shops((1, "a")), "append", "list")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("{name: 编号, type: text}, {name: 编号, type: text}", "two fields are called"),
        ("{name: a b, type: text}", "fields[0].name: must look like"),
        ("{name: a, type: colour}", "fields[0].type: must be one of"),
    ],
)
async def test_fields_that_cannot_be_are_refused_with_their_place(town: Platform, change: str, fault: str) -> None:
    text = f"{{kind: Dataset, name: odd, title: {{zh: 怪, en: Odd}}, spec: {{owner: town, fields: [{change}]}}}}"
    with pytest.raises(Invalid) as refused:
        await town.declarations.apply(read_text(text.encode()), "odd")
    assert fault in str(refused.value)
