"""Importing: a CSV or Parquet file into the lake by set-based SQL; good rows go in, bad ones are listed with their lines."""

import asyncio
import time as clock
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mumian.foundation.sensing.contracts import ImportReport, Int64, Observations
from mumian.foundation.sensing.rules import Known, decide, distinct, microseconds
from mumian.foundation.sensing.service.files import Sifted, Source, fill, sift
from mumian.foundation.sensing.service.finder import TABLE, Finder, columns_of
from mumian.foundation.sensing.service.folding import IMPORT, Folding
from mumian.foundation.sensing.service.recorder import Recorder
from mumian.foundation.sensing.service.tail import match
from mumian.foundation.storage.contracts import Lake, LakeTransaction, Position
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform


@dataclass(frozen=True, eq=False)
class Spans:
    """By stream: the earliest and the latest time of the rows to import, the row of the latest, and how many rows."""

    streams: Int64
    first: Int64
    last: Int64
    last_row: Int64
    counts: Int64


class Importing:
    """One import at a time; observations may be recorded meanwhile, but for the moment in which repeats are told."""

    def __init__(self, platform: Platform, recorder: Recorder, folding: Folding, finder: Finder) -> None:
        self._platform = platform
        self._recorder = recorder
        self._folding = folding
        self._finder = finder

    async def run(self, path: Path, stream: str | None, stream_column: str | None, time: str, result: str) -> ImportReport:
        """Import one file; see `api.import_file`."""
        started = clock.perf_counter()
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(kind="file", name=str(path))
        registry = self._recorder.registry
        one = registry.named(stream) if stream is not None else None
        columns = {"time": time, "result": result} | ({} if stream_column is None else {"stream": stream_column})
        source = Source(path, columns, one, registry.all(), microseconds(self._platform.clock.now()), self._ahead)
        await self._folding.fold()
        async with self._folding.lock:
            sifted = await asyncio.to_thread(self._read, source)
            async with self._recorder.deciding:
                # What came meanwhile goes first: a batch's ids are then all its own.
                await self._folding.fold_held()
                accepted = await self._keep(path.name, sifted) if sifted.good else 0
        self._folding.changed()
        seconds = clock.perf_counter() - started
        rows, broken = sifted.good, sifted.broken
        return ImportReport(str(path), rows + len(broken), accepted, rows - accepted, broken, seconds)

    @property
    def _lake(self) -> Lake:
        return self._platform.get(Lake)  # type: ignore[type-abstract]

    @property
    def _ahead(self) -> int:
        return self._folding.settings.future_seconds * 1_000_000

    def _read(self, source: Source) -> Sifted:
        """Read the file into the temporary table `imported` (stream, time, result, broken), and tell what is broken."""
        with self._lake.transaction() as work:
            filled = fill(work, source)
        with self._lake.transaction() as work:
            return sift(work, source, filled)

    async def _keep(self, source: str, sifted: Sifted) -> int:
        """Move what is new from `imported` to the lake, in one commit; returns how many rows that is."""
        spans, rows = await asyncio.to_thread(self._load, sifted)
        tail = self._recorder.tail
        tail.make_room(self._recorder.registry.highest)
        apart = bool((spans.first > tail.latest.times[spans.streams]).all())
        whole = apart and await asyncio.to_thread(distinct, rows.streams, rows.times)
        first_id = self._recorder.next_id
        if not whole:
            rows = await asyncio.to_thread(self._new, rows, first_id)
            if not len(rows):
                return 0
        ids = np.arange(first_id, first_id + len(rows), dtype=np.int64)
        rows = await asyncio.to_thread(self._recorder.judged, rows.numbered(ids), False)
        position = Position(IMPORT, first_id + len(rows) - 1)

        def work() -> None:
            with self._lake.transaction() as transaction:
                self._insert(transaction, rows)
                transaction.advance(position)

        # Taken even if the commit fails: it may have reached the lake all the same.
        self._recorder.next_id = first_id + len(rows)
        await self._folding.commit(rows, source, position, work)
        self._take_note(rows, spans if whole else None)
        return len(rows)

    def _load(self, sifted: Sifted) -> tuple[Spans, Observations]:
        good = "FROM imported" + (" WHERE NOT broken" if len(sifted.left_out) else "")
        with self._lake.transaction() as work:
            spans = work.columns(
                "SELECT stream AS streams, min(time) AS first, max(time) AS last, arg_max(rowid, time) AS last_row, "
                f"count(*) AS counts {good} GROUP BY stream"
            )
            found = work.columns(f"SELECT stream, time, result {good}")
        spans["last_row"] -= np.searchsorted(sifted.left_out, spans["last_row"])
        return Spans(**spans), Observations(found["stream"], found["time"], found["result"].astype(np.float64, copy=False))

    def _new(self, rows: Observations, first_id: int) -> Observations:
        """The rows that are no repeats of each other, of the lake or of what waits for it."""
        with self._lake.transaction() as work:
            lake = work.columns(
                "SELECT o.id, o.stream, o.time, o.result, o.detail FROM observation o "
                "SEMI JOIN (SELECT stream, time FROM imported WHERE NOT broken) USING (stream, time)"
            )
        waiting = self._recorder.tail.rows(self._recorder.folded)
        details = lake["detail"] if any(text is not None for text in lake["detail"]) else None
        columns = (lake["stream"], lake["time"], lake["result"].astype(np.float64), lake["id"])
        in_lake = Observations(*columns, details=details)
        held = Observations.concat([in_lake, waiting]) if len(lake["id"]) else waiting
        known: Known = match(held, rows.streams, rows.times)
        return rows.take(np.flatnonzero(decide(rows, known, first_id).new))

    @staticmethod
    def _insert(work: LakeTransaction, rows: Observations) -> None:
        work.execute("DROP TABLE imported")
        columns = {name: values for name, values in columns_of(rows).items() if name != "result_time"}
        work.offer("fresh_rows", columns)
        names = ", ".join(columns)
        work.execute(f"INSERT INTO {TABLE.name} ({names}, result_time) SELECT {names}, NULL FROM fresh_rows")

    def _take_note(self, rows: Observations, spans: Spans | None) -> None:
        """Let memory know the newest of each stream, and that the lake has more than memory does."""
        tail = self._recorder.tail
        if spans is None:
            tail.advance(rows)
            tail.forget_before(rows.streams, rows.times)
            return
        tail.spans.widen(spans.streams, spans.first, spans.last)
        newest = rows.take(spans.last_row)
        tail.advance(newest)
        tail.latest.counts[spans.streams] += spans.counts - 1
        tail.forget_before(newest.streams, newest.times)
