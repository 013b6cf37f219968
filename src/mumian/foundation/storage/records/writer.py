"""Group commit: one thread runs all units of work that wait and commits them at once, each undone alone if it fails."""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from mumian.kernel.clock import Clock, iso
from mumian.kernel.errors import MumianError, Unavailable
from mumian.kernel.unit_of_work import SYSTEM, Actor, Recorder, Session, Transaction, finish

T = TypeVar("T")
_MOST = 256
_log = logging.getLogger("mumian.records")


class Connection(Protocol):
    """What an engine gives: a session with transactions and savepoints."""

    @property
    def session(self) -> Session: ...
    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def savepoint(self) -> None: ...
    def release(self) -> None: ...
    def rollback_to_savepoint(self) -> None: ...
    def changes(self) -> int: ...
    def sound(self) -> bool: ...
    def alive(self) -> bool: ...
    def close(self) -> None: ...


class Engine(Protocol):
    """How an engine opens connections and names its errors."""

    name: str

    def writer(self) -> Connection: ...
    def reader(self) -> Connection: ...
    def translate(self, error: Exception) -> Exception: ...
    def integrity_faults(self) -> list[str]: ...


@dataclass
class _Job:
    work: Callable[[Transaction], Any]
    actor: Actor
    done: "Future[Any] | asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop | None = None
    result: Any = None
    error: BaseException | None = None
    emitted: bool = False


class GroupCommitRecords:
    """The Records port on any engine: writes are grouped by one thread, reads run on snapshots in a small pool."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine.name
        self._engine = engine
        self._clock = clock
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._recorders: list[Recorder] = []
        self._listeners: list[Callable[[], None]] = []
        self._local = threading.local()
        self._readers: list[Connection] = []
        self._pool = ThreadPoolExecutor(4, "mumian-read")
        self._closed = False
        self._entrance = threading.Lock()
        try:
            self._connection = engine.writer()
        except Exception as error:
            raise engine.translate(error) from error
        self._thread = threading.Thread(target=self._run, name="mumian-write", daemon=True)
        self._thread.start()

    def recorder(self, recorder: Recorder) -> None:
        """Add a function that sees the events of every transaction inside its commit."""
        self._recorders.append(recorder)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit that emitted events."""
        self._listeners.append(listener)

    async def write(self, work: Callable[[Transaction], T], actor: Actor = SYSTEM) -> T:
        """Run `work` in a group commit; durable when it returns, undone when it raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._submit(_Job(work, actor, answer, loop))
        return await answer

    def write_now(self, work: Callable[[Transaction], T], actor: Actor = SYSTEM) -> T:
        """`write` for synchronous callers."""
        answer: Future[T] = Future()
        self._submit(_Job(work, actor, answer))
        return answer.result()

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` on a consistent snapshot, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read_now, work)

    def read_now(self, work: Callable[[Session], T]) -> T:
        """`read` for synchronous callers; inside another read of the same thread it joins that one's snapshot."""
        open_already: Session | None = getattr(self._local, "session", None)
        if open_already is not None:
            return work(open_already)
        try:
            connection = self._snapshot()
            self._local.session = connection.session
            return work(connection.session)
        except Exception as error:
            raise self._engine.translate(error) from error
        finally:
            self._local.session = None
            with contextlib.suppress(Exception):
                self._local.reader.rollback()

    def integrity_faults(self) -> list[str]:
        """What the engine finds wrong with its own files."""
        return self._engine.integrity_faults()

    def close(self) -> None:
        """Commit what waits, then close all connections."""
        with self._entrance:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._pool.shutdown()
        for reader in self._readers:
            with contextlib.suppress(Exception):
                reader.close()
        self._connection.close()

    def _submit(self, job: _Job) -> None:
        with self._entrance:
            if self._closed:
                raise Unavailable(reason="the records are closed")
            self._queue.put(job)

    def _snapshot(self) -> Connection:
        """This thread's reader with a transaction begun; a connection that the server dropped is replaced once."""
        connection: Connection | None = getattr(self._local, "reader", None)
        if connection is not None:
            try:
                connection.begin()
            except Exception:
                with contextlib.suppress(Exception):
                    connection.close()
                self._readers.remove(connection)
            else:
                return connection
        connection = self._engine.reader()
        self._local.reader = connection
        self._readers.append(connection)
        connection.begin()
        return connection

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, last = [first], False
            while len(batch) < _MOST and not self._queue.empty():
                job = self._queue.get()
                if job is None:
                    last = True
                    break
                batch.append(job)
            self._commit(batch)
            self._answer(batch)
            if last:
                return

    def _commit(self, batch: list[_Job]) -> None:
        try:
            if not self._connection.alive():
                self._connection = self._engine.writer()
            self._connection.begin()
            now = self._clock.now()
            now_text = iso(now)  # one instant for all that become true in one commit
            alone = len(batch) == 1
            done = None if alone else self._together(batch, now, now_text)
            if done is None:
                if not alone:
                    self._connection.rollback()
                    self._connection.begin()
                done = [self._attempt(job, now, now_text, alone) for job in batch]
            finish(self._connection.session, done, self._recorders)
            self._connection.commit()
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._connection.rollback()
            translated = self._expected(error)
            for job in batch:
                job.error = job.error or translated
                job.emitted = False

    def _together(self, batch: list[_Job], now: datetime, now_text: str) -> list[Transaction] | None:
        """Run all units without savepoints, which most never need; None if one failed and left something to undo."""
        connection, done = self._connection, []
        for job in batch:
            transaction, before = Transaction(connection.session, now, job.actor, now_text), connection.changes()
            job.error = None
            try:
                job.result = job.work(transaction)
            except Exception as error:
                if not isinstance(error, MumianError) or connection.changes() != before or not connection.sound():
                    return None
                job.error = error
            job.emitted = job.error is None and bool(transaction.emitted)
            done.append(transaction)
        return [transaction for transaction, job in zip(done, batch, strict=True) if job.emitted]

    def _attempt(self, job: _Job, now: datetime, now_text: str, alone: bool) -> Transaction:
        """Run one unit of work; a failure undoes only this one, unless the engine lost the whole transaction."""
        connection = self._connection
        transaction = Transaction(connection.session, now, job.actor, now_text)
        job.error = None
        if not alone:
            connection.savepoint()
        try:
            job.result = job.work(transaction)
        except BaseException as error:
            job.error = self._expected(error)
            if alone:
                raise
            try:
                connection.rollback_to_savepoint()
            except Exception:
                raise job.error from error
            transaction.emitted.clear()
        if not alone:
            connection.release()
        job.emitted = bool(transaction.emitted)
        return transaction

    def _expected(self, error: BaseException) -> Exception:
        """An error that may be handed to whoever waits: futures refuse some, and the thread must outlive all."""
        if not isinstance(error, Exception) or isinstance(error, StopIteration):
            return RuntimeError(f"a unit of work ended with {error!r}")
        return self._engine.translate(error)

    def _answer(self, batch: list[_Job]) -> None:
        if any(job.emitted for job in batch):
            for listener in self._listeners:
                try:
                    listener()
                except Exception:
                    _log.exception("a listener to commits failed")
        loops = {job.loop for job in batch}
        for loop in loops:
            jobs = [job for job in batch if job.loop is loop]
            if loop is None:
                _resolve(jobs)
            else:
                with contextlib.suppress(RuntimeError):  # a loop that has closed has nobody waiting
                    loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.done.cancelled():
            continue
        if job.error is not None:
            job.done.set_exception(job.error)
        else:
            job.done.set_result(job.result)
