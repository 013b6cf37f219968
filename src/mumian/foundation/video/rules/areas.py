"""Areas: what is wrong with polygons and lines in picture coordinates."""

from collections.abc import Sequence
from math import hypot

from mumian.foundation.video.vision.geometry import area, simple

MOST_CORNERS = 64
LEAST_AREA = 0.0002
LEAST_LENGTH = 0.01


def polygon_fault(polygon: Sequence[tuple[float, float]]) -> str | None:
    """The translation key of what is wrong with a polygon, or None."""
    if len(polygon) < 3:
        return "video.polygon.corners"
    if any(not (0 <= x <= 1 and 0 <= y <= 1) for x, y in polygon):
        return "video.polygon.outside"
    if len({tuple(corner) for corner in polygon}) != len(polygon):
        return "video.polygon.repeated"
    if not simple(polygon):
        return "video.polygon.crossing"
    return "video.polygon.tiny" if abs(area(polygon)) < LEAST_AREA else None


def line_fault(line: Sequence[tuple[float, float]]) -> str | None:
    """The translation key of what is wrong with a line of two points, or None."""
    if len(line) != 2:
        return "video.line.points"
    (x1, y1), (x2, y2) = line
    if any(not 0 <= value <= 1 for value in (x1, y1, x2, y2)):
        return "video.polygon.outside"
    return "video.line.short" if hypot(x2 - x1, y2 - y1) < LEAST_LENGTH else None
