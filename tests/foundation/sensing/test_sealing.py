"""The lake is told anew after each change, whatever comes in between."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mumian.foundation.ledger.api import LakeSeals, Ledger
from mumian.foundation.sensing.api import Observations, Sensing, import_file
from mumian.foundation.sensing.service.importing import Importing
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import build

START = 1_388_500_000_000_000


def rows(first: int, count: int) -> Observations:
    times = START + np.arange(first, first + count, dtype=np.int64) * 1_000_000
    return Observations(np.ones(count, np.int64), times, np.arange(first, first + count) / 8)


def faults(platform: Platform) -> list[Any]:
    return list(platform.get(Ledger).verify_now().faults)


def told(platform: Platform, kind: str = "ledger.lake.sealed") -> list[dict[str, Any]]:
    sql = "SELECT payload FROM kernel_outbox WHERE type = :type ORDER BY id"
    return [json.loads(row["payload"]) for row in platform.records.read_now(lambda s: s.rows(sql, type=kind))]


async def test_each_fold_and_each_compaction_tells_of_its_files(sensing: Sensing, sensed: Platform) -> None:
    sensing.settings.compact_files = 3
    for part in range(4):
        await sensing.record(rows(part * 10, 10))
        await sensing.folding.fold()
    changes = [(len(seal["added"]), len(seal["removed"])) for seal in told(sensed)]
    assert changes == [(0, 0), (1, 0), (1, 0), (1, 0), (1, 3), (1, 0)]
    assert faults(sensed) == []


@pytest.mark.parametrize("compacting", [False, True])
async def test_a_process_that_ends_before_it_tells_does_so_at_the_next_start(
    settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, compacting: bool
) -> None:
    platform = build(settings, clock)
    await platform.start()
    sensing = platform.get(Sensing)
    sensing.settings.compact_files = 1 if compacting else 32
    await sensing.record(rows(0, 10))
    looks, look = [0], LakeSeals.look

    async def killed(self: LakeSeals) -> Any:
        looks[0] += 1
        if looks[0] > compacting:
            raise ZeroDivisionError
        return await look(self)

    with monkeypatch.context() as patch:
        patch.setattr(LakeSeals, "look", killed)
        with pytest.raises(ZeroDivisionError):
            await sensing.folding.fold()
        sensing.folding.fold = lambda: asyncio.sleep(0, False)  # type: ignore[method-assign]
        await platform.stop()
    again = build(settings, clock)
    assert faults(again) == []
    await again.start()
    assert faults(again) == []
    assert sum(event["count"] for event in told(again, "sensing.observations.recorded")) == 10
    assert len(again.get(Sensing).window([1], 0, 2 * START)) == 10
    await again.stop()


async def test_a_file_and_rows_that_nobody_told_of_are_found(sensing: Sensing, sensed: Platform) -> None:
    await sensing.record(rows(0, 10))
    await sensing.folding.fold()
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    nobody = {name: np.array([value]) for name, value in {"id": 99, "stream": 1, "time": 5, "result": 0.5}.items()}
    await asyncio.to_thread(lake.append, "observation", nobody)
    found = " ".join(str(fault) for fault in faults(sensed))
    assert "a data file that nobody told of" in found
    assert "lake observations, count: expected 10, found 11" in found
    assert "lake catalogue, sha256" in found


async def test_what_is_recorded_during_an_import_is_a_batch_of_its_own(
    sensing: Sensing, sensed: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, loop, read = tmp_path / "b.csv", asyncio.get_running_loop(), Importing._read
    file.write_text("time,result\n2013-12-01T00:00:00Z,1\n2013-12-01T01:00:00Z,2\n", "utf-8")

    def slowly(self: Importing, source: Any) -> Any:
        asyncio.run_coroutine_threadsafe(sensing.record(rows(0, 10)), loop).result()
        return read(self, source)

    monkeypatch.setattr(Importing, "_read", slowly)
    report = await import_file(sensed, file, stream="b")
    await sensing.record(rows(10, 10))
    await sensing.folding.fold()
    assert report.accepted == 2
    batches = [(b["first_id"], b["last_id"], b["count"]) for b in told(sensed, "sensing.observations.recorded")]
    assert batches == [(1, 10, 10), (11, 12, 2), (13, 22, 10)]
    assert faults(sensed) == []
