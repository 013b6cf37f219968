"""What sensing hands out: streams, columns of observations, receipts, reports of imports."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE = int(np.iinfo(np.int64).min)
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class StreamInfo:
    """A stream 数据流: what one sensor of one thing observes of one property.

    `id` never changes and is never used again. `longitude` and `latitude` are WGS 84 degrees of the thing, `unit` a UCUM or
    plain symbol, `owner` an organisation's name, `frequency_seconds` how often an observation is expected (None: irregular),
    `minimum` and `maximum` the valid range of results, `origin` where the stream was registered (`declaration`, `sensorthings`).
    `observation_type` is the URI of what a result is (a measurement: a number); `multi` marks a stream of several properties.
    """

    id: int
    name: str
    title: dict[str, str]
    observed_property: str
    unit: str
    owner: str | None
    thing: str
    longitude: float | None
    latitude: float | None
    frequency_seconds: int | None
    origin: str
    sensor: str = ""
    minimum: float | None = None
    maximum: float | None = None
    retired: bool = False
    observation_type: str = MEASUREMENT
    multi: bool = False


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations as columns of equal length; row i is `streams[i], times[i], results[i]`.

    `streams` are stream ids, `times` the phenomenon times in µs since 1970-01-01 UTC, `results` in the stream's unit, NaN where
    the value is missing 缺测. `ids` number observations in the order in which they were recorded (0: not recorded yet),
    `result_times` are as `times`, or `NONE`. `flags` are bits of doubt about the quality (0: good; see `rules.quality`).

    `details` is None where all is told by the columns above; else it has, for each row that is no plain number at an instant, a
    JSON object as text, and None for the others. Its members are all optional: `result` (any JSON but a number or null; `results`
    is NaN then, or the nearest number to a whole one that is too long for a column), `end` (µs, the phenomenon's interval's end),
    `validTime` ([µs, µs]), `resultQuality` (any JSON), `parameters` (an object), `feature` (the id of a FeatureOfInterest other
    than the one made of the thing's place).
    """

    streams: Int64
    times: Int64
    results: Float64
    ids: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    result_times: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    flags: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    details: Texts | None = None

    def __post_init__(self) -> None:
        rows = len(self.streams)
        if len(self.ids) != rows:
            object.__setattr__(self, "ids", np.zeros(rows, np.int64))
        if len(self.result_times) != rows:
            object.__setattr__(self, "result_times", np.full(rows, NONE, np.int64))
        if len(self.flags) != rows:
            object.__setattr__(self, "flags", np.zeros(rows, np.int64))
        if len(self.times) != rows or len(self.results) != rows or (self.details is not None and len(self.details) != rows):
            raise ValueError("the columns of observations differ in length")

    def __len__(self) -> int:
        return len(self.streams)

    def take(self, rows: Any) -> "Observations":
        """The rows chosen by a mask, a slice or an array of indices."""
        details = None if self.details is None else self.details[rows]
        columns = (self.streams[rows], self.times[rows], self.results[rows], self.ids[rows], self.result_times[rows])
        return Observations(*columns, self.flags[rows], details)

    def numbered(self, ids: Int64) -> "Observations":
        """The same rows with these ids."""
        return Observations(self.streams, self.times, self.results, ids, self.result_times, self.flags, self.details)

    def flagged(self, flags: Int64) -> "Observations":
        """The same rows with these flags."""
        return Observations(self.streams, self.times, self.results, self.ids, self.result_times, flags, self.details)

    def detail(self, row: int) -> str | None:
        """The details of one row."""
        return None if self.details is None else self.details[row]

    @staticmethod
    def empty() -> "Observations":
        """No rows."""
        return Observations(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))

    @staticmethod
    def concat(parts: "list[Observations]") -> "Observations":
        """All rows of all parts, in order."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Observations.empty()
        return Observations(
            np.concatenate([p.streams for p in parts]),
            np.concatenate([p.times for p in parts]),
            np.concatenate([p.results for p in parts]),
            np.concatenate([p.ids for p in parts]),
            np.concatenate([p.result_times for p in parts]),
            np.concatenate([p.flags for p in parts]),
            _joined(parts),
        )


def _joined(parts: list[Observations]) -> Texts | None:
    if all(part.details is None for part in parts):
        return None
    return np.concatenate([np.full(len(p), None, np.object_) if p.details is None else p.details for p in parts])


@dataclass(frozen=True, eq=False)
class Receipt:
    """What became of a batch, durably: `ids[i]` is the id of the batch's row i, that of an earlier one where it was a repeat."""

    ids: Int64
    accepted: int
    repeated: int
    replayed: bool = False

    @property
    def first_id(self) -> int:
        """The id of the first row; 0 for an empty batch."""
        return int(self.ids[0]) if len(self.ids) else 0


@dataclass(frozen=True)
class BrokenRow:
    """A line of a file that was left out: its number (the header is 1), the field, what is wrong with it, and the text."""

    line: int
    field: str
    key: str
    values: dict[str, Any]
    text: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did: rows read, new observations, repeats of known ones, and every row that was left out."""

    file: str
    rows: int
    accepted: int
    repeated: int
    broken: tuple[BrokenRow, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values for JSON."""
        rows = [
            {"line": b.line, "field": b.field, "key": b.key, "text": b.text, "message": describe(b, "en")} for b in self.broken
        ]
        return {**self.__dict__, "broken": rows}

    def lines(self, language: str) -> list[str]:
        """The report for a person, in `zh` or `en`."""
        from mumian.kernel.i18n import text

        counts = {"file": self.file, "rows": self.rows, "accepted": self.accepted, "repeated": self.repeated}
        first = text("sensing.import.done", language, **counts, broken=len(self.broken), seconds=round(self.seconds, 2))
        return [first, *(f"{self.file}:{b.line}: {b.field}: {describe(b, language)}" for b in self.broken)]


def describe(row: BrokenRow, language: str) -> str:
    """What is wrong with a row, in one language."""
    from mumian.kernel.i18n import text

    return text(row.key, language, **row.values)
