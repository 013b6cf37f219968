"""Sensing for other components: `platform.get(Sensing)` records observations, tells of them, and finds them again."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mumian.foundation.identity.contracts import Caller
from mumian.foundation.ledger.api import Fault
from mumian.foundation.sensing import rules, store
from mumian.foundation.sensing.contracts import NONE, ImportReport, Int64, Observations, Receipt, StreamInfo, Texts
from mumian.foundation.sensing.flags import good
from mumian.foundation.sensing.ports import DeviceTopics, Post, TaskKeeper
from mumian.foundation.sensing.rules import instant, microseconds
from mumian.foundation.sensing.service.amending import Amendments
from mumian.foundation.sensing.service.evidence import faults
from mumian.foundation.sensing.service.finder import Finder
from mumian.foundation.sensing.service.folding import Folding
from mumian.foundation.sensing.service.recorder import Recorder
from mumian.foundation.sensing.service.registry import Registry
from mumian.foundation.sensing.service.tail import Tail
from mumian.foundation.sensing.settings import SensingSettings
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "DeviceTopics",
    "ImportReport",
    "Observations",
    "Post",
    "Receipt",
    "Sensing",
    "StreamInfo",
    "TaskKeeper",
    "good",
    "import_file",
    "instant",
    "microseconds",
]


class Sensing:
    """Streams and their observations. `window`, `latest` and `streams` may be called from any thread.

    `amendments` tells what was changed or deleted; `observed` remembers pairs of stream and feature of interest that are known.
    `tasks` and `topics` are offered by whoever keeps tasks and devices; `post` is there while MQTT is spoken here.
    """

    def __init__(self, platform: Platform, settings: SensingSettings | None = None) -> None:
        self.settings = settings or SensingSettings()
        self.platform = platform
        self.guards: list[Callable[[Caller, Int64], None]] = []
        self.observed: set[tuple[int, int]] = set()
        self.tasks: TaskKeeper | None = None
        self.topics: DeviceTopics | None = None
        self.post: Post | None = None
        self.tail = Tail()
        self.registry = Registry(platform.records, platform.declarations)
        self.finder = Finder(lambda: platform.get(Lake))  # type: ignore[type-abstract]
        self.amendments = Amendments(platform.records, self.registry)
        self.recorder = Recorder(self.registry, self.tail, self.finder, self.amendments, platform.clock, self.settings)
        self.folding = Folding(platform, self.recorder, self.finder, self.settings)

    def stream(self, name: str) -> StreamInfo:
        """The stream of that name; raises NotFound."""
        return self.registry.named(name)

    def streams(self, observed: Collection[str] | None = None) -> list[StreamInfo]:
        """All streams that take observations (of these observed properties, if any are named), by id.

        There may be a million of them: name what is wanted, or read `page` after `page`. Not to be called on the event loop then.
        """
        return self.registry.all() if observed is None else self.registry.observing(observed)

    @property
    def version(self) -> int:
        """A number that grows whenever streams were registered, changed, retired or deleted."""
        self.registry.refresh()
        return self.registry.version

    def page(self, after: int = 0, limit: int = 1000) -> list[StreamInfo]:
        """The first `limit` streams with ids above `after` that take observations, by id."""
        return self.registry.page(after, limit)

    async def record(self, batch: Observations, key: str | None = None) -> Receipt:
        """Record a batch, all or nothing; durable when it returns.

        A row with the stream, time and result of a known observation is a repeat: it is not stored again and gets the known id.
        Another result is a correction: both are kept, the newer counts. With `key` (unique for the sender) the whole batch is
        recorded once, however often it is sent, and gets the same receipt each time.
        Raises BadRows (an Invalid whose `rows` say which), KeyReused, StorageFull, Unavailable.
        """
        return await self.recorder.record(batch, key, rules.digest(batch) if key else "")

    def guard(self, guard: Callable[[Caller, Int64], None]) -> None:
        """Let `guard(caller, streams)` refuse writers: it raises Forbidden where the caller may not write one of the streams."""
        self.guards.append(guard)

    def admit(self, caller: Caller, streams: Int64) -> None:
        """What every face asks before it records for somebody; raises Forbidden, or whatever else a guard refuses with."""
        for guard in self.guards:
            guard(caller, streams)

    def listen(self, listener: Callable[[Observations], None]) -> None:
        """Call `listener` on the event loop with new observations (repeats left out), once they are durable, by id."""
        self.recorder.listen(listener)

    def window(self, streams: "ArrayLike", start: int, end: int, details: bool = False, good_only: bool = False) -> Observations:
        """The observations of these stream ids with start ≤ time < end (µs since 1970-01-01 UTC), by stream, then time.

        Each stream and time comes once, with its newest result, and what was deleted not at all; missing values, and results that
        are no numbers, are NaN. Details come only when they are asked for. With `good_only` those that something speaks against
        are left out (see `flags`; that nothing came for a while before is nothing against an observation).
        """
        wanted = np.unique(np.asarray(streams, np.int64))
        wanted = wanted[wanted > 0]
        complete, held = self.tail.complete, self.tail.rows()
        within = np.zeros(max(len(complete), int(wanted.max(initial=0)) + 1), np.bool_)
        within[wanted] = True
        near = (held.times >= start) & (held.times < end)
        recent = (held if details else replace(held, details=None)).take(np.flatnonzero(near & within[held.streams]))
        inside = wanted[wanted < len(complete)]
        older = inside[complete[inside] > start]
        if len(older):
            recent = Observations.concat([self.finder.window(older, start, end, details), recent])
        found = self.amendments.renumbered(rules.newest(self.amendments.left(recent)))
        return found.take(np.flatnonzero(good(found.flags))) if good_only and found.flags.any() else found

    def latest(self, streams: "ArrayLike | None" = None) -> Observations:
        """The newest observation of each of these stream ids (None: of all), by stream; those without any are left out."""
        every = np.arange(1, len(self.tail.latest.times))
        wanted: Int64 = every if streams is None else np.unique(np.asarray(streams, np.int64))
        newest = self.tail.newest(wanted)
        there = np.flatnonzero(newest.times != NONE)
        wanted = wanted[there]
        told: Texts | None = None
        if newest.details:
            told = np.array([*(newest.details.get(stream) for stream in wanted.tolist()), None], np.object_)[:-1]
        columns = (wanted, newest.times[there], newest.results[there], newest.ids[there])
        return self.amendments.shown(Observations(*columns, flags=newest.flags[there], details=told))

    def spans(self, streams: "ArrayLike") -> dict[int, tuple[tuple[int, int] | None, tuple[int, int] | None]]:
        """For each of these stream ids the first and the last phenomenon time, and the first and the last result time, in µs.

        Times of intervals count from their start to their end; None where there are no such times.
        """
        wanted = np.asarray(streams, np.int64)
        return dict(zip(wanted.tolist(), ((a, b) for a, b in self.tail.spans.of(wanted)), strict=True))

    def counts(self, streams: Iterable[int]) -> dict[int, int]:
        """How many observations each of these streams has, corrections included."""
        wanted = np.array(list(streams), np.int64)
        return dict(zip(wanted.tolist(), self.tail.newest(wanted).counts.tolist(), strict=True))

    def numbered(self, first_id: int, last_id: int) -> Observations:
        """The observations first_id … last_id, by id, from the lake and from what waits for it."""
        waiting = self.tail.rows(self.recorder.folded)
        waiting = waiting.take((waiting.ids >= first_id) & (waiting.ids <= last_id))
        kept = self.finder.numbered(first_id, last_id)
        rows = Observations.concat([kept, waiting.take(waiting.ids > kept.ids.max(initial=0))])
        return rows if len(rows) < 2 or (np.diff(rows.ids) > 0).all() else rows.take(np.argsort(rows.ids))

    @property
    def last_id(self) -> int:
        """The id of the newest observation; 0 when there is none."""
        return self.recorder.next_id - 1

    def faults(self) -> list[Fault]:
        """Every batch of observations, data file or part of the catalogue that is not as it was told."""
        return self.platform.records.read_now(lambda session: list(faults(session, self.platform, self.finder)))

    async def register(self, work: Callable[[Any], int], actor: Any) -> int:
        """Register streams by `work(transaction)`, which returns an id; they take observations at once."""
        made = await self.platform.records.write(work, actor)
        self.registry.changed()
        return made

    @property
    def things(self) -> Any:
        """The store of things, sensors, observed properties and streams."""
        return store


async def import_file(
    platform: Platform,
    path: Path,
    stream: str | None = None,
    stream_column: str | None = None,
    time: str = "time",
    result: str = "result",
) -> ImportReport:
    """Import a CSV or Parquet file; good rows go in, bad ones are listed with their lines.

    Either all rows are of one `stream`, or `stream_column` names the column with the names of the streams. `time` and `result`
    name the columns of the phenomenon time (ISO 8601; without an offset it is UTC) and of the result (empty or NA: missing).
    Raises Invalid when the file as a whole cannot be used.
    """
    from mumian.foundation.sensing.service.importing import Importing

    sensing = platform.get(Sensing)
    importing = Importing(platform, sensing.recorder, sensing.folding, sensing.finder)
    return await importing.run(path, stream, stream_column, time, result)
