"""What the worker is told and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

MOST_FAULTS = 1000
FORMATS = {
    ".geojson": "geojson",
    ".json": "geojson",
    ".geojsonl": "geojson",
    ".ndjson": "geojson",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".gpkg": "GPKG",
    ".fgb": "FlatGeobuf",
    ".kml": "KML",
    ".kmz": "zip",
    ".zip": "zip",
    ".shp": "ESRI Shapefile",
}


class Job(msgspec.Struct, kw_only=True):
    """A file to read: `path`, its `format` (see FORMATS), where the rows go (`out`, a Parquet file) and how to read it."""

    path: str
    format: str
    out: str
    layer: str | None = None
    crs: str | None = None
    key: str | None = None
    encoding: str | None = None
    repair: bool = False
    most_rows: int = 5_000_000
    most_bytes: int = 4_000_000_000


class RowFault(msgspec.Struct):
    """What is wrong with one row, counted from 1 as a reader of the file would count; row 0 is the file as a whole."""

    row: int
    field: str
    reason: str


class Report(msgspec.Struct, kw_only=True):
    """What was found: the rows that can be used are in the Parquet file, the others are named, the first thousand of them."""

    rows: int = 0
    accepted: int = 0
    refused: int = 0
    faults: list[RowFault] = []
    properties: list[tuple[str, str]] = []
    crs: str = ""
    encoding: str = ""
    layers: list[str] = []
    unreadable: str | None = None
    digest: str = ""


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says why, in plain words."""


@dataclass
class Rows:
    """Rows as read: geometries (shapely or None), properties, ids where the file has them, and faults by row number."""

    geometries: Any
    properties: Sequence[dict[str, Any]]
    crs: str | None
    ids: Sequence[str | None] | None = None
    faults: dict[int, RowFault] = field(default_factory=dict)
    encoding: str = "utf-8"
    layers: list[str] = field(default_factory=list)
    first: int = 1
