"""The roster: what analysis and watching need of every device, in memory, brought up to date by what changed."""

import threading
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.devices import store
from mumian.kernel.unit_of_work import Records, Row

_PAGE = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is held of a device."""

    code: str
    kind: str
    owner: str
    state: str
    district: str | None
    longitude: float | None
    latitude: float | None
    share: str
    installed: str | None
    streams: dict[str, str]


@dataclass(frozen=True, eq=False)
class Placed:
    """Devices with a position, as columns of equal length; `kinds` and `owners` are numbers of the names listed beside them."""

    entries: list[Entry]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    kinds: NDArray[np.int64]
    owners: NDArray[np.int64]
    kind_names: list[str]
    owner_names: list[str]
    standing: NDArray[np.bool_]


class Roster:
    """All devices by code; `refresh` reads only what changed since, from whichever process."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._entries: dict[str, Entry] = {}
        self._placed: tuple[int, Placed] | None = None
        self._lock = threading.Lock()
        self.stamp = 0

    def refresh(self) -> int:
        """Read what changed; returns the stamp of the newest change. Not on the event loop."""
        with self._lock:
            while True:
                rows = self._records.read_now(lambda session: store.newer(session, self.stamp, _PAGE))
                for row in rows:
                    self._entries[row["code"]] = _entry(row)
                if rows:
                    self.stamp = rows[-1]["stamp"]
                if len(rows) < _PAGE:
                    return self.stamp

    def entries(self) -> list[Entry]:
        """All devices, as they stood when last refreshed."""
        with self._lock:
            return list(self._entries.values())

    def get(self, code: str) -> Entry | None:
        """One device, as it stood when last refreshed."""
        return self._entries.get(code)

    def placed(self) -> Placed:
        """The devices with a position as columns, refreshed; not on the event loop."""
        stamp = self.refresh()
        with self._lock:
            if self._placed is None or self._placed[0] != stamp:
                self._placed = (stamp, _columns([e for e in self._entries.values() if e.longitude is not None]))
            return self._placed[1]


def _entry(row: Row) -> Entry:
    values = {name: row[name] for name in Entry.__slots__ if name != "streams"}
    return Entry(**values, streams=msgspec.json.decode(row["streams"]))


def _columns(entries: list[Entry]) -> Placed:
    kinds, kind_names = _numbered([entry.kind for entry in entries])
    owners, owner_names = _numbered([entry.owner for entry in entries])
    return Placed(
        entries,
        np.array([entry.longitude for entry in entries], np.float64),
        np.array([entry.latitude for entry in entries], np.float64),
        kinds,
        owners,
        kind_names,
        owner_names,
        np.array([entry.state != "retired" for entry in entries], np.bool_),
    )


def _numbered(names: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    numbers: dict[str, int] = {}
    column = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    return column, list(numbers)
