"""Removing: takes observations out of the lake, after the batches they were told in were verified, and tells what is left."""

import asyncio
import logging
from typing import Any

import numpy as np

from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Int64
from mumian.foundation.sensing.removal import store
from mumian.foundation.sensing.removal.rules import Unit, spans
from mumian.foundation.sensing.rules import digest
from mumian.foundation.sensing.service.finder import TABLE
from mumian.foundation.sensing.service.folding import IMPORT
from mumian.foundation.storage.contracts import Lake, Position
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

REMOVAL = "sensing.removal"
_AT_ONCE = 16
_log = logging.getLogger("mumian.sensing")


class Removing:
    """For who holds the lock of folding, with nothing waiting for the lake."""

    def __init__(self, platform: Platform, sensing: Sensing) -> None:
        self._platform = platform
        self._sensing = sensing

    @property
    def _lake(self) -> Lake:
        return self._platform.get(Lake)  # type: ignore[type-abstract]

    async def reconcile(self) -> None:
        """Tell of removals that the lake has, though the process ended before it could; forget those that it never got."""
        planned = await self._platform.records.read(store.planned)
        if not planned:
            return
        reached = await asyncio.to_thread(self._lake.position, REMOVAL)

        def work(tx: Transaction) -> None:
            for number, facts in planned:
                if number <= reached:
                    store.told(tx, number, facts)
                else:
                    store.forget(tx, number)

        await self._platform.records.write(work)

    async def remove(self, name: str, version: int, streams: Int64, before: int, last: int) -> bool:
        """Remove what these streams have before a time, up to the id `last`; True if there was anything."""
        await self.reconcile()
        groups = await asyncio.to_thread(self._affected, streams, before, last)
        for start in range(0, len(groups), _AT_ONCE):
            facts = await asyncio.to_thread(self._facts, groups[start : start + _AT_ONCE], streams, before)
            if facts["spans"]:
                head = {"subject": name, "version": version, "streams": streams.tolist(), "before": before}
                await self._commit({**head, **facts}, streams, before, last)
        if groups:
            await self._forget(streams, before)
        return bool(groups)

    def _affected(self, streams: Int64, before: int, last: int) -> list[list[Unit]]:
        """The told units that hold anything to be removed, in groups."""
        own = {"wanted": {"stream": streams}}
        where = "FROM observation o SEMI JOIN wanted w ON o.stream = w.stream WHERE o.time < $before AND o.id <= $last"
        found = self._lake.columns(
            f"SELECT coalesce(min(o.id), 0) AS first, coalesce(max(o.id), 0) AS last {where}", own, before=before, last=last
        )
        first, end = int(found["first"][0]), int(found["last"][0])
        if not end:
            return []
        units = self._platform.records.read_now(lambda session: store.units_between(session, first, end))
        starts = np.array([unit.first for unit in units], np.int64)
        hit = self._lake.columns(
            f"SELECT DISTINCT u.place FROM (SELECT o.id {where}) o ASOF JOIN units u ON o.id >= u.first ORDER BY u.place",
            {**own, "units": {"first": starts, "place": np.arange(len(units))}},
            before=before,
            last=last,
        )
        return spans([units[place] for place in hit["place"].tolist()])

    def _facts(self, groups: list[list[Unit]], streams: Int64, before: int) -> dict[str, Any]:
        """What a removal will leave of each group; groups that are not as they were told are left alone: they are evidence."""
        found = []
        for group in groups:
            rows = self._sensing.finder.numbered(group[0].first, group[-1].last)
            edges = np.searchsorted(rows.ids, [unit.first for unit in group] + [group[-1].last + 1])
            told = all(
                int(end - start) == unit.count and (not unit.count or digest(rows.take(slice(start, end))) == unit.digest)
                for unit, start, end in zip(group, edges[:-1], edges[1:], strict=True)
            )
            if not told:
                _log.error(
                    "observations %d to %d are not as they were told; nothing of them is removed", group[0].first, group[-1].last
                )
                continue
            kept = rows.take(np.flatnonzero(~(np.isin(rows.streams, streams) & (rows.times < before))))
            span = {"first_id": group[0].first, "last_id": group[-1].last, "removed": len(rows) - len(kept), "kept": len(kept)}
            found.append({**span, "digest": digest(kept) if len(kept) else ""})
        return {"removed": sum(span["removed"] for span in found), "spans": found}

    async def _commit(self, facts: dict[str, Any], streams: Int64, before: int, last: int) -> None:
        async with self._platform.get(LakeSeals).writing(TABLE.name) as change:
            number = await self._platform.records.write(lambda tx: store.plan(tx, facts))
            await asyncio.to_thread(self._delete, number, facts, streams, before, last)
            await change.tell(lambda tx: store.told(tx, number, facts))

    def _delete(self, number: int, facts: dict[str, Any], streams: Int64, before: int, last: int) -> None:
        with self._lake.transaction() as work:
            work.offer("own", {"stream": streams})
            for span in facts["spans"]:
                work.execute(
                    f"DELETE FROM {TABLE.name} WHERE stream IN (SELECT stream FROM own) AND time < $before "
                    "AND id BETWEEN $first AND $last",
                    before=before,
                    first=span["first_id"],
                    last=span["last_id"],
                )
            work.advance(Position(REMOVAL, number))
            # Ids are never used again, even if the rows that had the highest ones are gone.
            taken = work.rows("SELECT max(value) FROM lake_position WHERE name = $name", name=IMPORT)[0][0] or 0
            work.advance(Position(IMPORT, max(int(taken), last)))
        with self._lake.transaction() as work:
            # Deleted rows would stay in their files; this writes the files anew.
            work.rows(f"CALL ducklake_rewrite_data_files('lake', '{TABLE.name}', delete_threshold => 0)")

    async def _forget(self, streams: Int64, before: int) -> None:
        """Let memory know no more than the lake."""
        recorder = self._sensing.recorder
        if recorder.folded:
            recorder.tail.drop(recorder.folded)
            recorder.folded = 0
        counted = await asyncio.to_thread(
            self._lake.columns,
            "SELECT w.stream, count(o.id) AS count FROM wanted w LEFT JOIN observation o ON o.stream = w.stream "
            "GROUP BY w.stream",
            {"wanted": {"stream": streams}},
        )
        waiting = recorder.tail.rows()
        latest = recorder.tail.latest
        known = counted["stream"] < len(latest.counts)
        latest.counts[counted["stream"][known]] = counted["count"][known]
        own = waiting.streams[np.isin(waiting.streams, streams)]
        np.add.at(latest.counts, own, 1)
        gone = streams[streams < len(latest.times)]
        gone = gone[(latest.times[gone] != NONE) & (latest.times[gone] < before)]
        latest.times[gone], latest.results[gone], latest.ids[gone] = NONE, np.nan, 0
