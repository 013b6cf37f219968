"""Comparing: the sources of data elements, with sketches of values made by the lake in one scan of each dataset."""

import asyncio
import json
from dataclasses import dataclass

from mumian.elements.catalog.events import SourceDecided
from mumian.elements.catalog.kinds import DatasetSpec, ElementSpec
from mumian.elements.catalog.service.tables import Tables
from mumian.elements.catalog.sources import store
from mumian.elements.catalog.sources.rules import SKETCH, Candidate, Place, Role, Sketch, Told, judge
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

_MOST_ROWS = 5_000_000  # of a larger table so many rows are looked at, always the same
_REMEMBERED = 2_000


@dataclass(frozen=True)
class Sources:
    """The authoritative source of an element (declared, or decided), and all that may be another, likeliest first.

    `open` are those that nobody has decided on; with more than one decided authoritative source it is not one number.
    """

    element: str
    authoritative: Place | None
    declared: bool
    candidates: tuple[Candidate, ...]
    decisions: tuple[Row, ...]
    open: int


class Comparing:
    """Finds the sources of elements; sketches are kept until their dataset is loaded anew."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sketches: dict[tuple[Place, str], Sketch] = {}

    async def sources(self, name: str) -> Sources:
        """All sources of one data element; raises NotFound."""
        element: Declared[ElementSpec] = self._platform.declarations.get("DataElement", name)
        fields = [told for d in self._platform.declarations.all("Dataset") for told in _told(d)]
        decided = await self._platform.records.read(lambda session: store.decisions(session, name))
        source = _authoritative(name, element.spec, fields, decided)
        wanted = _element(element)
        near = [field for field in fields if _compared(wanted, field)]
        sketches = await self._sketched([*(f.place for f in near), *([source] if source else [])])
        judged = [judge(wanted, field, sketches, source) for field in near if field.place != source]
        found = tuple(sorted((each for each in judged if each is not None), key=lambda c: (-c.score, c.place)))
        known = {Place(row["dataset"], row["field"]) for row in decided}
        still = sum(each.place not in known for each in found)
        return Sources(name, source, element.spec.source is not None, found, tuple(decided), still)

    async def authoritative(self, name: str) -> tuple[str, str] | None:
        """The dataset and field of an element's authoritative source, without looking at values; raises NotFound."""
        element: Declared[ElementSpec] = self._platform.declarations.get("DataElement", name)
        fields = [told for d in self._platform.declarations.all("Dataset") for told in _told(d)]
        decided = await self._platform.records.read(lambda session: store.decisions(session, name))
        found = _authoritative(name, element.spec, fields, decided)
        return None if found is None else (found.dataset, found.field)

    def decide(self, tx: Transaction, element: str, place: Place, role: Role, reason: str) -> None:
        """Decide what a field is for an element, with the reason; tell. Raises NotFound, Invalid.

        There is one authoritative source: what was so before by decision becomes a copy, and where the element declares its
        source, only the declaration changes it.
        """
        spec: ElementSpec = self._platform.declarations.get("DataElement", element).spec
        dataset: DatasetSpec = self._platform.declarations.get("Dataset", place.dataset).spec
        if place.field not in {field.name for field in dataset.fields}:
            raise Invalid.field("field", "catalog.no_such_field", dataset=place.dataset, name=place.field)
        if role == "authoritative":
            if spec.source is not None and Place(spec.source.dataset, spec.source.field) != place:
                raise Invalid.field("role", "catalog.source_declared", dataset=spec.source.dataset, name=spec.source.field)
            for row in store.decisions(tx.session, element):
                other = Place(row["dataset"], row["field"])
                if row["role"] == "authoritative" and other != place:
                    _write(tx, element, other, "copy", reason)
        _write(tx, element, place, role, reason)

    async def _sketched(self, places: list[Place]) -> dict[Place, Sketch]:
        by_dataset: dict[str, set[str]] = {}
        for place in places:
            by_dataset.setdefault(place.dataset, set()).add(place.field)
        found: dict[Place, Sketch] = {}
        for dataset, fields in by_dataset.items():
            found |= await self._of(dataset, fields)
        return found

    async def _of(self, dataset: str, fields: set[str]) -> dict[Place, Sketch]:
        tables = self._platform.get(Tables)
        info = await self._platform.records.read(lambda session: tables.describe(session, dataset))
        if info is None or info.rows == 0:
            return {}
        there = {field.name for field in info.fields}
        names = sorted(fields & there)
        loaded = info.loaded_at or ""
        missing = [name for name in names if (Place(dataset, name), loaded) not in self._sketches]
        for name in missing:
            sketch = await asyncio.to_thread(self._sketch, info.name, name)
            if len(self._sketches) > _REMEMBERED:
                self._sketches.pop(next(iter(self._sketches)))
            self._sketches[Place(dataset, name), loaded] = sketch
        return {Place(dataset, name): self._sketches[Place(dataset, name), loaded] for name in names}

    def _sketch(self, table: str, field: str) -> Sketch:
        """Values are compared as text without blanks around them, whatever type they have in each dataset."""
        column = f'"{field}"'
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        distinct = f"SELECT DISTINCT trim(CAST({column} AS VARCHAR)) AS v FROM (SELECT {column} FROM {table} LIMIT {_MOST_ROWS})"
        rows = lake.rows(
            f"WITH d AS ({distinct} WHERE {column} IS NOT NULL), h AS (SELECT hash(v) AS h FROM d WHERE v <> '') "
            f"SELECT h, (SELECT count(*) FROM h) FROM h ORDER BY h LIMIT {SKETCH}"
        )
        return Sketch(frozenset(int(row[0]) for row in rows), int(rows[0][1]) if rows else 0)


def _write(tx: Transaction, element: str, place: Place, role: Role, reason: str) -> None:
    store.decide(tx, element, place, role, reason)
    tx.emit(SourceDecided(subject=element, dataset=place.dataset, field=place.field, role=role, reason=reason))


def _told(declared: Declared[DatasetSpec]) -> list[Told]:
    found = []
    for field in declared.spec.fields:
        titles = [] if field.title is None else [field.title.zh, field.title.en]
        definition = "" if field.description is None else f"{field.description.zh} {field.description.en}"
        place = Place(declared.name, field.name)
        found.append(Told(place, frozenset([field.name, *titles]), definition, field.type, field.element))
    return found


def _element(declared: Declared[ElementSpec]) -> Told:
    spec = declared.spec
    names = frozenset([declared.name, *declared.title.values(), *spec.names])
    definition = f"{spec.definition.zh} {spec.definition.en}"
    return Told(Place("", declared.name), names, definition, spec.type, declared.name)


def _compared(element: Told, field: Told) -> bool:
    """Fields that may be a source; those that say to be another element are not."""
    return field.element == element.element or (field.element is None and field.type == element.type)


def _authoritative(name: str, spec: ElementSpec, fields: list[Told], decided: list[Row]) -> Place | None:
    """The declared source, else the decided one, else the only field that says to be the element."""
    if spec.source is not None:
        return Place(spec.source.dataset, spec.source.field)
    for row in decided:
        if row["role"] == "authoritative":
            return Place(row["dataset"], row["field"])
    own = [field.place for field in fields if field.element == name]
    return own[0] if len(own) == 1 else None


def told(session: Session) -> dict[str, dict[str, str]]:
    """The decisions as the events made them, by element, dataset and field: for verification."""
    found: dict[str, dict[str, str]] = {}
    rows = session.rows(
        "SELECT subject, payload, time, actor FROM kernel_outbox WHERE type = :type ORDER BY id", type=SourceDecided.type
    )
    for row in rows:
        data = json.loads(row["payload"])
        key = f"{row['subject']} {data['dataset']} {data['field']}"
        kept = {"role": data["role"], "reason": data["reason"], "decided_at": row["time"], "decided_by": row["actor"]}
        found[key] = kept
    return found
