"""The past: instances of attributes over time, from observations, from the lake, and from what has not reached it yet."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec
import numpy as np

from mumian.foundation.context import store
from mumian.foundation.context.rules.entity import dataset
from mumian.foundation.context.rules.series import EARLIEST, LATEST, Moment, Window, chosen
from mumian.foundation.context.service.folding import TABLE, instances
from mumian.foundation.context.service.things import Thing, Things, observed
from mumian.foundation.context.settings import ContextSettings
from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.storage.contracts import NONE, Lake
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row

Series = dict[str, list[Moment]]
_HOUR = 3_600_000_000
_FIELDS = "number, place, entity, attribute, kind, observed, recorded, body"


class Past:
    """Reads history; of what is more than may be shown at once, the newest part."""

    def __init__(self, platform: Platform, sensing: Callable[[], Sensing], things: Things, settings: ContextSettings) -> None:
        self._platform = platform
        self._sensing = sensing
        self._things = things
        self._most = settings.instances

    async def of(self, ids: Sequence[str], query: Window, wanted: frozenset[str] | None) -> dict[str, Series]:
        """The history of some entities within a window: by entity and attribute, oldest first."""
        found: dict[str, Series] = {id_: {} for id_ in ids}
        for row in await self._rows(ids):
            if wanted is None or row["attribute"] in wanted:
                found[row["entity"]].setdefault(row["attribute"], []).append(_moment(row))
        for id_ in ids:
            found[id_] = {name: kept for name, held in found[id_].items() if (kept := _by_dataset(held, query))}
            thing = self._things.find(id_)
            if thing is not None:
                found[id_] |= await asyncio.to_thread(self._observed, thing, query, wanted)
        return found

    async def _rows(self, ids: Sequence[str]) -> list[Row]:
        """Values in the order in which they were written, without what was forgotten since."""
        waiting = await self._platform.records.read(lambda session: store.changes_of(session, ids))
        kept = await asyncio.to_thread(self._kept, ids)
        known = {(row["number"], row["place"]) for row in kept}
        rows = kept + [r for change in waiting for r in instances(change) if (r["number"], r["place"]) not in known]
        rows.sort(key=lambda row: (row["number"], row["place"]))
        forgotten: dict[tuple[str, str], int] = {}
        for row in rows:
            if row["kind"] == "forgotten":
                forgotten[row["entity"], row["attribute"] + (f"\n{row['body']}" if row["body"] else "")] = row["number"]
        return [row for row in rows if row["kind"] == "value" and not _forgotten(row, forgotten)]

    def _kept(self, ids: Sequence[str]) -> list[Row]:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        if not lake.has(TABLE):
            return []
        names = [name.strip() for name in _FIELDS.split(",")]
        wanted = {"wanted": {"id": np.array([*ids, None], np.object_)[:-1]}}
        fields = ", ".join(f"h.{name}" for name in names)
        found = lake.columns(f"SELECT {fields} FROM {TABLE.name} h SEMI JOIN wanted w ON h.entity = w.id", wanted)
        return [dict(zip(names, row, strict=True)) for row in zip(*(found[name].tolist() for name in names), strict=True)]

    def _observed(self, thing: Thing, query: Window, wanted: frozenset[str] | None) -> Series:
        streams = [entry for entry in thing.streams if wanted is None or entry[1] in wanted]
        if not streams:
            return {}
        rows = self._newest([info.id for info, *_ in streams], query)
        by_stream: dict[int, list[Moment]] = {}
        fixed = {info.id: (members, own) for info, _, own, members in streams}
        columns = (rows.streams.tolist(), rows.times.tolist(), rows.results.tolist(), rows.ids.tolist())
        for stream, time, result, number in zip(*columns, strict=True):
            if result == result:  # noqa: PLR0124  a missing value is NaN
                members, own = fixed[stream]
                moment = Moment(time, time, f"urn:ngsi-ld:Instance:o{number}", observed(members, own, time, result))
                by_stream.setdefault(stream, []).append(moment)
        series: Series = {}
        for info, name, _, _ in streams:
            kept = by_stream.get(info.id, [])
            if query.last is not None:
                kept = kept[-query.last :]
            if kept:
                series.setdefault(name, []).extend(kept)
        return series

    def _newest(self, streams: list[int], query: Window) -> Observations:
        """Observations within the window: all, or so many of the newest that enough are among them."""
        latest = self._sensing().latest(np.asarray(streams, np.int64))
        if not len(latest):
            return Observations.empty()
        end = min(query.end, int(latest.times.max()) + 1)
        most = self._most if query.last is None else min(query.last, self._most)
        start = max(query.start, EARLIEST)
        span = _HOUR
        while True:
            low = max(start, end - span)
            rows = self._sensing().window(np.asarray(streams, np.int64), low, end)
            counts = np.bincount(rows.streams, minlength=max(streams) + 1)[latest.streams] if len(rows) else np.zeros(1)
            if low <= start or span > LATEST // 4 or (counts >= most).all() or len(rows) > self._most:
                return rows
            span *= 8


def _forgotten(row: Row, forgotten: dict[tuple[str, str], int]) -> bool:
    instance = f"{row['attribute']}\nurn:ngsi-ld:Instance:{row['number']}-{row['place']}"
    return any(forgotten.get((row["entity"], name), 0) > row["number"] for name in ("*", row["attribute"], instance))


def _moment(row: Row) -> Moment:
    at = row["observed"]
    at = None if at is None or at == NONE else int(at)
    id_ = f"urn:ngsi-ld:Instance:{row['number']}-{row['place']}"
    return Moment(at, int(row["recorded"]), id_, msgspec.json.decode(row["body"]))


def _by_dataset(moments: list[Moment], query: Window) -> list[Moment]:
    """The instances within the window, the last so many of each dataset; of one and the same instant, the one written last."""
    ordered = sorted(moments, key=lambda m: dataset(m.instance) or "")
    found: list[Moment] = []
    for _, group in groupby(ordered, key=lambda m: dataset(m.instance) or ""):
        newest: dict[int, Moment] = {}
        for moment in group:
            newest[moment.observed if moment.observed is not None else moment.recorded] = moment
        found += chosen(list(newest.values()), query)
    return found
