"""Changes: features created, replaced, updated and deleted one at a time, each against the version that the caller saw."""

import asyncio
import json
from typing import Any

from starlette.responses import Response

from mumian.foundation.spatial.features.geometry import geometry_text, parse_geometry
from mumian.foundation.spatial.ogc.parameters import chosen, systems
from mumian.foundation.spatial.ogc.request import Ask, body_of, json_answer
from mumian.foundation.spatial.rules.crs import Crs
from mumian.foundation.spatial.store.features import EditRow
from mumian.kernel.errors import Invalid, Malformed
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

_NEWEST = 2**62


async def create(ask: Ask) -> Response:
    """POST of a Feature: 201 with the address of what was made; its `id`, where it has one, is kept."""
    ask.layer("layer:write")
    ask.allow([])
    crs, body = await _system(ask), await _json(ask)
    geometry, properties = _whole(body, crs)
    edit = await ask.spatial.layers.create(ask.collection, _id(body), geometry, properties, ask.caller.actor)
    return Response(None, 201, {"Location": ask.url(f"/collections/{ask.collection}/items/{edit.feature}"), "ETag": _etag(edit)})


async def replace(ask: Ask) -> Response:
    """PUT of a Feature in the place of one."""
    ask.layer("layer:write")
    ask.allow([])
    crs, body = await _system(ask), await _json(ask)
    geometry, properties = _whole(body, crs)
    edit = await ask.spatial.layers.replace(ask.collection, _feature(ask), geometry, properties, _expected(ask), ask.caller.actor)
    return Response(None, 204, {"ETag": _etag(edit)})


async def update(ask: Ask) -> Response:
    """PATCH: a JSON merge patch (RFC 7396) on `properties`, and a new `geometry` where one is given."""
    ask.layer("layer:write")
    ask.allow([])
    crs, body = await _system(ask), await _json(ask)
    unknown = set(body) - {"type", "id", "geometry", "properties", "links"}
    if unknown:
        raise Invalid.field(min(unknown)[:100], "field.unknown", expected="geometry, properties")
    patch: dict[str, Any] = {}
    if "geometry" in body:
        patch["geometry"] = _geometry(body["geometry"], crs)
    if "properties" in body:
        patch["properties"] = _object(body["properties"], "properties")
    edit = await ask.spatial.layers.update(ask.collection, _feature(ask), patch, _expected(ask), ask.caller.actor)
    return Response(None, 204, {"ETag": _etag(edit)})


async def delete(ask: Ask) -> Response:
    """DELETE of a feature; its history stays."""
    ask.layer("layer:write")
    ask.allow([])
    await ask.spatial.layers.delete(ask.collection, _feature(ask), _expected(ask), ask.caller.actor)
    return Response(None, 204)


async def history(ask: Ask) -> Response:
    """The changes of a feature, newest first: who changed it when, and what it was afterwards."""
    ask.layer("layer:history")
    ask.allow(["cursor", "limit"])
    keys = parse_cursor(ask.query.get("cursor"), int)
    text = ask.query.get("limit", "100")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MOST:
        raise Invalid.field("limit", "field.range", expected=f"1 … {MOST}")
    limit = int(text)
    found = await ask.spatial.layers.history(ask.collection, _feature(ask), keys[0] if keys else _NEWEST, limit + 1)
    shown = found[:limit]
    following = cursor(shown[-1].version) if len(found) > limit else None
    return json_answer({"items": [_change(edit) for edit in shown], "next": following})


def _change(edit: EditRow) -> dict[str, Any]:
    geometry = None if edit.geometry is None else json.loads(edit.geometry)
    properties = None if edit.properties is None else json.loads(edit.properties)
    return {
        "version": edit.version,
        "action": edit.action,
        "time": edit.time,
        "actor": edit.actor,
        "geometry": geometry,
        "properties": properties,
    }


def _feature(ask: Ask) -> str:
    return str(ask.request.path_params["feature"])


def _etag(edit: EditRow) -> str:
    return f'"{edit.version}"'


def _expected(ask: Ask) -> int | None:
    """The version in If-Match; None where anything may be changed."""
    text = ask.request.headers.get("if-match", "*").strip()
    if text == "*":
        return None
    number = text.removeprefix("W/").strip('"').partition("-")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Invalid.field("If-Match", "spatial.etag")
    return int(number)


async def _system(ask: Ask) -> Crs:
    """The system in which a body's numbers are: that of the header Content-Crs, else CRS84."""
    given = ask.request.headers.get("content-crs")
    table = await asyncio.to_thread(ask.spatial.layers.table, ask.collection)
    return chosen(given, systems(table), "Content-Crs")


async def _json(ask: Ask) -> dict[str, Any]:
    content = await body_of(ask.request)
    try:
        body = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed.field("body", "field.syntax", reason=str(error)[:200]) from error
    return _object(body, "body")


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid.field(field, "field.type", expected="an object")
    return value


def _whole(body: dict[str, Any], crs: Crs) -> tuple[str | None, str]:
    if body.get("type") != "Feature":
        raise Invalid.field("type", "field.choice", expected="Feature")
    if "geometry" not in body:
        raise Invalid.field("geometry", "field.missing")
    properties = _object({} if body.get("properties") is None else body["properties"], "properties")
    return _geometry(body["geometry"], crs), json.dumps(properties, ensure_ascii=False, allow_nan=False)


def _geometry(geometry: Any, crs: Crs) -> str | None:
    return None if geometry is None else geometry_text(parse_geometry(geometry, crs))


def _id(body: dict[str, Any]) -> str | None:
    id_ = body.get("id")
    if id_ is None:
        return None
    text = str(id_)
    if isinstance(id_, dict | list | bool) or not 1 <= len(text) <= 200 or "/" in text or not text.isprintable():
        raise Invalid.field("id", "spatial.id")
    return text
