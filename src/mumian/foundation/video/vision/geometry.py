"""Geometry in picture coordinates: x to the right and y downwards, both from 0 to 1, whatever the resolution."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

XY = tuple[float, float]
Polygon = Sequence[XY]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def side(a: XY, b: XY, p: XY) -> float:
    """Positive where `p` lies to the right of one who looks from `a` to `b` (y points downwards), negative to the left."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def crosses(a: XY, b: XY, old: XY, new: XY) -> int:
    """1 where the step from `old` to `new` crosses the segment a–b from left to right, -1 from right to left, else 0.

    A point on the line counts as right of it, so that no step is counted twice.
    """
    before, after = side(a, b, old) >= 0, side(a, b, new) >= 0
    first, second = sorted((old, new))  # so that there and back are judged alike
    if before == after or side(first, second, a) * side(first, second, b) > 0:
        return 0
    return 1 if after else -1


def inside(polygon: Polygon, p: XY) -> bool:
    """Whether the polygon holds a point (even-odd rule)."""
    found = False
    x, y = p
    for (x1, y1), (x2, y2) in pairwise([*polygon, polygon[0]]):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
    return found


def simple(polygon: Polygon) -> bool:
    """Whether no two edges of the polygon meet but neighbours in their corner, and it has an area."""
    edges = list(pairwise([*polygon, polygon[0]]))
    count = len(edges)
    for i, (a, b) in enumerate(edges):
        for j in range(i + 1, count):
            if j != i + 1 and (j + 1) % count != i and _meet(a, b, *edges[j]):
                return False
    return abs(area(polygon)) > 1e-6


def area(polygon: Polygon) -> float:
    """The signed area (shoelace formula) as a share of the picture."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise([*polygon, polygon[0]])) / 2


def _meet(a: XY, b: XY, c: XY, d: XY) -> bool:
    return side(a, b, c) * side(a, b, d) <= 0 and side(c, d, a) * side(c, d, b) <= 0


def raster(polygons: Sequence[Polygon], width: int, height: int) -> NDArray[np.uint8]:
    """A mask of height × width: 255 inside any of the polygons, 0 elsewhere."""
    import cv2

    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        corners = np.array([[round(x * width), round(y * height)] for x, y in polygon], np.int32)
        cv2.fillPoly(mask, [corners], 255)
    return mask
