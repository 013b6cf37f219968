"""The worker: reads one file in a process of its own, within limits of memory and time, and writes rows and a report."""

import resource
import sys
from hashlib import file_digest
from pathlib import Path
from typing import Any

import msgspec

from mumian.foundation.spatial.importing.job import FORMATS, Job, Report, Rows, Unreadable

_CPU_SECONDS = 900
_MEMORY = 12 << 30


def main() -> None:
    """Read a Job from standard input, answer with a Report on standard output."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(msgspec.json.encode(work(job)))


def work(job: Job) -> Report:
    """What became of a job; a file that cannot be read at all is an answer, too."""
    from mumian.foundation.spatial.importing.checking import check
    from mumian.foundation.storage.api import connect_duckdb

    con = connect_duckdb(Path(job.out).parent / "extensions", "spatial")
    try:
        con.execute("SET memory_limit = '2GB'")
        columns, report = check(_read(con, job), job)
        _write(con, columns, job.out)
    except Unreadable as error:
        report = Report(unreadable=str(error))
    except (MemoryError, RecursionError) as error:
        report = Report(unreadable=f"it asks for too much ({type(error).__name__})")
    finally:
        con.close()
    with Path(job.path).open("rb") as stream:
        report.digest = file_digest(stream, "sha256").hexdigest()
    return report


def _read(con: Any, job: Job) -> Rows:
    from mumian.foundation.spatial.importing.archive import unpack
    from mumian.foundation.spatial.importing.delimited import read_delimited
    from mumian.foundation.spatial.importing.geojson import read_geojson
    from mumian.foundation.spatial.importing.vector import read_vector

    path, kind = Path(job.path), job.format
    if kind == "zip":
        path = unpack(path, Path(job.out).parent, job.most_bytes)
        kind = FORMATS[path.suffix]
    if kind == "geojson":
        return read_geojson(path)
    if kind == "csv":
        return read_delimited(path, job.encoding, job.most_rows)
    return read_vector(con, path, kind, job)


def _write(con: Any, columns: dict[str, Any], out: str) -> None:
    name = out.replace("'", "''")
    if len(columns["fid"]):
        con.register("good", columns)
        chosen = "fid::VARCHAR AS fid, geometry::BLOB AS geometry, properties::VARCHAR AS properties FROM good"
    else:
        chosen = "'' AS fid, NULL::BLOB AS geometry, '' AS properties WHERE false"
    con.execute(f"COPY (SELECT {chosen}) TO '{name}' (FORMAT parquet)")


if __name__ == "__main__":
    main()
