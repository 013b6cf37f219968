"""One byte changed anywhere in the lake is found, and what it is in is named."""

import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.service.finder import TABLE
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Unavailable
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import build

START = 1_388_500_000_000_000
FLIPS = 60


def rows(first: int, count: int) -> Observations:
    times = START + np.arange(first, first + count, dtype=np.int64) * 1_000_000
    return Observations(np.full(count, 1, np.int64), times, np.arange(first, first + count) / 8)


@pytest_asyncio.fixture
async def home(settings: Settings, clock: ManualClock) -> AsyncIterator[Path]:
    """The home of a city that has folded, compacted and folded again, and is stopped."""
    platform = build(settings, clock)
    await platform.start()
    sensing = platform.get(Sensing)
    sensing.settings.compact_files = 3
    for part in range(5):
        await sensing.record(rows(part * 50, 50))
        await sensing.folding.fold()
    assert platform.get(Ledger).verify_now().sound
    await platform.stop()
    for closer in platform.closers:
        closer()
    yield settings.home


def faults(settings: Settings, clock: ManualClock) -> list[str]:
    """What a verification says that looks from outside, as `mumian ledger verify` does."""
    try:
        platform = create_platform(settings, clock, serving=False)
    except Unavailable as error:
        return [str(error)]
    try:
        return [str(fault) for fault in platform.get(Ledger).verify_now().faults]
    finally:
        for closer in platform.closers:
            closer()


@contextmanager
def flipped(file: Path, at: int, mask: int) -> Iterator[None]:
    before = file.read_bytes()
    changed = bytearray(before)
    changed[at] ^= mask
    file.write_bytes(changed)
    try:
        yield
    finally:
        file.write_bytes(before)


def test_a_flip_in_a_data_file_is_found_and_the_file_named(home: Path, settings: Settings, clock: ManualClock) -> None:
    assert faults(settings, clock) == []
    platform = create_platform(settings, clock, serving=False)
    files = [Path(file.path) for file in platform.get(Lake).files(TABLE.name)]  # type: ignore[type-abstract]
    chance = random.Random(1)
    for _ in range(FLIPS):
        file = chance.choice(files)
        with flipped(file, chance.randrange(file.stat().st_size), 1 << chance.randrange(8)):
            found = [str(fault) for fault in platform.get(Ledger).verify_now().faults]
            assert any(file.name in fault for fault in found), found
    assert platform.get(Ledger).verify_now().sound
    for closer in platform.closers:
        closer()


def content(file: Path) -> list[str] | None:
    """All that a SQLite file says; None when it cannot be read or is not sound."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            if [row[0] for row in connection.execute("PRAGMA integrity_check")] != ["ok"]:
                return None
            return list(connection.iterdump())
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            return None


def test_a_flip_in_the_catalogue_is_found_wherever_it_means_anything(home: Path, settings: Settings, clock: ManualClock) -> None:
    file = home / "lake" / "catalogue.sqlite"
    before, size, chance, meant = content(file), file.stat().st_size, random.Random(2), 0
    assert before
    used = [at for at, byte in enumerate(file.read_bytes()) if byte]
    while meant < FLIPS // 2:
        at = chance.choice(used) if meant % 2 else chance.randrange(size)
        with flipped(file, at, 1 << chance.randrange(8)):
            if content(file) == before:
                continue
            meant += 1
            found = faults(settings, clock)
            assert found, f"byte {at}"
            assert any("lake" in fault for fault in found), found
        for rest in ("-wal", "-shm"):
            file.with_name(file.name + rest).unlink(missing_ok=True)
    assert faults(settings, clock) == []
