"""Geometries as they come in: GeoJSON of any known system, checked, in WGS 84."""

import json
from typing import Any

from mumian.foundation.spatial.contracts import Bounds
from mumian.foundation.spatial.coordinates.transform import convert_geometry
from mumian.foundation.spatial.rules.crs import Crs, parse_crs
from mumian.kernel.errors import Invalid

MOST_POINTS = 200_000
_WGS84 = parse_crs("CRS84")


def parse_geometry(geometry: Any, crs: Crs, field: str = "geometry", valid: bool = True) -> Any:
    """A GeoJSON geometry of `crs` (in that system's own axis order) as a shapely one in WGS 84, heights dropped.

    Raises Invalid where it is malformed, empty, crosses itself (unless `valid` is false), or leaves the earth.
    """
    import shapely

    try:
        drawn = shapely.from_geojson(json.dumps(geometry, allow_nan=False))
    except (shapely.errors.ShapelyError, ValueError, TypeError, RecursionError) as error:
        raise _refused(field, str(error)[:200]) from error
    if drawn is None or drawn.is_empty:
        raise _refused(field, "it has no coordinates")
    if shapely.get_num_coordinates(drawn) > MOST_POINTS:
        raise _refused(field, f"it has more than {MOST_POINTS} points")
    drawn = shapely.force_2d(drawn)
    if crs.northing_first:
        drawn = shapely.transform(drawn, lambda points: points[:, ::-1])
    drawn = convert_geometry(drawn, crs, _WGS84)
    west, south, east, north = shapely.bounds(drawn).tolist()
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _refused(field, f"its bounds are not on the earth; is it {crs.name}?")
    if valid and not drawn.is_valid:
        raise _refused(field, shapely.is_valid_reason(drawn))
    return drawn


def geometry_text(drawn: Any) -> str:
    """A shapely geometry as GeoJSON text."""
    import shapely

    return str(shapely.to_geojson(drawn))


def locate(crs: Crs) -> Any:
    """For the filter compiler: geometries and boxes of `crs` as WKB and bounds in WGS 84."""

    def find(node: Any) -> tuple[bytes, Bounds]:
        import shapely

        if "bbox" in node:
            drawn = region_of(parse_box(node["bbox"], "filter"), crs)
        else:
            drawn = parse_geometry(node, crs, "filter", valid=False)
        west, south, east, north = shapely.bounds(drawn).tolist()
        return shapely.to_wkb(drawn), (west, south, east, north)

    return find


def parse_box(values: Any, field: str) -> Bounds:
    """Four numbers (or six, with heights, which are dropped), in the order in which they were given."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise Invalid.field(field, "spatial.bbox") from error
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(abs(value) < 1e9 for value in numbers) or numbers[1] > numbers[3]:
        raise Invalid.field(field, "spatial.bbox")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def region_of(box: Bounds, crs: Crs) -> Any:
    """A box of `crs`, in that system's own axis order, as a shapely polygon in WGS 84, its edges followed as they bend."""
    import shapely

    first, second, third, fourth = box
    if crs.northing_first:
        first, second, third, fourth = second, first, fourth, third
    if first > third:
        raise Invalid.field("bbox", "spatial.bbox")
    drawn = shapely.box(first, second, third, fourth)
    if crs == _WGS84 or crs.name == "EPSG:4326":
        return drawn
    longest = max(third - first, fourth - second)
    made = convert_geometry(shapely.segmentize(drawn, longest / 32) if longest > 0 else drawn, crs, _WGS84)
    if not all(abs(value) <= 180 for value in shapely.bounds(made).tolist()):
        raise Invalid.field("bbox", "spatial.bbox")
    return made


def _refused(field: str, reason: str) -> Invalid:
    return Invalid.field(field, "spatial.geometry", reason=reason)
