"""Features: searches and single features, as GeoJSON and as plain pages."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import shapely
from starlette.responses import Response

from mumian.foundation.spatial.coordinates.transform import convert_geometry
from mumian.foundation.spatial.features.queries import Query, Row
from mumian.foundation.spatial.features.streams import LIVE
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.ogc import pages
from mumian.foundation.spatial.ogc.overlays import joined, short_lived, wanted
from mumian.foundation.spatial.ogc.parameters import NAMES, Search, chosen, parse, systems, write_cursor
from mumian.foundation.spatial.ogc.request import GEOJSON, Ask, html_answer
from mumian.foundation.spatial.rules.crs import Crs, parse_crs
from mumian.kernel.clock import iso

_CRS84 = parse_crs("CRS84")


async def features(ask: Ask) -> Response:
    """The features of a layer that answer a search, one page of them, with a link to the next."""
    return await asyncio.to_thread(_features, ask)


def _features(ask: Ask) -> Response:
    spec, layers = ask.layer("layer:read"), ask.spatial.layers
    table = layers.table(ask.collection)
    ask.allow([*NAMES, *table.columns])
    live = wanted(ask, spec)
    search = parse(ask.query, table, spec)
    if live is not None and search.properties is not None:
        search = replace(search, properties=(*search.properties, *LIVE))
    rows, matched = layers.page(ask.collection, search.query)
    limit = search.query.limit or 0
    shown, more = rows[:limit], len(rows) > limit
    shown = shown if live is None else joined(ask, live, shown)
    following = write_cursor(shown[-1].keys) if more else None
    path = f"/collections/{ask.collection}/items"
    query: dict[str, Any] = {k.replace("-", "_"): v for k, v in ask.query.items() if k != "f"}
    links = [ask.link("self", path, GEOJSON, **{**query, "f": "json"})]
    links.append(ask.link("alternate", path, "text/html", **{**query, "f": "html"}))
    if following is not None:
        links.append(ask.link("next", path, GEOJSON, **{**query, "f": ask.query.get("f"), "cursor": following}))
    links.append(ask.link("collection", f"/collections/{ask.collection}"))
    if ask.html:
        return html_answer(pages.items_page(ask, layers.title(ask.collection), table, shown, matched, links))
    head = {"type": "FeatureCollection", "numberMatched": matched, "numberReturned": len(shown)}
    head |= {"timeStamp": iso(ask.platform.clock.now()), "links": links}
    body = msgspec.json.encode(head)[:-1].decode() + ',"features":[' + ",".join(written(shown, search)) + "]}"
    headers = {"Content-Crs": f"<{search.crs.uri}>", "Vary": "Accept", **({} if live is None else short_lived(ask))}
    return Response(body.encode(), 200, headers, GEOJSON)


async def feature(ask: Ask) -> Response:
    """One feature with its version as ETag."""
    return await asyncio.to_thread(_feature, ask)


def _feature(ask: Ask) -> Response:
    live, layers = wanted(ask, ask.layer("layer:read")), ask.spatial.layers
    ask.allow(["crs", "live"])
    table = layers.table(ask.collection)
    crs = chosen(ask.query.get("crs"), systems(table), "crs")
    row = layers.one(ask.collection, str(ask.request.path_params["feature"]))
    headers = {"Content-Crs": f"<{crs.uri}>", "Vary": "Accept"}
    etag = etag_of(row.version, crs)
    if live is None:
        headers |= {"ETag": etag, "Cache-Control": "no-cache"}
    else:
        (row,) = joined(ask, live, [row])
        headers |= short_lived(ask)
    if ask.html:
        return html_answer(pages.feature_page(ask, layers.title(ask.collection), row))
    if live is None and etag in [tag.strip() for tag in ask.request.headers.get("if-none-match", "").split(",")]:
        return Response(None, 304, headers)
    if crs != _CRS84 and row.geometry is not None:
        row = Row(row.id, row.version, shapely.to_wkb(shapely.from_geojson(row.geometry)), row.properties)
    text = next(iter(written([row], Search(Query(wkb=crs != _CRS84), crs, None, geometry=True))))
    path = f"/collections/{ask.collection}/items/{row.id}"
    links = [ask.link("self", path, GEOJSON), ask.link("alternate", path, "text/html", f="html")]
    links.append(ask.link("collection", f"/collections/{ask.collection}"))
    body = text[:-1] + ',"links":' + json.dumps(links) + "}"
    return Response(body.encode(), 200, headers, GEOJSON)


def etag_of(version: int, crs: Crs) -> str:
    """The ETag of a feature in a system; a change is made against the version, whatever the system."""
    return f'"{version}"' if crs == _CRS84 else f'"{version}-{crs.name}"'


def written(rows: list[Row], search: Search) -> list[str]:
    """Features as GeoJSON texts in the search's system and selection."""
    geometries = _geometries(rows, search)
    return [
        f'{{"type":"Feature","id":{json.dumps(row.id, ensure_ascii=False)},"geometry":{geometry or "null"},'
        f'"properties":{_selected(row.properties, search.properties)}}}'
        for row, geometry in zip(rows, geometries, strict=True)
    ]


def _selected(text: str, names: tuple[str, ...] | None) -> str:
    if names is None:
        return text
    values: dict[str, Any] = msgspec.json.decode(text)
    return msgspec.json.encode({name: values[name] for name in names if name in values}).decode()


def _geometries(rows: list[Row], search: Search) -> list[str | None]:
    if not search.geometry:
        return [None] * len(rows)
    if not search.query.wkb:
        return [row.geometry for row in rows]
    wkb = np.empty(len(rows), object)
    wkb[:] = [None if row.geometry is None else bytes(row.geometry) for row in rows]
    drawn = shapely.from_wkb(wkb)
    there = ~shapely.is_missing(drawn)
    if there.any():
        drawn[there] = convert_geometry(drawn[there], _CRS84, search.crs)
        if search.crs.northing_first:
            drawn[there] = shapely.transform(drawn[there], lambda points: points[:, ::-1])
    return list(shapely.to_geojson(drawn))


def bounds_of(table: Table) -> list[float] | None:
    """A layer's bounds as a list."""
    return None if table.bounds is None else list(table.bounds)
