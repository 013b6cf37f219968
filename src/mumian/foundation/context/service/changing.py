"""Changing: what the operations on entities do, on own entities and on things; all is durable when they return."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mumian.foundation.context.errors import AlreadyExists, BadRequestData, OperationNotSupported, ResourceNotFound
from mumian.foundation.context.rules import merging
from mumian.foundation.context.rules.core import VALUE_KEYS, VOCABULARY
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset
from mumian.foundation.context.rules.merging import Outcome
from mumian.foundation.context.rules.texts import microseconds
from mumian.foundation.context.service.things import Thing, Things, as_entity
from mumian.foundation.context.service.writing import Change, Writer
from mumian.foundation.sensing.api import Observations, Sensing
from mumian.kernel.clock import Clock, iso
from mumian.kernel.errors import Fault
from mumian.kernel.unit_of_work import Actor

Rows = list[tuple[int, int, float]]
Merge = Callable[[Entity, Attributes, str], Outcome]


class Changing:
    """The operations; each prepares changes at once, so that those who come later see them, and then waits for the disk."""

    def __init__(self, writer: Writer, things: Things, sensing: Callable[[], Sensing], clock: Clock) -> None:
        self.writer = writer
        self.things = things
        self._sensing = sensing
        self._clock = clock

    def now(self) -> str:
        """The present instant as entities keep it."""
        return iso(self._clock.now())

    def view(self, id_: str) -> Entity | None:
        """An entity as it will be when all that waits is durable, things included."""
        self.things.refresh()
        thing = self.things.find(id_)
        own = self.writer.current(id_)
        return own if thing is None else as_entity(thing, self.things.latest([thing]), own)

    def _known(self, id_: str) -> tuple[Entity, Thing | None]:
        self.things.refresh()
        thing = self.things.find(id_)
        own = self.writer.current(id_)
        if own is None and thing is None:
            raise ResourceNotFound(kind="entity", name=id_)
        return own or Entity(id_, (VOCABULARY + thing.type,) if thing else (), {}, self.now(), self.now()), thing

    def prepare_create(self, entity: Entity) -> Change:
        """A new entity; raises AlreadyExists."""
        self.things.refresh()
        if self.writer.current(entity.id) is not None or self.things.find(entity.id) is not None:
            raise AlreadyExists(kind="entity", name=entity.id)
        return self.writer.prepare(entity.id, entity, entity.modified)

    def prepare_replace(self, entity: Entity) -> Change:
        """An entity in the place of the one that is there; raises ResourceNotFound."""
        held, thing = self._known(entity.id)
        if thing is not None:
            raise OperationNotSupported(reason=f"{entity.id}: sensing")
        attributes = merging.replaced(held.attributes, entity.attributes)
        made = Entity(entity.id, entity.types, attributes, held.created, entity.modified, entity.scope)
        return self.writer.prepare(entity.id, made, entity.modified)

    def prepare_delete(self, id_: str) -> Change:
        """No entity of that id any more; raises ResourceNotFound."""
        _, thing = self._known(id_)
        if thing is not None:
            raise OperationNotSupported(reason=f"{id_}: sensing")
        return self.writer.prepare(id_, None, self.now())

    def prepare_merge(
        self, id_: str, attributes: Attributes, merge: Merge, types: tuple[str, ...] = (), scope: tuple[str, ...] | None = None
    ) -> tuple[list[Change], Rows, Outcome]:
        """Attributes merged into an entity by one of the rules; what streams are become rows to record."""
        held, thing = self._known(id_)
        rows, told, rest = self.split(thing, attributes)
        now = self.now()
        outcome = merge(held, rest, now)
        _valued(outcome)
        outcome.updated += told
        entity = outcome.entity
        new_types = tuple(type_ for type_ in types if type_ not in entity.types)
        if new_types or (scope is not None and scope != entity.scope):
            entity = entity.changed(now, types=(*entity.types, *new_types), scope=entity.scope if scope is None else scope)
        changes = [] if entity is held else [self.writer.prepare(id_, entity, now)]
        return changes, rows, outcome

    def split(self, thing: Thing | None, attributes: Attributes) -> tuple[Rows, list[str], Attributes]:
        """Rows for streams, the names of their attributes, and all other attributes."""
        rows: Rows = []
        told: list[str] = []
        rest: Attributes = {}
        for name, instances in attributes.items():
            for instance in instances:
                info = thing.stream(name, dataset(instance)) if thing is not None else None
                if info is None:
                    rest.setdefault(name, []).append(instance)
                else:
                    rows.append((info.id, self._time(instance), _number(name, instance)))
                    told.append(name)
        if rows:
            now = microseconds(self.now()) or 0
            self._sensing().registry.check(_batch(rows), now, self._sensing().settings.future_seconds * 1_000_000)
        return rows, list(dict.fromkeys(told)), rest

    def _time(self, instance: Instance) -> int:
        at = microseconds(instance.get("observedAt"))
        return at if at is not None else microseconds(self.now()) or 0

    async def apply(self, changes: list[Change], rows: Rows, actor: Actor) -> None:
        """Record what streams are, then make the changes durable."""
        done = self.writer.submit(changes, actor)
        try:
            await self.record(rows)
        finally:
            await done

    async def record(self, rows: Rows) -> None:
        """Record observations; durable when it returns."""
        if rows:
            await self._sensing().record(_batch(rows))

    async def change(self, id_: str, work: Callable[[Entity], Entity | Outcome], actor: Actor) -> Any:
        """Change an own entity, or what is added to a thing, by `work`; returns what work returned."""
        held, _ = self._known(id_)
        result = work(held)
        entity = result.entity if isinstance(result, Outcome) else result
        if entity is not held:
            await self.writer.submit([self.writer.prepare(id_, entity, entity.modified)], actor)
        return result

    async def delete_attribute(self, id_: str, name: str, dataset_id: str | None, everything: bool, actor: Actor) -> None:
        """Delete an attribute's instance of one dataset, or all of them; raises ResourceNotFound."""

        def work(held: Entity) -> Entity:
            thing = self.things.find(id_)
            if thing is not None and thing.stream(name, dataset_id) is not None:
                raise OperationNotSupported(reason=f"{id_}: sensing")
            instances = held.attributes.get(name, [])
            left = merging.without(instances, dataset_id, everything)
            if len(left) == len(instances):
                raise ResourceNotFound(kind="attribute", name=name)
            attributes = {key: value for key, value in held.attributes.items() if key != name or left}
            if left:
                attributes[name] = left
            return held.changed(self.now(), attributes=attributes)

        await self.change(id_, work, actor)


def _batch(rows: Rows) -> Observations:
    streams, times, results = zip(*rows, strict=True)
    return Observations(np.asarray(streams, np.int64), np.asarray(times, np.int64), np.asarray(results, np.float64))


def _number(name: str, instance: Instance) -> float:
    value = instance.get(VALUE_KEYS[instance["type"]])
    if instance["type"] != "Property" or isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestData.field(f"{name}.value", "context.number")
    return float(value)


def _valued(outcome: Outcome) -> None:
    """Every instance must have a value in the end."""
    faults = [
        Fault(f"{name}.{VALUE_KEYS[i['type']]}", "context.no_value", {})
        for name in outcome.updated
        for i in outcome.entity.attributes.get(name, ())
        if i.get(VALUE_KEYS[i["type"]]) is None
    ]
    if faults:
        raise BadRequestData(*faults)
