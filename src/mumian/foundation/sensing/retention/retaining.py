"""Retaining: the background job that keeps aggregates up to date and removes what no declaration keeps any longer."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Int64
from mumian.foundation.sensing.retention import aggregates, store
from mumian.foundation.sensing.retention.aggregates import DAYS, HOURS, KEPT, Aggregates
from mumian.foundation.sensing.retention.models import RetentionSpec
from mumian.foundation.sensing.retention.removing import Removing
from mumian.foundation.sensing.retention.rules import DAY, HOUR, cutoff
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.storage.contracts import Lake, LakeTransaction
from mumian.kernel.background import Loop
from mumian.kernel.errors import Unavailable
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_PAUSE_SECONDS = 600.0
_CHUNK_ROWS = 1_000_000
_log = logging.getLogger("mumian.sensing")


@dataclass(frozen=True, eq=False)
class Policy:
    """A declaration in force and the streams that it decides for, with what the lake knows of each: see `aggregates.KEPT`."""

    name: str
    version: int
    spec: RetentionSpec
    streams: Int64
    aggregated: Int64
    before: Int64
    hours_before: Int64


class Retaining:
    """One round an hour of the city's clock: fold, aggregate, remove, each part durable before the next begins."""

    name = "sensing retention"

    def __init__(self, platform: Platform, sensing: Sensing, kept: Aggregates) -> None:
        self._platform = platform
        self._sensing = sensing
        self._aggregates = kept
        self._removing = Removing(platform, sensing)
        self._loop = Loop(self.name, platform.clock, self._look, _PAUSE_SECONDS)
        self._last: tuple[int, int] | None = None
        self._there = False

    async def start(self) -> None:
        """Tell of removals that were cut off, and begin."""
        await self._removing.reconcile()
        lake = self._lake
        self._there = await asyncio.to_thread(lake.has, KEPT)
        if self._there:
            await asyncio.to_thread(self._aggregates.refresh)
        self._loop.start()

    async def stop(self) -> None:
        """End after the round under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Do a round if one is due by the city's clock."""
        return await self._look()

    async def _look(self) -> bool:
        now = microseconds(self._platform.clock.now())
        due = (now // HOUR, self._platform.declarations.revision)
        if self._last == due or not (self._platform.declarations.all("Retention")):
            return False
        try:
            done = await self.round(now)
        except Unavailable as error:
            _log.warning("retention waits: %s", error)
            return False
        self._last = due
        return done

    @property
    def _lake(self) -> Lake:
        return self._platform.get(Lake)  # type: ignore[type-abstract]

    async def round(self, now: int) -> bool:
        """Bring the aggregates up to date and remove what is over; True if anything was."""
        seals = self._platform.get(LakeSeals)
        if not self._there:
            for table in (HOURS, DAYS, KEPT):
                await seals.create(table)
            self._there = True
        folding = self._sensing.folding
        await folding.fold()
        done = False
        async with folding.lock:
            top = self._sensing.recorder.tail.rows().ids[: self._sensing.recorder.folded]
            last = max(int(top.max(initial=0)), await asyncio.to_thread(self._sensing.finder.highest_id))
            for policy in await asyncio.to_thread(self._policies):
                async with seals.writing(HOURS.name):
                    done = await asyncio.to_thread(self._aggregate, policy, last) or done
                before = cutoff(now, policy.spec.raw_days, policy.spec.utc_offset_hours)
                done = await self._removing.remove(policy.name, policy.version, policy.streams, before, last) or done
                async with seals.writing(HOURS.name):
                    await asyncio.to_thread(self._prune, policy, now)
            await asyncio.to_thread(self._aggregates.refresh)
            if done:
                async with seals.writing(HOURS.name):
                    await asyncio.to_thread(self._tidy)
        return done

    def _policies(self) -> list[Policy]:
        """The declarations in force, the more precise deciding where several fit a stream."""
        declared = sorted(self._platform.declarations.all("Retention"), key=lambda d: (-d.spec.precision, d.name))

        def work(session: Session) -> list[list[int]]:
            return [store.matched(session, one.spec) for one in declared]

        taken: set[int] = set()
        policies = []
        for one, streams in zip(declared, self._platform.records.read_now(work), strict=True):
            own = np.array([stream for stream in streams if stream not in taken], np.int64)
            taken |= set(streams)
            if len(own):
                policies.append(Policy(one.name, one.version, one.spec, own, *self._known(own)))
        return policies

    def _known(self, streams: Int64) -> tuple[Int64, Int64, Int64]:
        found = self._lake.columns(
            f"SELECT w.stream, coalesce(k.aggregated, 0) AS aggregated, coalesce(k.before, {NONE + 1}) AS before, "
            f"coalesce(k.hours_before, {NONE + 1}) AS hours_before FROM wanted w LEFT JOIN {KEPT.name} k USING (stream) "
            "ORDER BY w.stream",
            {"wanted": {"stream": streams}},
        )
        return tuple(found[name].astype(np.int64) for name in ("aggregated", "before", "hours_before"))  # type: ignore[return-value]

    def _aggregate(self, policy: Policy, last: int) -> bool:
        """Take account of all observations up to the id `last` that are not in the aggregates yet."""
        hidden = self._hidden()
        changed = self._changed(policy, last, hidden)
        fresh = policy.aggregated < last
        if not len(changed["stream"]) and not fresh.any():
            return False
        lake = self._lake
        for chunk in _chunks(changed):
            with lake.transaction() as work:
                aggregates.make_hours(work, chunk, hidden)
        shift = policy.spec.utc_offset_hours * HOUR
        days = np.unique(np.stack([changed["stream"], (changed["time"] + shift) // DAY * DAY - shift]), axis=1)
        whole = days[:, days[1] >= policy.hours_before[np.searchsorted(policy.streams, days[0])]]
        with lake.transaction() as work:
            if whole.size:
                aggregates.make_days(work, {"stream": whole[0], "time": whole[1]})
            late = {"stream": policy.streams, "since": policy.aggregated, "before": policy.before}
            if (policy.before > NONE + 1).any():
                aggregates.add_late(work, {**late, "shift": np.full(len(policy.streams), shift)}, hidden, last)
            self._remember(work, policy, "aggregated", np.full(len(policy.streams), last))
        return bool(len(changed["stream"]))

    def _hidden(self) -> Int64:
        amendments: Any = getattr(self._sensing, "amendments", None)
        hidden: Int64 = np.empty(0, np.int64) if amendments is None else amendments.hidden
        return hidden

    def _changed(self, policy: Policy, last: int, hidden: Int64) -> dict[str, Int64]:
        """The hours that are still there, to which something came or of which something was deleted, and how much they hold."""
        hour = "(o.time - ((o.time % 3600000000) + 3600000000) % 3600000000)"
        found = self._lake.columns(
            f"SELECT o.stream, {hour} AS hour, count(*) AS count FROM observation o "
            "JOIN wanted w ON o.stream = w.stream AND o.time >= w.before "
            "WHERE (o.id > w.aggregated OR o.id IN (SELECT id FROM hidden)) AND o.id <= $last "
            "GROUP BY o.stream, hour ORDER BY 2, 1",
            {
                "wanted": {"stream": policy.streams, "aggregated": policy.aggregated, "before": policy.before},
                "hidden": {"id": hidden},
            },
            last=last,
        )
        return {"stream": found["stream"], "time": found["hour"], "count": found["count"]}

    @staticmethod
    def _remember(work: LakeTransaction, policy: Policy, column: str, values: Int64) -> None:
        known = {"aggregated": policy.aggregated, "before": policy.before, "hours_before": policy.hours_before, column: values}
        work.offer("kept_now", {"stream": policy.streams, **known})
        work.execute(f"DELETE FROM {KEPT.name} k WHERE EXISTS (SELECT 1 FROM kept_now n WHERE n.stream = k.stream)")
        work.execute(
            f"INSERT INTO {KEPT.name} (stream, aggregated, before, hours_before) SELECT stream, aggregated, "
            f"nullif(before, {NONE + 1}), nullif(hours_before, {NONE + 1}) FROM kept_now"
        )
        getattr(policy, column)[:] = values

    def _prune(self, policy: Policy, now: int) -> None:
        """Remember what was removed, and remove aggregates whose time is over."""
        spec = policy.spec
        with self._lake.transaction() as work:
            before = cutoff(now, spec.raw_days, spec.utc_offset_hours)
            self._remember(work, policy, "before", np.maximum(policy.before, before))
            work.offer("own", {"stream": policy.streams})
            for table, days in ((HOURS.name, spec.hourly_days), (DAYS.name, spec.daily_days)):
                if days is not None:
                    end = cutoff(now, days, spec.utc_offset_hours)
                    work.execute(f"DELETE FROM {table} WHERE stream IN (SELECT stream FROM own) AND time < $end", end=end)
                    if table == HOURS.name:
                        self._remember(work, policy, "hours_before", np.maximum(policy.hours_before, end))

    def _tidy(self) -> None:
        """Merge the small files of the aggregates."""
        for table in (HOURS, DAYS, KEPT):
            with self._lake.transaction() as work:
                work.rows(f"CALL ducklake_rewrite_data_files('lake', '{table.name}', delete_threshold => 0)")
            self._lake.compact(table.name, datetime.now(UTC) - timedelta(minutes=10))


def _chunks(changed: dict[str, Int64]) -> Iterator[dict[str, Int64]]:
    """Hours in parts that hold about a million observations each."""
    if not len(changed["stream"]):
        return
    part = np.cumsum(changed["count"]) // _CHUNK_ROWS
    for rows in np.split(np.arange(len(part)), np.flatnonzero(np.diff(part)) + 1):
        yield {"stream": changed["stream"][rows], "time": changed["time"][rows]}
