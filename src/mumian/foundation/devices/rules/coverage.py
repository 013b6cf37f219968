"""Coverage 覆盖: which areas have fewer devices than they should, by density or by service radius."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.devices.contracts import AreaCoverage
from mumian.foundation.devices.rules.near import RADIUS, Float64, Int64


@dataclass(frozen=True)
class Target:
    """What is asked for: devices per km², or the share of each area within a radius in metres of a device, or both."""

    density: float | None = None
    radius: float | None = None
    share: float = 0.9


@dataclass(frozen=True)
class Area:
    """An area: its code, title {zh, en} and size in km²."""

    code: str
    title: dict[str, str]
    size: float


def km2(geometry: Any) -> float:
    """The size of a shapely geometry in WGS 84 degrees, in km², by an equal-area projection of the sphere."""
    import shapely

    def project(points: Float64) -> Float64:
        return np.column_stack([np.radians(points[:, 0]) * RADIUS, np.sin(np.radians(points[:, 1])) * RADIUS])

    return float(shapely.area(shapely.transform(geometry, project))) / 1e6


def lattice(geometry: Any, points: int) -> Float64:
    """About `points` places spread evenly over a geometry, as rows of longitude and latitude; at least one."""
    import shapely

    west, south, east, north = geometry.bounds
    across = max(math.cos(math.radians((south + north) / 2)), 0.01)
    box = max((east - west) * across * (north - south), 1e-12)
    filled = max(float(shapely.area(geometry)) * across / box, 0.01)
    step = math.sqrt(box / (points / filled))
    columns = np.arange(west + step / across / 2, east, step / across)
    rows = np.arange(south + step / 2, north, step)
    grid = np.column_stack([each.ravel() for each in np.meshgrid(columns, rows)])
    inside = grid[shapely.contains_xy(geometry, grid[:, 0], grid[:, 1])] if len(grid) else grid
    if len(inside):
        return inside
    middle = geometry.representative_point()
    return np.array([[middle.x, middle.y]])


def judged(areas: list[Area], counts: Int64, reached: NDArray[np.float64] | None, target: Target) -> list[AreaCoverage]:
    """The coverage of every area, the worst gap first; `reached` is the share of each area within the radius of a device."""
    found = []
    for number, area in enumerate(areas):
        covered = None if reached is None else float(reached[number])
        devices = int(counts[number])
        wanted = 0 if target.density is None else math.ceil(round(target.density * area.size, 9))
        missing = max(wanted - devices, 0)
        gap = missing > 0 or (covered is not None and covered < target.share)
        density = devices / area.size if area.size else 0.0
        found.append(AreaCoverage(area.code, area.title, area.size, devices, density, covered, missing, gap))
    return sorted(found, key=lambda each: (not each.gap, -each.missing, 1.0 if each.covered is None else each.covered, each.code))
