"""Retention by declaration: what is over goes, its aggregates stay, late data count, and the evidence stays sound throughout."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.app.platform import create_platform
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Observations, Sensing, instant
from mumian.foundation.sensing.removal.rules import Unit, spans, units
from mumian.foundation.sensing.retention.aggregates import Aggregates
from mumian.foundation.sensing.retention.rules import DAY, HOUR, cutoff
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

NOW = 1_388_534_400_000_000
EVERYTHING = 2 * NOW


def retention(name: str = "pm25", **spec: Any) -> Document:
    """A declaration for what observes pm25."""
    body = {"observed_property": "pm25", "raw_days": 2, **spec}
    return Document("Retention", name, {"zh": "留存", "en": "Retention"}, body)


def quarters(day: int, stream: int = 1, count: int = 96, offset: float = 0.0) -> Observations:
    """A result each quarter of an hour of a day, counted from the present (-1: yesterday): 0, 1, 2, … and an offset."""
    times = NOW + day * DAY + np.arange(count) * (HOUR // 4)
    return Observations(np.full(count, stream), times, np.arange(count, dtype=np.float64) + offset)


async def filled(platform: Platform, days: range = range(-5, 0)) -> Sensing:
    """Five days of two streams of pm25 and one of humidity, each day a batch of its own."""
    sensing = platform.get(Sensing)
    for day in days:
        for stream in (1, 2, 3):
            await sensing.record(quarters(day, stream))
        await sensing.folding.fold()
    return sensing


async def declare(platform: Platform, *documents: Document) -> None:
    """Apply declarations and do what is due."""
    await platform.declarations.apply(list(documents), "retention")
    await platform.settle()


def days_of(sensing: Sensing, stream: int) -> list[int]:
    """The days that a stream has observations of, counted from the present."""
    return sorted({(time - NOW) // DAY for time in sensing.window([stream], 0, EVERYTHING).times.tolist()})


def faults(platform: Platform) -> list[Any]:
    """All that is not as the ledger says."""
    return list(platform.get(Ledger).verify_now().faults)


async def test_what_is_over_goes_and_its_hours_and_days_stay(sensed: Platform) -> None:
    sensing = await filled(sensed)
    await declare(sensed, retention())
    assert [days_of(sensing, stream) for stream in (1, 2, 3)] == [[-2, -1], [-2, -1], [-5, -4, -3, -2, -1]]
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    assert lake.rows("SELECT count(*), min(count), sum(total) FROM observation_hour WHERE stream = 1") == [(120, 4, 5 * 4560.0)]
    assert lake.rows("SELECT count(*), min(minimum), max(maximum), min(count) FROM observation_day") == [(10, 0.0, 95.0, 96)]
    assert sensing.counts([1, 3]) == {1: 192, 3: 480}
    assert sensed.get(Aggregates).before(1) == NOW - 2 * DAY


async def test_the_evidence_is_sound_after_a_removal_and_names_the_declaration(sensed: Platform) -> None:
    await filled(sensed)
    assert faults(sensed) == []
    await declare(sensed, retention())
    assert faults(sensed) == []
    events = sensed.records.read_now(
        lambda s: s.rows("SELECT subject, payload FROM kernel_outbox WHERE type = 'sensing.observations.removed'")
    )
    told = [json.loads(event["payload"]) for event in events]
    assert [event["subject"] for event in events] == ["pm25"]
    assert (told[0]["removed"], told[0]["streams"], told[0]["version"]) == (3 * 2 * 96, [1, 2], 1)


async def test_what_is_tampered_with_after_a_removal_is_found(sensed: Platform) -> None:
    sensing = await filled(sensed)
    await declare(sensed, retention())
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    kept = sensing.window([3], 0, NOW - 3 * DAY).ids
    with lake.transaction() as work:
        work.execute("UPDATE observation SET result = result + 1 WHERE id = $id", id=int(kept[5]))
    assert any(fault.field == "digest" for fault in sensing.faults())
    with lake.transaction() as work:
        work.execute("DELETE FROM observation WHERE id = $id", id=int(kept[5]))
    assert any(fault.field == "count" for fault in sensing.faults())


async def test_what_was_tampered_with_before_is_not_removed(sensed: Platform) -> None:
    sensing = await filled(sensed, range(-5, -3))
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    victim = sensing.window([1], 0, NOW - 4 * DAY).ids[0]
    with lake.transaction() as work:
        work.execute("UPDATE observation SET result = 1234 WHERE id = $id", id=int(victim))
    await declare(sensed, retention())
    assert lake.rows("SELECT result FROM observation WHERE id = $id", id=int(victim)) == [(1234.0,)]
    assert any(fault.field == "digest" for fault in sensing.faults())


async def test_days_go_by_and_more_is_removed(sensed: Platform, clock: ManualClock) -> None:
    sensing = await filled(sensed)
    await declare(sensed, retention(hourly_days=3, daily_days=4))
    for _ in range(2):
        clock.advance(days=1)
        await sensed.settle()
    assert days_of(sensing, 1) == []
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    assert lake.rows("SELECT min(time), count(*) FROM observation_hour WHERE stream = 1") == [(NOW - DAY, 24)]
    assert lake.rows("SELECT min(time), count(*) FROM observation_day WHERE stream = 1") == [(NOW - 2 * DAY, 2)]
    assert faults(sensed) == []
    assert sensing.latest([1]).times.tolist() == []


async def test_late_data_and_corrections_change_the_aggregates(sensed: Platform, clock: ManualClock) -> None:
    sensing = await filled(sensed)
    await declare(sensed, retention())
    yesterday = quarters(-1, 1, 4, 100.0)
    late = quarters(-4, 1, 4, 1000.0)
    late = Observations(late.streams, late.times + 60_000_000, late.results)
    await sensing.record(yesterday)
    await sensing.record(late)
    clock.advance(hours=1)
    await sensed.settle()
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    rows = dict(lake.rows("SELECT time, total FROM observation_hour WHERE stream = 1"))
    assert rows[NOW - DAY] == 406.0, "a correction takes the place of what it corrects"
    assert rows[NOW - 4 * DAY] == 4006.0 + 6.0, "what comes late is added"
    found = lake.rows("SELECT count, maximum FROM observation_day WHERE stream = 1 AND time = $time", time=NOW - 4 * DAY)
    assert found == [(100, 1003.0)]
    assert days_of(sensing, 1) == [-2, -1], "and goes again"
    assert faults(sensed) == []


async def test_a_series_goes_on_where_single_observations_end(http: httpx.AsyncClient) -> None:
    platform: Platform = http.platform  # type: ignore[attr-defined]
    await filled(platform)
    span = {"from": "2013-12-27T00:00:00Z", "to": "2014-01-01T00:00:00Z", "points": 5}
    address = "/api/v1/foundation/sensing/streams/a/series"
    before = (await http.get(address, params=span)).json()
    await declare(platform, retention())
    after = (await http.get(address, params=span)).json()
    assert (before["aggregated"], after["aggregated"]) == (False, True)
    assert before["rows"] == after["rows"]
    assert len(after["rows"]) == 5


async def test_numbers_are_never_used_again(settings: Settings, clock: ManualClock, sensed: Platform) -> None:
    sensing = await filled(sensed)
    last = sensing.last_id
    clock.advance(days=10)
    await declare(sensed, retention(), retention("all", observed_property="humidity"))
    assert sensed.get(Lake).rows("SELECT count(*) FROM observation") == [(0,)]  # type: ignore[type-abstract]
    await sensed.stop()
    again = create_platform(settings, clock)
    await again.start()
    receipt = await again.get(Sensing).record(quarters(9))
    assert receipt.first_id == last + 1
    assert faults(again) == []
    sensed.records, sensed.jobs, sensed.closers = again.records, again.jobs, again.closers


async def test_a_removal_that_was_cut_off_is_told_at_the_next_start(
    settings: Settings, clock: ManualClock, sensed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mumian.foundation.sensing.removal import store

    await filled(sensed)

    def cut(*_: Any) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(store, "told", cut)
        await sensed.declarations.apply([retention()], "retention")
        with pytest.raises(RuntimeError):
            await sensed.settle()
    await sensed.stop()
    again = create_platform(settings, clock)
    await again.start()
    await again.settle()
    assert faults(again) == []
    assert days_of(again.get(Sensing), 1) == [-2, -1]
    sensed.records, sensed.jobs, sensed.closers = again.records, again.jobs, again.closers


async def test_bytes_of_what_was_removed_leave_the_disk(sensed: Platform, settings: Settings) -> None:
    from datetime import UTC, datetime

    await filled(sensed, range(-5, -4))
    await declare(sensed, retention(), retention("all", observed_property="humidity"))
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    files = {Path(file.path).name for file in lake.files("observation")}
    lake.compact("observation", datetime.now(UTC) + timedelta(seconds=1))
    left = {path.name for path in (settings.home / "lake").rglob("*.parquet") if path.parent.name == "observation"}
    assert left <= files
    assert lake.rows("SELECT count(*) FROM observation") == [(0,)]


@pytest.mark.parametrize("spec", [{"raw_days": 0}, {"hourly_days": 1}, {"daily_days": 3}, {"observed_property": None}])
async def test_a_declaration_that_contradicts_itself_is_refused(sensed: Platform, spec: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await declare(sensed, retention(**spec))


@given(st.integers(0, 4 * 10**15), st.integers(1, 1000), st.integers(-12, 14))
def test_what_goes_is_whole_days(now: int, days: int, offset: int) -> None:
    before = cutoff(now, days, offset)
    local = instant(before) + timedelta(hours=offset)
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    assert days * DAY <= now - before < (days + 1) * DAY


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.data())
def test_removals_take_the_place_of_what_they_took_from(sizes: list[int], data: st.DataObject) -> None:
    ends = np.cumsum(sizes).tolist()
    recorded = [
        {"first_id": end - size + 1, "last_id": end, "count": size, "digest": f"d{end}"}
        for end, size in zip(ends, sizes, strict=True)
    ]
    first = data.draw(st.integers(0, len(sizes) - 1))
    last = data.draw(st.integers(first, len(sizes) - 1))
    total = sum(sizes[first : last + 1])
    gone = data.draw(st.integers(1, total))
    span = {
        "first_id": recorded[first]["first_id"],
        "last_id": ends[last],
        "removed": gone,
        "kept": total - gone,
        "digest": "left",
    }
    held, doubts = units(recorded, [{"spans": [span]}])
    assert doubts == []
    assert sum(unit.count for unit in held) == sum(sizes) - gone
    assert Unit(span["first_id"], ends[last], total - gone, "left") in held
    _, doubts = units(recorded, [{"spans": [{**span, "removed": gone + 1}]}])
    assert doubts, "a removal that tells of other rows than there were is doubted"
    groups = spans([Unit(r["first_id"], r["last_id"], r["count"], "") for r in recorded], 10)
    assert [unit.first for group in groups for unit in group] == [r["first_id"] for r in recorded]
    assert all(sum(unit.count for unit in group) <= 10 for group in groups)
