"""Folding: moves observations from the journal into the lake, each exactly once, and tells what came to rest there."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.sensing import store
from mumian.foundation.sensing.contracts import NONE, Observations
from mumian.foundation.sensing.events import ObservationsRecorded
from mumian.foundation.sensing.journal.format import Answer
from mumian.foundation.sensing.journal.segments import Journal
from mumian.foundation.sensing.rules import by_stream, digest, instant, microseconds
from mumian.foundation.sensing.service.finder import ROWS, TABLE, Finder, columns_of
from mumian.foundation.sensing.service.recorder import Recorder
from mumian.foundation.sensing.settings import SensingSettings
from mumian.foundation.storage.contracts import Lake, Position
from mumian.kernel.background import Loop
from mumian.kernel.errors import Unavailable
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

JOURNAL = "sensing.journal"
IMPORT = "sensing.import"
_LOOK_SECONDS = 0.25
_log = logging.getLogger("mumian.sensing")


class Folding:
    """The background job of sensing: recovers at the start, folds as time passes, folds the rest at the end."""

    name = "sensing"

    def __init__(self, platform: Platform, recorder: Recorder, finder: Finder, settings: SensingSettings) -> None:
        self._platform = platform
        self._recorder = recorder
        self._finder = finder
        self.settings = settings
        self._folding = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self._look, _LOOK_SECONDS)
        self._folded = time.monotonic()
        self._started = False
        self._commits = 0
        self._doubtful = False
        self._attempt: tuple[int, int] | None = None

    async def start(self) -> None:
        """Recover the journal, warm the memory from the lake, and begin to take observations."""
        folder = self._platform.home / "journal"
        fresh = await self._platform.get(LakeSeals).create(TABLE)
        journal = await asyncio.to_thread(Journal, folder, self.settings.segment_bytes)
        try:
            await asyncio.to_thread(self._recover, journal, fresh)
        except BaseException:
            journal.close()
            raise
        await self._reconcile()
        self._recorder.start(journal)
        self._started = True
        self._loop.start()

    async def stop(self) -> None:
        """Take no more observations, fold what there is, and close."""
        if not self._started:
            return
        self._started = False
        await self._loop.stop()
        await self._recorder.stop()
        try:
            await self.fold()
        except Unavailable as error:
            _log.warning("observations stay in the journal: %s", error)
        self._recorder.close()

    async def settle(self) -> bool:
        """Fold now, if enough waits."""
        await self._recorder.idle()
        waiting = len(self._recorder.tail) - self._recorder.folded
        return waiting >= self.settings.settle_rows and await self.fold()

    async def fold(self) -> bool:
        """Move all that waits into the lake; True if there was anything. Raises Unavailable, and then it still waits."""
        async with self._folding:
            return await self.fold_held()

    async def fold_held(self) -> bool:
        """`fold` for who holds the lock."""
        recorder = self._recorder
        if self._doubtful:
            await self._resolve()
        rows, sequence = recorder.tail.rows(recorder.folded), recorder.sequence
        answers = recorder.answers.take_fresh()
        if not len(rows) and not answers:
            return False
        try:
            await self._move(rows, sequence, answers)
        except BaseException:
            recorder.answers.fresh[:0] = answers
            raise
        recorder.folded += len(rows)
        self._trim()
        await recorder.release(sequence)
        await self._compact()
        return True

    async def commit(self, rows: Observations, source: str, position: Position, work: Callable[[], None]) -> None:
        """Commit rows to the lake by `work` and tell of them, exactly once even if the process ends in between.

        When it raises, the lake has none of the rows, or it is not known whether it has: then the next fold finds out first.
        """
        facts = await asyncio.to_thread(summary, rows, source, position.value)
        async with self._platform.get(LakeSeals).writing(TABLE.name) as change:
            await self._platform.records.write(lambda tx: store.plan_fold(tx, facts))
            self._doubtful = True
            try:
                await asyncio.to_thread(work)
            except Exception:
                if not await asyncio.to_thread(self._reached, position):
                    raise
            try:
                await change.tell(lambda tx: _recorded(tx, facts))
            except Unavailable as error:
                _log.warning("what came to rest in the lake is told later: %s", error)
            else:
                self._doubtful = False

    def _reached(self, position: Position) -> bool:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        return lake.position(position.name) >= position.value

    async def _resolve(self) -> None:
        """Find out what became of a commit that failed halfway, and take account of it."""
        await self._reconcile()
        if self._attempt is not None and await asyncio.to_thread(self._reached, Position(JOURNAL, self._attempt[0])):
            self._recorder.folded += self._attempt[1]
        self._attempt, self._doubtful = None, False

    def changed(self) -> None:
        """Count a commit that added a data file."""
        self._commits += 1

    @property
    def lock(self) -> asyncio.Lock:
        """Held while anything is written to the lake's observations."""
        return self._folding

    async def _move(self, rows: Observations, sequence: int, answers: list[Answer]) -> None:
        if answers:
            await self._platform.records.write(lambda tx: self._keep(tx, answers))
        if len(rows):
            lake, position = self._platform.get(Lake), Position(JOURNAL, sequence)  # type: ignore[type-abstract]
            self._attempt = (sequence, len(rows))
            await self.commit(rows, "journal", position, lambda: _append(lake, rows, position))
            self._attempt = None
            self.changed()

    def _keep(self, tx: Transaction, answers: list[Answer]) -> None:
        rows = [
            {"key": a.key, "digest": a.digest, "answer": json.dumps([a.ids, a.count, a.repeated]), "time": a.time}
            for a in answers
        ]
        oldest = microseconds(tx.now) - self.settings.answer_seconds * 1_000_000
        store.keep_answers(tx, rows, oldest, self.settings.answers)

    def _trim(self) -> None:
        recorder = self._recorder
        surplus = min(recorder.folded, len(recorder.tail) - self.settings.tail_rows)
        # Dropping copies what stays: do it seldom.
        if surplus > self.settings.tail_rows // 4:
            recorder.tail.drop(surplus)
            recorder.folded -= surplus

    async def _compact(self) -> None:
        if self._commits >= self.settings.compact_files:
            self._commits = 0
            keep = datetime.now(UTC) - timedelta(minutes=10)
            lake = self._platform.get(Lake)  # type: ignore[type-abstract]
            async with self._platform.get(LakeSeals).writing(TABLE.name):
                await asyncio.to_thread(lake.compact, TABLE.name, keep)

    def _recover(self, journal: Journal, fresh: bool) -> None:
        recorder = self._recorder
        recorder.amendments.refresh()
        recorder.tail.make_room(recorder.registry.highest)
        position = 0 if fresh else self._warm()
        kept = self._platform.records.read_now(store.answers)
        recorder.answers.add([_answer(row) for row in kept], fresh=False)
        recorder.sequence = position
        for record in journal.recover():
            recorder.sequence = record.sequence
            recorder.answers.add(record.answers)
            recorder.next_id = max(recorder.next_id, record.first_id + len(record.rows))
            if record.sequence > position:
                recorder.tail.make_room(int(record.rows.streams.max(initial=0)))
                recorder.tail.append(record.rows)
        recorder.sequence = max(recorder.sequence, position)
        recorder.tail.hidden = recorder.tail.hidden[:0]

    def _warm(self) -> int:
        """Let memory know the newest that the lake has; returns how far of the journal the lake has come."""
        lake, recorder = self._platform.get(Lake), self._recorder  # type: ignore[type-abstract]
        recorder.next_id = max(self._finder.highest_id(), lake.position(IMPORT)) + 1
        recorder.tail.hidden = recorder.amendments.hidden
        newest = self._finder.newest(recorder.amendments.hidden)
        recorder.tail.make_room(max(recorder.registry.highest, int(newest.rows.streams.max(initial=0))))
        recorder.tail.forget_before(newest.rows.streams, newest.rows.times)
        recorder.tail.advance(newest.rows)
        recorder.tail.latest.counts[newest.rows.streams] = newest.counts
        recorder.tail.spans.put(newest.rows.streams, newest.spans)
        return lake.position(JOURNAL)

    async def _reconcile(self) -> None:
        """Write down of every planned fold whether the lake has it: the process may have ended before."""
        planned = await self._platform.records.read(store.planned_folds)
        if not planned:
            return
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        reached = {name: await asyncio.to_thread(lake.position, name) for name in (JOURNAL, IMPORT)}

        def work(tx: Transaction) -> None:
            for row in planned:
                if row["position"] <= reached[JOURNAL if row["source"] == "journal" else IMPORT]:
                    _recorded(tx, row)
                else:
                    store.forget_fold(tx, row["first_id"], row["last_id"])

        async with self._platform.get(LakeSeals).writing(TABLE.name) as change:
            await change.tell(work)

    async def _look(self) -> None:
        """Fold if enough waits, or long enough."""
        waiting = len(self._recorder.tail) - self._recorder.folded
        if waiting < self.settings.fold_rows and time.monotonic() - self._folded < self.settings.fold_seconds:
            return
        self._folded = time.monotonic()
        try:
            await self.fold()
        except Unavailable as error:
            _log.warning("observations wait in the journal: %s", error)


def _append(lake: Lake, rows: Observations, position: Position) -> None:
    """Add rows to the lake, and remember in the same commit how far it has come: readers tell by it what still waits.

    They lie there stream by stream, so that whoever reads a stream reads little else.
    """
    columns = columns_of(rows.take(by_stream(rows)))
    values = ", ".join(f"nullif({n}, {NONE})" if a.dtype.kind == "i" else n for n, a in columns.items())
    with lake.transaction() as work:
        work.offer("incoming_rows", columns)
        work.execute(f"INSERT INTO {TABLE.name} ({', '.join(columns)}) SELECT {values} FROM incoming_rows")
        work.advance(position)
        work.advance(Position(ROWS, int(rows.ids[-1])))


def summary(rows: Observations, source: str, position: int) -> Row:
    """The facts of a fold: count, streams, ids, span of time, digest."""
    return {
        "position": position,
        "source": source,
        "first_id": int(rows.ids.min()),
        "last_id": int(rows.ids.max()),
        "observations": len(rows),
        "streams": int(np.count_nonzero(np.bincount(rows.streams))),
        "start_time": int(rows.times.min()),
        "end_time": int(rows.times.max()),
        "digest": digest(rows),
    }


def _recorded(tx: Transaction, facts: Row) -> None:
    store.finish_fold(tx, facts["first_id"], facts["last_id"])
    tx.emit(
        ObservationsRecorded(
            subject=facts["source"],
            count=facts["observations"],
            streams=facts["streams"],
            first_id=facts["first_id"],
            last_id=facts["last_id"],
            start=instant(facts["start_time"]),
            end=instant(facts["end_time"]),
            digest=facts["digest"],
        )
    )


def _answer(row: Row) -> Answer:
    ids, count, repeated = json.loads(row["answer"])
    return Answer(row["key"], row["digest"], ids, count, repeated, row["time"])
