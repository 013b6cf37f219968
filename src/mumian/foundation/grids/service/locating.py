"""Where points lie: one cell index for each level and day, made when first asked for and kept while no grid changes."""

from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.grids import store
from mumian.foundation.grids.contracts import LEVELS, Grid, Where
from mumian.foundation.grids.locating.index import PolygonIndex
from mumian.foundation.grids.rules import coding, shapes
from mumian.foundation.grids.store import GRIDS
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_KEPT = 12


class Level:
    """The grids of one level on one day."""

    def __init__(self, grids: list[Grid]) -> None:
        self.grids = [grid for grid in grids if grid.geometry]
        self.codes = np.array([grid.code for grid in self.grids], dtype=object)
        self.index = PolygonIndex(list(shapes.parse([grid.geometry for grid in self.grids])) if self.grids else [])

    def at(self, longitude: float, latitude: float) -> Grid | None:
        """The grid that holds a point."""
        position = int(self.index.locate([longitude], [latitude])[0])
        return self.grids[position] if position >= 0 else None


class Locating:
    """Thread-safe; reads records, so not for the event loop's thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str, str], Level] = OrderedDict()

    def level(self, session: Session, level: str, date: str) -> Level:
        """The grids of a level on a day."""
        key = (level, date, store.newest_batch(session))
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
            made = self._kept[key] = Level(GRIDS.live(session, date, level=level))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return made

    def codes(self, session: Session, longitudes: Any, latitudes: Any, level: str, date: str) -> NDArray[Any]:
        """The code of the grid of a level that holds each point; None outside of all."""
        found = self.level(session, level, date)
        positions = found.index.locate(longitudes, latitudes)
        if not len(found.codes):
            return np.full(len(positions), None, object)
        codes = found.codes[np.maximum(positions, 0)]
        codes[positions < 0] = None
        return codes

    def where(self, session: Session, longitude: float, latitude: float, date: str) -> Where:
        """The chain of grids that hold a point: by boundaries from the finest level up, above them by the nesting of codes.

        Where no grid has a boundary there, the district of the spatial base gives the chain down to the district.
        """
        finest = None
        for level in reversed(LEVELS):
            finest = self.level(session, level, date).at(longitude, latitude)
            if finest is not None:
                break
        code = finest.code if finest else ""
        if not code:
            district = self._platform.get(Spatial).district_at(longitude, latitude)
            code = district.code if district else ""
        chain = [grid for each in coding.ancestors(code) if (grid := GRIDS.at(session, each, date)) is not None]
        return Where(longitude, latitude, date, tuple(chain))
