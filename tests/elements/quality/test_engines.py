"""The records of quality on both engines: runs, pages, tickets, profiles and their evidence, and old runs that are dropped."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.elements.quality.api import Quality
from mumian.elements.quality.store import runs, tickets
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.elements.quality.conftest import DECLARED, RULES, apply, companies, load
from tests.foundation.engines import ENGINES, records_url


@pytest_asyncio.fixture(params=ENGINES)
async def town(
    request: pytest.FixtureRequest, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    """A town that keeps three runs of each dataset, on each engine."""
    monkeypatch.setenv("MUMIAN_QUALITY_HISTORY", "3")
    url = records_url(request.param, "quality")
    made = create_platform(settings if url == "sqlite" else settings.model_copy(update={"records": url}), clock)
    await made.start()
    await apply(made, DECLARED)
    yield made
    await made.stop()


async def test_what_is_kept_is_the_same_on_both_engines_and_holds_against_the_ledger(town: Platform, clock: ManualClock) -> None:
    await apply(town, RULES)
    quality, read = town.get(Quality), town.records.read
    for capital in (-1, 5, -1):
        await load(town, "companies", companies(1, capital=[capital]), "replace")
        await town.settle()
        clock.advance(days=1)
    await load(town, "people", {"id": ["p1"]}, "replace")
    await quality.judge("companies")
    kept = await read(lambda s: runs.runs(s, "companies", None, 10))
    assert len(kept) == 3
    assert (await read(lambda s: runs.runs(s, "companies", kept[0]["number"], 1)))[0]["number"] == kept[1]["number"]
    history = await read(lambda s: runs.rule_history(s, "companies", "companies:capital", None, 2))
    assert [(each["state"], each["failing"]) for each in history] == [("failed", 1), ("failed", 1)]
    await town.settle()
    first = await read(lambda s: runs.states(s, None, "score", None, 1))
    rest = await read(lambda s: runs.states(s, "town", "score", (first[0]["order_key"], first[0]["dataset"]), 5))
    assert [first[0]["dataset"], *(row["dataset"] for row in rest)] == ["companies", "people"]
    listed = await read(lambda s: tickets.page(s, {"owner": "market", "state": "open"}, None, None, 10))
    assert [(row["rule"], row["reopened"]) for row in listed] == [("companies:capital", 1)]
    assert await read(lambda s: tickets.page(s, {"owner": "market"}, "2014-01-03T00:00:00.000000Z", None, 10)) == []
    number = listed[0]["number"]
    await town.records.write(lambda tx: quality.tickets.comment(tx, number, "看过了"))
    await town.records.write(lambda tx: quality.tickets.assign(tx, number, "somebody", ""))
    steps = await read(lambda s: tickets.steps(s, number))
    assert [step["action"] for step in steps] == ["opened", "closed", "reopened", "commented", "assigned"]
    standing = await read(lambda s: tickets.standing(s, "2014-01-01T00:00:00.000000Z", "2014-02-01T00:00:00.000000Z"))
    assert (int(standing["market"]["opened"]), int(standing["market"]["late"]), int(standing["market"]["still_open"])) == (
        1,
        1,
        1,
    )
    await quality.profiling.profile("companies")
    await town.records.write(lambda tx: quality.profiling.decline(tx, "companies", "volume", "no"))
    assert (await town.get(Ledger).verify()).sound


async def test_what_was_changed_by_hand_is_found_out(town: Platform) -> None:
    await apply(town, RULES)
    await load(town, "companies", companies(capital=[-1, 1, 1, 1]))
    await town.settle()
    assert (await town.get(Ledger).verify()).sound
    changes = (
        ("UPDATE quality_result SET failing = 0 WHERE failing = 1", "quality_result"),
        ("UPDATE quality_run SET score = 100", "quality_run"),
        ("UPDATE quality_state SET score = 1", "quality_state"),
        ("UPDATE quality_ticket SET due_at = '2099-01-01T00:00:00.000000Z'", "quality_ticket"),
        ("DELETE FROM quality_step", "quality_step"),
    )
    for sql, _ in changes:
        await town.records.write(lambda tx, sql=sql: tx.session.execute(sql))  # type: ignore[misc]
    faults = {fault.table for fault in (await town.get(Ledger).verify()).faults}
    assert {table for _, table in changes} <= faults
