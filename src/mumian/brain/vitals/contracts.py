"""Contracts of vitals: values, what they are about, and the observations behind them."""

from dataclasses import dataclass

CITY = "city"


@dataclass(frozen=True)
class Subject:
    """What a value is about: `key` is "city" or the name of a stream, `dimension` city or station; degrees are WGS 84."""

    key: str
    dimension: str
    label: dict[str, str]
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True)
class Reading:
    """One value at one mark: `value` None means missing (`state`), `version` that of the definition that gave it."""

    vital: str
    key: str
    time: str
    value: float | None
    state: str
    level: str | None
    version: int


@dataclass(frozen=True)
class Observation:
    """One observation behind a value; `result` None is one recorded as missing."""

    stream: str
    time: str
    result: float | None


@dataclass(frozen=True)
class Provenance:
    """Which observations made a reading, between `start` (excluded) and `end` (included), by way of which other readings."""

    reading: Reading
    rule: dict[str, object]
    start: str
    end: str
    inputs: list[Reading]
    observations: list[Observation]
