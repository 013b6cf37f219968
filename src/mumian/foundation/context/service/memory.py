"""Memory: every entity with its answers already written, found by id, by type and by place."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from mumian.foundation.context.rules.entity import Entity
from mumian.foundation.context.rules.geometry import Box, bounds
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.rendering import Form, render

_WRITTEN = 4
_CELL = 0.02
_MOST_CELLS = 4096
_encode = msgspec.json.Encoder().encode


class Held:
    """An entity in memory: `place` orders all entities by when they came, `written` are its answers by form number."""

    __slots__ = ("entity", "number", "place", "written")

    def __init__(self, entity: Entity, number: int, place: int) -> None:
        self.entity = entity
        self.number = number
        self.place = place
        self.written: dict[int, bytes] = {}


class Places:
    """The values of one geographic attribute on a grid of 0.02°; what covers too many cells is always looked at."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], dict[str, None]] = {}
        self._wide: dict[str, None] = {}
        self._where: dict[str, list[tuple[int, int]] | None] = {}

    def put(self, id_: str, boxes: list[Box]) -> None:
        """Let `id_` lie in these boxes and nowhere else."""
        self.drop(id_)
        if not boxes:
            return
        cells = {cell for box in boxes for cell in _cells(box, 64) or [(10**6, 0)]}
        if (10**6, 0) in cells:
            self._wide[id_] = None
            self._where[id_] = None
            return
        self._where[id_] = list(cells)
        for cell in cells:
            self._cells.setdefault(cell, {})[id_] = None

    def drop(self, id_: str) -> None:
        """Forget where `id_` lies."""
        for cell in self._where.pop(id_, ()) or ():
            held = self._cells[cell]
            del held[id_]
            if not held:
                del self._cells[cell]
        self._wide.pop(id_, None)

    def near(self, box: Box) -> set[str]:
        """Everything that may lie in the box."""
        cells = _cells(box, _MOST_CELLS)
        if cells is None:
            west, south, east, north = (int(edge // _CELL) for edge in box)
            wanted = [held for (x, y), held in self._cells.items() if west <= x <= east and south <= y <= north]
        else:
            wanted = [self._cells[cell] for cell in cells if cell in self._cells]
        return set(self._wide).union(*wanted)


def _cells(box: Box, most: int) -> list[tuple[int, int]] | None:
    west, south, east, north = (int(edge // _CELL) for edge in box)
    if (east - west + 1) * (north - south + 1) > most:
        return None
    return [(x, y) for x in range(west, east + 1) for y in range(south, north + 1)]


class Memory:
    """All entities of its own that the platform keeps; changed on the event loop alone."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.by_type: dict[str, dict[str, None]] = {}
        self.places: dict[str, Places] = {}
        self._next_place = 0
        self.generation = 0
        self._forms: dict[tuple[str, Form], int] = {}

    def get(self, id_: str) -> Entity | None:
        """The entity of that id."""
        held = self.held.get(id_)
        return None if held is None else held.entity

    def put(self, entity: Entity, number: int) -> None:
        """Hold a new or changed entity."""
        known = self.held.get(entity.id)
        if known is None:
            self._next_place += 1
            self.held[entity.id] = Held(entity, number, self._next_place)
            before = None
        else:
            before = known.entity
            fresh = Held(entity, number, known.place)
            self.held[entity.id] = fresh
        if before is None or before.types != entity.types:
            for type_ in before.types if before else ():
                self._untype(type_, entity.id)
            for type_ in entity.types:
                self.by_type.setdefault(type_, {})[entity.id] = None
        self._place(before, entity)

    def drop(self, id_: str) -> None:
        """Forget an entity."""
        held = self.held.pop(id_, None)
        if held is None:
            return
        for type_ in held.entity.types:
            self._untype(type_, id_)
        for places in self.places.values():
            places.drop(id_)

    def _untype(self, type_: str, id_: str) -> None:
        ids = self.by_type.get(type_)
        if ids is not None:
            ids.pop(id_, None)
            if not ids:
                del self.by_type[type_]

    def _place(self, before: Entity | None, entity: Entity) -> None:
        for name, instances in entity.attributes.items():
            if instances[0]["type"] == "GeoProperty":
                if before is not None and before.attributes.get(name) is instances:
                    continue
                boxes = [bounds(i["value"]) for i in instances if i["type"] == "GeoProperty"]
                self.places.setdefault(name, Places()).put(entity.id, [box for box in boxes if box is not None])
        for name in before.attributes if before else ():
            if name in self.places and name not in entity.attributes:
                self.places[name].drop(entity.id)

    def near(self, attribute: str, box: Box) -> list[str]:
        """The ids of entities whose attribute may lie in the box, in the order in which they came."""
        places = self.places.get(attribute)
        found = places.near(box) if places is not None else set()
        return sorted(found, key=lambda id_: self.held[id_].place)

    def page(self, ids: Iterable[str], offset: int, limit: int) -> list[Held]:
        """Some of these entities."""
        return [self.held[id_] for id_ in islice(ids, offset, offset + limit)]

    def form_number(self, names: Names, form: Form) -> int:
        """A small number for a form in the names of a context."""
        if len(self._forms) > 10_000:
            self._forms.clear()
            self.generation += 1
            for held in self.held.values():
                held.written.clear()
        return self._forms.setdefault((names.key, form), len(self._forms))

    def written(self, held: Held, number: int, names: Names, form: Form) -> bytes:
        """An entity as JSON, written at most once while it does not change."""
        found = held.written.get(number)
        if found is None:
            if len(held.written) >= _WRITTEN:
                held.written.clear()
            found = held.written[number] = _encode(render(held.entity, names, form))
        return found

    def entities(self) -> Iterator[Entity]:
        """All entities, in the order in which they came."""
        return (held.entity for held in list(self.held.values()))
