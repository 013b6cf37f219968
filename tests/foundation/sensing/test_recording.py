"""Recording: durable, repeats told from corrections, found again by stream and time."""

import asyncio

import numpy as np
import pytest

from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.errors import BadRows, KeyReused, NotStarted
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.conftest import START
from tests.foundation.sensing.conftest import build

HOUR = 3_600_000_000
NOW = int(START.timestamp()) * 1_000_000


def batch(*rows: tuple[int, int, float]) -> Observations:
    """Rows of stream, hours before the start of the clock, result."""
    columns = list(zip(*rows, strict=True)) if rows else [[], [], []]
    return Observations(
        np.array(columns[0], np.int64), NOW - np.array(columns[1], np.int64) * HOUR, np.array(columns[2], np.float64)
    )


def found(sensing: Sensing, *streams: int) -> list[tuple[int, int, float]]:
    rows = sensing.window(list(streams), 0, NOW + 1)
    return list(zip(rows.streams.tolist(), ((NOW - rows.times) // HOUR).tolist(), rows.results.tolist(), strict=True))


async def test_what_is_recorded_is_found_by_stream_and_time(sensing: Sensing) -> None:
    receipt = await sensing.record(batch((1, 2, 10.0), (1, 1, 11.0), (2, 1, 20.0)))
    assert (receipt.accepted, receipt.repeated, receipt.ids.tolist()) == (3, 0, [1, 2, 3])
    assert found(sensing, 1) == [(1, 2, 10.0), (1, 1, 11.0)]
    assert found(sensing, 2, 1) == [(1, 2, 10.0), (1, 1, 11.0), (2, 1, 20.0)]
    assert sensing.window([1], NOW - HOUR, NOW).results.tolist() == [11.0]
    assert sensing.window([1], NOW - 2 * HOUR, NOW - HOUR).results.tolist() == [10.0]
    assert sensing.window([], 0, NOW).streams.tolist() == sensing.window([99], 0, NOW).streams.tolist() == []


async def test_the_newest_of_each_stream_is_known(sensing: Sensing) -> None:
    assert len(sensing.latest()) == 0
    await sensing.record(batch((1, 1, 11.0), (1, 2, 10.0), (2, 5, np.nan)))
    latest = sensing.latest()
    assert latest.streams.tolist() == [1, 2]
    assert latest.results[0] == 11.0
    assert np.isnan(latest.results[1])
    assert sensing.latest([1]).ids.tolist() == [1]
    assert sensing.counts([1, 2, 3, 77]) == {1: 2, 2: 1, 3: 0, 77: 0}


async def test_a_missing_value_stays_missing_in_memory_and_in_the_lake(sensing: Sensing, sensed: Platform) -> None:
    await sensing.record(batch((1, 1, np.nan)))
    assert np.isnan(sensing.window([1], 0, NOW).results).all()
    await sensed.settle()
    assert np.isnan(sensing.numbered(1, 1).results).all()
    assert (await sensing.record(batch((1, 1, np.nan)))).repeated == 1


async def test_a_repeat_gets_the_id_it_has_and_is_not_stored_again(sensing: Sensing) -> None:
    first = await sensing.record(batch((1, 1, 5.0), (1, 2, 6.0)))
    again = await sensing.record(batch((1, 2, 6.0), (1, 1, 5.0), (1, 3, 7.0)))
    assert first.ids.tolist() == [1, 2]
    assert (again.ids.tolist(), again.accepted, again.repeated) == ([2, 1, 3], 1, 2)
    inside = await sensing.record(batch((2, 1, 5.0), (2, 1, 5.0), (2, 1, 6.0), (2, 1, 5.0)))
    assert inside.ids.tolist() == [4, 4, 5, 6]
    assert found(sensing, 2) == [(2, 1, 5.0)]


async def test_a_correction_counts_and_both_are_kept(sensing: Sensing, sensed: Platform) -> None:
    await sensing.record(batch((1, 1, 5.0)))
    assert (await sensing.record(batch((1, 1, 6.0)))).ids.tolist() == [2]
    assert found(sensing, 1) == [(1, 1, 6.0)]
    assert sensing.latest([1]).results.tolist() == [6.0]
    await sensed.settle()
    assert sensing.numbered(1, 2).results.tolist() == [5.0, 6.0]
    assert found(sensing, 1) == [(1, 1, 6.0)]


async def test_late_and_unordered_observations_are_found_in_order(sensing: Sensing) -> None:
    await sensing.record(batch((1, 1, 1.0)))
    await sensing.record(batch((1, 9, 9.0), (1, 5, 5.0), (1, 7, 7.0)))
    assert found(sensing, 1) == [(1, 9, 9.0), (1, 7, 7.0), (1, 5, 5.0), (1, 1, 1.0)]
    assert sensing.latest([1]).results.tolist() == [1.0]


async def test_a_batch_with_a_bad_row_is_refused_as_a_whole(sensing: Sensing) -> None:
    cases = [
        (batch((1, 1, 1.0), (99, 1, 1.0)), [1], "sensing.unknown_stream"),
        (batch((0, 1, 1.0), (-5, 1, 1.0)), [0, 1], "sensing.unknown_stream"),
        (batch((1, 1, 1.0), (1, -2, 1.0)), [1], "sensing.future"),
        (batch((1, 1, np.inf)), [0], "sensing.result_infinite"),
        (batch((3, 1, 50.0), (3, 2, 100.5), (3, 3, -1.0)), [1, 2], "sensing.result_range"),
    ]
    for rows, bad, key in cases:
        with pytest.raises(BadRows) as caught:
            await sensing.record(rows)
        assert caught.value.rows == bad
        assert {fault.key for fault in caught.value.faults} == {key}
    assert len(sensing.latest()) == 0
    assert (await sensing.record(batch((3, 1, np.nan), (1, -1, 1.0)))).accepted == 2


async def test_a_key_makes_a_batch_exactly_once(sensing: Sensing, sensed: Platform) -> None:
    first = await sensing.record(batch((1, 1, 5.0), (2, 1, 5.0)), key="k1")
    await sensing.record(batch((1, 1, 6.0)))
    again = await sensing.record(batch((1, 1, 5.0), (2, 1, 5.0)), key="k1")
    assert again.replayed
    assert again.ids.tolist() == first.ids.tolist()
    assert found(sensing, 1) == [(1, 1, 6.0)]
    with pytest.raises(KeyReused):
        await sensing.record(batch((1, 1, 5.0)), key="k1")
    twice = await asyncio.gather(*(sensing.record(batch((2, 8, 1.0), (2, 8, 2.0)), key="k2") for _ in range(5)))
    assert {tuple(receipt.ids.tolist()) for receipt in twice} == {(4, 5)}
    await sensed.settle()
    assert (await sensing.record(batch((1, 1, 5.0), (2, 1, 5.0)), key="k1")).replayed


async def test_listeners_hear_new_observations_once_and_in_order(sensing: Sensing) -> None:
    heard: list[int] = []
    sensing.listen(lambda rows: heard.extend(rows.ids.tolist()))
    await asyncio.gather(*(sensing.record(batch((1, hour, 1.0), (2, hour, 1.0))) for hour in range(1, 20)))
    await sensing.record(batch((1, 1, 1.0)))
    assert heard == list(range(1, 39))


async def test_a_failing_listener_harms_nobody(sensing: Sensing) -> None:
    def fail(rows: Observations) -> None:
        raise ZeroDivisionError

    heard: list[int] = []
    sensing.listen(fail)
    sensing.listen(lambda rows: heard.extend(rows.ids.tolist()))
    assert (await sensing.record(batch((1, 1, 1.0)))).accepted == 1
    assert heard == [1]


async def test_a_fold_tells_what_came_to_rest_and_is_proved_by_its_digest(sensing: Sensing, sensed: Platform) -> None:
    await sensing.record(batch((1, 2, 1.0), (2, 1, np.nan)))
    await sensed.settle()
    await sensed.settle()
    events = await sensed.records.read(
        lambda s: s.rows("SELECT * FROM kernel_outbox WHERE type = 'sensing.observations.recorded'")
    )
    assert len(events) == 1
    assert '"count":2' in events[0]["payload"]
    assert sensing.faults() == []
    lake = sensing.finder._lake()
    with lake.transaction() as work:
        work.execute("UPDATE observation SET result = 1.5 WHERE id = 1")
    changed = [fault for fault in sensing.faults() if fault.table == "lake observations"]
    assert [(fault.entry, fault.field) for fault in changed] == [("1–2", "digest")]


async def test_everything_is_there_after_a_restart(settings: Settings, clock: ManualClock) -> None:
    first = build(settings, clock)
    await first.start()
    await first.get(Sensing).record(batch((1, 3, 1.0), (1, 2, 2.0)), key="k")
    await first.settle()
    await first.get(Sensing).record(batch((1, 1, 3.0)), key="l")
    await first.stop()
    second = build(settings, clock)
    await second.start()
    sensing = second.get(Sensing)
    assert found(sensing, 1) == [(1, 3, 1.0), (1, 2, 2.0), (1, 1, 3.0)]
    assert sensing.latest([1]).results.tolist() == [3.0]
    assert sensing.counts([1]) == {1: 3}
    assert (await sensing.record(batch((1, 3, 1.0), (1, 2, 2.0)), key="k")).replayed
    again = await sensing.record(batch((1, 3, 1.0), (1, 2, 2.5), (1, 4, 0.0)))
    assert again.ids.tolist() == [1, 4, 5]
    await second.stop()


async def test_old_observations_that_left_memory_are_still_told_as_repeats(
    settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUMIAN_SENSING_TAIL_ROWS", "10")
    platform = build(settings, clock)
    await platform.start()
    sensing = platform.get(Sensing)
    for start in range(100, 0, -20):
        await sensing.record(batch(*((s, h, float(h)) for s in (1, 2) for h in range(start, start - 20, -1))))
        await platform.settle()
    assert len(sensing.tail) < 60
    receipt = await sensing.record(batch((1, 100, 100.0), (1, 99, 0.5), (2, 50, 50.0), (1, 0, 0.0)))
    assert (receipt.accepted, receipt.repeated) == (2, 2)
    rows = found(sensing, 1)
    assert [hour for _, hour, _ in rows] == list(range(100, -1, -1))
    assert rows[1] == (1, 99, 0.5)
    await platform.stop()


async def test_nothing_is_recorded_before_the_start(settings: Settings, clock: ManualClock) -> None:
    platform = build(settings, clock)
    with pytest.raises(NotStarted):
        await platform.get(Sensing).record(batch((1, 1, 1.0)))
    await platform.start()
    await platform.stop()


async def test_a_retired_stream_takes_no_more(sensing: Sensing, sensed: Platform) -> None:
    await sensing.record(batch((1, 1, 1.0)))
    await sensed.declarations.apply([], "test", prune=True)
    assert sensing.streams() == []
    with pytest.raises(BadRows):
        await sensing.record(batch((1, 0, 1.0)))
    assert found(sensing, 1) == [(1, 1, 1.0)]
