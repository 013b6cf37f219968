"""Tiles over HTTP: tilesets of OGC API Tiles, TileJSON, vector tiles with ETags, and styles."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.spatial.contracts import Bounds
from mumian.foundation.spatial.features.streams import live_values
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.models import LayerSpec, LiveSpec
from mumian.foundation.spatial.ogc.overlays import short_lived, wanted
from mumian.foundation.spatial.ogc.request import Ask, json_answer
from mumian.foundation.spatial.rules.tiles import HALF, MOST_ZOOM, Tile, covering, first_view
from mumian.foundation.spatial.tiles.keeping import vector_layer
from mumian.foundation.spatial.tiles.mvt import Live
from mumian.foundation.spatial.tiles.styling import style as drawn
from mumian.kernel.errors import Invalid, NotFound

MVT = "application/vnd.mapbox-vector-tile"
_SET = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
_SCALE = 559082264.028717
_MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"


async def tile(ask: Ask) -> Response:
    """One vector tile; 204 where it is empty, 304 where the reader has it already."""
    spec = ask.layer("layer:read")
    ask.allow(["properties", "live"])
    found, how = _tile(ask), wanted(ask, spec)
    table = await asyncio.to_thread(ask.spatial.layers.table, ask.collection)
    properties = _properties(ask, table, spec)
    if how is not None:
        return await asyncio.to_thread(_living, ask, table, found, properties, how)
    digest = sha256(f"{table.base}\n{table.version}\n{properties}\n{found}".encode()).hexdigest()[:32]
    headers = {"ETag": f'"{digest}"', "Cache-Control": "no-cache"}
    if _known(ask, headers["ETag"]):
        return Response(None, 304, headers)
    content = await asyncio.to_thread(ask.spatial.tiles.tile, table, found, properties)
    return Response(content or None, 200 if content else 204, headers, MVT)


def _living(ask: Ask, table: Table, tile: Tile, properties: tuple[str, ...] | None, how: LiveSpec) -> Response:
    """A tile with live values, made at most once in `live_seconds` and told apart by what is in it."""
    sensing = ask.platform.get(Sensing)

    def look(names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        found = live_values(sensing, how, [(name, name) for name in names])
        return {name: (value.value, value.unit, value.time) for name, value in found.items()}

    moment = 1 + int(ask.platform.clock.now().timestamp()) // ask.spatial.settings.live_seconds
    content = ask.spatial.tiles.tile(table, tile, properties, Live(how.property, look), moment)
    headers = {"ETag": f'"{sha256(content).hexdigest()[:32]}"', **short_lived(ask)}
    if _known(ask, headers["ETag"]):
        return Response(None, 304, headers)
    return Response(content or None, 200 if content else 204, headers, MVT)


def _known(ask: Ask, etag: str) -> bool:
    return etag in [tag.strip() for tag in ask.request.headers.get("if-none-match", "").split(",")]


def _tile(ask: Ask) -> Tile:
    texts = [str(ask.request.path_params[name]).removesuffix(".mvt") for name in "zxy"]
    if not all(text.isascii() and text.isdigit() and len(text) < 9 for text in texts):
        raise NotFound(kind="tile", name="/".join(texts)[:100])
    found = Tile(*map(int, texts))
    if not found.exists:
        raise NotFound(kind="tile", name="/".join(texts))
    return found


def _properties(ask: Ask, table: Table, spec: LayerSpec) -> tuple[str, ...] | None:
    text = ask.query.get("properties")
    if text is None:
        return spec.tile_properties
    names = tuple(sorted({name for name in text.split(",") if name}))
    if any(name not in table.columns for name in names):
        raise Invalid.field("properties", "field.choice", expected=", ".join(table.columns))
    return names


async def tilesets(ask: Ask) -> Response:
    """The tilesets of a layer: there is one."""
    table = await _table(ask)
    return json_answer(
        {"tilesets": [_described(ask, table)], "links": [ask.link("self", f"/collections/{ask.collection}/tiles")]}
    )


async def tileset(ask: Ask) -> Response:
    """The tileset in WebMercatorQuad, with its limits."""
    table = await _table(ask)
    content = _described(ask, table) | {"tileMatrixSetLimits": _limits(table.bounds) if table.bounds else []}
    layer = {"id": table.layer, "dataType": "vector", "geometryDimension": 0 if table.points else 2}
    return json_answer(content | {"layers": [layer]})


async def tilejson(ask: Ask) -> Response:
    """TileJSON 3.0.0; with `live=true` of the tiles that carry live values."""
    spec, title = ask.layer("layer:read"), ask.spatial.layers.title(ask.collection)
    ask.allow(["live"])
    live = wanted(ask, spec) is not None
    table = await asyncio.to_thread(ask.spatial.layers.table, ask.collection)
    longitude, latitude, zoom = first_view(table.bounds)
    path = f"/collections/{ask.collection}/tiles/WebMercatorQuad"
    return json_answer(
        {
            "tilejson": "3.0.0",
            "name": title[ask.language],
            "version": f"1.0.{table.version}",
            "scheme": "xyz",
            "tiles": [ask.url(path + "/{z}/{y}/{x}", live=ask.query.get("live"))],
            "minzoom": 0,
            "maxzoom": MOST_ZOOM,
            "bounds": list(table.bounds or (-180.0, -85.05, 180.0, 85.05)),
            "center": [longitude, latitude, int(zoom)],
            "vector_layers": [vector_layer(table, spec.tile_properties, (0, MOST_ZOOM), live)],
        }
    )


async def style(ask: Ask) -> Response:
    """The layer's MapLibre style."""
    table = await _table(ask)
    spec, title = ask.spatial.layers.spec(ask.collection), ask.spatial.layers.title(ask.collection)
    source = ask.url(f"/collections/{ask.collection}/tiles/WebMercatorQuad/tilejson")
    return json_answer(drawn(ask.collection, title[ask.language], source, spec.style, first_view(table.bounds)))


async def matrix_sets(ask: Ask) -> Response:
    """The tile matrix sets that are served."""
    ask.allow([])
    link = ask.link("http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", "/tileMatrixSets/WebMercatorQuad")
    return json_answer({"tileMatrixSets": [{"id": "WebMercatorQuad", "uri": _SET, "crs": _MERCATOR, "links": [link]}]})


async def matrix_set(ask: Ask) -> Response:
    """WebMercatorQuad (OGC 17-083r4, Annex D.1)."""
    ask.allow([])
    matrices = [
        {
            "id": str(z),
            "scaleDenominator": _SCALE / 2**z,
            "cellSize": 2 * HALF / 256 / 2**z,
            "pointOfOrigin": [-HALF, HALF],
            "cornerOfOrigin": "topLeft",
            "tileWidth": 256,
            "tileHeight": 256,
            "matrixWidth": 2**z,
            "matrixHeight": 2**z,
        }
        for z in range(MOST_ZOOM + 1)
    ]
    head = {"id": "WebMercatorQuad", "title": "Google Maps Compatible for the World", "uri": _SET, "crs": _MERCATOR}
    return json_answer({**head, "orderedAxes": ["X", "Y"], "tileMatrices": matrices})


async def _table(ask: Ask) -> Table:
    ask.layer("layer:read")
    ask.allow([])
    return await asyncio.to_thread(ask.spatial.layers.table, ask.collection)


def _described(ask: Ask, table: Table) -> dict[str, Any]:
    path = f"/collections/{ask.collection}/tiles/WebMercatorQuad"
    tiles = ask.link("item", path + "/{tileMatrix}/{tileRow}/{tileCol}", MVT) | {"templated": True}
    return {
        "title": ask.spatial.layers.title(ask.collection)[ask.language],
        "dataType": "vector",
        "crs": _MERCATOR,
        "tileMatrixSetURI": _SET,
        "links": [
            ask.link("self", path),
            tiles,
            ask.link("http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", "/tileMatrixSets/WebMercatorQuad"),
            ask.link("describedby", path + "/tilejson"),
        ],
    }


def _limits(bounds: Bounds) -> list[dict[str, Any]]:
    made = []
    for z in range(MOST_ZOOM + 1):
        first, last = covering(bounds, z)
        rows = {"minTileRow": first.y, "maxTileRow": last.y, "minTileCol": first.x, "maxTileCol": last.x}
        made.append({"tileMatrix": str(z), **rows})
    return made
