"""The neutral grid H3 (Uber, Apache-2.0): hexagons of sixteen sizes that belong to nobody, to count in and to compare with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FINEST, MOST_RINGS, MOST_CELLS = 15, 50, 200_000


def cells_of(longitudes: Any, latitudes: Any, resolution: int) -> NDArray[np.uint64]:
    """The H3 cell of each WGS 84 point; 0 where a coordinate is not finite."""
    import h3.api.numpy_int as h3

    x, y = np.asarray(longitudes, np.float64), np.asarray(latitudes, np.float64)
    good = np.isfinite(x) & np.isfinite(y) & (abs(y) <= 90)
    found = np.zeros(len(x), np.uint64)
    points = zip(y[good].tolist(), x[good].tolist(), strict=True)
    found[good] = np.fromiter((h3.latlng_to_cell(lat, lon, resolution) for lat, lon in points), np.uint64, int(good.sum()))
    return found


def name_of(cell: int) -> str:
    """The usual text of a cell, 15 hexadecimal digits."""
    return f"{cell:x}"


def aggregate(cells: NDArray[np.uint64], values: Any | None = None) -> dict[str, tuple[int, float]]:
    """By cell: how many points, and the sum of their values (their count without values)."""
    keys, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    weights = np.ones(len(cells)) if values is None else np.asarray(values, np.float64)
    sums = np.bincount(inverse, weights, len(keys))
    triples = zip(keys.tolist(), counts.tolist(), sums.tolist(), strict=True)
    return {name_of(key): (count, total) for key, count, total in triples if key}


def ring(cell: str, rings: int) -> list[str]:
    """The cell and all cells at most so many steps away (k-ring)."""
    import h3

    return sorted(h3.grid_disk(cell, rings))


def is_cell(text: str) -> bool:
    """Whether a text names an H3 cell."""
    import h3

    return bool(h3.is_valid_cell(text))


def fill(geometry: dict[str, Any], resolution: int) -> list[str]:
    """The cells whose middle lies in a GeoJSON polygon or multipolygon."""
    import h3

    return sorted(h3.geo_to_cells(geometry, resolution))


def expected_cells(area: float, resolution: int) -> float:
    """About how many cells an area (square metres) takes: to refuse what would be too many before they are made."""
    import h3

    return float(area / h3.average_hexagon_area(resolution, unit="m^2"))


def boundary(cell: str) -> dict[str, Any]:
    """The hexagon (or pentagon) of a cell as a GeoJSON polygon."""
    import h3

    corners: Sequence[tuple[float, float]] = h3.cell_to_boundary(cell)
    line = [[round(lon, 7), round(lat, 7)] for lat, lon in corners]
    return {"type": "Polygon", "coordinates": [[*line, line[0]]]}
