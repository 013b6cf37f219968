"""Actuators, tasking capabilities and tasks that another component writes, each change told, in the records."""

import json
from typing import Any

from mumian.foundation.sensing.events import EntityChanged, EntityCreated
from mumian.foundation.sensing.store.rows import insert, update, written
from mumian.kernel.unit_of_work import Session, Transaction


def actuator_named(tx: Transaction, name: str) -> int:
    """The id of an actuator called `name` (empty: not known), made if need be."""
    name = name or "unknown"
    found = tx.session.value("SELECT MIN(id) FROM sensing_actuator WHERE name = :name", name=name)
    if found is not None:
        return int(found)
    shown = {"name": name, "description": name}
    values = {**shown, "encoding": "text/html", "metadata": name, "properties": "{}"}
    number = insert(tx, "sensing_actuator", "sensing.actuator", values)
    _created(tx, "Actuators", number, {**shown, "encodingType": "text/html", "metadata": name}, {})
    return number


def add_capability(
    tx: Transaction,
    thing: int,
    actuator: int,
    name: str,
    description: str,
    parameters: dict[str, Any],
    properties: dict[str, Any],
) -> int:
    """Add a tasking capability of a thing; `parameters` is a DataRecord of SWE Common. Returns its id."""
    values = {"name": name, "description": description, "parameters": written(parameters), "properties": written(properties)}
    number = insert(tx, "sensing_capability", "sensing.capability", {**values, "thing": thing, "actuator": actuator})
    shown = {"name": name, "description": description, "taskingParameters": parameters, "properties": properties}
    _created(tx, "TaskingCapabilities", number, shown, {"Thing": thing, "Actuator": actuator})
    return number


def change_capability(tx: Transaction, number: int, parameters: dict[str, Any]) -> None:
    """Let a tasking capability take other parameters from now on; nothing happens where they are the same."""
    sql = "SELECT parameters FROM sensing_capability WHERE id = :id"
    if tx.session.value(sql, id=number) != written(parameters):
        update(tx, "sensing_capability", number, {"parameters": written(parameters)})
        _changed(tx, "TaskingCapabilities", number, {"taskingParameters": parameters})


def add_task(tx: Transaction, capability: int, parameters: dict[str, Any], properties: dict[str, Any], status: str) -> int:
    """Add a task of a capability; returns its id."""
    now = tx.now_text
    values = {"parameters": written(parameters), "properties": written(properties), "status": status}
    row = {**values, "capability": capability, "created": now, "changed": now}
    number = insert(tx, "sensing_task", "sensing.task", row)
    shown = {"taskingParameters": parameters, "properties": properties, "status": status}
    _created(tx, "Tasks", number, shown, {"TaskingCapability": capability})
    return number


def change_task(tx: Transaction, number: int, status: str, added: dict[str, Any]) -> None:
    """Let a task have another status, and properties that are `added` to its own; nothing happens where it is gone."""
    kept = tx.session.value("SELECT properties FROM sensing_task WHERE id = :id", id=number)
    if kept is None:
        return
    columns: dict[str, Any] = {"status": status}
    told: dict[str, Any] = {"status": status}
    if added:
        told["properties"] = {**json.loads(kept), **added}
        columns["properties"] = written(told["properties"])
    update(tx, "sensing_task", number, {**columns, "changed": tx.now_text})
    _changed(tx, "Tasks", number, told)


def thing_of(session: Session, capability: int | None = None, stream: str | None = None) -> int | None:
    """The id of the thing of a capability, or of the stream of a name; None where there is none such."""
    if capability is not None:
        found = session.value("SELECT thing FROM sensing_capability WHERE id = :id", id=capability)
    else:
        found = session.value("SELECT thing FROM sensing_stream WHERE name = :name", name=stream)
    return None if found is None else int(found)


def _created(tx: Transaction, name: str, number: int, properties: dict[str, Any], links: dict[str, int]) -> None:
    subject = f"{name}({number})"
    tx.emit(EntityCreated(subject=subject, entity=name, number=number, properties=properties, links=links))


def _changed(tx: Transaction, name: str, number: int, properties: dict[str, Any]) -> None:
    tx.emit(EntityChanged(subject=f"{name}({number})", entity=name, number=number, properties=properties, links={}))
