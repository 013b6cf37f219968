"""Warnings end with what they rest on: the rule, what it applies to, its vital, the stream."""

import pytest

from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.brain.conftest import TOWN, Observe, rows

STANDING = "SELECT key, state FROM warnings_warning ORDER BY id"
REASONS = "SELECT payload FROM kernel_outbox WHERE type = 'brain.warnings.lifted'"
WITHOUT_NORTH = "\n---\n".join(part for part in TOWN.split("---") if "name: north" not in part)


async def high(observe: Observe) -> None:
    """Raise the warning at the north station."""
    for at in range(4):
        await observe(at, north=60.0, south=1.0)


def assert_withdrawn(town: Platform) -> None:
    """The one warning was withdrawn and nothing remembers it."""
    assert rows(town, STANDING) == [{"key": "north", "state": "lifted"}]
    assert ['"reason":"withdrawn"' in row["payload"] for row in rows(town, REASONS)] == [True]
    assert rows(town, "SELECT key FROM warnings_track WHERE key = 'north'") == []


@pytest.mark.parametrize(
    "changed",
    [
        TOWN.replace("applies_to: [station]", "applies_to: [city]"),
        WITHOUT_NORTH,
        TOWN.replace("  vital: dust-index\n", "  vital: dust-3h\n"),
        TOWN.replace("observed_property: dust, unit: u, frequency_seconds: 3600}", "observed_property: noise, unit: u}", 1),
    ],
    ids=["not for stations any more", "the stream is gone", "another vital", "the stream observes something else"],
)
async def test_a_warning_that_the_declarations_leave_behind_is_withdrawn(town: Platform, observe: Observe, changed: str) -> None:
    await high(observe)
    assert changed != TOWN
    await town.declarations.apply(read_text(changed.encode()), "town", prune=True)
    await town.settle()
    assert_withdrawn(town)
    assert (await town.get(Ledger).verify()).sound


async def test_a_stream_retired_by_itself_takes_its_warning_with_it(town: Platform, observe: Observe) -> None:
    await high(observe)
    things = town.get(Sensing).things
    await town.records.write(lambda tx: things.retire(tx, "north"))
    town.get(Sensing).registry.changed()
    await town.settle()
    assert_withdrawn(town)
    await observe(4, south=1.0)
    assert_withdrawn(town)


async def test_declarations_that_change_nothing_about_a_warning_leave_it(town: Platform, observe: Observe) -> None:
    await high(observe)
    await town.declarations.apply(read_text(TOWN.replace("zh: 南站", "zh: 南方站").encode()), "town", prune=True)
    await town.settle()
    assert rows(town, STANDING) == [{"key": "north", "state": "active"}]
