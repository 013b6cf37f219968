"""Warnings are raised once, follow their level, are lifted well below, and stand as their events told."""

import httpx
import pytest

from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.brain.conftest import TOWN, Observe, hour, rows


def told(platform: Platform) -> list[str]:
    """What happened to warnings, in order; that each is published is shown elsewhere."""
    happened = "type LIKE 'brain.warnings.%' AND type <> 'brain.warnings.published'"
    found = rows(platform, f"SELECT type FROM kernel_outbox WHERE {happened} ORDER BY id")
    return [row["type"].rpartition(".")[2] for row in found]


async def test_one_warning_is_raised_escalated_eased_and_lifted(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    series = [60, 60, 60, 120, 120, 120, 120, 70, 60, 60, 45, 42, 41, 10, 10, 10]
    for at, value in enumerate(series):
        await observe(at, north=float(value))
    assert told(town) == ["raised", "changed", "changed", "lifted"]
    items = (await client.get("/api/v1/brain/warnings")).json()["items"]
    assert len(items) == 1
    assert items[0] | {"id": "", "incident": ""} == {
        "id": "",
        "rule": "dust",
        "title": {"zh": "北站蓝色预警：154", "en": "blue warning at North: 154 of 100"},
        "level": "blue",
        "state": "lifted",
        "subject": "north",
        "dimension": "station",
        "label": {"zh": "北站", "en": "North"},
        "vital": "dust-index",
        "value": items[0]["value"],
        "threshold": 100.0,
        "raised_at": hour(1),
        "changed_at": hour(13),
        "lifted_at": hour(13),
        "incident": "",
    }
    assert items[0]["value"] < 80
    assert items[0]["incident"]


async def test_values_around_the_line_give_one_warning_and_not_a_hundred(town: Platform, observe: Observe) -> None:
    for at in range(30):
        await observe(at, north=52.0 if at % 4 < 2 else 46.0)
    assert told(town) == ["raised"]


async def test_each_station_has_its_own_warning(town: Platform, observe: Observe, client: httpx.AsyncClient) -> None:
    for at in range(4):
        await observe(at, north=60.0, south=60.0)
    items = (await client.get("/api/v1/brain/warnings?state=active")).json()["items"]
    assert sorted(item["subject"] for item in items) == ["north", "south"]


async def test_a_warning_without_values_stands_until_the_stale_limit(
    town: Platform, observe: Observe, clock: ManualClock
) -> None:
    for at in range(3):
        await observe(at, north=60.0)
    clock.advance(hours=9)
    await town.settle()
    assert told(town) == ["raised"]
    clock.advance(hours=10)
    await town.settle()
    assert told(town) == ["raised", "lifted"]
    assert rows(town, "SELECT state, level FROM warnings_warning") == [{"state": "lifted", "level": "blue"}]


async def test_a_correction_that_takes_the_cause_away_lifts_the_warning(town: Platform, observe: Observe) -> None:
    for at, value in enumerate([10.0, 10.0, 300.0]):
        await observe(at, north=value)
    assert told(town) == ["raised"]
    await observe(2, north=10.0)
    assert told(town) == ["raised", "lifted"]


async def test_delivering_the_same_events_again_changes_nothing(town: Platform, observe: Observe) -> None:
    for at in range(4):
        await observe(at, north=60.0)
    before = rows(town, "SELECT * FROM warnings_warning")
    await town.records.write(lambda tx: tx.session.execute("UPDATE kernel_consumer SET position = 0 WHERE name = 'warnings'"))
    for consumer in town.bus._consumers.values():
        consumer.position = None
    await town.settle()
    assert rows(town, "SELECT * FROM warnings_warning") == before
    assert told(town) == ["raised"]


async def test_a_rule_that_is_taken_back_withdraws_its_warnings(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=60.0)
    rest = TOWN[: TOWN.index("kind: Warning")].rstrip().removesuffix("---")
    await town.declarations.apply(read_text(rest.encode()), "town", prune=True)
    await town.settle()
    assert told(town) == ["raised", "lifted"]


async def test_a_changed_rule_judges_what_is_known(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=45.0)
    assert told(town) == []
    lower = TOWN.replace("enter: 100, leave: 80", "enter: 85, leave: 80")
    await town.declarations.apply(read_text(lower.encode()), "town")
    await observe(3, north=45.0)
    assert told(town) == ["raised"]


@pytest.mark.parametrize(
    "change", ["level = 'red'", "value = 1", "raised_at = 'x'", "title = '{}'", "lifted_at = 'x'", "label = '{'"]
)
async def test_a_warning_changed_behind_the_platform_is_found_and_named(town: Platform, observe: Observe, change: str) -> None:
    for at in range(3):
        await observe(at, north=60.0)
    assert (await town.get(Ledger).verify()).sound
    await town.records.write(lambda tx: tx.session.execute(f"UPDATE warnings_warning SET {change}"))
    faults = (await town.get(Ledger).verify()).faults
    assert [(fault.table, fault.field) for fault in faults] == [("warnings_warning", change.split(" ", maxsplit=1)[0])]


@pytest.mark.parametrize("query", ["state=loud", "cursor=x", "limit=0", "limit=9999", "cursor=WyJhIiwxXQ"])
async def test_a_bad_query_is_a_problem(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/api/v1/brain/warnings?{query}")).status_code == 422
