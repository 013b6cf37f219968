"""Locating: which feature of a layer each of many points lies in or next to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.spatial.rules import metres_between


class Index:
    """Shapes in a tree; answers for whole arrays of WGS 84 points."""

    def __init__(self, ids: Sequence[str], wkb: Sequence[bytes | None]) -> None:
        import shapely

        there = [index for index, geometry in enumerate(wkb) if geometry is not None]
        self._ids = np.array([ids[index] for index in there], object)
        self._rank = np.argsort(np.argsort(self._ids.astype(str), kind="stable"))
        self._shapes = shapely.from_wkb([wkb[index] for index in there])
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)

    def at(self, longitudes: Any, latitudes: Any, within_metres: float = 0.0) -> NDArray[Any]:
        """For each point the id of the feature that covers it (of several the first by id), else of the nearest one that is
        at most `within_metres` away, else None."""
        import shapely

        x, y = np.asarray(longitudes, np.float64), np.asarray(latitudes, np.float64)
        found = np.full(x.shape, None, object)
        points = shapely.points(x, y)
        which, shape = self._tree.query(points, predicate="intersects")
        last_first = np.argsort(self._rank[shape], kind="stable")[::-1]
        found[which[last_first]] = self._ids[shape[last_first]]
        covered = np.zeros(x.shape, bool)
        covered[which] = True
        if within_metres > 0 and self._ids.size:
            open_ = np.flatnonzero(~covered & np.isfinite(x) & np.isfinite(y))
            found[open_] = self._nearest(points[open_], x[open_], y[open_], within_metres)
        return found

    def _nearest(self, points: Any, x: Any, y: Any, most: float) -> Any:
        import shapely

        near = self._tree.nearest(points)
        ends = shapely.get_point(shapely.shortest_line(self._shapes[near], points), 0)
        metres = metres_between((shapely.get_x(ends), shapely.get_y(ends)), (x, y))
        made = np.full(x.shape, None, object)
        close = metres <= most
        made[close] = self._ids[near[close]]
        return made
