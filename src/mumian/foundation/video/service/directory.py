"""The directory: all cameras in memory as columns, so that lists, filters and neighbourhoods of 350,000 answer at once."""

import threading
from bisect import bisect_right, insort
from dataclasses import dataclass
from math import cos, radians
from sys import intern

import msgspec
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video import store
from mumian.foundation.video.rules import views
from mumian.kernel.unit_of_work import Records, Row

_BATCH = 20_000
_decode = msgspec.json.decode
_LONGEST_REACH = 5_000.0


@dataclass(frozen=True)
class Nearby:
    """A camera and how far it is, in metres."""

    code: str
    metres: float


class Directory:
    """Rows are read anew by their revision whenever somebody asks; every process on the same records sees the same.

    Methods may take a moment after a large import: call them off the event loop.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = threading.RLock()
        self._revision = 0
        self._at: dict[str, int] = {}
        self._codes: list[str] = []
        self._titles: list[str] = []
        self._facets: list[tuple[str, ...]] = []
        self._members: dict[str, set[int]] = {}
        self._sorted: list[str] = []
        self._ranked: dict[str, list[str]] = {}
        self._numbers: NDArray[np.float64] = np.empty((5, 0))  # longitude, latitude, heading, field of view, reach
        self._active: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._farthest = 0.0
        self._pending: list[tuple[int, list[float]]] = []
        self._touched: set[str] = set()
        self._searched: dict[str, list[str]] = {}

    def page(self, filters: list[str], words: str, after: str, limit: int) -> list[str]:
        """Codes in order after `after` of cameras with all facets in `filters` and all `words` in their titles, code or tags."""
        with self._lock:
            self._refresh()
            codes = self._worded(filters, words.lower().split()) if words.strip() else self._matching(filters)
            start = bisect_right(codes, after)
            return codes[start : start + limit]

    def count(self, filters: list[str]) -> int:
        """How many cameras have all these facets."""
        with self._lock:
            self._refresh()
            return len(self._matching(filters))

    def groups(self) -> dict[str, int]:
        """How many cameras stand in each group and those below it, by path."""
        with self._lock:
            self._refresh()
            found = {key.removeprefix("group:"): len(rows) for key, rows in self._members.items() if key.startswith("group:")}
            return {path: count for path, count in sorted(found.items()) if count}

    def counts(self, facet: str) -> dict[str, int]:
        """How many cameras there are for each value of a facet such as `health`."""
        with self._lock:
            self._refresh()
            start = f"{facet}:"
            return {
                key.removeprefix(start): len(rows)
                for key, rows in sorted(self._members.items())
                if key.startswith(start) and rows
            }

    def near(
        self, point: tuple[float, float], metres: float, filters: list[str], limit: int, after: tuple[float, str]
    ) -> list[Nearby]:
        """Cameras within `metres` of a WGS 84 point, the nearest first, after (distance, code)."""
        with self._lock:
            self._refresh()
            rows = self._around(point, metres, filters)
            distance = self._distances(point, rows)
        close = [
            (float(away), self._codes[row])
            for row, away in zip(rows.tolist(), distance.tolist(), strict=True)
            if away <= metres and (away, self._codes[row]) > after
        ]
        return [Nearby(code, away) for away, code in sorted(close)[:limit]]

    def seeing(self, point: tuple[float, float], filters: list[str], limit: int) -> list[Nearby]:
        """Cameras in whose view a WGS 84 point lies, the nearest first."""
        with self._lock:
            self._refresh()
            rows = self._around(point, self._farthest, filters)
            distance, numbers = self._distances(point, rows), self._numbers[:, rows]
        found = []
        for index in np.flatnonzero(distance <= numbers[4]).tolist():
            longitude, latitude, heading, across, reach = (None if np.isnan(v) else float(v) for v in numbers[:, index])
            if longitude is not None and latitude is not None and views.sees(longitude, latitude, heading, across, reach, point):
                found.append((float(distance[index]), self._codes[int(rows[index])]))
        return [Nearby(code, away) for away, code in sorted(found)[:limit]]

    def _around(self, point: tuple[float, float], metres: float, filters: list[str]) -> NDArray[np.int64]:
        up = metres / 111_000.0
        across = up / max(0.01, cos(radians(min(89.0, abs(point[1]) + up))))
        longitude, latitude = self._numbers[0], self._numbers[1]
        rows: NDArray[np.int64] = np.flatnonzero(np.abs(latitude - point[1]) <= up)
        rows = rows[np.abs((longitude[rows] - point[0] + 540) % 360 - 180) <= across]
        rows = rows[self._active[rows]]
        if not filters:
            return rows
        members = [self._members.get(name, set()) for name in filters]
        return np.array([row for row in rows.tolist() if all(row in some for some in members)], np.int64)

    def _distances(self, point: tuple[float, float], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        longitude, latitude = np.radians(self._numbers[0, rows]), np.radians(self._numbers[1, rows])
        lon, lat = radians(point[0]), radians(point[1])
        h = np.sin((latitude - lat) / 2) ** 2 + np.cos(latitude) * cos(lat) * np.sin((longitude - lon) / 2) ** 2
        metres: NDArray[np.float64] = 2 * 6_371_008.8 * np.arcsin(np.sqrt(np.minimum(1, h)))
        return metres

    def _matching(self, filters: list[str]) -> list[str]:
        """The sorted codes of all cameras with these facets; the last few answers are kept until something changes."""
        if not filters and len(self._members.get("active", ())) == len(self._codes):
            return self._everybody()
        key = "\n".join(sorted(filters))
        if key not in self._ranked:
            everybody = self._everybody()
            members = sorted((self._members.get(name, set()) for name in {"active", *filters}), key=len)
            rows = set.intersection(*members)
            if len(self._ranked) > 64:
                self._ranked.clear()
            few = len(rows) < len(everybody) // 8
            self._ranked[key] = sorted(self._codes[row] for row in rows) if few else [c for c in everybody if self._at[c] in rows]
        return self._ranked[key]

    def _worded(self, filters: list[str], words: list[str]) -> list[str]:
        """The sorted codes of those whose titles, code or tags hold all words, too."""
        key = "\n".join([*sorted(filters), "", *words])
        if key not in self._searched:
            members = [self._members.get(name, set()) for name in {"active", *filters}]
            longest = max(words, key=len)
            rows = [index for index, title in enumerate(self._titles) if longest in title]
            others = [word for word in words if word != longest]
            found = [i for i in rows if all(i in some for some in members) and all(word in self._titles[i] for word in others)]
            if len(self._searched) > 16:
                self._searched.clear()
            self._searched[key] = sorted(self._codes[index] for index in found)
        return self._searched[key]

    def _everybody(self) -> list[str]:
        """All codes in order; a few new ones are put where they belong, many are sorted in."""
        if len(self._codes) - len(self._sorted) > 1000:
            self._sorted = sorted(self._codes)
        for code in self._codes[len(self._sorted) :]:
            insort(self._sorted, code)
        return self._sorted

    def _refresh(self) -> None:
        while True:
            rows = self._records.read_now(lambda session: store.changed_since(session, self._revision, "", _BATCH))
            for row in rows:
                self._take(row)
            if rows:
                self._revision = int(rows[-1]["revision"])
                self._searched.clear()
            if len(rows) < _BATCH:
                break
        if self._touched:
            self._ranked = {key: codes for key, codes in self._ranked.items() if self._touched.isdisjoint(key.split("\n"))}
            if "active" in self._touched:
                self._ranked.clear()
            self._touched.clear()
        if self._pending:
            self._place()

    def _take(self, row: Row) -> None:
        code = row["code"]
        if code not in self._at:
            self._at[code] = len(self._codes)
            self._codes.append(code)
            self._titles.append("")
            self._facets.append(())
        index, facets = self._at[code], _facets(row)
        for gone in set(self._facets[index]).difference(facets):
            self._members[gone].discard(index)
            self._touched.add(gone)
        for new in set(facets).difference(self._facets[index]):
            self._members.setdefault(new, set()).add(index)
            self._touched.add(new)
        self._facets[index] = facets
        self._titles[index] = " ".join([code, *_decode(row["title"]).values(), *_decode(row["tags"])]).lower()
        names = ("longitude", "latitude", "heading", "field_of_view", "reach")
        self._pending.append((index, [float("nan") if row[name] is None else float(row[name]) for name in names]))

    def _place(self) -> None:
        size = self._numbers.shape[1]
        if len(self._codes) > size:
            grown = np.full((5, max(len(self._codes), size * 2, 1024)), np.nan)
            grown[:, :size] = self._numbers
            self._numbers = grown
            active = np.zeros(self._numbers.shape[1], np.bool_)
            active[: len(self._active)] = self._active
            self._active = active
        at = [index for index, _ in self._pending]
        self._numbers[:, at] = np.array([values for _, values in self._pending]).T
        members = self._members.get("active", set())
        self._active[at] = [index in members for index in at]
        reaches = self._numbers[4, at]
        self._farthest = min(_LONGEST_REACH, max(self._farthest, float(np.nanmax(reaches, initial=0.0))))
        self._pending.clear()


def _facets(row: Row) -> tuple[str, ...]:
    """What a camera can be found by; a retired one by nothing but that."""
    if row["retired"]:
        return ("retired",)
    found = ["active", f"health:{row['health']}", f"source:{row['source']}", f"industry:{row['code'][8:10]}"]
    found += [f"division:{row['code'][:end]}" for end in (2, 4, 6, 8)]
    found += [f"{name}:{row[name]}" for name in ("owner", "operator") if row[name]]
    found += [f"use:{use}" for use in _decode(row["uses"])] + [f"tag:{tag}" for tag in _decode(row["tags"])]
    for path in _decode(row["groups"]):
        parts = path.split("/")
        found += [f"group:{'/'.join(parts[:end])}" for end in range(1, len(parts) + 1)]
    return tuple(intern(name) for name in dict.fromkeys(found))
