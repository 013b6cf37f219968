"""Judging: puts profiles into effect — converts what comes in other units, and flags what speaks against itself."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Float64, Int64, Observations
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.quality import rules, store
from mumian.foundation.sensing.quality.models import QualityProfileSpec
from mumian.foundation.sensing.quality.rules import WINDOW, Limits, State
from mumian.foundation.sensing.quality.units import conversion
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import Row, Session

_SECOND = 1_000_000
_LOOK_BACK = 4 * WINDOW


@dataclass(frozen=True, eq=False)
class _Plan:
    """Profiles as arrays: `places[stream]` is a stream's place in all of these, -1 where nothing is declared of it."""

    places: Int64
    streams: Int64
    frequency: Int64
    limits: Limits
    scale: Float64
    offset: Float64
    judges: bool
    converts: bool


class Judging:
    """The hooks of the recorder, and the background job that remembers the last results of each stream at the start."""

    name = "sensing quality"

    def __init__(self, sensing: Sensing) -> None:
        self._sensing = sensing
        self._seen: tuple[int, int] | None = None
        self._plan = _plan([])
        self._state = State.empty(0)
        self._pending: tuple[int, Int64, State] | None = None
        sensing.recorder.judge = self.judge
        sensing.recorder.prepare = self.prepare

    async def start(self) -> None:
        """Remember the last results of all streams that are judged."""
        import asyncio

        self._refresh()
        if self._plan.judges:
            await asyncio.to_thread(self._warm_from_lake)

    async def stop(self) -> None:
        """Nothing to finish."""

    async def settle(self) -> bool:
        """Nothing is due by the clock."""
        return False

    def judge(self, rows: Observations, live: bool = True) -> Observations:
        """The rows with their flags; what speaks against them is found in one go for all. Imports are not `live`."""
        self._refresh()
        plan = self._plan
        if not plan.judges:
            return rows
        places = plan.places[np.minimum(rows.streams, len(plan.places) - 1)]
        ruled = np.flatnonzero(places >= 0)
        if not len(ruled):
            return rows
        self._settle()
        received = microseconds(self._sensing.platform.clock.now()) if live else None
        touched, own = np.unique(places[ruled], return_inverse=True)
        limits, before = plan.limits.take(touched), self._state.take(touched)
        found, state = rules.judge(rows.take(ruled), own, limits, before, received)
        self._pending = (int(rows.ids[-1]), touched, state)
        if not found.any():
            return rows
        flags = rows.flags.copy()
        flags[ruled] |= found
        return rows.flagged(flags)

    def prepare(self, batch: Observations) -> Observations:
        """The batch with results in the units of their streams; raises BadRows for a unit that cannot be converted."""
        self._refresh()
        plan = self._plan
        if batch.details is None and not plan.converts:
            return batch
        own = _own_units(batch)
        results = batch.results.copy()
        if plan.converts:
            places = plan.places[np.clip(batch.streams, 0, len(plan.places) - 1)]
            ruled = places >= 0
            ruled[list(own)] = False
            results[ruled] = results[ruled] * plan.scale[places[ruled]] + plan.offset[places[ruled]]
        if not own:
            return batch if not plan.converts else _with(batch, results, batch.details)
        assert batch.details is not None
        details = batch.details.copy()
        faults = []
        for row, (unit, detail) in own.items():
            try:
                results[row], details[row] = self._converted(int(batch.streams[row]), float(results[row]), unit, detail)
            except Invalid as error:
                faults.append((row, error.faults[0]))
        if faults:
            raise BadRows([row for row, _ in faults[:20]], [fault for _, fault in faults[:20]], len(faults))
        return _with(batch, results, details)

    def _converted(self, stream: int, result: float, unit: str, detail: dict[str, Any]) -> tuple[float, str]:
        """A result in the unit of its stream, with what was sent kept beside it."""
        info = self._sensing.registry.numbered(stream)
        if info is None:
            raise Invalid(Fault("stream", "sensing.unknown_stream", {"stream": stream}))
        found = conversion(unit, info.unit, "parameters.unit")
        if (found.scale, found.offset) != (1.0, 0.0) and not np.isnan(result):
            parameters = {**detail["parameters"], "unit": info.unit, "sent": {"unit": unit, "result": result}}
            detail = {**detail, "parameters": parameters}
        return found.scale * result + found.offset, json.dumps(detail, ensure_ascii=False)

    def _settle(self) -> None:
        """Take over the state after the last rows, if these were recorded: where the journal failed, they were not."""
        if self._pending is not None:
            if self._sensing.recorder.next_id > self._pending[0]:
                self._state.put(self._pending[1], self._pending[2])
            self._pending = None

    def _refresh(self) -> None:
        """Make a new plan when profiles or streams have changed; what is remembered of streams stays."""
        declarations, registry = self._sensing.platform.declarations, self._sensing.registry
        registry.refresh()
        now = (declarations.revision, registry.version)
        if self._seen == now:
            return
        self._settle()
        profiles: list[QualityProfileSpec] = [declared.spec for declared in declarations.all("QualityProfile")]
        profiles.sort(key=lambda spec: spec.precision)
        old = self._plan
        if profiles or old.judges or old.converts:
            self._plan = self._sensing.platform.records.read_now(lambda session: _resolved(session, profiles))
            self._state = _carried(old, self._state, self._plan)
        self._seen = now

    def _warm_from_lake(self) -> None:
        """Learn the last results of each stream from the lake and from memory."""
        plan = self._plan
        newest = self._sensing.latest(plan.streams)
        since = newest.times - _LOOK_BACK * _SECOND * plan.frequency[plan.places[newest.streams]]
        since = np.where(plan.frequency[plan.places[newest.streams]] > 0, since, NONE)
        found = self._sensing.platform.get(Lake).columns(  # type: ignore[type-abstract]
            "SELECT o.id, o.stream, o.time, o.result FROM observation o "
            "JOIN wanted w ON o.stream = w.stream AND o.time >= w.since "
            f"QUALIFY row_number() OVER (PARTITION BY o.stream ORDER BY o.time DESC, o.id DESC) <= {_LOOK_BACK}",
            {"wanted": {"stream": newest.streams, "since": since}},
        )
        kept = Observations(found["stream"], found["time"], found["result"].astype(np.float64), found["id"])
        held = self._sensing.tail.rows(self._sensing.recorder.folded)
        known = (held.streams < len(plan.places)) & (plan.places[np.minimum(held.streams, len(plan.places) - 1)] >= 0)
        rows = Observations.concat([kept, held.take(np.flatnonzero(known))])
        rows = rows.take(np.lexsort((rows.ids, rows.times)))
        if len(rows):
            self._state = rules.judge(rows, plan.places[rows.streams], plan.limits, State.empty(len(plan.streams)), None)[1]


def _with(batch: Observations, results: Float64, details: Any) -> Observations:
    return Observations(batch.streams, batch.times, results, batch.ids, batch.result_times, batch.flags, details)


def _own_units(batch: Observations) -> dict[int, tuple[str, dict[str, Any]]]:
    """The rows that say in which unit their result is."""
    found = {}
    for row, text in enumerate(() if batch.details is None else batch.details):
        if text is not None and '"unit"' in text:
            detail = json.loads(text)
            unit = detail.get("parameters", {}).get("unit")
            if isinstance(unit, str):
                found[row] = (unit, detail)
    return found


def _plan(chosen: Iterable[tuple[Row, list[QualityProfileSpec]]]) -> _Plan:
    rows = list(chosen)
    count = len(rows)
    streams = np.array([row["id"] for row, _ in rows], np.int64)
    places = np.full(int(streams.max(initial=0)) + 2, -1, np.int64)
    places[streams] = np.arange(count)
    plan = _Plan(
        places, streams, np.array([row["frequency_seconds"] or 0 for row, _ in rows], np.int64), Limits.none(count),
        np.ones(count), np.zeros(count), bool(rows), any(spec.sent_unit for _, specs in rows for spec in specs),
    )  # fmt: skip
    for place, (row, specs) in enumerate(rows):
        for spec in specs:
            _declare(plan, place, row, spec)
    return plan


def _declare(plan: _Plan, place: int, row: Row, spec: QualityProfileSpec) -> None:
    limits = plan.limits
    values: list[tuple[Any, float | None]] = [(limits.minimum, spec.minimum), (limits.maximum, spec.maximum)]
    if spec.stuck is not None:
        values += [(limits.stuck_count, spec.stuck.count), (limits.stuck_tolerance, spec.stuck.tolerance)]
    if spec.spike is not None:
        values += [
            (limits.rate, spec.spike.per_second),
            (limits.deviations, spec.spike.deviations),
            (limits.least, spec.spike.least),
        ]
    if spec.drift is not None:
        values += [(limits.ahead, _micro(spec.drift.ahead_seconds)), (limits.behind, _micro(spec.drift.behind_seconds))]
    if spec.gap_factor is not None and row["frequency_seconds"]:
        values.append((limits.gap, _micro(spec.gap_factor * row["frequency_seconds"])))
    for column, value in values:
        if value is not None:
            column[place] = value
    if spec.sent_unit is not None:
        try:
            found = conversion(spec.sent_unit, row["unit"])
        except Invalid:
            return
        plan.scale[place], plan.offset[place] = found.scale, found.offset


def _micro(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * _SECOND)


def _resolved(session: Session, profiles: list[QualityProfileSpec]) -> _Plan:
    """What is declared of each stream, the more precise profile over the less."""
    chosen: dict[int, tuple[Row, list[QualityProfileSpec]]] = {}
    for spec in profiles:
        for row in store.matched(session, spec):
            chosen.setdefault(row["id"], (row, []))[1].append(spec)
    return _plan(chosen.values())


def _carried(old: _Plan, state: State, new: _Plan) -> State:
    """What was remembered of the streams that are still judged."""
    fresh = State.empty(len(new.streams))
    if len(old.streams) and len(new.streams):
        known = old.places[np.minimum(new.streams, len(old.places) - 1)]
        both = np.flatnonzero(known >= 0)
        fresh.put(both, state.take(known[both]))
    return fresh
