"""Warnings end by the clock where nothing comes any more: after a restart, a jump of the clock, at any rhythm."""

from datetime import timedelta

import numpy as np

from mumian.app.platform import create_platform
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.brain.conftest import TOWN, Observe, hour, rows
from tests.conftest import START

STANDING = "SELECT key, state, lifted_at FROM warnings_warning ORDER BY id"
LIFTED = [
    {"key": "north", "state": "lifted", "lifted_at": hour(16)}
]  # observed last at 3, spent three hours later, stale after ten more


async def high(observe: Observe) -> None:
    """Raise the warning at the north station."""
    for at in range(4):
        await observe(at, north=60.0, south=1.0)


async def test_a_clock_that_jumps_lifts_what_went_stale_meanwhile(town: Platform, observe: Observe, clock: ManualClock) -> None:
    await high(observe)
    clock.advance(days=5)
    await town.settle()
    assert rows(town, STANDING) == LIFTED
    assert (await town.get(Ledger).verify()).sound


async def test_a_restart_after_days_of_silence_lifts_what_went_stale(
    town: Platform, observe: Observe, clock: ManualClock, settings: Settings
) -> None:
    await high(observe)
    await town.stop()
    clock.advance(days=5)
    made = create_platform(settings, clock)
    await made.start()
    await made.settle()
    assert rows(made, STANDING) == LIFTED
    await made.stop()


async def test_a_vital_of_every_minute_goes_stale_after_hours(town: Platform, clock: ManualClock) -> None:
    quick = TOWN.replace("frequency_seconds: 3600}", "frequency_seconds: 60}")
    quick = quick.replace("owner: air-office\n", "owner: air-office\n  frequency_seconds: 60\n")
    await town.declarations.apply(read_text(quick.encode()), "town")
    await town.settle()
    sensing = town.get(Sensing)
    times = [microseconds(START + timedelta(minutes=minute)) for minute in range(180)]
    clock.advance(minutes=180)
    await sensing.record(Observations(np.full(180, sensing.stream("north").id), np.array(times), np.full(180, 60.0)))
    await town.settle()
    for _ in range(11):
        assert rows(town, "SELECT state FROM warnings_warning") == [{"state": "active"}]
        clock.advance(hours=1)
        await town.settle()
    clock.advance(hours=4)
    await town.settle()
    assert rows(town, "SELECT state FROM warnings_warning") == [{"state": "lifted"}]


async def test_values_that_come_after_all_raise_the_warning_again(town: Platform, observe: Observe, clock: ManualClock) -> None:
    await high(observe)
    clock.advance(days=5)
    await town.settle()
    for at in range(124, 128):
        await observe(at, north=60.0, south=1.0)
    assert [row["state"] for row in rows(town, STANDING)] == ["lifted", "active"]


async def test_days_recorded_at_once_are_judged_by_themselves_and_not_as_silence(
    town: Platform, observe: Observe, clock: ManualClock
) -> None:
    await high(observe)
    clock.set(START + timedelta(hours=120))
    sensing = town.get(Sensing)
    times = [microseconds(START + timedelta(hours=at)) for at in range(4, 121)]
    await sensing.record(Observations(np.full(117, sensing.stream("north").id), np.array(times), np.full(117, 60.0)))
    await town.settle()
    assert [row["state"] for row in rows(town, STANDING)] == ["active"]
