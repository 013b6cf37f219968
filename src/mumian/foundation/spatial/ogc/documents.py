"""Documents: the landing page, what the face conforms to, its collections and their schemas."""

import asyncio
from typing import Any

from starlette.responses import Response

from mumian.foundation.spatial.contracts import LayerInfo, Property
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.ogc import pages
from mumian.foundation.spatial.ogc.definition import openapi
from mumian.foundation.spatial.ogc.parameters import systems
from mumian.foundation.spatial.ogc.request import GEOJSON, Ask, html_answer, json_answer
from mumian.foundation.spatial.rules.crs import CRS84
from mumian.foundation.spatial.rules.schema import JSON_TYPES
from mumian.kernel.errors import MumianError, NotFound

_FEATURES = "http://www.opengis.net/spec/ogcapi-features-"
_COMMON = "http://www.opengis.net/spec/ogcapi-common-"
_CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf/"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CONFORMANCE = [
    _COMMON + "1/1.0/conf/core",
    _COMMON + "2/1.0/conf/collections",
    *(_FEATURES + "1/1.0/conf/" + name for name in ("core", "oas30", "html", "geojson")),
    _FEATURES + "2/1.0/conf/crs",
    *(_FEATURES + "3/1.0/conf/" + name for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(_FEATURES + "4/1.0/conf/" + name for name in ("create-replace-delete", "update", "optimistic-locking-etags", "features")),
    *(
        _CQL2 + name
        for name in "cql2-text cql2-json basic-cql2 advanced-comparison-operators case-insensitive-comparison "
        "accent-insensitive-comparison basic-spatial-functions basic-spatial-functions-plus spatial-functions "
        "temporal-functions array-functions property-property arithmetic".split()
    ),
    *(_TILES + name for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")),
]


async def landing(ask: Ask) -> Response:
    """Where everything is."""
    ask.allow([])
    names = {"zh": "时空底座", "en": "Spatial base"}
    said = {"zh": "城市的图层：要素、切片与坐标转换。", "en": "The layers of the city: features, tiles and coordinates."}
    content: dict[str, Any] = {
        "title": names[ask.language],
        "description": said[ask.language],
        "links": [
            ask.link("self", ""),
            ask.link("alternate", "", "text/html", f="html"),
            ask.link("service-desc", "/api", "application/vnd.oai.openapi+json;version=3.0"),
            ask.link("service-doc", "/api", "text/html", f="html"),
            ask.link("conformance", "/conformance"),
            ask.link("data", "/collections"),
            ask.link(_REL + "tiling-schemes", "/tileMatrixSets"),
        ],
    }
    return _either(ask, content["title"], content)


async def conformance(ask: Ask) -> Response:
    """The classes of the standards that hold here."""
    ask.allow([])
    return _either(ask, pages.word(ask, "conformance"), {"conformsTo": CONFORMANCE})


async def definition(ask: Ask) -> Response:
    """The OpenAPI definition."""
    ask.allow([])
    names = [name for name in ask.spatial.layers.names() if _readable(ask, name)]
    content = openapi(ask.base, names)
    if ask.html:
        return html_answer(pages.document_page(ask, pages.word(ask, "definition"), content))
    return json_answer(content, type_="application/vnd.oai.openapi+json;version=3.0")


async def collections(ask: Ask) -> Response:
    """The layers that the caller may read."""
    ask.allow([])
    found = await asyncio.to_thread(_collections, ask)
    links = [ask.link("self", "/collections"), ask.link("alternate", "/collections", "text/html", f="html")]
    return _either(ask, pages.word(ask, "collections"), {"links": links, "collections": found})


def _collections(ask: Ask) -> list[dict[str, Any]]:
    made = []
    for name in ask.spatial.layers.names():
        if not _readable(ask, name):
            continue
        try:
            made.append(_described(ask, name))
        except (NotFound, MumianError):
            continue  # a layer whose rows cannot be had just now hides no other
    return made


async def collection(ask: Ask) -> Response:
    """One layer."""
    ask.layer("layer:read")
    ask.allow([])
    content = await asyncio.to_thread(_described, ask, ask.collection)
    return _either(ask, content["title"], content)


async def queryables(ask: Ask) -> Response:
    """The properties that filters may name, as JSON Schema."""
    ask.layer("layer:read")
    ask.allow([])
    info = await asyncio.to_thread(ask.spatial.layers.info, ask.collection)
    content = _schema(ask, info, "queryables") | {"additionalProperties": False}
    return _either(ask, content["title"], content, "application/schema+json")


async def schema(ask: Ask) -> Response:
    """The properties that features have, as JSON Schema."""
    ask.layer("layer:read")
    ask.allow([])
    info = await asyncio.to_thread(ask.spatial.layers.info, ask.collection)
    required = [p.name for p in info.properties if p.required]
    content = _schema(ask, info, "schema") | ({"required": required} if required else {})
    return _either(ask, content["title"], content, "application/schema+json")


def _schema(ask: Ask, info: LayerInfo, name: str) -> dict[str, Any]:
    geometry = {"title": "geometry", "format": "geometry-any", "x-ogc-role": "primary-geometry"}
    properties = {p.name: _property(ask, p) for p in info.properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ask.url(f"/collections/{info.name}/{name}"),
        "type": "object",
        "title": info.title[ask.language],
        "properties": {"geometry": geometry, **properties},
    }


def _property(ask: Ask, property_: Property) -> dict[str, Any]:
    title = (property_.title or {}).get(ask.language, property_.name)
    return {"title": title, **JSON_TYPES[property_.type]}


def _readable(ask: Ask, layer: str) -> bool:
    return ask.caller.allowed("layer:read", ask.spatial.layers.spec(layer).owner)


def _described(ask: Ask, name: str) -> dict[str, Any]:
    layers = ask.spatial.layers
    table, spec, title = layers.table(name), layers.spec(name), layers.title(name)
    path = f"/collections/{name}"
    content: dict[str, Any] = {
        "id": name,
        "title": title[ask.language],
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [list(table.bounds or (-180.0, -90.0, 180.0, 90.0))], "crs": CRS84}},
        "crs": [crs.uri for crs in systems(table)],
        "storageCrs": CRS84,
        "version": table.version,
        "links": _links(ask, path, table),
    }
    described = spec.description
    return content | ({"description": described[ask.language]} if described and ask.language in described else {})


def _links(ask: Ask, path: str, table: Table) -> list[dict[str, str]]:
    return [
        ask.link("self", path),
        ask.link("alternate", path, "text/html", f="html"),
        ask.link("items", path + "/items", GEOJSON),
        ask.link("items", path + "/items", "text/html", f="html"),
        ask.link(_REL + "queryables", path + "/queryables", "application/schema+json"),
        ask.link("describedby", path + "/schema", "application/schema+json"),
        ask.link(_REL + "tilesets-vector", path + "/tiles"),
        ask.link("style", path + "/style"),
    ]


def _either(ask: Ask, title: str, content: dict[str, Any], type_: str = "application/json") -> Response:
    if ask.html:
        return html_answer(pages.document_page(ask, title, content))
    return json_answer(content, type_=type_, headers={"Vary": "Accept, Accept-Language"})
