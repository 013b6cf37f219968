"""Deciding: what people say about pairs of records, which no later run undoes."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from mumian.elements.registers import store
from mumian.elements.registers.contracts import Verdict
from mumian.elements.registers.errors import SameEntity
from mumian.elements.registers.events import PairDecided
from mumian.elements.registers.service.explaining import Explaining, Known
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Transaction

_MOST_RECORDS = 200
Decided = list[tuple[int, int, Verdict | None]]


class Deciding:
    """Each decision is about two records by their numbers, which stay with them; the next run acts on it."""

    def __init__(self, platform: Platform, explaining: Explaining) -> None:
        self._platform = platform
        self._explaining = explaining

    async def decide(self, known: Known, a: int, b: int, verdict: Verdict | None, reason: str, actor: Actor) -> None:
        """Say that two records are the same entity, or different ones, or (None) take back what was said.

        Raises NotFound for a record that is in no entity, Invalid for a record and itself.
        """
        if a == b:
            raise Invalid.field("b", "registers.itself")
        entities = await self._explaining.entities(known, (a, b))
        for record in (a, b):
            if record not in entities:
                raise NotFound(kind="record", name=str(record))
        await self._keep(known, [(a, b, verdict)], reason, actor)

    async def merge(self, known: Known, entities: Sequence[int], reason: str, actor: Actor) -> None:
        """Say that entities are one; what was said against it before is taken back. Raises NotFound, SameEntity, Invalid."""
        wanted = sorted(set(entities))
        if len(wanted) < 2:
            raise SameEntity(reason=", ".join(map(str, wanted)))
        members = [await self._members(known, entity) for entity in wanted]
        place = {record: index for index, group in enumerate(members) for record in group}
        back = [(a, b) for a, b, verdict in await self._said(known, place) if verdict == "different" and place[a] != place[b]]
        told: Decided = [(a, b, None) for a, b in back]
        told += [(first[0], second[0], "same") for first, second in pairwise(members)]
        await self._keep(known, told, reason, actor)

    async def split(self, known: Known, entity: int, records: Sequence[int], reason: str, actor: Actor) -> None:
        """Say that some records of an entity are another entity, one together. Raises NotFound, Invalid, SameEntity."""
        members = await self._members(known, entity)
        leaving = sorted(set(records))
        strange = next((record for record in leaving if record not in members), None)
        if strange is not None:
            raise NotFound(kind="record", name=str(strange))
        staying = [record for record in members if record not in set(leaving)]
        if not leaving or not staying:
            raise SameEntity(reason=str(entity))
        if len(leaving) * len(staying) > _MOST_RECORDS * _MOST_RECORDS:
            raise Invalid.field("records", "field.length", expected=f"≤ {_MOST_RECORDS}")
        apart = set(leaving)
        told: Decided = [
            (a, b, None)
            for a, b, verdict in await self._said(known, members)
            if verdict == "same" and (a in apart) != (b in apart)
        ]
        told += [(a, b, "same") for a, b in pairwise(leaving)]
        told += [(a, b, "different") for a in leaving for b in staying]
        await self._keep(known, told, reason, actor)

    async def _members(self, known: Known, entity: int) -> list[int]:
        found = [record for record, _, _ in await self._explaining.members(known, entity)]
        if not found:
            raise NotFound(kind=known.layout.name, name=str(entity))
        return found

    async def _said(self, known: Known, among: Iterable[int]) -> list[tuple[int, int, str]]:
        numbers = set(among)
        rows = await self._platform.records.read(lambda session: store.decisions(session, known.layout.name))
        return [(row["a"], row["b"], row["verdict"]) for row in rows if row["a"] in numbers and row["b"] in numbers]

    async def _keep(self, known: Known, decided: Decided, reason: str, actor: Actor) -> None:
        name = known.layout.name

        def work(tx: Transaction) -> None:
            for one, other, verdict in decided:
                pair = (min(one, other), max(one, other))
                store.decide(tx, name, pair, verdict, reason)
                tx.emit(PairDecided(subject=name, a=pair[0], b=pair[1], verdict=verdict, reason=reason))

        await self._platform.records.write(work, actor)
