"""Remembering: instances that are added to the past of an entity, or forgotten from it."""

from dataclasses import replace
from typing import Any

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import merging, texts
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset
from mumian.foundation.context.rules.history import Delta
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.shape import Reader
from mumian.foundation.context.service.changing import Changing, Rows
from mumian.kernel.unit_of_work import Actor


class Remembering:
    """Writes the past; what is newest of what was added is also what is now."""

    def __init__(self, changing: Changing) -> None:
        self._changing = changing

    async def add(self, id_: str, document: dict[str, Any], names: Names, actor: Actor) -> None:
        """Add the instances of a temporal representation; the entity is made if need be. Durable when it returns."""
        changing = self._changing
        now = changing.now()
        reader = Reader(names, now)
        given = reader.series(document)
        if not given and "type" not in document:
            raise BadRequestData.field("", "context.empty_fragment")
        rows: Rows = []
        rest: Attributes = {}
        changing.things.refresh()
        for name, instances in given.items():
            told, _, others = changing.split(changing.things.find(id_), {name: instances})
            rows += told
            rest |= others
        newest = {name: list(_newest(instances).values()) for name, instances in rest.items()}
        held = changing.writer.current(id_)
        changes = []
        if held is None and changing.things.find(id_) is None:
            scope = texts.scopes(document["scope"]) if "scope" in document else ()
            entity = Entity(id_, reader.types(document), newest, now, now, scope, past=True)
        else:
            base = held or Entity(id_, (), {}, now, now)
            fresh = {name: kept for name, found in newest.items() if (kept := _newer(base.attributes.get(name, []), found))}
            entity = replace(merging.append(base, fresh, now).entity, past=base.past)
        if rest or held is None:
            change = changing.writer.prepare(id_, entity, now)
            change.delta = Delta("change", now, entity.types, rest)
            changes.append(change)
        await changing.apply(changes, rows, actor)

    async def forget(self, id_: str, attribute: str, instance: str | None, actor: Actor) -> None:
        """Forget the past of an attribute (`*`: of all), or one instance of it; what is now stays."""
        changing = self._changing
        now = changing.now()
        held = changing.writer.current(id_) or Entity(id_, (), {}, now, now)
        if held.past and attribute == "*":
            await changing.writer.submit([changing.prepare_delete(id_)], actor)
            return
        change = changing.writer.prepare(id_, held, now)
        change.delta = Delta("forget", now, held.types, {}, ((attribute, instance),))
        await changing.writer.submit([change], actor)


def _newest(instances: list[Instance]) -> dict[str | None, Instance]:
    found: dict[str | None, Instance] = {}
    for instance in sorted(instances, key=lambda i: str(i.get("observedAt", ""))):
        found[dataset(instance)] = instance
    return found


def _newer(held: list[Instance], given: list[Instance]) -> list[Instance]:
    """Of the given instances those that were observed after what is held."""
    known = {dataset(instance): str(instance.get("observedAt", "")) for instance in held}
    return [i for i in given if str(i.get("observedAt", "")) > known.get(dataset(i), "")]
