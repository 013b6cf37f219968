"""Where a test finds its records: embedded, or on the PostgreSQL server that the environment names."""

import os

import pytest

ENGINES = ("sqlite", "postgresql")


def records_url(engine: str, schema: str) -> str:
    """An address of empty records; the test is skipped where the server is not there."""
    if engine == "sqlite":
        return "sqlite"
    dsn = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not dsn:
        pytest.skip("MUMIAN_TEST_POSTGRESQL names no server")
    import psycopg

    schema += os.environ.get("PYTEST_XDIST_WORKER", "")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{dsn}{'&' if '?' in dsn else '?'}options=-csearch_path%3D{schema}"
