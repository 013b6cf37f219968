"""Vitals follow the observations: late ones, corrections, gaps, restarts and new definitions included."""

import random
from datetime import timedelta

import numpy as np
import pytest

from mumian.app.platform import create_platform
from mumian.brain.vitals.rules import city_mean, interpolate
from mumian.brain.vitals.service.running import Running
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Observations, Sensing, microseconds
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.brain.conftest import TOWN, Observe, hour, rows
from tests.conftest import START


def values(platform: Platform, vital: str, key: str) -> dict[str, float | None]:
    """All values of a vital for a key by time."""
    found = rows(platform, "SELECT time, value FROM vitals_value WHERE vital = :v AND key = :k", v=vital, k=key)
    return {row["time"]: row["value"] for row in found}


async def test_a_value_stands_once_enough_observations_are_there(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=10.0 * (at + 1), south=100.0)
    assert values(town, "dust-3h", "north") == {hour(0): None, hour(1): 15.0, hour(2): 20.0}
    assert values(town, "dust-index", "north")[hour(2)] == 40
    assert values(town, "dust-3h", "city")[hour(2)] == 60
    assert values(town, "dust-index", "city")[hour(2)] == 140


async def test_a_late_observation_changes_every_window_it_lies_in(town: Platform, observe: Observe) -> None:
    for at in (0, 1, 3, 4):
        await observe(at, north=10.0)
    before = values(town, "dust-3h", "north")
    await observe(2, north=40.0)
    after = values(town, "dust-3h", "north")
    assert {time for time in after if after[time] != before.get(time)} == {hour(2), hour(3), hour(4)}
    assert [after[hour(at)] for at in (2, 3, 4)] == [20.0, 20.0, 20.0]


async def test_a_correction_replaces_what_it_corrects(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=10.0)
    await observe(1, north=40.0)
    assert values(town, "dust-3h", "north")[hour(2)] == 20.0
    await observe(1, north=40.0)
    assert values(town, "dust-3h", "north")[hour(2)] == 20.0


async def test_missing_is_a_state_and_not_a_zero(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=30.0)
    await observe(3, north=None)
    await observe(4, north=None)
    found = rows(
        town, "SELECT value, state FROM vitals_value WHERE vital = 'dust-3h' AND key = 'north' AND time >= :t", t=hour(3)
    )
    assert [(row["value"], row["state"]) for row in found] == [(30.0, "ok"), (None, "missing")]


async def test_a_station_that_falls_silent_is_missing_by_the_clock(town: Platform, observe: Observe, clock: ManualClock) -> None:
    for at in range(3):
        await observe(at, north=30.0)
    clock.advance(hours=6)
    await town.settle()
    assert values(town, "dust-3h", "north")[hour(6)] is None
    assert hour(7) not in values(town, "dust-3h", "north")


async def test_old_data_in_a_city_that_lives_today_does_not_fall_due(
    town: Platform, observe: Observe, clock: ManualClock
) -> None:
    for at in range(3):
        await observe(at, north=30.0)
    clock.advance(days=4000)
    await town.settle()
    assert max(values(town, "dust-3h", "north")) == hour(2)


async def test_a_changed_definition_is_worked_out_again_under_its_new_version(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=10.0 * at)
    changed = TOWN.replace("aggregate: mean", "aggregate: max")
    await town.declarations.apply(read_text(changed.encode()), "town")
    await town.settle()
    found = rows(
        town, "SELECT value, version FROM vitals_value WHERE vital = 'dust-3h' AND key = 'north' AND time = :t", t=hour(2)
    )
    assert found == [{"value": 20.0, "version": 2}]


async def test_each_round_is_one_event_that_tells_its_values(town: Platform, observe: Observe) -> None:
    await observe(0, north=1.0, south=2.0)
    await observe(1, north=1.0, south=2.0)
    events = rows(town, "SELECT payload FROM kernel_outbox WHERE type = 'brain.vitals.evaluated' ORDER BY id")
    assert len(events) == 2
    assert '"count":6' in events[1]["payload"]


async def test_what_came_while_nobody_looked_is_caught_up(settings: Settings, clock: ManualClock) -> None:
    first = create_platform(settings, clock)
    first.declarations.apply_now(read_text(TOWN.encode()), "town")
    for job in first.jobs:
        if job.name != "brain.vitals":
            await job.start()
    sensing = first.get(Sensing)
    for at in range(3):
        times = np.array([microseconds(START) + at * 3_600_000_000])
        clock.advance(hours=1)
        await sensing.record(Observations(np.array([sensing.stream("north").id]), times, np.array([30.0])))
    await first.stop()
    second = create_platform(settings, clock)
    await second.start()
    await second.settle()
    assert values(second, "dust-3h", "north")[hour(2)] == 30.0
    told = rows(second, "SELECT COUNT(*) AS n FROM kernel_outbox WHERE type = 'brain.vitals.evaluated'")
    await second.stop()
    third = create_platform(settings, clock)
    await third.start()
    await third.settle()
    assert rows(third, "SELECT COUNT(*) AS n FROM kernel_outbox WHERE type = 'brain.vitals.evaluated'") == told
    await third.stop()


async def backfill(platform: Platform, clock: ManualClock) -> None:
    """Record ten days at once, with high values from the tenth hour to the sixtieth."""
    sensing, results = platform.get(Sensing), np.full(240, 1.0)
    results[10:60] = 60.0
    times = np.array([microseconds(START) + at * 3_600_000_000 for at in range(1, 241)])
    clock.set(START + timedelta(hours=240))
    await sensing.record(Observations(np.full(240, sensing.stream("north").id), times, results))


async def test_days_recorded_just_before_a_stop_are_all_evaluated_and_judged_at_the_next_start(
    town: Platform, observe: Observe, clock: ManualClock, settings: Settings
) -> None:
    await observe(0, north=1.0)
    await backfill(town, clock)
    await town.stop()
    second = create_platform(settings, clock)
    await second.start()
    await second.settle()
    assert len(values(second, "dust-3h", "north")) == 241
    assert rows(second, "SELECT raised_at, state FROM warnings_warning") == [{"raised_at": hour(13), "state": "lifted"}]
    await second.stop()


async def test_what_came_late_just_before_a_stop_is_evaluated_at_the_next_start_however_old(
    town: Platform, observe: Observe, clock: ManualClock, settings: Settings
) -> None:
    for at in (0, 1, 2, 200, 201, 202):
        await observe(at, north=10.0)
    sensing = town.get(Sensing)
    late = np.array([microseconds(START) + 2 * 3_600_000_000 + 1])
    await sensing.record(Observations(np.array([sensing.stream("north").id]), late, np.array([40.0])))
    await town.stop()
    second = create_platform(settings, clock)
    await second.start()
    await second.settle()
    found = values(second, "dust-3h", "north")
    assert (found[hour(2)], found[hour(3)], found[hour(202)]) == (10.0, 20.0, 10.0)
    await second.stop()


@pytest.mark.parametrize("broken", ["evaluate", "take_in", "load"])
async def test_a_round_that_failed_is_made_up_for_however_old_its_data(
    town: Platform, observe: Observe, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    for at in (0, 1, 2, 200, 201, 202):
        await observe(at, north=10.0)

    async def fail(*_: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(Running, "evaluate" if broken == "load" else broken, fail)
        with pytest.raises(OSError, match="no space"):
            await observe(2, north=40.0)
        if broken == "load":
            patch.setattr(Running, "load", fail)
            with pytest.raises(OSError, match="no space"):
                await town.settle()
    await town.settle()
    found = values(town, "dust-3h", "north")
    assert (found[hour(2)], found[hour(3)], found[hour(202)]) == (20.0, 25.0, 10.0)


@pytest.mark.parametrize("seed", range(4))
async def test_small_steps_end_where_a_whole_computation_does(town: Platform, observe: Observe, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        at = max(0, chance.choice([chance.randint(0, 30), chance.randint(25, 40)]))
        names = chance.choice([("north",), ("south",), ("north", "south")])
        await observe(at, **{name: chance.choice([None, chance.uniform(0, 120)]) for name in names})
    sensing = town.get(Sensing)
    ids = {name: sensing.stream(name).id for name in ("north", "south")}
    kept = {(vital, key): values(town, vital, key) for vital in ("dust-3h", "dust-index") for key in (*ids, "city")}
    newest = max(kept["dust-3h", "city"])
    everything = sensing.window(list(ids.values()), 0, microseconds(START) * 2)
    for at in range(41):
        if hour(at) > newest:
            continue
        end = microseconds(START) + at * 3_600_000_000
        stations = []
        for number in ids.values():
            inside = (everything.streams == number) & (everything.times > end - 3 * 3_600_000_000) & (everything.times <= end)
            known = everything.results[inside][~np.isnan(everything.results[inside])]
            stations.append(known.mean() if len(known) >= 2 else np.nan)
        expected = np.array([*stations, city_mean(np.array(stations))])
        index = interpolate([(0, 0), (50, 100), (100, 300)], expected, "up", 400)
        for column, key in enumerate((*ids, "city")):
            for vital, want in (("dust-3h", expected), ("dust-index", index)):
                found = kept[vital, key].get(hour(at))
                assert (found is None) == np.isnan(want[column])
                assert found is None or found == pytest.approx(want[column])


@pytest.mark.parametrize(
    "change", ["value = value + 1", "level = 'low'", "time = '2014-02-01T00:00:00.000000Z'", "state = 'missing'"]
)
async def test_a_value_changed_behind_the_platform_is_found_and_named(town: Platform, observe: Observe, change: str) -> None:
    for at in range(3):
        await observe(at, north=90.0)
    assert (await town.get(Ledger).verify()).sound
    sql = f"UPDATE vitals_value SET {change} WHERE vital = 'dust-index' AND key = 'north' AND time = :t"
    await town.records.write(lambda tx: tx.session.execute(sql, t=hour(2)))
    faults = (await town.get(Ledger).verify()).faults
    assert faults
    assert all(fault.table == "vitals_value" and "dust-index north" in str(fault.entry) for fault in faults)


async def test_an_observation_that_comes_days_late_still_changes_its_windows(town: Platform, observe: Observe) -> None:
    for at in (0, 1, 2, 200, 201, 202):
        await observe(at, north=10.0)
    await observe(2, north=40.0)
    found = values(town, "dust-3h", "north")
    assert (found[hour(2)], found[hour(3)], found[hour(202)]) == (20.0, 25.0, 10.0)


async def test_a_new_station_counts_from_its_first_observation(town: Platform, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=10.0, south=20.0)
    west = TOWN.split("---")[3].replace("north", "west").replace("North", "West")
    await town.declarations.apply(read_text(west.encode()), "west")
    for at in range(3, 6):
        await observe(at, north=10.0, south=20.0, west=60.0)
    assert values(town, "dust-3h", "west")[hour(5)] == 60.0
    assert values(town, "dust-3h", "city")[hour(2)] == 15.0
    assert values(town, "dust-3h", "city")[hour(5)] == 30.0


async def test_an_observation_that_its_quality_speaks_against_counts_as_missing(town: Platform, observe: Observe) -> None:
    profile = "{kind: QualityProfile, name: dust, title: {zh: 粉尘, en: Dust}, spec: {observed_property: dust, maximum: 100}}"
    await town.declarations.apply(read_text(profile.encode()), "quality")
    for at, value in enumerate((10.0, 20.0, 900.0)):
        await observe(at, north=value)
    assert values(town, "dust-3h", "north")[hour(2)] == 15.0
