"""Rounds: new observations are gathered, the marks they touch evaluated, and what changed is one commit with its event."""

import asyncio
import time
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np

from mumian.brain.vitals import store
from mumian.brain.vitals.events import VitalsEvaluated
from mumian.brain.vitals.rules import Integers, reached
from mumian.brain.vitals.service.layout import Group, arrange, observed
from mumian.brain.vitals.service.running import HISTORY, LATE, MARKS_A_ROUND, Running
from mumian.foundation.sensing.api import Sensing, good, microseconds
from mumian.foundation.sensing.contracts import Observations
from mumian.kernel.background import Loop
from mumian.kernel.clock import parse_iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction, encode

_LONGEST_WAIT = 1.0
_SLICE = 1_000_000
_NOTE_ROWS, _NOTE_SECONDS = 100_000, 5.0


class Rounds:
    """The background job of vitals."""

    name = "brain.vitals"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._running: dict[tuple[str, int], Running] = {}
        self._replaced: dict[tuple[str, int], Running] = {}
        self._waiting: Integers = np.empty(0, np.int64)
        self._revision = -1
        self._version = -1
        self._unknown = True
        self._busy = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self.settle, _LONGEST_WAIT)
        self._listening = False
        self._heard_to = 0
        self._noted: tuple[int, float] | None = None

    async def start(self) -> None:
        """Listen to sensing and catch up with what came while nobody looked."""
        self._listen()
        self._loop.start()

    async def stop(self) -> None:
        """Stop; what was not evaluated is caught up at the next start."""
        await self._loop.stop()
        await self._note(0, 0.0)

    async def settle(self) -> bool:
        """Evaluate all that was touched."""
        self._listen()
        done = False
        async with self._busy:
            try:
                while await self._round():
                    done = True
            except Exception:
                self._unknown = True
                self._set_aside(self._running)
                self._running = {}
                raise
            await self._note(_NOTE_ROWS, _NOTE_SECONDS)
        return done

    def _set_aside(self, discarded: dict[tuple[str, int], Running]) -> None:
        """Keep what groups still have to do, and what they hear, for those that take their place."""
        for name, running in discarded.items():
            if name in self._replaced:
                running.touched |= self._replaced[name].owed()
            self._replaced[name] = running

    def _listen(self) -> None:
        if not self._listening:
            self._platform.get(Sensing).listen(self._heard)
            self._listening = True

    def _heard(self, observations: Observations) -> None:
        self._heard_to = int(observations.ids[-1])
        observations = _trusted(observations)
        for running in (*self._running.values(), *self._replaced.values()):
            running.pending.append(observations)
        other = self._platform.get(Sensing).version != self._version
        if other or (len(self._waiting) and np.isin(observations.streams, self._waiting).any()):
            self._unknown = True
        self._loop.wake()

    async def _round(self) -> bool:
        if self._unknown or self._revision != self._platform.declarations.revision:
            await self._arrange()
        now, done = microseconds(self._platform.clock.now()), False
        for running in self._running.values():
            if running.pending:
                await running.take_in()
            running.fall_silent(now)
            if running.touched:
                await self._evaluate(running)
                done = True
        return done

    async def _evaluate(self, running: Running) -> None:
        marks = sorted(running.touched)[:MARKS_A_ROUND]
        rows = await running.evaluate(marks)
        if rows:
            await self._platform.records.write(lambda tx: _keep(tx, running.group.observed_property, rows))
            running.remember(rows)
        running.touched.difference_update(marks)

    async def _arrange(self) -> None:
        """Follow the declarations and streams in force; groups that did not change keep their grids."""
        sensing = self._platform.get(Sensing)
        self._revision, self._unknown = self._platform.declarations.revision, False
        vitals, self._version = self._platform.declarations.all("Vital"), sensing.version
        groups = arrange(vitals, await asyncio.to_thread(sensing.streams, observed(vitals)))
        before, self._running, new = dict(self._running), {}, []
        for name, group in groups.items():
            old = before.get(name)
            if old is not None and old.group.span == group.span and np.array_equal(old.group.ids, group.ids):
                self._follow(old, group)
                self._running[name] = before.pop(name)
            else:
                new.append((name, group))
        self._set_aside(before)
        waiting = [group.ids for name, group in new if not await self._begin(name, group)]
        self._replaced = {}
        await self._catch_up()
        self._waiting = np.concatenate(waiting) if waiting else np.empty(0, np.int64)

    def _follow(self, running: Running, group: Group) -> None:
        versions = {vital.name: vital.version for vital in running.group.vitals}
        if versions != {vital.name: vital.version for vital in group.vitals}:
            running.touched.update(range(running.last - HISTORY + 1, running.last + 1))
        running.group = group

    async def _begin(self, name: tuple[str, int], group: Group) -> bool:
        """Load a group from sensing; False if nothing was ever observed for it."""
        times = self._platform.get(Sensing).latest(group.ids).times
        if not len(times):
            return False
        running = Running(group, self._read, reached(int(times.max()), group.period * 1_000_000))
        self._running[name] = running
        newest = await self._platform.records.read(lambda session: [store.newest(session, vital.name) for vital in group.vitals])
        resume = max((microseconds(parse_iso(time)) // running.period for time in newest if time), default=None)
        await running.load(resume)
        if name in self._replaced:
            owed = self._replaced[name].owed()
            running.touched.update(mark for mark in owed if running.last - LATE <= mark <= running.last)
        await self._recall(running)
        return True

    async def _catch_up(self) -> None:
        """At the first round, have evaluated what came late, however old, just before the process ended last."""
        if self._noted is not None:
            return
        sensing = self._platform.get(Sensing)
        first, last = await self._platform.records.read(store.progress) + 1, sensing.last_id
        for start in range(first, last + 1, _SLICE):
            rows = await asyncio.to_thread(sensing.numbered, start, min(start + _SLICE - 1, last))
            for running in self._running.values():
                running.take_note(rows)
        for running in self._running.values():
            await self._recall(running)
        self._heard_to = max(self._heard_to, last)
        self._noted = (first - 1, time.monotonic())

    async def _note(self, rows: int, seconds: float) -> None:
        """Remember how far all is evaluated, if that is further by `rows` or longer ago than `seconds`."""
        if self._noted is None or self._unknown or any(running.owed() for running in self._running.values()):
            return
        reached, now = self._heard_to, time.monotonic()
        noted, at = self._noted
        if reached > noted and (reached - noted >= rows or now - at >= seconds):
            await self._platform.records.write(lambda tx: store.note_progress(tx.session, reached))
            self._noted = (reached, now)

    async def _recall(self, running: Running) -> None:
        """Let a group know what is kept of all that it is about to evaluate."""
        start = running.time_of(min(running.touched, default=running.last))
        for vital in running.group.vitals:
            rows = await self._platform.records.read(lambda session, v=vital.name: store.since(session, v, start))  # type: ignore[misc]
            for row in rows:
                mark = microseconds(parse_iso(row["time"])) // running.period
                running.kept[row["vital"], row["key"], mark] = (row["value"], row["version"])

    async def _read(self, ids: Integers, start: int, end: int) -> Observations:
        return await asyncio.to_thread(self._platform.get(Sensing).window, ids, start, end, good_only=True)


def _trusted(observations: Observations) -> Observations:
    """Observations with those as missing that their quality flags speak against."""
    if not observations.flags.any():
        return observations
    return replace(observations, results=np.where(good(observations.flags), observations.results, np.nan))


def _keep(tx: Transaction, observed_property: str, rows: list[dict[str, Any]]) -> None:
    store.keep(tx.session, rows)
    names = ("vital", "key", "time", "value", "level", "version")
    values = [{name: row[name] for name in names} for row in rows]
    digest = sha256(encode(values)).hexdigest()
    tx.emit(VitalsEvaluated(subject=observed_property, time=rows[-1]["time"], count=len(rows), digest=digest, values=values))
