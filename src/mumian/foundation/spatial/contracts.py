"""Contracts of the spatial base: what other components get to see."""

from dataclasses import dataclass
from typing import Any

GeoJson = dict[str, Any]


@dataclass(frozen=True)
class District:
    """A district: `code` after GB/T 2260, `title` {zh, en}, `centre` (longitude, latitude) in WGS 84 degrees."""

    code: str
    title: dict[str, str]
    centre: tuple[float, float]


@dataclass(frozen=True)
class City:
    """The city that this platform runs; `bounds` is (west, south, east, north) in WGS 84 degrees."""

    name: str
    title: dict[str, str]
    number_prefix: str
    code: str
    centre: tuple[float, float]
    bounds: tuple[float, float, float, float]
    timezone: str
    district_layer: str
