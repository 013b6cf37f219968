"""Presence: who is online, judged in memory from observations and heartbeats; only changes of state are written and told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mumian.foundation.devices.contracts import Seen
from mumian.foundation.devices.events import PresenceChanged
from mumian.foundation.devices.models import DeviceKindSpec
from mumian.foundation.devices.rules.presence import NAMES, NEVER, UNKNOWN, Int8, Int64, Rhythm, Watch, judge
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.service.roster import Entry, Roster
from mumian.foundation.devices.service.streams import Streams
from mumian.foundation.devices.settings import DeviceSettings
from mumian.foundation.sensing.api import Observations, Sensing, instant, microseconds
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_CHUNK = 500
_SECOND = 1_000_000
_STANDSTILL = 60 * _SECOND
_EMPTY = (np.empty(0, np.int64), np.empty(0, np.int64))
_NONE, _AGAIN = (-1, -1, -1), (-2, -2, -2)


@dataclass(eq=False)
class _Table:
    """Who is watched: entries with their rhythm, and the places of their streams."""

    entries: list[Entry] = field(default_factory=list)
    rhythm: Rhythm = field(default_factory=lambda: Rhythm(*(np.empty(0, np.int64) for _ in range(3))))
    places: dict[str, int] = field(default_factory=dict)
    streams: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    owners: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    version: tuple[int, int, int] = _NONE


class Presence:
    """Background work that hears devices and judges them; `heartbeat` and `seen` may be called from any thread."""

    name = "devices presence"

    def __init__(self, platform: Platform, lives: Lives, roster: Roster, streams: Streams, settings: DeviceSettings) -> None:
        self._platform = platform
        self._lives = lives
        self._roster = roster
        self._streams = streams
        self._loop = Loop("devices presence", platform.clock, self.settle, settings.watch_seconds)
        self._table = _Table()
        self._watch = Watch(np.empty(0, np.int8), np.empty(0, np.int64), np.empty(0, np.int64))
        self._by_stream: Int64 = np.full(1024, NEVER, np.int64)
        self._beats: dict[str, int] = {}
        self._known: dict[str, tuple[str, str | None, int]] = {}
        self._listening = 0
        self._joined: Int64 = np.empty(0, np.int64)
        self._left: list[str] = []
        self._judged = 0
        self._busy = asyncio.Lock()

    async def start(self) -> None:
        """Listen from now on, knowing what was known when the platform stopped."""
        rows = await self._platform.records.read(lambda s: s.rows("SELECT code, state, since, seen FROM devices_presence"))
        self._known = {r["code"]: (r["state"], r["since"], _micros(r["seen"])) for r in rows}
        self._listening = self._judged = microseconds(self._platform.clock.now())
        sensing = self._platform.get(Sensing)
        self._hear(sensing.latest())
        sensing.listen(self._hear)
        self._loop.start()

    async def stop(self) -> None:
        """Stop judging."""
        await self._loop.stop()

    def heartbeat(self, code: str) -> None:
        """The device says that it is there."""
        self._beats[code] = microseconds(self._platform.clock.now())

    def seen(self, code: str) -> Seen:
        """When a device was last heard and what that makes of it; those that nobody watches are unknown."""
        state, since, last = self._known.get(code, ("unknown", None, NEVER))
        place = self._table.places.get(code)
        if place is not None and place < len(self._watch.heard):
            last = max(last, int(self._watch.heard[place]))
        last = max(last, self._beats.get(code, NEVER))
        return Seen(state, since, _text(last))  # type: ignore[arg-type]

    async def settle(self) -> bool:
        """Judge all devices now; True if the state of any changed."""
        async with self._busy:
            now = microseconds(self._platform.clock.now())
            if self._platform.clock.mode == "live" and now - self._judged > _STANDSTILL:
                self._listening = now  # the machine slept, or was too busy to listen
            before, self._judged = self._judged, now
            changed = await asyncio.to_thread(self._judge, now, before)
            states = self._watch.states
            rows = [self._row(self._table.entries[place].code, int(states[place]), now) for place in changed.tolist()]
            rows += [self._row(code, UNKNOWN, now) for code in self._left]
            for start in range(0, len(rows), _CHUNK):
                await self._tell(rows[start : start + _CHUNK])
            self._left = []
            return bool(rows)

    def _hear(self, batch: Observations) -> None:
        """Remember the newest time of each stream; an observation from the past (a file, a backlog) is no sign of life now."""
        if not len(batch):
            return
        highest = int(batch.streams.max())
        if highest >= len(self._by_stream):
            grown = np.full(max(highest + 1, 2 * len(self._by_stream)), NEVER, np.int64)
            grown[: len(self._by_stream)] = self._by_stream
            self._by_stream = grown
        np.maximum.at(self._by_stream, batch.streams, batch.times)

    def _judge(self, now: int, before: int) -> Int64:
        self._refresh(now, before)
        heard = self._observed(self._table)
        for code, time in list(self._beats.items()):
            place = self._table.places.get(code)
            if place is not None:
                heard[place] = max(heard[place], time)
        known = self._watch
        joined = np.maximum(self._joined, self._listening)
        self._watch = judge(known, np.minimum(heard, now), now, joined, self._table.rhythm)
        return np.flatnonzero(self._watch.states != known.states)

    def _observed(self, table: _Table) -> Int64:
        """When each device was last heard through its streams."""
        heard = np.full(len(table.entries), NEVER, np.int64)
        by_stream = self._by_stream
        within = table.streams < len(by_stream)
        np.maximum.at(heard, table.owners[within], by_stream[table.streams[within]])
        return heard

    async def _tell(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write and tell the changed states; when that fails they are judged anew."""
        try:
            await self._platform.records.write(lambda tx: self._write(tx, rows))
        except BaseException:
            self._table.version = _AGAIN
            raise
        for row in rows:
            self._known[row["code"]] = (row["state"], row["since"], _micros(row["seen"]))

    def _row(self, code: str, state: int, now: int) -> dict[str, Any]:
        place, entry = self._table.places.get(code), self._roster.get(code)
        before, _, last = self._known.get(code, ("unknown", None, NEVER))
        last = last if place is None else int(self._watch.heard[place])
        row = {"code": code, "state": NAMES[state], "since": iso(instant(now)), "seen": _text(last), "before": before}
        return row | {"kind": entry.kind if entry else "", "owner": entry.owner if entry else ""}

    @staticmethod
    def _write(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
        kept = [{name: row[name] for name in ("code", "state", "since", "seen")} for row in rows]
        tx.session.execute_many(
            "INSERT INTO devices_presence (code, state, since, seen) VALUES (:code, :state, :since, :seen) "
            "ON CONFLICT (code) DO UPDATE SET state = :state, since = :since, seen = :seen",
            kept,
        )
        for row in rows:
            told = {name: row[name] for name in ("state", "before", "seen", "kind", "owner")}
            tx.emit(PresenceChanged(subject=row["code"], **told))

    def _refresh(self, now: int, before: int) -> None:
        """Take over devices, kinds and streams that changed; what is known of each stays, and who is new was heard `before`."""
        sensing = self._platform.get(Sensing)
        sensing.registry.refresh()
        version = (self._roster.refresh(), self._platform.declarations.revision, sensing.registry.version)
        if version == self._table.version:
            return
        old = zip(self._table.entries, self._watch.heard, self._watch.beats, self._joined, strict=True)
        kept = {entry.code: (int(last), int(beats), int(joined)) for entry, last, beats, joined in old}
        begun = now if self._table.version != _NONE else self._listening
        table = _watched(self._roster.entries(), self._lives.kinds(), self._streams)
        table.version = version
        known = [self._known.get(entry.code, ("unknown", None, NEVER)) for entry in table.entries]
        states: Int8 = np.array([NAMES.index(state) if state in NAMES else UNKNOWN for state, *_ in known], np.int8)
        observed = self._observed(table)
        observed = np.where(observed < before, observed, NEVER)
        last = np.array([max(k[2], int(o)) for k, o in zip(known, observed, strict=True)], np.int64)
        beats, joined = np.zeros(len(known), np.int64), np.full(len(known), begun, np.int64)
        for code, (heard, count, since) in kept.items():
            place = table.places.get(code)
            if place is not None:
                last[place], beats[place], joined[place] = heard, count, since
        self._table, self._watch, self._joined = table, Watch(states, last, beats), joined
        self._beats = {code: time for code, time in self._beats.items() if code in table.places}
        self._left = [c for c, (state, *_) in self._known.items() if state != "unknown" and c not in table.places]


def _watched(entries: list[Entry], kinds: dict[str, DeviceKindSpec], streams: Streams) -> _Table:
    """The devices in service whose kinds have a heartbeat."""
    table = _Table()
    late, offline, recover = [], [], []
    named: list[tuple[str, int]] = []
    for entry in entries:
        kind = kinds.get(entry.kind)
        if entry.state != "in_service" or kind is None or kind.heartbeat is None:
            continue
        place = table.places[entry.code] = len(table.entries)
        table.entries.append(entry)
        beat = kind.heartbeat
        late.append(int(beat.seconds * beat.late_after * _SECOND))
        offline.append(int(beat.seconds * beat.offline_after * _SECOND))
        recover.append(beat.recover_beats)
        named += [(name, place) for name in entry.streams.values()]
    table.rhythm = Rhythm(*(np.array(column, np.int64) for column in (late, offline, recover)))
    known = streams.named(name for name, _ in named)
    pairs = [(known[name].id, place) for name, place in named if name in known]
    table.streams, table.owners = (np.array(column, np.int64) for column in zip(*pairs, strict=True)) if pairs else _EMPTY
    return table


def counts(session: Session) -> dict[str, int]:
    """How many devices are in each state of presence."""
    rows = session.rows("SELECT state, COUNT(*) AS devices FROM devices_presence GROUP BY state")
    return {row["state"]: int(row["devices"]) for row in rows}


def _text(time: int) -> str | None:
    return None if time == NEVER else iso(instant(time))


def _micros(text: str | None) -> int:
    return NEVER if text is None else microseconds(parse_iso(text))
