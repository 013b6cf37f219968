"""Analysis: duplicate building between owners, and gaps of coverage against a target, both over the whole roster at once."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mumian.foundation.devices.contracts import AreaCoverage, Cluster
from mumian.foundation.devices.models import DeviceKindSpec
from mumian.foundation.devices.rules import coverage, duplicates, near
from mumian.foundation.devices.rules.coverage import Area, Target
from mumian.foundation.devices.rules.duplicates import Group
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.service.roster import Placed, Roster
from mumian.foundation.devices.settings import DeviceSettings
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform

_LATTICE = 2000
_CELLS = 200_000
_STATES = ("in_service", "maintenance", "installed", "planned")


@dataclass(frozen=True)
class Search:
    """Which duplicates are looked for: within how many metres, of one `kind` or `category` each, over how many years to save."""

    metres: float = 50.0
    by: Literal["kind", "category"] = "kind"
    only: str | None = None
    district: str | None = None
    years: float = 5.0


class Analysis:
    """Answers from the roster in memory; not on the event loop."""

    def __init__(self, platform: Platform, lives: Lives, roster: Roster, settings: DeviceSettings) -> None:
        self._platform = platform
        self._lives = lives
        self._roster = roster
        self._settings = settings

    def duplicates(self, search: Search) -> list[Cluster]:
        """Clusters of near devices of different owners, the greatest saving first; raises Invalid when there are too many pairs.

        The saving is what the devices that could be spared cost to buy (only those not built yet) and to run for some years.
        """
        placed, kinds = self._roster.placed(), self._lives.kinds()
        groups = _groups(placed, kinds, search)
        chosen = np.flatnonzero(placed.standing & (groups >= 0))
        if search.district is not None:
            chosen = chosen[[placed.entries[row].district == search.district for row in chosen.tolist()]]
        points = near.globe(placed.longitude[chosen], placed.latitude[chosen])
        try:
            pairs = near.near_pairs(points, groups[chosen], placed.owners[chosen], search.metres, self._settings.near_pairs)
        except near.TooNear:
            raise Invalid.field("metres", "devices.too_near", most=self._settings.near_pairs) from None
        order = np.array(sorted(range(len(chosen)), key=lambda i: _rank(placed, int(chosen[i]))), np.int64)
        found = duplicates.groups(len(chosen), *pairs, order)
        clusters = [self._cluster(placed, kinds, chosen, points, group, search.years) for group in found]
        return sorted(clusters, key=lambda c: (-c.saving, -len(c.members), c.members))

    def coverage(
        self, target: Target, kind: str | None, category: str | None, layer: str | None, resolution: int | None
    ) -> list[AreaCoverage]:
        """How well each area of a layer, or each H3 cell of that resolution inside it, is covered; the worst gap first."""
        placed, kinds = self._roster.placed(), self._lives.kinds()
        wanted = {name for name, spec in kinds.items() if name == kind or (category is not None and spec.category == category)}
        if not wanted:
            raise NotFound(kind="DeviceKind", name=kind or category or "")
        built = {number for number, name in enumerate(placed.kind_names) if name in wanted}
        rows = [n for n, e in enumerate(placed.entries) if e.state in _STATES[:3] and int(placed.kinds[n]) in built]
        place = np.column_stack([placed.longitude[rows], placed.latitude[rows]])
        shapes, areas = self._areas(layer)
        if resolution is not None:
            return cells(shapes, place, target, resolution)
        counts = _counted(shapes, place)
        reached = None if target.radius is None else _reached(shapes, place, target.radius)
        return coverage.judged(areas, counts, reached, target)

    def _areas(self, layer: str | None) -> tuple[list[Any], list[Area]]:
        from shapely.geometry import shape

        spatial = self._platform.get(Spatial)
        city = spatial.city()
        name = layer or (city.district_layer if city else None)
        if name is None:
            raise NotFound(kind="Layer", name="districts")
        features = [f for f in spatial.layer(name)["features"] if f["geometry"]["type"] in ("Polygon", "MultiPolygon")]
        shapes = [shape(feature["geometry"]) for feature in features]
        titles = [(str(f["properties"]["code"]), f["properties"]["name"]) for f in features]
        return shapes, [Area(*title, coverage.km2(drawn)) for title, drawn in zip(titles, shapes, strict=True)]

    def _cluster(
        self,
        placed: Placed,
        kinds: dict[str, DeviceKindSpec],
        chosen: near.Int64,
        points: near.Float64,
        group: Group,
        years: float,
    ) -> Cluster:
        members = [placed.entries[row] for row in chosen[group.members].tolist()]
        spared = [placed.entries[row] for row in chosen[group.spared].tolist()]
        middle = points[group.members].mean(axis=0)
        middle *= near.RADIUS / max(float(np.linalg.norm(middle)), 1e-9)
        reach = near.chord_metres(np.linalg.norm(points[group.members] - middle, axis=1)).max()
        saving = sum(_saving(kinds.get(e.kind), e.state, years) for e in spared)
        return Cluster(
            members=tuple(sorted(e.code for e in members)),
            owners=tuple(sorted({e.owner for e in members})),
            kinds=tuple(sorted({e.kind for e in members})),
            spared=tuple(sorted(e.code for e in spared)),
            longitude=round(float(np.degrees(np.arctan2(middle[1], middle[0]))), 7),
            latitude=round(float(np.degrees(np.arcsin(np.clip(middle[2] / near.RADIUS, -1, 1)))), 7),
            reach=round(float(reach), 1),
            saving=round(saving, 2),
            nearest=round(group.nearest, 1),
        )


def _groups(placed: Placed, kinds: dict[str, DeviceKindSpec], search: Search) -> near.Int64:
    """The number of the group of each device, by its kind or the category of its kind; -1 for those not looked for."""
    names: dict[str, int] = {}
    numbers = []
    for kind in placed.kind_names:
        name = kind if search.by == "kind" else kinds[kind].category if kind in kinds else None
        known = name is not None and search.only in (None, name)
        numbers.append(names.setdefault(name, len(names)) if known and name is not None else -1)
    return np.array([*numbers, -1], np.int64)[placed.kinds]


def _rank(placed: Placed, row: int) -> tuple[int, str, str]:
    """Whom to keep first: what works before what is planned, the older before the newer."""
    entry = placed.entries[row]
    return _STATES.index(entry.state), entry.installed or "9999", entry.code


def _saving(kind: DeviceKindSpec | None, state: str, years: float) -> float:
    if kind is None:
        return 0.0
    return kind.upkeep * years + (kind.cost if state == "planned" else 0.0)


def _counted(shapes: list[Any], place: near.Float64) -> near.Int64:
    import shapely

    counts = np.zeros(len(shapes), np.int64)
    for number, drawn in enumerate(shapes):
        west, south, east, north = drawn.bounds
        inside = (place[:, 0] >= west) & (place[:, 0] <= east) & (place[:, 1] >= south) & (place[:, 1] <= north)
        shapely.prepare(drawn)
        counts[number] = int(shapely.intersects_xy(drawn, place[inside, 0], place[inside, 1]).sum())
    return counts


def _reached(shapes: list[Any], place: near.Float64, radius: float) -> near.Float64:
    """The share of evenly spread places in each area that lie within the radius of a device, in or outside of the area."""
    points = near.globe(place[:, 0], place[:, 1])
    spread = [coverage.lattice(drawn, _LATTICE) for drawn in shapes]
    places = np.concatenate(spread) if spread else np.empty((0, 2))
    reached = near.served(near.globe(places[:, 0], places[:, 1]), points, radius)
    cuts = np.cumsum([len(each) for each in spread])[:-1]
    return np.array([float(part.mean()) for part in np.split(reached, cuts)]) if spread else np.empty(0)


def cells(shapes: list[Any], place: near.Float64, target: Target, resolution: int) -> list[AreaCoverage]:
    """The coverage of every H3 cell whose centre lies in one of the shapes, the worst gap first; raises Invalid for too many."""
    import h3

    expected = sum(coverage.km2(drawn) for drawn in shapes) / h3.average_hexagon_area(resolution, unit="km^2")
    if expected > _CELLS:
        raise Invalid.field("resolution", "devices.too_many_cells", most=_CELLS)
    hexagons = sorted({cell for drawn in shapes for cell in h3.geo_to_cells(drawn, resolution)})
    numbers = {cell: number for number, cell in enumerate(hexagons)}
    counts = np.zeros(len(hexagons), np.int64)
    for longitude, latitude in place.tolist():
        number = numbers.get(h3.latlng_to_cell(latitude, longitude, resolution))
        if number is not None:
            counts[number] += 1
    reached = None
    if target.radius is not None:
        centres = np.array([h3.cell_to_latlng(cell) for cell in hexagons]).reshape(-1, 2)
        points = near.globe(place[:, 0], place[:, 1])
        reached = near.served(near.globe(centres[:, 1], centres[:, 0]), points, target.radius).astype(np.float64)
    areas = [Area(cell, {"zh": cell, "en": cell}, h3.cell_area(cell, unit="km^2")) for cell in hexagons]
    return coverage.judged(areas, counts, reached, target)
