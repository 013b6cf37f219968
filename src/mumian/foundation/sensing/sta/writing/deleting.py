"""Deleting entities, with what the standard says goes with them.

A thing takes its streams, tasking capabilities and history with it; a location the entries of history that name it; a sensor
or an observed property its streams; an actuator its capabilities and these their tasks. The row of an entity is removed, and what
it was stands in the ledger. Observations are evidence: those of a deleted stream stay in the lake and are shown no more, for the
stream's id is kept in `sensing_deleted_stream` and never used again; a single observation is hidden by an amendment (see
`service.amending`). What is declared goes with its declaration alone.
"""

from typing import Any

from mumian.foundation.sensing import store
from mumian.foundation.sensing.events import StreamRetired
from mumian.foundation.sensing.sta.writing.model import TYPES, EntityType, Link
from mumian.foundation.sensing.sta.writing.work import Work, refuse_declared
from mumian.kernel.unit_of_work import Row

_CHILDREN = {
    "Things": ("Datastreams", "MultiDatastreams", "TaskingCapabilities", "HistoricalLocations"),
    "Locations": ("HistoricalLocations",),
    "Sensors": ("Datastreams", "MultiDatastreams"),
    "ObservedProperties": ("Datastreams", "MultiDatastreams"),
    "Actuators": ("TaskingCapabilities",),
    "TaskingCapabilities": ("Tasks",),
}


def remove(work: Work, kind: EntityType, number: int) -> None:
    """Delete an entity and what goes with it; raises NotFound, DeclaredStream."""
    row = work.row(kind, number)
    if kind.table == "sensing_stream":
        refuse_declared(row)
    work.refuse_kept(kind, row)
    for name in _CHILDREN.get(kind.name, ()):
        for child in children(work, kind.links[name], number):
            remove(work, TYPES[kind.links[name].target], child)
    things = _unlink(work, kind, number)
    if kind.table == "sensing_stream":
        _bury(work, row)
    store.delete(work.tx, kind.table, number)
    for thing in things:
        store.settle(work.tx, thing)
    work.deleted(kind, number, _properties(kind, row), {n: row[link.column] for n, link in kind.links.items() if link.column})


def children(work: Work, link: Link, number: int) -> list[int]:
    """The ids of what a link to many leads to."""
    if link.through is not None:
        return sorted(set(work.linked(link.through, number)))
    target = TYPES[link.target]
    sql = f"SELECT id FROM {target.table} WHERE {link.back} = :number AND {target.condition} ORDER BY id"
    return [row["id"] for row in work.tx.session.rows(sql, number=number)]


def _unlink(work: Work, kind: EntityType, number: int) -> list[int]:
    """Remove the pairs in which the entity stands; returns the things that are not any more where it was."""
    things: list[int] = []
    for name, link in kind.links.items():
        if link.through is None:
            continue
        if kind.name == "Locations" and name == "Things":
            things = work.linked(link.through, number)
            for thing in things:
                work.refuse_declared_place(thing)
        store.delete(work.tx, link.through[0], number, link.through[1])
    if kind.name == "Locations":
        # A new place makes a new feature of interest, also if a later location gets the same shape.
        work.tx.session.execute("UPDATE sensing_feature SET location = NULL WHERE location = :id", id=number)
    return things


def _bury(work: Work, row: Row) -> None:
    store.delete(work.tx, "sensing_stream_feature", row["id"], "stream")
    sql = "INSERT INTO sensing_deleted_stream (id, name, time) VALUES (:id, :name, :time)"
    work.tx.session.execute(sql, id=row["id"], name=row["name"], time=work.tx.now_text)
    work.streams.add(row["id"])
    work.tx.emit(StreamRetired(subject=row["name"], stream=row["id"]))


def _properties(kind: EntityType, row: Row) -> dict[str, Any]:
    return {name: row[known.column] for name, known in kind.properties.items() if known.column and row[known.column] is not None}
