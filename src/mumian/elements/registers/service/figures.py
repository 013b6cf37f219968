"""Figures of a register: how much its sources know, how often they have somebody twice, and where they contradict each other."""

import asyncio
from dataclasses import dataclass

from mumian.elements.registers.service.explaining import Known
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform


@dataclass(frozen=True)
class SourceFigures:
    """A source: its live records, the entities among them, and the records that an entity has beyond its first there."""

    dataset: str
    records: int
    entities: int
    duplicates: int


@dataclass(frozen=True)
class Cover:
    """The share (0 to 1) of a source's records that have an attribute."""

    dataset: str
    attribute: str
    filled: float


@dataclass(frozen=True)
class Conflict:
    """Two sources that both know an attribute of the same entities: of `both`, in how many they `differ` in standard form.

    `survived` says how often the first source's value stands in the golden record where they differ: material for deciding on one
    authoritative source 一数一源.
    """

    attribute: str
    first: str
    second: str
    both: int
    differ: int
    first_survived: int
    second_survived: int


@dataclass(frozen=True)
class Figures:
    """All figures of a register as of its last run."""

    records: int
    entities: int
    sources: list[SourceFigures]
    cover: list[Cover]
    conflicts: list[Conflict]


class Counting:
    """Counts in the lake when it is asked; answers are kept until the next run."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._kept: dict[str, tuple[object, Figures]] = {}

    async def figures(self, known: Known) -> Figures:
        """The figures of a register."""
        name, stamp = known.layout.name, (known.row["done"], known.row["fingerprint"])
        kept = self._kept.get(name)
        if kept is None or kept[0] != stamp:
            kept = (stamp, await asyncio.to_thread(self._count, known))
            self._kept[name] = kept
        return kept[1]

    def _count(self, known: Known) -> Figures:
        lake, layout = self._platform.get(Lake), known.layout  # type: ignore[type-abstract]
        joined = f"{layout.record} r JOIN {layout.member} m ON m.record = r.number WHERE r.ended IS NULL"
        sources = [
            SourceFigures(dataset, records, entities, records - entities)
            for dataset, records, entities in lake.rows(
                f"SELECT r.dataset, count(*), count(DISTINCT m.entity) FROM {joined} GROUP BY 1 ORDER BY 1"
            )
        ]
        total = lake.rows(f"SELECT count(*), count(DISTINCT m.entity) FROM {joined}")[0]
        return Figures(total[0], total[1], sources, self._cover(lake, known), self._conflicts(lake, known))

    @staticmethod
    def _cover(lake: Lake, known: Known) -> list[Cover]:
        layout = known.layout
        shares = ", ".join(f"count(a_{name}) / count(*) AS {name}" for name in layout.attributes)
        rows = lake.rows(f"SELECT dataset, {shares} FROM {layout.record} WHERE ended IS NULL GROUP BY dataset ORDER BY dataset")
        return [
            Cover(row[0], name, round(float(share), 4))
            for row in rows
            for name, share in zip(layout.attributes, row[1:], strict=True)
        ]

    @staticmethod
    def _conflicts(lake: Lake, known: Known) -> list[Conflict]:
        layout, found = known.layout, []
        last = f"SELECT entity, arg_max(origin, version) AS origin FROM {layout.version} GROUP BY entity"
        for attribute in layout.spec.attributes:
            shape = {"number": "", "location": "lon"}.get(attribute.kind, "")
            standard = f"p_{attribute.name}_{shape}" if shape else f"p_{attribute.name}"
            rows = lake.rows(
                f"WITH v AS (SELECT m.entity, r.dataset, arg_min({standard}, (coalesce(-r.updated, 0), r.number)) AS value, "
                "list(r.number) AS numbers "
                f"FROM {layout.record} r JOIN {layout.member} m ON m.record = r.number WHERE r.ended IS NULL "
                f"AND {standard} IS NOT NULL GROUP BY m.entity, r.dataset), "
                f"w AS (SELECT entity, CAST(json_extract(origin, '$.{attribute.name}[1]') AS BIGINT) AS winner FROM ({last})) "
                "SELECT x.dataset, y.dataset, count(*), count(*) FILTER (x.value <> y.value), "
                "count(*) FILTER (x.value <> y.value AND list_contains(x.numbers, w.winner)), "
                "count(*) FILTER (x.value <> y.value AND list_contains(y.numbers, w.winner)) "
                "FROM v x JOIN v y ON x.entity = y.entity AND x.dataset < y.dataset JOIN w ON w.entity = x.entity "
                "GROUP BY 1, 2 ORDER BY 1, 2"
            )
            found += [Conflict(attribute.name, *row) for row in rows]
        return found
