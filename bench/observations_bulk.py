"""Rows per second from a CSV and from a Parquet file into the lake, repeats told and bad rows listed."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import duckdb

ROWS = 10_000_000
STREAMS = 1_000
BAD_ROWS = 10


def run(data: Path | None) -> list[dict[str, Any]]:
    """Import files of 10 M rows, 1,000 streams and 10 bad rows; or `data`, which has the columns stream, time and result."""
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        files = [data] if data is not None else _files(Path(folder))
        return [asyncio.run(_measure(file, Path(folder) / f"home-{file.suffix[1:]}", own=data is None)) for file in files]


def _files(folder: Path) -> list[Path]:
    """Ten bad rows in ten million: five times that are none, five streams that nobody declared."""
    rows = (
        f"SELECT CASE WHEN i % {ROWS // BAD_ROWS * 2} = 777 THEN 'nobody' ELSE 'bench-' || (i % {STREAMS}) END AS stream, "
        f"CASE WHEN i % {ROWS // BAD_ROWS * 2} = 999 THEN 'sometime' ELSE "
        f"strftime(TIMESTAMP '2014-01-01' + INTERVAL 1 MINUTE * (i // {STREAMS}), '%Y-%m-%dT%H:%M:%SZ') END AS time, "
        f"round(50 + 40 * sin(i / 5000), 1) AS result FROM range({ROWS}) r(i)"
    )
    connection = duckdb.connect()
    files = [folder / "observations.csv", folder / "observations.parquet"]
    for file in files:
        connection.execute(f"COPY ({rows}) TO '{file}'")
    connection.close()
    return files


async def _measure(file: Path, home: Path, own: bool) -> dict[str, Any]:
    from mumian.app.platform import create_platform
    from mumian.foundation.sensing.api import Sensing, import_file
    from mumian.kernel.declarations.documents import Document
    from mumian.kernel.settings import Settings

    spec = {"thing": "bench", "observed_property": "pm25", "unit": "ug/m3"}
    documents = [
        Document("Stream", name, {"zh": name, "en": name}, spec) for name in await asyncio.to_thread(_streams, file, own)
    ]
    platform = await asyncio.to_thread(create_platform, Settings(home=home))
    await platform.declarations.apply(documents, "bench")
    await platform.start()
    report = await import_file(platform, file, stream_column="stream")
    faults = platform.get(Sensing).faults()
    await platform.stop()
    if (
        faults
        or report.accepted + report.repeated + len(report.broken) != report.rows
        or (own and len(report.broken) != BAD_ROWS)
    ):
        raise RuntimeError(f"the import did not add up: {report.lines('en')[:3]} {faults}")
    return {
        "name": f"observations-bulk-{file.suffix[1:]}",
        "value": round(report.rows / report.seconds),
        "unit": "rows/s",
        "size": f"{report.rows} rows, {len(documents)} streams, {len(report.broken)} bad rows",
    }


def _streams(file: Path, own: bool) -> list[str]:
    if own:
        return [f"bench-{number}" for number in range(STREAMS)]
    rows = duckdb.sql(f"SELECT DISTINCT stream FROM '{file}' WHERE stream IS NOT NULL").fetchall()
    return [str(row[0]) for row in rows]
