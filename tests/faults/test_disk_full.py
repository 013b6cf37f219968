"""A full disk: a clear error, nothing corrupted, and on it goes when there is room again."""

import contextlib
import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.journal.format import Record
from mumian.foundation.sensing.journal.segments import Journal
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import StorageFull, Unavailable
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import SYSTEM
from mumian.kernel.web.problems import problem
from tests.foundation.sensing.conftest import build

START = 1_388_500_000_000_000


def rows(first: int, count: int) -> Observations:
    times = START + np.arange(first, first + count, dtype=np.int64) * 1000
    return Observations(np.ones(count, np.int64), times, np.arange(first, first + count) / 8)


class Disk:
    """A disk with room for so many bytes; a write that does not fit is cut off, as the system does it."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.fail_sync = False

    def write(self, descriptor: int, buffers: list[memoryview]) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole = b"".join(buffers)
        fits = whole[: self.room]
        self.room -= len(fits)
        return os.write(descriptor, fits)

    def sync(self, descriptor: int) -> None:
        if self.fail_sync:
            raise OSError(errno.EIO, "Input/output error")
        os.fdatasync(descriptor)


@pytest.mark.parametrize("room", [0, 10, 100, 5_000, 16_500])
def test_the_journal_keeps_what_it_acknowledged_and_goes_on(tmp_path: Path, room: int) -> None:
    disk = Disk(10_000_000)
    journal = Journal(tmp_path, 1 << 20, disk.write, disk.sync)
    journal.append(Record(1, 1, 0, rows(0, 100)))
    disk.room = room
    with pytest.raises(StorageFull):
        journal.append(Record(2, 101, 0, rows(100, 600)))
    disk.room = 0
    with pytest.raises(StorageFull):
        journal.append(Record(2, 101, 0, rows(100, 600)))
    disk.room = 10_000_000
    journal.append(Record(2, 101, 0, rows(100, 50)))
    journal.append(Record(3, 151, 0, rows(150, 50)))
    journal.close()
    again = Journal(tmp_path, 1 << 20)
    found = list(again.recover())
    again.close()
    assert [(r.sequence, r.first_id, len(r.rows)) for r in found] == [(1, 1, 100), (2, 101, 50), (3, 151, 50)]


def test_a_disk_that_does_not_sync_acknowledges_nothing(tmp_path: Path) -> None:
    disk = Disk(10_000_000)
    journal = Journal(tmp_path, 1 << 20, disk.write, disk.sync)
    journal.append(Record(1, 1, 0, rows(0, 10)))
    disk.fail_sync = True
    with pytest.raises(Unavailable):
        journal.append(Record(2, 11, 0, rows(10, 10)))
    disk.fail_sync = False
    journal.append(Record(2, 11, 0, rows(20, 10)))
    journal.close()
    again = Journal(tmp_path, 1 << 20)
    assert [r.rows.results[0] for r in again.recover()] == [0.0, 2.5]
    again.close()


async def test_a_device_is_told_and_may_send_again(settings: Settings, clock: ManualClock) -> None:
    platform = build(settings, clock)
    await platform.start()
    sensing = platform.get(Sensing)
    journal = sensing.recorder._journal
    assert journal is not None
    await sensing.record(rows(0, 100), key="a")
    disk = Disk(1000)
    journal._write = disk.write
    with pytest.raises(StorageFull) as caught:
        await sensing.record(rows(100, 100), key="b")
    answer = problem(caught.value, "zh")
    assert (answer["status"], "磁盘空间不足" in answer["detail"]) == (507, True)
    assert len(sensing.window([1], 0, 2 * START)) == 100
    disk.room = 10_000_000
    receipt = await sensing.record(rows(100, 100), key="b")
    assert (receipt.first_id, receipt.accepted) == (101, 100)
    await platform.stop()
    again = build(settings, clock)
    await again.start()
    assert again.get(Sensing).window([1], 0, 2 * START).results.tolist() == [n / 8 for n in range(200)]
    await again.stop()


@pytest.mark.parametrize("failing", [1, 2])
async def test_a_fold_that_fails_halfway_doubles_nothing(
    settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    platform = build(settings, clock)
    await platform.start()
    sensing = platform.get(Sensing)
    await sensing.record(rows(0, 100))
    writes, write = [0], platform.records.write

    async def full(work: Any, actor: Any = SYSTEM) -> Any:
        writes[0] += 1
        if writes[0] == failing:
            raise StorageFull
        return await write(work, actor)

    monkeypatch.setattr(platform.records, "write", full)
    with contextlib.suppress(StorageFull):
        await sensing.folding.fold()
    await sensing.record(rows(100, 100))
    await sensing.folding.fold()
    assert sensing.finder.numbered(1, 1000).results.tolist() == [n / 8 for n in range(200)]
    told = platform.records.read_now(
        lambda s: s.rows("SELECT payload FROM kernel_outbox WHERE type = 'sensing.observations.recorded'")
    )
    assert sum(json.loads(row["payload"])["count"] for row in told) == 200
    assert sensing.faults() == []
    await platform.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB of its own, where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root; the other tests here fill a pretended disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_real_full_disk_loses_nothing(small_disk: Path, clock: ManualClock) -> None:
    settings = Settings(home=small_disk / "home", synchronous="full")
    platform = build(settings, clock)
    await platform.start()
    sensing = platform.get(Sensing)
    filler = small_disk / "filler"
    acknowledged = 0
    await sensing.record(rows(0, 1000))
    filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 3_000_000))
    refused = 0
    while refused < 3:
        try:
            await sensing.record(rows(1000 + acknowledged, 10_000))
            acknowledged += 10_000
        except StorageFull:
            refused += 1
    with pytest.raises(Unavailable):
        await sensing.folding.fold()
    filler.unlink()
    assert await sensing.folding.fold()
    await sensing.record(rows(1000 + acknowledged, 1000))
    await platform.stop()
    again = build(settings, clock)
    await again.start()
    found = again.get(Sensing).window([1], 0, 2 * START)
    assert found.results.tolist() == [n / 8 for n in range(2000 + acknowledged)]
    assert again.get(Sensing).faults() == []
    await again.stop()
