"""The sealed reader: the second wall behind the gate; even SQL that nobody rewrote cannot leave it."""

import asyncio

import duckdb
import pytest

from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO lake.main.dataset_1 SELECT * FROM lake.main.dataset_1",
        "DROP TABLE lake.main.dataset_1",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY lake.main.dataset_1 TO '/tmp/sealed.csv'",
        "ATTACH '/tmp/sealed.db' AS other",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "SELECT * FROM dataset_1",
    ],
)
async def test_it_reads_the_lake_and_does_nothing_else(town: Platform, sql: str) -> None:
    def attempt() -> None:
        sealed = town.get(Lake).sealed("256MB")  # type: ignore[type-abstract]
        cursor = sealed.cursor()
        try:
            cursor.execute("SELECT count(*) FROM lake.main.dataset_1")
            assert cursor.fetchmany(2) == [(3,)]
            with pytest.raises(duckdb.Error):
                cursor.execute(sql)
        finally:
            cursor.close()
            sealed.close()

    await asyncio.to_thread(attempt)
