"""A ledger on real records, without the rest of the city."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from mumian.foundation.cryptography import tasks as cryptography
from mumian.foundation.ledger import tasks as ledger
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.records.opening import open_records
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.events import Event
from mumian.kernel.migrations import migrate
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Actor, Transaction
from tests.foundation.engines import ENGINES, records_url


@dataclass(frozen=True, kw_only=True)
class Happened(Event):
    """Something happened in a test."""

    type: ClassVar[str] = "test.happened"
    number: int
    note: str = "事件"


def open_ledger(home: Path, url: str = "sqlite") -> Platform:
    """A platform with keys and a ledger, and nothing else."""
    home.mkdir(parents=True, exist_ok=True)
    clock = ManualClock(datetime(2014, 1, 1, tzinfo=UTC))
    records = open_records(url, home, clock, "normal")
    migrate(records)
    settings = Settings(home=home)
    platform = Platform(settings, clock, records, Declarations(records, {}))
    cryptography.register(platform)
    ledger.register(platform)
    return platform


def happen(platform: Platform, count: int, subject: str = "thing") -> None:
    """Commit `count` events, ten to a transaction."""

    def work(tx: Transaction, numbers: range) -> None:
        for number in numbers:
            tx.emit(Happened(subject=f"{subject}-{number % 3}", number=number))

    for first in range(0, count, 10):
        numbers = range(first, min(first + 10, count))
        platform.records.write_now(lambda tx, n=numbers: work(tx, n), Actor("01TEST", "person"))  # type: ignore[misc]


@pytest.fixture(params=ENGINES)
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """An open ledger, on every engine."""
    platform = open_ledger(tmp_path, records_url(request.param, "ledger_test"))
    yield platform
    platform.records.close()


@pytest.fixture
def log(city: Platform) -> Ledger:
    """The ledger of the city."""
    return city.get(Ledger)
