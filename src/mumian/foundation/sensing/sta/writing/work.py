"""Work: one transaction of writing, with what it leaves to be done once it is in effect."""

from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.identity.api import Caller, require
from mumian.foundation.sensing import store
from mumian.foundation.sensing.events import EntityChanged, EntityCreated, EntityDeleted
from mumian.foundation.sensing.ports import TaskKeeper
from mumian.foundation.sensing.sta.tasking import WRITES
from mumian.foundation.sensing.sta.writing.errors import DeclaredName, DeclaredStream, Kept
from mumian.foundation.sensing.sta.writing.model import TYPES, EntityType
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.unit_of_work import Row, Transaction

Json = dict[str, Any]
_USES = {"sensing_thing": "thing", "sensing_sensor": "sensor", "sensing_property": "property"}


@dataclass(frozen=True)
class Waiting:
    """An observation that was nested in a new stream: it is recorded once the stream is there."""

    stream: int
    body: Json
    at: str


@dataclass
class Work:
    """A transaction, who owns what is made in it, the streams that it touched, and the observations that follow it.

    `caller` is held to what entities of tasking need; `keeper` keeps tasks that are not sensing's own.
    """

    tx: Transaction
    owner: str | None
    caller: Caller | None = None
    keeper: TaskKeeper | None = None
    streams: set[int] = field(default_factory=set)
    waiting: list[Waiting] = field(default_factory=list)
    made: list[tuple[str, int]] = field(default_factory=list)

    def row(self, kind: EntityType, number: int) -> Row:
        """The row of an entity; raises NotFound."""
        sql = f"SELECT * FROM {kind.table} WHERE id = :id AND {kind.condition}"
        found = self.tx.session.row(sql, id=number)
        if found is None:
            raise NotFound(kind="entity", name=f"{kind.name}({number})")
        return found

    def existing(self, target: str, number: int, field_: str) -> int:
        """The id, if there is such an entity; raises Invalid that names the field."""
        kind = TYPES[target]
        sql = f"SELECT id FROM {kind.table} WHERE id = :id AND {kind.condition}"
        if self.tx.session.value(sql, id=number) is None:
            raise Invalid.field(f"{field_}.@iot.id".lstrip("."), "field.reference", kind=kind.single, name=number)
        return number

    def created(self, kind: EntityType, number: int, properties: Json, links: Json) -> None:
        """Tell of a new entity; raises Forbidden where it takes another action than that of its request."""
        self.permit(kind)
        self.made.append((kind.name, number))
        name = f"{kind.name}({number})"
        self.tx.emit(EntityCreated(subject=name, entity=kind.name, number=number, properties=properties, links=links))

    def changed(self, kind: EntityType, number: int, properties: Json, links: Json) -> None:
        """Tell of a change, if there was one."""
        if properties or links:
            self.permit(kind)
            name = f"{kind.name}({number})"
            self.tx.emit(EntityChanged(subject=name, entity=kind.name, number=number, properties=properties, links=links))

    def deleted(self, kind: EntityType, number: int, properties: Json, links: Json) -> None:
        """Tell that an entity is gone."""
        name = f"{kind.name}({number})"
        self.tx.emit(EntityDeleted(subject=name, entity=kind.name, number=number, properties=properties, links=links))

    def permit(self, kind: EntityType) -> None:
        """Raise Forbidden where the caller may not write entities of tasking, also nested in others."""
        if kind.name in WRITES and self.caller is not None:
            require(self.caller, WRITES[kind.name])

    def kept(self, kind: EntityType, row: Row) -> bool:
        """Whether an entity is a task, or a tasking capability, that somebody else keeps."""
        number = {"Tasks": row.get("capability"), "TaskingCapabilities": row["id"]}.get(kind.name)
        return number is not None and self.keeper is not None and self.keeper.keeps(self.tx.session, number)

    def refuse_kept(self, kind: EntityType, row: Row) -> None:
        """Raise Kept for what somebody else keeps."""
        if self.kept(kind, row):
            raise Kept(entity=f"{kind.name}({row['id']})")

    def move(self, thing: int, locations: list[int], past: int | None = None) -> None:
        """Let a thing be elsewhere, from now on (or since history entry `past`), and tell; raises DeclaredName."""
        self.refuse_declared_place(thing)
        entry = store.move(self.tx, thing, locations, self.tx.now_text, past)
        if past is None:
            links = {"Thing": thing, "Locations": locations}
            self.created(TYPES["HistoricalLocations"], entry, {"time": self.tx.now_text}, links)
        self.streams |= {row["id"] for row in self.tx.session.rows("SELECT id FROM sensing_stream WHERE thing = :t", t=thing)}

    def refuse_declared_place(self, thing: int) -> None:
        """Raise DeclaredName where a declaration says where the thing is."""
        row = self.row(TYPES["Things"], thing)
        if row["origin"] == "declaration":
            refuse_renaming(self, TYPES["Things"], row)

    def linked(self, through: tuple[str, str, str], number: int) -> list[int]:
        """The ids that a table of pairs has beside this one."""
        return store.linked(self.tx.session, *through, number)


def refuse_declared(row: Row) -> None:
    """Raise DeclaredStream for a stream that its declaration governs."""
    if row.get("origin") == "declaration" and not row["retired"]:
        raise DeclaredStream(name=row["name"])


def refuse_renaming(work: Work, kind: EntityType, row: Row) -> None:
    """Raise DeclaredName where declared streams know the entity by its name."""
    column = _USES.get(kind.table)
    if column is None:
        return
    sql = f"SELECT name FROM sensing_stream WHERE {column} = :id AND origin = 'declaration' AND retired = 0"
    name = work.tx.session.value(sql, id=row["id"])
    if name is not None:
        raise DeclaredName(entity=f"{kind.name}({row['id']})", name=name)
