"""Reading: queries that judge rows run on a sealed reader of their own, one dataset at a time, bounded in time and memory."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from mumian.elements.quality.errors import CannotRead, Stopping
from mumian.elements.quality.settings import QualitySettings
from mumian.foundation.storage.contracts import Lake, ReadCursor, Sealed
from mumian.kernel.platform import Platform

T = TypeVar("T")
_BATCH = 10_000


class BadRule(Exception):
    """A rule's SQL cannot be run; the text says why and shows no value of any row."""


class Snapshot:
    """The lake as it stood when the block began."""

    def __init__(self, cursor: ReadCursor, seconds: float) -> None:
        self._cursor = cursor
        self._seconds = seconds
        self.renewed = False

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query; raises CannotRead when the lake does not answer, and BadRule: then a new snapshot is begun."""
        try:
            return self._rows(sql)
        except BadRule:
            self._cursor.execute("ROLLBACK")
            self._cursor.execute("BEGIN TRANSACTION")
            self.renewed = True
            raise

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        import duckdb

        late = threading.Event()

        def interrupt() -> None:
            late.set()
            self._cursor.interrupt()

        timer = threading.Timer(self._seconds, interrupt)
        timer.start()
        try:
            self._cursor.execute(sql)
            found: list[tuple[Any, ...]] = []
            while batch := self._cursor.fetchmany(_BATCH):
                found += batch
            return found
        except duckdb.InterruptException as error:
            if late.is_set():
                raise BadRule(f"it needs more than {self._seconds:g} s") from error
            raise Stopping(reason="the city is stopping") from error
        except duckdb.OutOfMemoryException as error:
            raise BadRule("it needs more memory than it may have") from error
        except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
            raise CannotRead(reason="the lake cannot be read just now") from error
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
            raise BadRule(str(error).splitlines()[0][:200]) from error
        except (duckdb.Error, RuntimeError, OverflowError, ValueError) as error:
            # The text may show a value of a row.
            raise BadRule("some value does not fit a conversion or calculation") from error
        finally:
            timer.cancel()


class Reader:
    """One connection to the sealed reader, opened when it is first needed."""

    def __init__(self, platform: Platform, settings: QualitySettings) -> None:
        self._platform = platform
        self._settings = settings
        self._threads = ThreadPoolExecutor(1, "quality")
        self._lock = threading.Lock()
        self._sealed: Sealed | None = None
        self._cursor: ReadCursor | None = None
        self._closed = False

    async def work(self, work: Callable[[Snapshot], T]) -> T:
        """Do `work` on one snapshot, in a thread; works wait for each other."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._with_snapshot, work)

    def _with_snapshot(self, work: Callable[[Snapshot], T]) -> T:
        with self._snapshot() as snapshot:
            return work(snapshot)

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        with self._lock:
            if self._closed:
                raise Stopping(reason="the city is stopping")
            if self._sealed is None:
                self._sealed = self._platform.get(Lake).sealed(self._settings.memory)  # type: ignore[type-abstract]
            cursor = self._cursor = self._sealed.cursor()
        try:
            cursor.execute("BEGIN TRANSACTION")
            yield Snapshot(cursor, self._settings.seconds)
        finally:
            with suppress(Exception):
                cursor.execute("ROLLBACK")
            with self._lock:
                self._cursor = None
            cursor.close()

    def interrupt(self) -> None:
        """Let the query under way end."""
        with self._lock:
            if self._cursor is not None:
                self._cursor.interrupt()

    def close(self) -> None:
        """Let go of the lake."""
        with self._lock:
            self._closed = True
            if self._cursor is not None:
                self._cursor.interrupt()
        self._threads.shutdown(wait=True)
        if self._sealed is not None:
            self._sealed.close()
            self._sealed = None
