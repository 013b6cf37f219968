"""Replay data: a city's `data/replay.toml` and the hourly table that it points at."""

import csv
import gzip
import tomllib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mumian.demo.errors import BadReplay
from mumian.kernel.errors import Fault

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Replay:
    """A table of hours: `times` rising, `rows[i]` the results of the streams at that time in the order of `streams`.

    None is a missing value. `start` is the first instant of the day on which a demo begins unless told otherwise.
    """

    streams: tuple[str, ...]
    times: tuple[datetime, ...]
    rows: tuple[tuple[float | None, ...], ...]
    zone: ZoneInfo
    start: datetime

    def between(self, start: datetime, end: datetime) -> Sequence[tuple[datetime, tuple[float | None, ...]]]:
        """The hours from `start` (included) to `end` (excluded)."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        return list(zip(self.times[first:last], self.rows[first:last], strict=True))

    def day(self, text: str | None) -> datetime:
        """The first instant of a day like 2014-01-31 in the city, or where the demo begins; raises BadReplay."""
        if text is None:
            return self.start
        try:
            chosen = datetime.combine(date.fromisoformat(text), datetime.min.time(), self.zone).astimezone(UTC)
        except ValueError as error:
            raise BadReplay(Fault("--from", "field.type", {"expected": "a date like 2014-01-02"})) from error
        if not self.times[0] - timedelta(days=1) < chosen <= self.times[-1]:
            first, last = (t.astimezone(self.zone).date().isoformat() for t in (self.times[0], self.times[-1]))
            raise BadReplay(Fault("--from", "demo.range", {"first": first, "last": last}))
        return chosen


def read_replay(city: Path, timezone: str) -> Replay:
    """Read what a city's folder offers to replay; raises BadReplay."""
    file = city / "data" / "replay.toml"
    if not file.is_file():
        raise BadReplay(Fault("--city", "demo.no_manifest", {"folder": str(city)}))
    try:
        manifest = tomllib.loads(file.read_text("utf-8"))
        return _read(file.parent, manifest, ZoneInfo(timezone))
    except (OSError, ValueError, LookupError, TypeError, EOFError, StopIteration) as error:
        raise BadReplay(Fault("", "demo.manifest", {"reason": f"{type(error).__name__}: {error}"}, str(file), 1)) from error


def _read(folder: Path, manifest: dict[str, Any], zone: ZoneInfo) -> Replay:
    columns: dict[str, str] = manifest["streams"]
    missing: str = manifest["missing"]
    times: list[datetime] = []
    rows: list[tuple[float | None, ...]] = []
    with gzip.open(folder / manifest["file"], "rt", encoding="utf-8", newline="") as handle:
        lines = csv.reader(handle)
        header = next(lines)
        instants = [header.index(field) for field in manifest["time"]]
        places = [header.index(column) for column in columns.values()]
        for line in lines:
            year, month, day, hour = (int(line[place]) for place in instants)
            times.append(datetime(year, month, day, hour, tzinfo=zone).astimezone(UTC))
            rows.append(tuple(None if line[place] == missing else float(line[place]) for place in places))
    if not times or any(b <= a for a, b in pairwise(times)):
        raise ValueError("the hours of the table must be there and rise")
    start = datetime.combine(manifest["start"], datetime.min.time(), zone).astimezone(UTC)
    return Replay(tuple(columns), tuple(times), tuple(rows), zone, start)
