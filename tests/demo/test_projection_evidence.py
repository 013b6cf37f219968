"""What components keep from events is held against the events: a changed field anywhere is found and named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mumian.app.platform import create_platform
from mumian.demo.api import DemoOptions, run
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.settings import Settings

CHANGES = [
    ("catalog_stream", "frequency_seconds = frequency_seconds + 1"),
    ("catalog_stream", "owner = 'nobody'"),
    ("catalog_stream", "entered_at = '2001-01-01T00:00:00.000000Z'"),
    ("evaluation_incident", "on_time = 1 - on_time"),
    ("evaluation_incident", "hours = 0.5"),
    ("evaluation_incident", "district = '440199'"),
    ("indicators_measurement", "value = value + 0.01"),
    ("indicators_vital_day", "level = 'fine'"),
    ("indicators_vital_day", "value = 1"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a city after four days of work."""
    folder = tmp_path_factory.mktemp("evidence") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUMIAN_HOME", str(folder))
        assert run(DemoOptions(headless=True, json=True, days=4)) == 0
    return folder


def verified(home: Path) -> list[str]:
    """The tables that a verification finds faults in."""
    platform = create_platform(Settings(home=home), serving=False)
    try:
        return sorted({fault.table for fault in platform.get(Ledger).verify_now().faults})
    finally:
        for close in reversed(platform.closers):
            close()
        platform.records.close()


def test_a_city_at_work_keeps_what_its_events_say(home: Path) -> None:
    assert verified(home) == []


@pytest.mark.parametrize(("table", "change"), CHANGES, ids=lambda value: value.split(" ")[0])
def test_a_changed_field_is_found_in_its_table(home: Path, table: str, change: str) -> None:
    file = home / "records" / "city.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        row, *before = connection.execute(f"SELECT rowid, * FROM {table} LIMIT 1").fetchone()
        names = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
        connection.execute(f"UPDATE {table} SET {change} WHERE rowid = ?", [row])
        found = verified(home)
        connection.execute(f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE rowid = ?", [*before, row])
    assert table in found
    assert verified(home) == []


@pytest.mark.parametrize("table", sorted({table for table, _ in CHANGES}))
def test_a_row_taken_away_is_found(home: Path, table: str) -> None:
    with closing(sqlite3.connect(home / "records" / "city.sqlite", isolation_level=None)) as connection:
        row, *before = connection.execute(f"SELECT rowid, * FROM {table} LIMIT 1").fetchone()
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", [row])
        found = verified(home)
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(before))})", before)
    assert table in found
    assert verified(home) == []
