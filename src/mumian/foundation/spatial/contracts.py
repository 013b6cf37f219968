"""Contracts of the spatial base: what other components get to see."""

from dataclasses import dataclass, field
from typing import Any

GeoJson = dict[str, Any]
Bounds = tuple[float, float, float, float]


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


@dataclass(frozen=True)
class Property:
    """A property of a layer's features; `type` is string, integer, number, boolean, date, datetime or json."""

    name: str
    type: str
    title: dict[str, str] | None = None
    required: bool = False


@dataclass(frozen=True)
class LayerInfo:
    """A layer as it stands: `version` grows with every change of any feature, so what is made from a layer is kept by it.

    `bounds` is (west, south, east, north) in WGS 84 degrees, None while it is empty; `owner` the organisation that keeps it.
    """

    name: str
    title: dict[str, str]
    version: int
    count: int
    bounds: Bounds | None
    properties: tuple[Property, ...]
    editable: bool
    owner: str | None = None


@dataclass(frozen=True)
class Feature:
    """A feature: `geometry` is GeoJSON in WGS 84 or None, `version` the layer's version at which it was last changed."""

    id: str
    version: int
    geometry: GeoJson | None
    properties: dict[str, Any] = field(default_factory=dict)
