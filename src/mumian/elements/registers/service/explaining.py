"""Explaining: why records are one entity or are not, how an entity came to be what it is, and the way back to its sources."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mumian.elements.registers import store
from mumian.elements.registers.contracts import Evidence, Origin, Pair, Version
from mumian.elements.registers.errors import NotYet
from mumian.elements.registers.rules import learning
from mumian.elements.registers.service.layout import Layout
from mumian.elements.registers.service.running import KIND
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row

_PAIR = (
    "SELECT p.a, p.b, p.weight, p.levels, p.weights, p.reason, ra.dataset, rb.dataset, x.entity, y.entity FROM {pair} p "
    "JOIN {record} ra ON ra.number = p.a AND ra.ended IS NULL JOIN {record} rb ON rb.number = p.b AND rb.ended IS NULL "
    "LEFT JOIN {member} x ON x.record = p.a LEFT JOIN {member} y ON y.record = p.b"
)
_MOST_HOPS = 100


@dataclass(frozen=True)
class Known:
    """A register that has been made: its layout, and what is kept of it."""

    layout: Layout
    row: Row


class Explaining:
    """Reads what runs left in the lake; nothing here shows a value of a record."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def known(self, name: str) -> Known:
        """A declared register that has been matched at least once; raises NotFound, NotYet."""
        spec = self._platform.declarations.get(KIND, name).spec
        row = await self._platform.records.read(lambda session: store.register(session, name))
        done = await self._platform.records.read(lambda session: store.last_run(session, name))
        if row is None or done is None:
            raise NotYet(name=name)
        return Known(Layout(name, row["number"], spec), row)

    async def versions(self, known: Known, entity: int) -> list[Version]:
        """All versions of an entity, the newest first; raises NotFound."""
        sql = (
            "SELECT entity, version, state, time, run, records, origin, successors, origins "
            f"FROM {known.layout.version} WHERE entity = $entity ORDER BY version DESC"
        )
        rows = await self._rows(sql, entity=entity)
        if not rows:
            raise NotFound(kind=known.layout.name, name=str(entity))
        datasets = await self._datasets(known, {way[1] for row in rows for way in json.loads(row[6]).values()})
        return [_version(row, datasets) for row in rows]

    async def forward(self, known: Known, entity: int) -> list[int]:
        """The entities that hold now what an entity held: itself, or its living successors, the main one first."""
        open_, found = [entity], []
        seen: set[int] = set()
        while open_ and len(seen) < _MOST_HOPS:
            one = open_.pop(0)
            if one in seen:
                continue
            seen.add(one)
            rows = await self._rows(
                f"SELECT successors, state FROM {known.layout.version} WHERE entity = $entity ORDER BY version DESC LIMIT 1",
                entity=one,
            )
            if rows and rows[0][1] in ("created", "changed"):
                found.append(one)
            open_ += json.loads(rows[0][0]) if rows else []
        return found

    async def pairs(self, known: Known, entity: int) -> list[Pair]:
        """The pairs that hold an entity together, and those between it and others that are left apart; strongest first."""
        sql = f"{self._pair(known)} WHERE x.entity = $entity OR y.entity = $entity ORDER BY p.weight DESC, p.a, p.b LIMIT 1000"
        return [self._told(known, row) for row in await self._rows(sql, entity=entity)]

    async def pair(self, known: Known, a: int, b: int) -> Pair:
        """One pair; raises NotFound when the records never met, or nothing speaks for them."""
        rows = await self._rows(f"{self._pair(known)} WHERE p.a = $a AND p.b = $b", a=min(a, b), b=max(a, b))
        if not rows:
            raise NotFound(kind="pair", name=f"{a} – {b}")
        return self._told(known, rows[0])

    async def review(self, known: Known, after: tuple[float, int, int] | None, limit: int) -> list[Pair]:
        """What is left for people: of each two entities that may be one the strongest pair, strongest first.

        Entities that somebody has said are different are left out.
        """
        layout = known.layout
        decided = await self._platform.records.read(lambda session: store.decisions(session, layout.name))
        apart = [(row["a"], row["b"]) for row in decided if row["verdict"] == "different"]
        given = {"a": np.array([a for a, _ in apart], np.int64), "b": np.array([b for _, b in apart], np.int64)}
        said = (
            "SELECT least(x.entity, y.entity) AS one, greatest(x.entity, y.entity) AS other FROM apart d "
            f"JOIN {layout.member} x ON x.record = d.a JOIN {layout.member} y ON y.record = d.b"
        )
        weight, a, b = after or (1e300, 0, 0)
        sql = (
            f"WITH q AS ({self._pair(known)} WHERE p.reason IS NOT NULL), "
            "n AS (SELECT a, b, weight, levels, weights, reason, dataset AS dataset_a, dataset_1 AS dataset_b, "
            "entity AS entity_a, entity_1 AS entity_b FROM q) "
            f"SELECT n.* FROM n ANTI JOIN ({said}) s "
            "ON s.one = least(entity_a, entity_b) AND s.other = greatest(entity_a, entity_b) "
            "QUALIFY row_number() OVER (PARTITION BY least(entity_a, entity_b), greatest(entity_a, entity_b) "
            "ORDER BY weight DESC, a, b) = 1"
        )
        page = (
            f"SELECT * FROM ({sql}) WHERE weight < {weight!r} OR (weight = {weight!r} AND (a > {a} OR (a = {a} AND b > {b}))) "
            f"ORDER BY weight DESC, a, b LIMIT {limit}"
        )
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        found = await asyncio.to_thread(lake.columns, page, {"apart": given})
        return [self._told(known, row) for row in zip(*(column.tolist() for column in found.values()), strict=True)]

    async def members(self, known: Known, entity: int) -> list[tuple[int, str, str]]:
        """The live records of an entity: number, dataset and key."""
        sql = (
            f"SELECT r.number, r.dataset, r.key FROM {known.layout.member} m JOIN {known.layout.record} r "
            "ON r.number = m.record AND r.ended IS NULL WHERE m.entity = $entity ORDER BY r.number"
        )
        return [(row[0], row[1], row[2]) for row in await self._rows(sql, entity=entity)]

    async def entities(self, known: Known, records: Iterable[int]) -> dict[int, int]:
        """The entity of each of these records; those that are in none are left out."""
        numbers = ", ".join(str(int(record)) for record in records) or "0"
        rows = await self._rows(f"SELECT record, entity FROM {known.layout.member} WHERE record IN ({numbers})")
        return {row[0]: row[1] for row in rows}

    async def _datasets(self, known: Known, records: set[int]) -> dict[int, str]:
        numbers = ", ".join(map(str, sorted(records))) or "0"
        sql = f"SELECT DISTINCT number, dataset FROM {known.layout.record} WHERE number IN ({numbers})"
        return {row[0]: row[1] for row in await self._rows(sql)}

    async def _rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        return await asyncio.to_thread(lambda: lake.rows(sql, **params))

    @staticmethod
    def _pair(known: Known) -> str:
        layout = known.layout
        return _PAIR.format(pair=layout.pair, record=layout.record, member=layout.member)

    @staticmethod
    def _told(known: Known, row: tuple[Any, ...]) -> Pair:
        a, b, weight, levels, weights, reason, first, second, x, y = row
        evidence = tuple(
            Evidence(one.attribute, one.method, one.level(int(code)), float(bits))
            for one, code, bits in zip(known.layout.compared, levels, weights.split(","), strict=False)
        )
        entities = tuple(None if entity is None or entity < 0 else int(entity) for entity in (x, y))
        probability = round(learning.probability(weight), 6)
        return Pair(a, b, (first, second), (entities[0], entities[1]), float(weight), probability, evidence, reason)


def _version(row: tuple[Any, ...], datasets: dict[int, str]) -> Version:
    entity, version, state, time, run, records, origin, successors, origins = row
    ways = tuple(
        Origin(name, datasets.get(record, ""), record, revision, rule, variants)
        for name, (rule, record, revision, variants) in json.loads(origin).items()
    )
    when = iso(_instant(time))
    return Version(entity, version, state, when, run, _numbers(records), ways, _numbers(successors), _numbers(origins))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


def _instant(microseconds: int) -> Any:
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
