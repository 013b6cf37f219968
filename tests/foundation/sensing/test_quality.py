"""Quality by declaration: what is doubted is flagged once and for all, units are converted, nothing declared changes nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from mumian.app.platform import create_platform
from mumian.foundation.sensing import flags
from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.errors import BadRows
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

HOUR = 3_600_000_000
START = 1_388_534_400_000_000
EVERYTHING = START * 2


def profile(name: str = "pm25", **spec: Any) -> Document:
    """A profile for what observes pm25."""
    return Document("QualityProfile", name, {"zh": "规则", "en": "Rules"}, {"observed_property": "pm25", **spec})


def rows(*results: float, stream: int = 1, first: int = 0) -> Observations:
    """Hourly results of one stream, from some hour before the present on."""
    times = START - 200 * HOUR + HOUR * np.arange(first, first + len(results))
    return Observations(np.full(len(results), stream), times, np.array(results, np.float64))


async def declare(platform: Platform, *documents: Document) -> None:
    """Apply declarations."""
    await platform.declarations.apply(list(documents), "quality")


async def flagged(sensing: Sensing, stream: int = 1) -> list[int]:
    """The flags of a stream's observations, by time."""
    return sensing.window([stream], 0, EVERYTHING).flags.tolist()


async def test_what_is_out_of_range_is_kept_and_flagged(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(minimum=0, maximum=50))
    await sensing.record(rows(10, 600, 20))
    await sensing.record(rows(99, stream=3))
    assert await flagged(sensing) == [0, flags.OUT_OF_RANGE, 0]
    assert await flagged(sensing, 3) == [0], "another property"
    assert sensing.latest([1]).flags.tolist() == [0]


async def test_vital_signs_can_read_what_nothing_speaks_against(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(maximum=500))
    await sensing.record(rows(10, 600, 20))
    assert sensing.window([1], 0, EVERYTHING, good_only=True).results.tolist() == [10.0, 20.0]


async def test_a_stuck_value_and_a_spike_are_told_across_requests(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(stuck={"count": 3}, spike={"deviations": 5, "least": 10}))
    for hour, result in enumerate([5.0, 5.0, 5.0, 5.0, *range(10, 22), 90.0]):
        await sensing.record(rows(result, first=hour))
    assert await flagged(sensing) == [0, 0, flags.STUCK, flags.STUCK, *[0] * 12, flags.SPIKE]


async def test_what_was_before_a_restart_still_counts(settings: Settings, clock: ManualClock, sensed: Platform) -> None:
    await declare(sensed, profile(stuck={"count": 4}))
    await sensed.get(Sensing).record(rows(5, 5, 5))
    await sensed.stop()
    again = create_platform(settings, clock)
    await again.start()
    sensing = again.get(Sensing)
    await sensing.record(rows(5, first=3))
    assert await flagged(sensing) == [0, 0, 0, flags.STUCK]
    sensed.records, sensed.jobs, sensed.closers = again.records, again.jobs, again.closers


async def test_a_clock_that_is_off_and_a_gap_are_marked(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(drift={"ahead_seconds": 60, "behind_seconds": 86_400}, gap_factor=2))
    late, ahead = rows(1, first=0), rows(1, first=200)
    ahead = Observations(ahead.streams, ahead.times + 600_000_000, ahead.results)
    await sensing.record(late)
    await sensing.record(rows(1, first=199))
    await sensing.record(ahead)
    assert await flagged(sensing) == [flags.CLOCK_DRIFT, flags.AFTER_GAP, flags.CLOCK_DRIFT]


async def test_the_more_precise_profile_comes_first(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(maximum=10), profile("own", observed_property=None, streams=["b"], maximum=100))
    await sensing.record(rows(50))
    await sensing.record(rows(50, stream=2))
    assert [await flagged(sensing, stream) for stream in (1, 2)] == [[flags.OUT_OF_RANGE], [0]]


async def test_backfill_does_not_disturb_what_is_known(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(stuck={"count": 3}))
    await sensing.record(rows(5, 5, first=10))
    await sensing.record(rows(7, first=3))
    await sensing.record(rows(5, first=12))
    assert (await flagged(sensing))[-1] == flags.STUCK


async def test_flags_are_the_same_after_the_journal_is_read_again(
    settings: Settings, clock: ManualClock, sensed: Platform
) -> None:
    await declare(sensed, profile(maximum=5))
    await sensed.get(Sensing).record(rows(1, 9))
    before = await flagged(sensed.get(Sensing))
    await sensed.get(Sensing).folding.fold()
    assert before == await flagged(sensed.get(Sensing)) == [0, flags.OUT_OF_RANGE]
    assert sensed.get(Sensing).faults() == []


def sent(result: float, unit: str) -> Observations:
    """One result with the unit that it was sent in."""
    details = np.array([json.dumps({"parameters": {"unit": unit}}), None], np.object_)[:1]
    return replace(rows(result), details=details)


async def test_a_device_may_send_another_unit(sensed: Platform, sensing: Sensing) -> None:
    for _ in range(2):
        await sensing.record(sent(0.035, "mg/m3"))
    found = sensing.window([1], 0, EVERYTHING, details=True)
    assert found.results.tolist() == [35.0], "sent twice is recorded once"
    told = json.loads(found.detail(0) or "{}")["parameters"]
    assert told == {"unit": "ug/m3", "sent": {"unit": "mg/m3", "result": 0.035}}
    with pytest.raises(BadRows) as refused:
        await sensing.record(sent(70, "degF"))
    assert refused.value.faults[0].field == "parameters.unit"


async def test_a_unit_may_be_declared_for_all_that_devices_send(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(sent_unit="mg/m3", maximum=100))
    await sensing.record(rows(0.05, 0.2))
    assert sensing.window([1], 0, EVERYTHING).results.tolist() == [50.0, 200.0]
    assert await flagged(sensing) == [0, flags.OUT_OF_RANGE]


async def test_a_file_is_judged_but_its_age_says_nothing(sensed: Platform, sensing: Sensing, tmp_path: Path) -> None:
    from mumian.foundation.sensing.api import import_file

    await declare(sensed, profile(maximum=5, drift={"behind_seconds": 60}))
    (tmp_path / "x.csv").write_text("time,result\n2010-01-01T00:00:00Z,1\n2010-01-01T01:00:00Z,9\n", "utf-8")
    await import_file(sensed, tmp_path / "x.csv", stream="a")
    assert await flagged(sensing) == [0, flags.OUT_OF_RANGE]


async def test_rules_end_with_their_declaration(sensed: Platform, sensing: Sensing) -> None:
    await declare(sensed, profile(maximum=5))
    await sensing.record(rows(9))
    await sensed.declarations.apply([], "quality", prune=True)
    await sensing.record(rows(9, first=1))
    assert await flagged(sensing) == [flags.OUT_OF_RANGE, 0]


@pytest.mark.parametrize("spec", [{"observed_property": None}, {"minimum": 2, "maximum": 1}, {"spike": {}}, {"drift": {}}])
async def test_a_profile_that_says_nothing_sensible_is_refused(sensed: Platform, spec: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await declare(sensed, profile(**spec))


async def test_the_list_of_streams_names_what_speaks_against_the_newest(http: httpx.AsyncClient) -> None:
    platform: Platform = http.platform  # type: ignore[attr-defined]
    await declare(platform, profile(maximum=5))
    await platform.get(Sensing).record(rows(9))
    items = (await http.get("/api/v1/foundation/sensing/streams")).json()["items"]
    assert [item["latest"] and item["latest"]["flags"] for item in items] == [["out-of-range"], None, None]
