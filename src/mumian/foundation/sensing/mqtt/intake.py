"""Intake: publishes of all connections become few batches, each acknowledged when it is durable, in the order they came."""

import asyncio
import logging
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Int64, Observations
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.mqtt.entries import BUSY, Entry
from mumian.foundation.sensing.mqtt.refusals import Refusals
from mumian.foundation.sensing.rules import microseconds, parse_times
from mumian.foundation.sensing.sta import ingest
from mumian.foundation.sensing.sta.writing import observing
from mumian.kernel.errors import Invalid, MumianError, Unavailable
from mumian.kernel.unit_of_work import SYSTEM

_log = logging.getLogger("mumian.sensing")


class Quick(msgspec.Struct, forbid_unknown_fields=True):
    """The common observation: a time and a number."""

    time: str = msgspec.field(name="phenomenonTime")
    result: float | None


class _Run:
    """Common observations that came one after another."""

    __slots__ = ("entries", "results", "streams", "times")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.streams: list[int] = []
        self.times: list[str] = []
        self.results: list[float | None] = []


_quick = msgspec.json.Decoder(Quick).decode


class Intake:
    """Takes publishes on the event loop; while one batch is being made durable the next one gathers."""

    def __init__(self, sensing: Sensing, refusals: Refusals) -> None:
        self._sensing = sensing
        self._refusals = refusals
        self._entries: list[Entry] = []
        self._parts: list[_Run | Entry] = []
        self._task: asyncio.Task[None] | None = None
        self.size = 0

    def observe(self, entry: Entry, stream: int | None) -> None:
        """Take one observation, for `stream` or for the one that it names."""
        entry.stream = stream
        if stream is not None:
            try:
                quick = _quick(entry.payload)
            except (ValueError, RecursionError):
                pass
            else:
                run = self._parts[-1] if self._parts else None
                if type(run) is not _Run:
                    run = _Run()
                    self._parts.append(run)
                run.entries.append(entry)
                run.streams.append(stream)
                run.times.append(quick.time)
                run.results.append(quick.result)
                self.take(entry)
                return
        self._parse_one(entry)
        self._parts.append(entry)
        self.take(entry)

    def observe_many(self, entry: Entry) -> None:
        """Take the observations of a CreateObservations body."""
        try:
            self._keep(entry, ingest.parse_many(entry.payload, self._sensing.settings.batch_rows), single=False)
        except MumianError as error:
            entry.fail(error)
        self._parts.append(entry)
        self.take(entry)

    def take(self, entry: Entry) -> None:
        """Take a publish that needs nothing more, has failed, or has `work` of its own."""
        self._entries.append(entry)
        self.size += len(entry.payload)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def idle(self) -> None:
        """Wait until all is done."""
        while self._task is not None:
            await self._task

    async def _run(self) -> None:
        try:
            while self._entries:
                entries, parts = self._entries, self._parts
                self._entries, self._parts, self.size = [], [], 0
                try:
                    await self._commit(entries, parts)
                except Exception:
                    _log.exception("publishes failed")
                    for entry in entries:
                        entry.fail(Unavailable(reason="the observations could not be recorded"))
                _settle(entries)
        finally:
            self._task = None

    async def _commit(self, entries: list[Entry], parts: list[_Run | Entry]) -> None:
        owners, batches = self._batches(parts)
        if batches:
            await self._record(*self._admitted(owners, Observations.concat(batches)))
        works = [(entry, entry.work) for entry in entries if entry.work is not None]
        if works:
            for (entry, _), outcome in zip(
                works, await asyncio.gather(*(w for _, w in works), return_exceptions=True), strict=True
            ):
                if isinstance(outcome, MumianError):
                    entry.fail(outcome)
                elif isinstance(outcome, BaseException):
                    _log.error("a publish to %s failed", entry.topic, exc_info=outcome)
                    entry.fail(Unavailable(reason="the publish failed"))
        refused = [entry for entry in entries if entry.error is not None and entry.code != BUSY]
        if refused:
            await self._refusals.keep(refused)

    def _batches(self, parts: list[_Run | Entry]) -> tuple[list[Entry], list[Observations]]:
        """The batches of all parts in their order, and the entry of each message that has rows."""
        owners: list[Entry] = []
        batches: list[Observations] = []
        for part in parts:
            if isinstance(part, _Run):
                times, bad = parse_times(part.times)
                if bad < 0:
                    owners += part.entries
                    for entry in part.entries:
                        entry.rows = 1
                    results = np.array(part.results, np.float64)
                    batches.append(Observations(np.array(part.streams, np.int64), times, results))
                    continue
            for entry in part.entries if isinstance(part, _Run) else [part]:
                if isinstance(part, _Run):
                    self._parse_one(entry)
                if entry.parsed is not None and len(entry.parsed.batch):
                    entry.rows = len(entry.parsed.batch)
                    owners.append(entry)
                    batches.append(entry.parsed.batch)
        return owners, batches

    def _admitted(self, owners: list[Entry], batch: Observations) -> tuple[list[Entry], Observations]:
        """Those whose callers may write all their streams; the others are refused."""
        if not self._sensing.guards:
            return owners, batch
        ends = np.cumsum([entry.rows for entry in owners])
        streams = dict(zip(owners, np.split(batch.streams, ends[:-1]), strict=True))
        by_sender: dict[int, list[Entry]] = {}
        for entry in owners:
            by_sender.setdefault(id(entry.sender), []).append(entry)
        refused: dict[Entry, MumianError] = {}
        for own in by_sender.values():
            if self._objection(own[0].sender.caller, np.concatenate([streams[entry] for entry in own])) is not None:
                for entry in own:
                    error = self._objection(entry.sender.caller, streams[entry])
                    refused |= {} if error is None else {entry: error}
        if not refused:
            return owners, batch
        rest = _without(owners, batch, {place for place, entry in enumerate(owners) if entry in refused})
        for entry, error in refused.items():
            entry.fail(error)
        return rest

    def _objection(self, caller: Caller | None, streams: Int64) -> MumianError | None:
        try:
            if caller is not None:
                self._sensing.admit(caller, np.unique(streams))
        except MumianError as error:
            return error
        return None

    async def _record(self, owners: list[Entry], batch: Observations) -> None:
        """Record a batch; entries with bad rows are refused, and the rest goes on without them."""
        while len(batch):
            try:
                await self._sensing.recorder.record(batch)
                return
            except BadRows as error:
                ends = np.cumsum([entry.rows for entry in owners])
                places = np.searchsorted(ends, error.rows, side="right")
                bad = set(places.tolist())
                rest = _without(owners, batch, bad)
                for place in bad:
                    _refuse(owners[place], error, np.flatnonzero(places == place), int(ends[place]) - owners[place].rows)
                owners, batch = rest
            except MumianError as error:
                for entry in owners:
                    entry.fail(error)
                return

    def _keep(self, entry: Entry, parsed: ingest.Parsed, single: bool) -> None:
        """Keep what was parsed for the batch; what names or brings a feature of interest goes a way of its own."""
        if parsed.features is None and parsed.inline is None:
            entry.parsed = parsed
        else:
            entry.work = observing.record(self._sensing, parsed, entry.sender.caller or Caller(SYSTEM), single)

    def _parse_one(self, entry: Entry) -> None:
        now = microseconds(self._sensing.platform.clock.now())
        try:
            self._keep(entry, ingest.parse_one(entry.payload, entry.stream, now), single=True)
        except MumianError as error:
            entry.fail(error)


def _without(owners: list[Entry], batch: Observations, bad: set[int]) -> tuple[list[Entry], Observations]:
    """The entries but for those at the places `bad`, and their rows."""
    keep = np.repeat([place not in bad for place in range(len(owners))], [entry.rows for entry in owners])
    return [entry for place, entry in enumerate(owners) if place not in bad], batch.take(np.flatnonzero(keep))


def _refuse(entry: Entry, error: BadRows, which: Any, first: int) -> None:
    rows = [error.rows[at] - first for at in which]
    own = BadRows(rows, [error.faults[at] for at in which], len(rows))
    if entry.parsed is not None:
        entry.fail(ingest.placed(own, entry.parsed, entry.topic[-12:] == "Observations" and "Create" not in entry.topic))
    else:
        entry.fail(Invalid(*own.faults))


def _settle(entries: list[Entry]) -> None:
    by_sender: dict[int, list[Entry]] = {}
    for entry in entries:
        by_sender.setdefault(id(entry.sender), []).append(entry)
    for own in by_sender.values():
        own[0].sender.settled(own)
