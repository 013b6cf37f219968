"""Tiles kept in memory by the version of their layer, the least used let go first; and a whole layer as one PMTiles file."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from gzip import compress
from pathlib import Path
from typing import Any

from mumian.foundation.spatial.features.layers import Layers
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.rules.tiles import Tile, count_covering, covering, first_view
from mumian.foundation.spatial.tiles.mvt import LIVE, Live, attributes, encode
from mumian.kernel.errors import Invalid

MOST_BYTES = 64 << 20
MOST_TILES = 50_000
_Key = tuple[str, str, int, Tile, tuple[str, ...] | None, int]


class Tiles:
    """Makes tiles, each once for a version of its layer; blocks."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def tile(
        self, table: Table, tile: Tile, properties: tuple[str, ...] | None, live: Live | None = None, moment: int = 0
    ) -> bytes:
        """A tile of a layer as it stands; with live values made anew for each `moment`."""
        key = (table.layer, table.base, table.version, tile, properties, moment)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        made = encode(self._layers.cache.engine, table, tile, properties, live)
        self._keep(key, made)
        return made

    def _keep(self, key: _Key, made: bytes) -> None:
        with self._lock:
            if len(made) > MOST_BYTES // 8 or key in self._kept:
                return
            self._kept[key] = made
            self._bytes += len(made) + 200
            while self._bytes > MOST_BYTES:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone) + 200


def archive(layers: Layers, layer: str, file: Path, properties: Sequence[str] | None, zooms: tuple[int, int], title: str) -> int:
    """Write a layer's tiles from one zoom to another into a PMTiles file (version 3); returns how many tiles there are.

    Raises Invalid where that would be more than 50,000 tiles.
    """
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import Writer

    table = layers.table(layer)
    bounds = table.bounds or (-180.0, -85.0, 180.0, 85.0)
    first, last = zooms
    if sum(count_covering(bounds, z) for z in range(first, last + 1)) > MOST_TILES:
        raise Invalid.field("maxzoom", "spatial.too_many_tiles", most=MOST_TILES)
    found = []
    for z in range(first, last + 1) if table.count else ():
        north_west, south_east = covering(bounds, z)
        for x in range(north_west.x, south_east.x + 1):
            for y in range(north_west.y, south_east.y + 1):
                found.append((zxy_to_tileid(z, x, y), Tile(z, x, y)))
    count = 0
    with file.open("wb") as stream:
        writer: Any = Writer(stream)  # type: ignore[no-untyped-call]
        for number, tile in sorted(found, key=lambda entry: entry[0]):
            content = encode(layers.cache.engine, table, tile, properties)
            if content:
                writer.write_tile(number, compress(content, 6, mtime=0))
                count += 1
        if count == 0:
            writer.write_tile(zxy_to_tileid(first, 0, 0), compress(b"", 6, mtime=0))  # the format knows no archive without a tile
        west, south, east, north = (round(value * 1e7) for value in bounds)
        longitude, latitude, zoom = first_view(table.bounds)
        header = {
            "tile_type": TileType.MVT,
            "tile_compression": Compression.GZIP,
            "min_zoom": first,
            "max_zoom": last,
            "min_lon_e7": west,
            "min_lat_e7": south,
            "max_lon_e7": east,
            "max_lat_e7": north,
            "center_zoom": int(zoom),
            "center_lon_e7": round(longitude * 1e7),
            "center_lat_e7": round(latitude * 1e7),
        }
        writer.finalize(header, {"name": title, "vector_layers": [vector_layer(table, properties, zooms)]})
    return count


def vector_layer(table: Table, properties: Sequence[str] | None, zooms: tuple[int, int], live: bool = False) -> dict[str, object]:
    """What TileJSON and PMTiles say of the layer inside of tiles."""
    words = {"integer": "Number", "number": "Number", "boolean": "Boolean"}
    fields = {name: words.get(type_, "String") for name, _, type_ in attributes(table, properties)}
    fields |= {name: "Number" if type_ == "DOUBLE" else "String" for name, type_ in LIVE.items() if live}
    return {"id": table.layer, "fields": {"id": "String", **fields}, "minzoom": zooms[0], "maxzoom": zooms[1]}
