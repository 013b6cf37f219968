"""Where a test finds its records: embedded, or on the PostgreSQL server that the environment names."""

import atexit
import os
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit, urlunsplit

import pytest

from mumian.foundation.storage.api import open_records
from mumian.kernel.clock import SystemClock
from mumian.kernel.migrations import migrate

ENGINES = ("sqlite", "postgresql")
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_KEPT = 4
_made: list[str] = []


def records_url(engine: str, name: str) -> str:
    """An address of records without a row of anybody; the test is skipped where the server is not there.

    On PostgreSQL it is a database copied from one whose migrations ran before: which takes a tenth of the time.
    """
    if engine == "sqlite":
        return "sqlite"
    dsn = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not dsn:
        pytest.skip("MUMIAN_TEST_POSTGRESQL names no server")
    fresh = f"{name}{_WORKER}"
    if fresh in _made:
        _made.remove(fresh)
    while len(_made) >= _KEPT:
        _run(dsn, f"DROP DATABASE IF EXISTS {_made.pop(0)} WITH (FORCE)")
    template = _template(dsn)
    _run(dsn, f"DROP DATABASE IF EXISTS {fresh} WITH (FORCE)")
    _run(dsn, f"CREATE DATABASE {fresh} TEMPLATE {template} STRATEGY file_copy")
    _made.append(fresh)
    return _at(dsn, fresh)


@cache
def _template(dsn: str) -> str:
    """A database with all tables and no row but those of the migrations; it goes with the process, as all the others do."""
    name = f"mumian_template_{os.getpid()}"
    _run(dsn, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _run(dsn, f"CREATE DATABASE {name}")
    records = open_records(_at(dsn, name), Path(mkdtemp()), SystemClock(), "normal")
    migrate(records)
    records.close()
    atexit.register(lambda: [_run(dsn, f"DROP DATABASE IF EXISTS {each} WITH (FORCE)") for each in (*_made, name)])
    return name


def _at(dsn: str, database: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def _run(dsn: str, sql: str) -> None:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.encode())
