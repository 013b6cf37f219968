"""Styles: how a map draws a layer, as a MapLibre style (version 8) over the layer's own tiles."""

from typing import Any

from mumian.foundation.spatial.models import StyleSpec

_POLYGON, _POINT = (["==", ["geometry-type"], name] for name in ("Polygon", "Point"))


def style(layer: str, title: str, tilejson: str, spec: StyleSpec, centre: tuple[float, float, float]) -> dict[str, Any]:
    """A whole style with one source; features are known by their property `id`, so that live values find them."""
    fill = {"fill-color": spec.fill or spec.colour, "fill-opacity": spec.opacity}
    line = {"line-color": spec.colour, "line-width": spec.width}
    circle = {
        "circle-color": spec.colour,
        "circle-radius": spec.radius,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 1,
    }
    drawn = [
        _drawn(layer, "fill", _POLYGON, fill),
        _drawn(layer, "line", ["!=", ["geometry-type"], "Point"], line),
        _drawn(layer, "circle", _POINT, circle),
    ]
    if spec.label is not None:
        label = {"id": f"{layer}-label", "type": "symbol", "source": layer, "source-layer": layer}
        drawn.append({**label, "layout": {"text-field": ["to-string", ["get", spec.label]], "text-size": 12}})
    return {
        "version": 8,
        "name": title,
        "center": list(centre[:2]),
        "zoom": centre[2],
        "sources": {layer: {"type": "vector", "url": tilejson, "promoteId": "id"}},
        "layers": drawn,
    }


def _drawn(layer: str, kind: str, condition: list[Any], paint: dict[str, Any]) -> dict[str, Any]:
    where = {"id": f"{layer}-{kind}", "type": kind, "source": layer, "source-layer": layer}
    return {**where, "filter": condition, "paint": paint}
