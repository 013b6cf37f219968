"""Drift: columns that are new, lost or of another type are told, and nothing of them is absorbed silently."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.elements.collection import store
from mumian.elements.collection.errors import NotInState
from mumian.elements.collection.rules import columns as rules
from mumian.elements.collection.service.runner import Runner
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.platform import Platform
from tests.elements.collection.conftest import both, connect, found, held, inbox, run

FILES = {"kind": "files", "path": "*"}
BEFORE = "编号,name,seats\n" + "".join(f"{i},{i},{i}\n" for i in range(10))
AFTER = "编号,name,seats,phone\n" + "".join(f"{i},b,{i},1\n" for i in range(10))
LOST = "编号,seats\n" + "".join(f"{i},{i}\n" for i in range(10))


async def drifted(platform: Platform) -> list[dict[str, Any]]:
    rows = await platform.records.read(
        lambda s: s.rows("SELECT payload FROM kernel_outbox WHERE type = 'elements.collection.drifted' ORDER BY id")
    )
    return [json.loads(row["payload"]) for row in rows]


async def test_a_source_whose_columns_change_is_stopped_until_somebody_accepts_them(town: Platform) -> None:
    file = inbox(town) / "shops.csv"
    file.write_text(BEFORE, "utf-8")
    await connect(town, "shops-file", source=FILES)
    assert (await run(town, "shops-file")).drift is None
    file.write_text(AFTER, "utf-8")
    stopped = await run(town, "shops-file")
    assert (stopped.state, stopped.error["key"] if stopped.error else "") == ("stopped", "collection.drifted")
    assert stopped.drift == {"new": ["phone"], "lost": [], "changed": [["name", "integer", "text"]]}
    assert {row[1] for row in await held(town)} == {str(i) for i in range(10)}
    [told] = await drifted(town)
    assert (told["policy"], told["new"], told["changed"]) == ("stop", ["phone"], [["name", "integer", "text"]])
    await town.get(Runner).accept(stopped.id)
    done = await run(town, "shops-file")
    assert (done.state, done.drift, done.bad) == ("done", None, 0)
    file.write_text(LOST, "utf-8")
    assert (await run(town, "shops-file")).drift == {"new": [], "lost": ["name", "phone"], "changed": []}
    assert (await town.get(Ledger).verify()).sound


@both
async def test_rows_of_a_drifted_source_wait_in_quarantine_until_they_are_accepted_or_dropped(town: Platform) -> None:
    file, runner = inbox(town) / "shops.csv", town.get(Runner)
    file.write_text(BEFORE, "utf-8")
    await connect(town, "shops-file", source=FILES, drift="quarantine")
    await run(town, "shops-file")
    file.write_text(LOST, "utf-8")
    waiting = await run(town, "shops-file")
    assert (waiting.state, waiting.drift and waiting.drift["lost"]) == ("quarantined", ["name"])
    assert {row[1] for row in await held(town)} == {str(i) for i in range(10)}
    await runner.discard(waiting.id)
    assert (await found(town, waiting.id)).state == "discarded"
    waiting = await run(town, "shops-file")
    await runner.accept(waiting.id)
    await town.settle()
    assert (await found(town, waiting.id)).state == "done"
    assert {row[1] for row in await held(town)} == {None}
    with pytest.raises(NotInState):
        await runner.accept(waiting.id)
    assert await town.records.read(lambda s: store.schema(s, "shops-file")) == {"编号": "integer", "seats": "integer"}
    assert (await town.get(Ledger).verify()).sound


async def test_what_fits_is_loaded_where_drift_is_only_to_be_reported(town: Platform) -> None:
    file = inbox(town) / "shops.csv"
    file.write_text(BEFORE, "utf-8")
    await connect(town, "shops-file", source=FILES, drift="report", every_seconds=60)
    await town.settle()
    file.write_text(LOST, "utf-8")
    town.clock.advance(seconds=61)  # type: ignore[attr-defined]
    await town.settle()
    runs = await town.records.read(lambda s: store.runs(s, "shops-file", None, None, 10))
    assert [(each.state, each.trigger) for each in runs] == [("done", "schedule"), ("done", "schedule")]
    assert len(await drifted(town)) == 1
    assert {row[1] for row in await held(town)} == {None}


TYPES = st.sampled_from(["integer", "number", "boolean", "date", "time", "text", "empty"])
COUNTS = {"empty": {"there": 0}, "text": {"there": 50}}


def profile(kinds: dict[str, str], loose: bool = False) -> dict[str, Any]:
    told = {name: COUNTS.get(kind) or {"there": 50, kind: 50} for name, kind in kinds.items()}
    return {"columns": told, "loose": loose}


@settings(max_examples=25)
@given(
    st.dictionaries(st.sampled_from("abcdef"), TYPES, min_size=1), st.dictionaries(st.sampled_from("abcdef"), TYPES, min_size=1)
)
def test_what_was_accepted_is_no_drift_and_every_column_that_comes_or_goes_is_told(
    before: dict[str, str], now: dict[str, str]
) -> None:
    accepted = rules.accepted_after({}, profile(before))
    assert not rules.drift(accepted, profile(before), 50)
    found_ = rules.drift(accepted, profile(now), 50)
    assert set(found_.new) == now.keys() - before.keys()
    assert set(found_.lost) == before.keys() - now.keys()
    after = rules.accepted_after(accepted, profile(now))
    assert not rules.drift(after, profile(now), 50)
    assert not rules.drift(accepted, profile(now), 0)
