"""Opening the records: the engine that the settings name."""

from pathlib import Path

from mumian.foundation.storage.records.writer import GroupCommitRecords
from mumian.kernel.clock import Clock
from mumian.kernel.errors import Fault, Invalid


def open_records(url: str, home: Path, clock: Clock, synchronous: str = "full") -> GroupCommitRecords:
    """Records on `sqlite` (a file below `home`) or on a `postgresql://` database; raises Invalid for anything else."""
    if url == "sqlite":
        from mumian.foundation.storage.records.sqlite import SqliteEngine

        return GroupCommitRecords(SqliteEngine(home / "records" / "city.sqlite", synchronous), clock)
    if url.startswith(("postgresql://", "postgres://")):
        from mumian.foundation.storage.records.postgresql import PostgresqlEngine

        return GroupCommitRecords(PostgresqlEngine(url), clock)
    raise Invalid(Fault("MUMIAN_RECORDS", "field.choice", {"expected": "sqlite, postgresql://…"}))
