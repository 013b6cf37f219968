"""Errors of the lake: DuckDB's own, told as the platform's."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from mumian.kernel.errors import StorageFull, Unavailable

_FULL = ("No space left on device", "database or disk is full", "File too large", "Could not write all bytes")
_AWAY = ("Unable to connect to Postgres", "connection to server", "server closed the connection", "database is locked")


class LakeClosed(Unavailable):
    """The lake was used after it was closed."""


@contextmanager
def translate() -> Iterator[None]:
    """Turn a full disk into StorageFull and a catalogue that does not answer into Unavailable."""
    try:
        yield
    except duckdb.Error as error:
        message = str(error)
        if any(text in message for text in _FULL):
            raise StorageFull from error
        if any(text in message for text in _AWAY):
            raise Unavailable(reason="the catalogue of the lake does not answer") from error
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull from error
        raise
