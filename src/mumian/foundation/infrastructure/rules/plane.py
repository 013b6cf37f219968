"""The plane: degrees as metres on a sinusoidal plane, where areas are true and short distances right within a few thousandths.

A sinusoidal projection about the middle of what is looked at keeps areas; within one degree of its middle and below 60° of
latitude it shears distances by less than 2 %, below 30° and within half a degree by less than 0.5 %.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

RADIUS = 6_371_008.8
Float64 = NDArray[np.float64]


def flat(longitudes: Any, latitudes: Any, middle: float) -> Float64:
    """Points as rows of metres (east, north) about the meridian `middle`."""
    x, y = np.radians(np.asarray(longitudes, np.float64) - middle), np.radians(np.asarray(latitudes, np.float64))
    return np.column_stack([RADIUS * x * np.cos(y), RADIUS * y])


def flattened(geometry: Any, middle: float) -> Any:
    """A shapely geometry of degrees in metres."""
    import shapely

    return shapely.transform(geometry, lambda points: flat(points[:, 0], points[:, 1], middle))


def lattice(shape: Any, points: int) -> Float64:
    """About `points` places evenly over a flat shape, each standing for the same area; at least one."""
    import shapely

    west, south, east, north = shape.bounds
    step = math.sqrt(max(float(shape.area), 1.0) / points)
    columns, rows = np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    grid = np.column_stack([each.ravel() for each in np.meshgrid(columns, rows)])
    inside = grid[shapely.contains_xy(shape, grid[:, 0], grid[:, 1])] if len(grid) else grid
    if len(inside):
        return inside
    middle = shape.representative_point()
    return np.array([[middle.x, middle.y]])


def reached(points: Float64, sites: Float64, radii: Float64) -> NDArray[np.bool_]:
    """Which of the points lie within the radius of a site, all in metres."""
    import shapely

    found = np.zeros(len(points), np.bool_)
    for radius in np.unique(radii):
        left = np.flatnonzero(~found)
        if not len(left):
            break
        tree = shapely.STRtree(shapely.points(sites[radii == radius]))
        near, _ = tree.query_nearest(shapely.points(points[left]), max_distance=float(radius) * (1 + 1e-9), all_matches=False)
        found[left[near]] = True
    return found
