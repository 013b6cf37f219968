"""Shelf: what entries are found by, held in columns in memory, so that any filter and all facets take milliseconds."""

import json
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from mumian.elements.catalog.entries import store
from mumian.elements.catalog.rules import LATE_AFTER, SILENT_AFTER
from mumian.foundation.sensing.api import Sensing, microseconds
from mumian.kernel.clock import parse_iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session

PLAIN = ("theme", "owner", "share", "opened", "kind", "origin", "quality")
BANDS = (("90", 90.0), ("75", 75.0), ("60", 60.0), ("0", 0.0))
FRESHNESS = ("unknown", "fresh", "late", "silent")
_NEVER = np.iinfo(np.int64).min
_OBSERVED_SECONDS = 2.0
_QUICK = 0.05  # a copy that takes longer to bring up to date is not brought up to date at every look
_REST = 10
_SECOND = 1_000_000


@dataclass(frozen=True)
class Columns:
    """Entries by name: codes of facets (−1: none) into `labels`, formats as a matrix, and what orders them.

    `streams` are the places of what is made of streams, `live` says by what their newest observation is known, and `numbers`
    are the ids of streams.
    """

    stamp: int
    names: np.ndarray
    documents: np.ndarray
    codes: dict[str, np.ndarray]
    labels: dict[str, list[str]]
    formats: np.ndarray
    public: np.ndarray
    frequency: np.ndarray
    reached: np.ndarray
    streams: np.ndarray
    live: np.ndarray
    numbers: dict[str, int]
    uses: np.ndarray
    score: np.ndarray
    changed: np.ndarray
    by_document: np.ndarray

    def places(self, numbers: Any) -> np.ndarray:
        """Where the entries with these documents stand; numbers of other documents are left out."""
        wanted = np.asarray(numbers, np.int64)
        if not len(self.names) or not len(wanted):
            return np.empty(0, np.int64)
        sorted_documents = self.documents[self.by_document]
        at = np.searchsorted(sorted_documents, wanted)
        at[at == len(sorted_documents)] = 0
        return np.asarray(self.by_document[at[sorted_documents[at] == wanted]])


class Shelf:
    """A copy of all entries that reads only what changed since it was last looked at."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = Lock()
        self._rows: dict[str, Row] = {}
        self._fresh: tuple[tuple[int, int], np.ndarray] | None = None
        self._seen = 0
        self._again = 0.0
        self._columns: Columns | None = None
        self._observed: tuple[float, Columns | None, np.ndarray] = (0.0, None, np.empty(0, np.int64))

    def columns(self, session: Session) -> Columns:
        """The entries as they stand in this snapshot, or later; a large catalogue that keeps changing may lag by seconds."""
        newest = store.stamp(session)
        with self._lock:
            if self._columns is None or (newest > self._seen and time.monotonic() >= self._again):
                begun = time.monotonic()
                for row in store.since(session, self._seen):
                    if row["gone"]:
                        self._rows.pop(row["name"], None)
                    else:
                        self._rows[row["name"]] = row
                self._seen, self._columns = max(self._seen, newest), _columns(self._rows, max(self._seen, newest))
                took = time.monotonic() - begun
                self._again = time.monotonic() + (_REST * took if took > _QUICK else 0.0)
            return self._columns

    def freshness(self, columns: Columns) -> np.ndarray:
        """The place in FRESHNESS of each entry, judged once a second; what streams received is looked up every other."""
        now = microseconds(self._platform.clock.now())
        key = (columns.stamp, now // _SECOND)
        if self._fresh is None or self._fresh[0] != key:
            self._fresh = (key, self._judged(columns, now))
        return self._fresh[1]

    def _judged(self, columns: Columns, now: int) -> np.ndarray:
        reached = columns.reached.copy()
        if len(columns.streams):
            reached[columns.streams] = self._times(columns)
        known = (reached != _NEVER) & (columns.frequency > 0)
        periods = np.where(known, (now - np.where(known, reached, now)) / (np.maximum(columns.frequency, 1) * 1e6), 0.0)
        return np.where(~known, 0, np.where(periods <= LATE_AFTER, 1, np.where(periods <= SILENT_AFTER, 2, 3)))

    def _times(self, columns: Columns) -> np.ndarray:
        asked, seen, times = self._observed
        if time.monotonic() - asked > _OBSERVED_SECONDS or seen is not columns:
            newest = self._newest(columns)
            times = np.array([newest.get(key, _NEVER) for key in columns.live[columns.streams]], np.int64)
            self._observed = (time.monotonic(), columns, times)
        return times

    def _newest(self, columns: Columns) -> dict[str, int]:
        """The newest observation of each stream by name, and of all streams of a property by `*` and its name."""
        sensing = self._platform.get(Sensing)
        latest = sensing.latest()
        times = dict(zip(latest.streams.tolist(), latest.times.tolist(), strict=True))
        found: dict[str, int] = {}
        for key in columns.live[columns.streams]:
            if not key.startswith("*") and key in columns.numbers:
                found[key] = times.get(columns.numbers[key], _NEVER)
        properties = {key[1:] for key in columns.live[columns.streams] if key.startswith("*")}
        for info in sensing.streams(properties) if properties else ():
            key = f"*{info.observed_property}"
            found[key] = max(found.get(key, _NEVER), times.get(info.id, _NEVER))
        return found


def _columns(rows: dict[str, Row], stamp: int) -> Columns:
    names = sorted(rows)
    kept = [rows[name] for name in names]
    codes, labels = {}, {}
    for facet in PLAIN:
        told = [band(row["score"]) if facet == "quality" else row[facet] for row in kept]
        values = sorted({value for value in told if value is not None})
        known = {value: i for i, value in enumerate(values)}
        codes[facet] = np.array([known.get(value, -1) for value in told], np.int32)
        labels[facet] = values
    listed = [json.loads(row["formats"]) if row["formats"] != "[]" else () for row in kept]
    labels["format"] = sorted({each for formats in listed for each in formats})
    place = {value: i for i, value in enumerate(labels["format"])}
    matrix = np.zeros((len(place), len(kept)), bool)
    for i, formats in enumerate(listed):
        for each in formats:
            matrix[place[each], i] = True
    documents = np.array([row["document"] for row in kept], np.int64)
    live = np.array([_live(row) for row in kept], object)
    return Columns(
        stamp=stamp,
        names=np.array(names, object),
        documents=documents,
        codes=codes,
        labels=labels,
        formats=matrix,
        public=np.array([row["kind"] != "dataset" or row["opened"] != "none" for row in kept], bool),
        frequency=np.array([row["frequency_seconds"] or 0 for row in kept], np.int64),
        reached=np.array([microseconds(parse_iso(row["reached_at"])) if row["reached_at"] else _NEVER for row in kept], np.int64),
        streams=np.flatnonzero(live != ""),
        live=live,
        numbers={row["name"]: int(row["stream"]) for row in kept if row["stream"] is not None},
        uses=np.array([row["uses"] for row in kept], np.float64),
        score=np.array([-1.0 if row["score"] is None else row["score"] for row in kept], np.float64),
        changed=np.array([microseconds(parse_iso(row["changed_at"])) for row in kept], np.int64),
        by_document=np.argsort(documents),
    )


def band(score: float | None) -> str | None:
    """The band of a quality score, named by the least score in it; None where nothing was judged."""
    return None if score is None else next((name for name, least in BANDS if score >= least), "0")


def _live(row: Row) -> str:
    """By what the newest observation of an entry is known; empty where it is not made of streams."""
    return row["name"] if row["kind"] == "stream" else f"*{row['observes']}" if row["observes"] else ""
