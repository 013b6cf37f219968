"""The OpenAPI definition of the face, made from the same lists of parameters that requests are held to."""

from typing import Any

import mumian
from mumian.foundation.spatial.ogc.parameters import DEFAULT, MOST

_TEXT = {"type": "string"}
_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "bbox": (
        "Four (or six) numbers: the box that features must meet, in the axis order of bbox-crs.",
        {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
    ),
    "bbox-crs": ("The URI of the system of bbox; CRS84 where not given.", {"type": "string", "format": "uri"}),
    "crs": ("The URI of the system of the answer; CRS84 where not given.", {"type": "string", "format": "uri"}),
    "cursor": ("Where the page begins; from a link to the next page.", _TEXT),
    "datetime": ("An instant or interval of RFC 3339, ends open with `..`.", _TEXT),
    "filter": ("A CQL2 filter.", _TEXT),
    "filter-crs": ("The URI of the system of geometries in the filter.", {"type": "string", "format": "uri"}),
    "filter-lang": ("The filter's language.", {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}),
    "limit": ("How many features a page has at most.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}),
    "live": ("Whether features carry the newest value, unit and time of the streams bound to them.", {"type": "boolean"}),
    "properties": ("The properties that features come with, comma-separated.", {"type": "array", "items": _TEXT}),
    "skipGeometry": ("Whether geometries are left out.", {"type": "boolean", "default": False}),
    "sortby": ("Properties to sort by, comma-separated; a minus before one reverses it.", {"type": "array", "items": _TEXT}),
    "f": ("The format: json or html.", {"type": "string", "enum": ["json", "html"]}),
}
_PROBLEM = {"description": "Refused; the problem document (RFC 9457) says why.", "content": {"application/problem+json": {}}}
_SEARCH = [name for name in _PARAMETERS if name != "f"]
_LIVE = ["bbox", "bbox-crs", "filter", "filter-lang", "filter-crs"]
_C = "/collections/{collectionId}"
_T = _C + "/tiles/WebMercatorQuad"
_JSON, _HTML, _SCHEMA, _GEO = "application/json", "text/html", "application/schema+json", "application/geo+json"
_GETS: list[tuple[str, str, list[str], list[str]]] = [
    ("/", "Landing page", ["f"], [_JSON, _HTML]),
    ("/conformance", "Conformance classes", ["f"], [_JSON, _HTML]),
    ("/api", "This definition", ["f"], ["application/vnd.oai.openapi+json;version=3.0", _HTML]),
    ("/collections", "All layers", ["f"], [_JSON, _HTML]),
    (_C, "One layer", ["f"], [_JSON, _HTML]),
    (_C + "/queryables", "What filters may name", ["f"], [_SCHEMA, _HTML]),
    (_C + "/schema", "What features hold", ["f"], [_SCHEMA, _HTML]),
    (_C + "/items", "Features", [*_SEARCH, "f"], [_GEO, _HTML]),
    (_C + "/items/{featureId}", "One feature", ["crs", "live", "f"], [_GEO, _HTML]),
    (_C + "/items/{featureId}/history", "The changes of a feature", ["cursor", "limit"], [_JSON]),
    (_C + "/imports", "The files that were brought into a layer", [], [_JSON]),
    (_C + "/tiles", "Tilesets of a layer", [], [_JSON]),
    (_T, "The tileset in WebMercatorQuad", [], [_JSON]),
    (_T + "/tilejson", "TileJSON", ["live"], [_JSON]),
    (_T + "/{tileMatrix}/{tileRow}/{tileCol}", "A vector tile", ["live", "properties"], ["application/vnd.mapbox-vector-tile"]),
    (_C + "/style", "The MapLibre style of a layer", [], [_JSON]),
    (_C + "/live", "The newest values of streams, by feature", _LIVE, [_JSON]),
    ("/tileMatrixSets", "Tile matrix sets", [], [_JSON]),
    ("/tileMatrixSets/WebMercatorQuad", "The tile matrix set", [], [_JSON]),
]


def openapi(base: str, collections: list[str]) -> dict[str, Any]:
    """The definition, naming the layers that the reader may see."""
    paths: dict[str, dict[str, Any]] = {}
    for path, summary, query, types in _GETS:
        paths[path] = {"parameters": _inside(path, collections), "get": _get(path, summary, query, types)}
    paths[_C + "/items"]["post"] = _change("Create a feature", "201", _GEO)
    paths[_C + "/imports"]["post"] = _import()
    one = paths[_C + "/items/{featureId}"]
    one["put"] = _change("Replace a feature", "204", _GEO)
    one["patch"] = _change("Update a feature", "204", "application/merge-patch+json")
    one["delete"] = _change("Delete a feature", "204", None)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Mumian spatial base", "version": mumian.__version__},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {
            "parameters": {name: _parameter(name) for name in _PARAMETERS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _parameter(name: str) -> dict[str, Any]:
    description, schema = _PARAMETERS[name]
    made: dict[str, Any] = {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
    return made | ({"style": "form", "explode": False} if schema["type"] == "array" else {})


def _inside(path: str, collections: list[str]) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    made = []
    for name in names:
        schema: dict[str, Any] = {"type": "string"}
        if name == "collectionId" and collections:
            schema["enum"] = collections
        made.append({"name": name, "in": "path", "required": True, "schema": schema})
    return made


def _get(path: str, summary: str, query: list[str], types: list[str]) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": summary, "content": {type_: {} for type_ in types}}}
    if "tileRow" in path:
        responses["204"] = {"description": "The tile is empty."}
    if "{tileMatrix}" in path or path.endswith("{featureId}"):
        responses["304"] = {"description": "It is still the one with that ETag."}
    parameters: list[dict[str, Any]] = [{"$ref": f"#/components/parameters/{name}"} for name in query]
    if path.endswith("/items"):
        queryable = {"type": "object", "additionalProperties": _TEXT}
        said = "A queryable and the value that it must have."
        parameters.append({"name": "queryables", "in": "query", "description": said, "style": "form", "schema": queryable})
    operation = "get" + "".join(part.strip("{}").capitalize() for part in path.split("/"))
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": parameters,
        "responses": responses | {"default": _PROBLEM},
    }


def _change(summary: str, status: str, type_: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"summary": summary, "operationId": summary.title().replace(" ", ""), "security": [{"token": []}]}
    if type_ is not None:
        made["requestBody"] = {"required": True, "content": {type_: {"schema": {"type": "object"}}}}
    headers: dict[str, Any] = {"ETag": {"schema": _TEXT}} if type_ is not None else {}
    if status == "201":
        headers["Location"] = {"schema": _TEXT}
    else:
        said = "The ETag of the feature that is changed; without it, whatever stands is changed."
        made["parameters"] = [{"name": "If-Match", "in": "header", "description": said, "schema": _TEXT}]
    made["responses"] = {status: {"description": "Done.", "headers": headers}, "default": _PROBLEM}
    return made


def _import() -> dict[str, Any]:
    made = _change("Bring a file in", "201", "application/octet-stream")
    texts = {name: {"type": "string"} for name in ("file", "crs", "key", "sublayer", "encoding")}
    flags = {name: {"type": "boolean", "default": False} for name in ("skip", "repair")}
    mode = {"mode": {"type": "string", "enum": ["replace", "append", "upsert"], "default": "replace"}}
    schemas: dict[str, dict[str, Any]] = {**texts, **flags, **mode}
    parameters = [{"name": n, "in": "query", "required": n == "file", "schema": schema} for n, schema in schemas.items()]
    return made | {"parameters": parameters}
