"""Overlays: live values of a layer's features, by themselves beside cached tiles, or as attributes of features and tiles."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import msgspec
from starlette.responses import Response

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.spatial.features.queries import Query, Row
from mumian.foundation.spatial.features.streams import LIVE, live_values
from mumian.foundation.spatial.models import LayerSpec, LiveSpec
from mumian.foundation.spatial.ogc.parameters import parse
from mumian.foundation.spatial.ogc.request import Ask, json_answer
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, NotFound

MOST = 10_000


async def live(ask: Ask) -> Response:
    """The newest value for each feature, by the feature's id: `{time, values: {id: {value, unit, time, stream}}}`.

    Made for `setFeatureState` of a map; `bbox` and `filter` choose the features, at most 10,000.
    """
    return await asyncio.to_thread(_live, ask)


def _live(ask: Ask) -> Response:
    spec = ask.layer("layer:read")
    ask.allow(["bbox", "bbox-crs", "filter", "filter-lang", "filter-crs"])
    how = joining(ask.collection, spec)
    layers = ask.spatial.layers
    table = layers.table(ask.collection)
    if how.property not in table.columns:
        raise NotFound(kind="property", name=how.property)
    asked = parse(ask.query, table, spec).query
    query = Query(asked.boxes, asked.region, asked.filters, ((table.columns[how.property][0], False),), None, MOST)
    rows: list[tuple[str, Any]] = [(row.id, row.keys[0]) for row in layers.find(ask.collection, query)[:MOST]]
    found = live_values(ask.platform.get(Sensing), how, rows)
    values = {id_: asdict(value) for id_, value in found.items()}
    headers = {"Cache-Control": "no-store"}
    return json_answer({"time": iso(ask.platform.clock.now()), "values": values}, headers=headers)


def wanted(ask: Ask, spec: LayerSpec) -> LiveSpec | None:
    """How live values join the features of an answer that shall carry them: `live=true`, or the declaration says so."""
    text = ask.query.get("live")
    if text not in (None, "true", "false"):
        raise Invalid.field("live", "field.choice", expected="true, false")
    if text == "true":
        return joining(ask.collection, spec)
    return spec.live if text is None and spec.live is not None and spec.live.shown else None


def joined(ask: Ask, how: LiveSpec, rows: Sequence[Row]) -> list[Row]:
    """Rows whose properties carry `live_value`, `live_unit` and `live_time`: null where there is no observation."""
    properties: list[dict[str, Any]] = [msgspec.json.decode(row.properties) for row in rows]
    named = [(row.id, own.get(how.property)) for row, own in zip(rows, properties, strict=True)]
    found = live_values(ask.platform.get(Sensing), how, named)
    made = []
    for row, own in zip(rows, properties, strict=True):
        value = found.get(row.id)
        told = (None, None, None) if value is None else (value.value, value.unit, value.time)
        text = msgspec.json.encode(own | dict(zip(LIVE, told, strict=True))).decode()
        made.append(replace(row, properties=text))
    return made


def short_lived(ask: Ask) -> dict[str, str]:
    """The header that lets an answer with live values be kept for a moment only."""
    return {"Cache-Control": f"max-age={ask.spatial.settings.live_seconds}"}


def joining(layer: str, spec: LayerSpec) -> LiveSpec:
    """How a layer's features find their streams; raises NotFound where its declaration does not say."""
    if spec.live is not None:
        return spec.live
    if spec.view == "streams":
        return LiveSpec(property="name")
    raise NotFound(kind="live values of layer", name=layer)
