"""Overlays: live values of a layer's features, small enough to be asked for again and again beside cached tiles."""

import asyncio
from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.spatial.features.queries import Query
from mumian.foundation.spatial.features.streams import live_values
from mumian.foundation.spatial.models import LayerSpec, LiveSpec
from mumian.foundation.spatial.ogc.parameters import parse
from mumian.foundation.spatial.ogc.request import Ask, json_answer
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound

MOST = 10_000


async def live(ask: Ask) -> Response:
    """The newest value for each feature, by the feature's id: `{time, values: {id: {value, unit, time, stream}}}`.

    Made for `setFeatureState` of a map; `bbox` and `filter` choose the features, at most 10,000.
    """
    return await asyncio.to_thread(_live, ask)


def _live(ask: Ask) -> Response:
    spec = ask.layer("layer:read")
    ask.allow(["bbox", "bbox-crs", "filter", "filter-lang", "filter-crs"])
    joined = joining(ask.collection, spec)
    layers = ask.spatial.layers
    table = layers.table(ask.collection)
    if joined.property not in table.columns:
        raise NotFound(kind="property", name=joined.property)
    asked = parse(ask.query, table, spec).query
    query = Query(asked.boxes, asked.region, asked.filters, ((table.columns[joined.property][0], False),), None, MOST)
    rows: list[tuple[str, Any]] = [(row.id, row.keys[0]) for row in layers.find(ask.collection, query)[:MOST]]
    found = live_values(ask.platform.get(Sensing), joined, rows)
    values = {id_: asdict(value) for id_, value in found.items()}
    headers = {"Cache-Control": "no-store"}
    return json_answer({"time": iso(ask.platform.clock.now()), "values": values}, headers=headers)


def joining(layer: str, spec: LayerSpec) -> LiveSpec:
    """How a layer's features find their streams; raises NotFound where its declaration does not say."""
    if spec.live is not None:
        return spec.live
    if spec.view == "streams":
        return LiveSpec(property="name")
    raise NotFound(kind="live values of layer", name=layer)
