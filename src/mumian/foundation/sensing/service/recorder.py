"""The recorder: takes batches, tells repeats, writes what waits in one group to the journal, then acknowledges."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mumian.foundation.sensing.contracts import Observations, Receipt
from mumian.foundation.sensing.errors import Behind, KeyReused, NotStarted
from mumian.foundation.sensing.journal.format import Answer, Record
from mumian.foundation.sensing.journal.segments import Journal
from mumian.foundation.sensing.rules import Decision, Known, decide, microseconds
from mumian.foundation.sensing.service.amending import Amendments
from mumian.foundation.sensing.service.answers import Answers
from mumian.foundation.sensing.service.finder import Finder
from mumian.foundation.sensing.service.registry import Registry
from mumian.foundation.sensing.service.tail import Tail
from mumian.foundation.sensing.settings import SensingSettings
from mumian.kernel.clock import Clock
from mumian.kernel.errors import MumianError, Unavailable

Listener = Callable[[Observations], None]
Judge = Callable[[Observations, bool], Observations]
Prepare = Callable[[Observations], Observations]
_GROUP_ROWS = 200_000
_log = logging.getLogger("mumian.sensing")


@dataclass(eq=False)
class _Waiting:
    batch: Observations
    done: "asyncio.Future[Receipt]"
    key: str | None
    digest: str
    known: Known | None
    generation: int


class Recorder:
    """All its state is changed on the event loop alone; only writing to the journal and asking the lake happen in threads.

    `judge`, if there is one, gives new rows their quality flags before they are written; it sees each row once, in the order of
    the ids and whether they come live, and keeps the rows as they are otherwise. `prepare` brings a batch into the units of its
    streams before anything is asked of it; it may raise BadRows.
    """

    def __init__(
        self, registry: Registry, tail: Tail, finder: Finder, amendments: Amendments, clock: Clock, settings: SensingSettings
    ) -> None:
        self.registry = registry
        self.amendments = amendments
        self.tail = tail
        self.answers = Answers(settings.answers, settings.answer_seconds)
        self.next_id = 1
        self.sequence = 0
        self.folded = 0
        self.judge: Judge | None = None
        self.prepare: Prepare | None = None
        self._finder = finder
        self._clock = clock
        self._settings = settings
        self._journal: Journal | None = None
        self._accepting = False
        self._waiting: list[_Waiting] = []
        self._under_way: dict[str, _Waiting] = {}
        self._listeners: list[Listener] = []
        self._wake = asyncio.Event()
        self.deciding = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "mumian-journal")
        self._pump: asyncio.Task[None] | None = None

    def start(self, journal: Journal) -> None:
        """Begin to take batches, to be written to `journal`, whose records have been recovered."""
        self._journal = journal
        self._accepting = True
        self._pump = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits and take no more."""
        self._accepting = False
        if self._pump is not None:
            self._wake.set()
            await self._pump

    def close(self) -> None:
        """Let go of the journal."""
        self._thread.shutdown()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def listen(self, listener: Listener) -> None:
        """Call `listener` on the event loop with new observations, after they are durable, in the order of their ids."""
        self._listeners.append(listener)

    async def record(self, batch: Observations, key: str | None = None, digest: str = "") -> Receipt:
        """Record a batch, all or nothing; durable when it returns. With a `key` (and the request's `digest`) exactly once."""
        if not self._accepting:
            raise NotStarted(reason="the platform is not started")
        now = microseconds(self._clock.now())
        if key is not None:
            earlier = self._under_way.get(key)
            if earlier is not None:
                if earlier.digest != digest:
                    raise KeyReused
                return await asyncio.shield(earlier.done)
            receipt = self.answers.find(key, digest, now)
            if receipt is not None:
                return receipt
        if len(self.tail) - self.folded > self._settings.waiting_rows:
            raise Behind(rows=len(self.tail) - self.folded)
        if self.prepare is not None:
            batch = self.prepare(batch)
        self.registry.check(batch, now, self._settings.future_seconds * 1_000_000)
        self.tail.make_room(self.registry.highest)
        batch = self.registry.placed(batch)
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future(), key, digest, None, self.tail.generation)
        return await self._enqueue(waiting)

    async def _enqueue(self, waiting: _Waiting) -> Receipt:
        if waiting.key is not None:
            self._under_way[waiting.key] = waiting
        try:
            await self._ask_lake(waiting)
            self._waiting.append(waiting)
            self._wake.set()
            return await (waiting.done if waiting.key is None else asyncio.shield(waiting.done))
        except Exception as error:
            self._refuse([waiting], error)
            raise
        finally:
            if waiting.key is not None:
                self._under_way.pop(waiting.key, None)

    async def release(self, position: int) -> None:
        """Remove the journal's segments up to a sequence number that the lake has."""
        if self._journal is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._journal.release, position)

    async def idle(self) -> bool:
        """Wait until nothing waits to be written; True if anything did."""
        waited = False
        while self._waiting or self.deciding.locked():
            waited = True
            await asyncio.sleep(0)
        return waited

    def judged(self, rows: Observations, live: bool = True) -> Observations:
        """The rows with their flags; a judge that fails leaves them as they are, since observations come first."""
        if self.judge is None or not len(rows):
            return rows
        try:
            return self.judge(rows, live)
        except Exception:
            _log.exception("the quality of observations could not be judged")
            return rows

    async def _ask_lake(self, waiting: _Waiting) -> None:
        """Learn what the lake knows of rows that memory does not reach back to."""
        rows = np.flatnonzero(self.tail.beyond(waiting.batch))
        waiting.generation, waiting.known = self.tail.generation, None
        if len(rows):
            found = await asyncio.to_thread(self._finder.known, waiting.batch.take(rows))
            waiting.known = found.spread(rows, len(waiting.batch))

    async def _run(self) -> None:
        while self._accepting or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                async with self.deciding:
                    group = self._next_group()
                    try:
                        await self._commit(group)
                    except Exception as error:
                        if not isinstance(error, MumianError):
                            _log.exception("recording failed")
                            error = Unavailable(reason="observations cannot be recorded")
                        self._refuse(group, error)

    def _next_group(self) -> list[_Waiting]:
        rows = count = 0
        for waiting in self._waiting:
            if count and rows + len(waiting.batch) > _GROUP_ROWS:
                break
            rows, count = rows + len(waiting.batch), count + 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        for waiting in group:
            if waiting.generation != self.tail.generation:
                await self._ask_lake(waiting)
        rows = Observations.concat([waiting.batch for waiting in group])
        decision = decide(rows, self._known(group, rows), self.next_id)
        every = bool(decision.new.all())
        fresh = rows if every else rows.take(np.flatnonzero(decision.new))
        ids = np.arange(self.next_id, self.next_id + len(fresh), dtype=np.int64)
        fresh = self.judged(fresh.numbered(ids))
        received = microseconds(self._clock.now())
        receipts, answers = self._receipts(group, decision, received, every)
        if len(fresh) or answers:
            record = Record(self.sequence + 1, self.next_id, received, fresh, answers)
            assert self._journal is not None
            await asyncio.get_running_loop().run_in_executor(self._thread, self._journal.append, record)
            self._apply(record)
        for waiting, receipt in zip(group, receipts, strict=True):
            if not waiting.done.done():
                waiting.done.set_result(receipt)

    def _known(self, group: list[_Waiting], rows: Observations) -> Known | None:
        known = self._remembered(group, rows)
        hidden = self.amendments.hidden
        if known is not None and len(hidden):
            # What was deleted or changed is not there to be repeated: it may be observed anew.
            known.ids[np.isin(known.ids, hidden)] = 0
        return known

    def _remembered(self, group: list[_Waiting], rows: Observations) -> Known | None:
        known = self.tail.known(rows)
        if known is None or all(waiting.known is None for waiting in group):
            return known
        at = 0
        for waiting in group:
            end = at + len(waiting.batch)
            if waiting.known is not None:
                known = known.improved(waiting.known, at)
            at = end
        return known

    def _receipts(self, group: list[_Waiting], decision: Decision, now: int, every: bool) -> tuple[list[Receipt], list[Answer]]:
        receipts, answers, at = [], [], 0
        for waiting in group:
            end = at + len(waiting.batch)
            new = end - at if every else int(np.count_nonzero(decision.new[at:end]))
            receipt = Receipt(decision.ids[at:end], new, end - at - new)
            receipts.append(receipt)
            if waiting.key is not None:
                answers.append(Answers.made(waiting.key, waiting.digest, receipt, now))
            at = end
        return receipts, answers

    def _apply(self, record: Record) -> None:
        self.sequence = record.sequence
        self.next_id += len(record.rows)
        self.tail.append(record.rows)
        self.answers.add(record.answers)
        if not len(record.rows):
            return
        for listener in self._listeners:
            try:
                listener(record.rows)
            except Exception:
                _log.exception("a listener to observations failed")

    @staticmethod
    def _refuse(group: list[_Waiting], error: Exception) -> None:
        for waiting in group:
            if not waiting.done.done():
                waiting.done.set_exception(error)
                waiting.done.exception()
