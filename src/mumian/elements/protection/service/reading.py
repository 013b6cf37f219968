"""Reading: queries run on the sealed reader in threads of their own, bounded in number, time and memory."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from mumian.elements.protection.errors import BadQuery, GateBusy, TooMuch
from mumian.elements.protection.settings import ProtectionSettings
from mumian.foundation.storage.contracts import Lake, ReadCursor, Sealed
from mumian.kernel.errors import MumianError, Unavailable
from mumian.kernel.platform import Platform

T = TypeVar("T")
_AGAIN = 0.25
_OURS = re.compile(r"(lake\.main\.)?dataset_\d+")


class Reading:
    """A few connections to the sealed reader; who comes when all are taken waits, and too many are turned away."""

    def __init__(self, platform: Platform, settings: ProtectionSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._free = asyncio.Semaphore(settings.queries)
        self._threads = ThreadPoolExecutor(settings.queries, "gate")
        self._opening = threading.Lock()
        self._sealed: Sealed | None = None
        self._cursors: list[ReadCursor] = []
        self._waiting = 0

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[ReadCursor]:
        """A connection for the time of the block; raises GateBusy."""
        if self._waiting >= self._settings.waiting:
            raise GateBusy(reason="too many queries are waiting")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            taken = self._cursors.pop() if self._cursors else await asyncio.to_thread(self._open)
            try:
                yield taken
            finally:
                self._cursors.append(taken)
        finally:
            self._free.release()

    async def work(self, cursor: ReadCursor, seconds: float, work: Callable[[], T]) -> T:
        """Do `work` on a connection in a thread; after `seconds`, or when nobody waits for it any more, it is interrupted."""
        loop = asyncio.get_running_loop()
        late = False
        handle: asyncio.TimerHandle

        def interrupt() -> None:
            nonlocal late, handle
            late = True
            cursor.interrupt()
            handle = loop.call_later(_AGAIN, interrupt)

        handle = loop.call_later(seconds, interrupt)
        task = loop.run_in_executor(self._threads, _translated, work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            interrupt()
            await asyncio.wait({task})
            task.exception()
            raise
        except TooMuch as error:
            raise TooMuch(limit=f"{seconds:g} s") if late else error from None
        finally:
            handle.cancel()

    async def plan(self, work: Callable[[], T]) -> T:
        """Do some planning in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def read_now(self, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """A short answer for synchronous callers, on a connection of its own."""
        cursor = self._open()
        try:
            cursor.execute(sql, dict(params))
            return cursor.fetchmany(1000)
        finally:
            cursor.close()

    def change_now(self, *statements: str) -> None:
        """Do something in the reader's own memory, all or nothing."""
        cursor = self._open()
        try:
            cursor.execute("BEGIN")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("COMMIT")
        finally:
            cursor.close()

    def close(self) -> None:
        """Let go of the lake; a query under way is ended."""
        for cursor in self._cursors:
            cursor.interrupt()
        self._threads.shutdown(wait=True)
        with self._opening:
            sealed, self._sealed = self._sealed, None
            self._cursors.clear()
            if sealed is not None:
                sealed.close()

    def _open(self) -> ReadCursor:
        with self._opening:
            if self._sealed is None:
                lake = self._platform.get(Lake)  # type: ignore[type-abstract]
                self._sealed = lake.sealed(self._settings.memory)
            return self._sealed.cursor()


def _translated(work: Callable[[], T]) -> T:
    """What DuckDB raises, as errors that tell the caller what to mend and nothing about rows that may not be seen."""
    import duckdb

    try:
        return work()
    except MumianError:
        raise
    except (duckdb.InterruptException, duckdb.OutOfMemoryException) as error:
        raise TooMuch(limit=str(error).splitlines()[0][:100]) from error
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException) as error:
        reason = _OURS.sub("…", str(error).splitlines()[0])[:300]
        raise BadQuery.field("sql", "protection.sql.syntax", reason=reason) from error
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
        raise Unavailable(reason="the lake cannot be read just now") from error
    except (duckdb.Error, RuntimeError, OverflowError, ValueError) as error:
        # The text may show a value of a row that the caller may not see.
        raise BadQuery.field("sql", "protection.sql.value") from error
