"""Things, where they are and were, sensors and observed properties, in the records."""

import json
from collections.abc import Sequence
from typing import Any

from mumian.foundation.sensing.store.features import observe
from mumian.foundation.sensing.store.rows import insert, linked, place, update, written
from mumian.kernel.unit_of_work import Row, Transaction

_GEOJSON = "application/geo+json"


def add_thing(tx: Transaction, row: Row) -> int:
    """Add a thing: name, description, properties, origin; returns its id. Where it is, `move` says."""
    return insert(tx, "sensing_thing", "sensing.thing", {**row, "properties": written(row["properties"])})


def declared_thing(tx: Transaction, name: str, longitude: float | None, latitude: float | None) -> int:
    """The id of the thing that declarations call `name`, made or moved as need be."""
    sql = "SELECT id, longitude, latitude FROM sensing_thing WHERE name = :name AND origin = 'declaration'"
    found = tx.session.row(sql, name=name)
    if found is None:
        number = add_thing(tx, {"name": name, "description": name, "properties": {}, "origin": "declaration"})
    else:
        number = int(found["id"])
    if longitude is None or latitude is None:
        return number
    if found is None or (found["longitude"], found["latitude"]) != (longitude, latitude):
        point = {"type": "Point", "coordinates": [longitude, latitude]}
        values = {"name": name, "description": name, "encoding": _GEOJSON, "location": written(point), "properties": "{}"}
        bounds = place((longitude, latitude, longitude, latitude))
        location = insert(tx, "sensing_location", "sensing.location", values | bounds)
        move(tx, number, [location], tx.now_text)
        # A declaration that changes corrects where the thing was all along.
        sql = (
            "UPDATE sensing_stream SET feature = (SELECT feature FROM sensing_thing WHERE id = :id), moved_to = NULL, "
            "observed_area = :area WHERE thing = :id"
        )
        tx.session.execute(sql, id=number, area=values["location"])
    return number


def move(tx: Transaction, thing: int, locations: Sequence[int], time: str, past: int | None = None) -> int:
    """Let the thing be at these locations from `time` on; writes its history (or uses entry `past`) and returns that entry."""
    tx.session.execute("DELETE FROM sensing_thing_location WHERE thing = :thing", thing=thing)
    pairs = [{"thing": thing, "location": location} for location in locations]
    if pairs:
        sql = "INSERT INTO sensing_thing_location (thing, location) VALUES (:thing, :location)"
        tx.session.execute_many(sql, pairs)
    if past is None:
        past = insert(tx, "sensing_history", "sensing.history", {"thing": thing, "time": time})
        rows = [{"history": past, "location": location} for location in locations]
        if rows:
            sql = "INSERT INTO sensing_history_location (history, location) VALUES (:history, :location)"
            tx.session.execute_many(sql, rows)
    settle(tx, thing)
    return past


def settle(tx: Transaction, thing: int) -> None:
    """Bring up to date where the thing stands, and which feature its streams observe from now on."""
    feature, longitude, latitude = None, None, None
    for number in linked(tx.session, "sensing_thing_location", "thing", "location", thing):
        location = tx.session.row("SELECT * FROM sensing_location WHERE id = :id", id=number)
        assert location is not None
        if feature is None or longitude is None:
            feature = _feature(tx, location)
            if location["west"] is not None:
                longitude, latitude = (location["west"] + location["east"]) / 2, (location["south"] + location["north"]) / 2
    update(tx, "sensing_thing", thing, {"longitude": longitude, "latitude": latitude, "feature": feature})
    if feature is not None:
        sql = (
            "UPDATE sensing_stream SET moved_to = CASE WHEN feature <> :feature THEN :feature END, "
            "feature = COALESCE(feature, :feature) WHERE thing = :thing"
        )
        tx.session.execute(sql, feature=feature, thing=thing)
        moved = "SELECT id FROM sensing_stream WHERE thing = :thing AND moved_to = :feature"
        for stream in tx.session.rows(moved, thing=thing, feature=feature):
            observe(tx, stream["id"], feature)


def _feature(tx: Transaction, location: Row) -> int:
    """The feature of interest made of a location as it is now, made if need be."""
    sql = "SELECT MAX(id) FROM sensing_feature WHERE location = :location AND feature = :feature"
    found = tx.session.value(sql, location=location["id"], feature=location["location"])
    if found is not None:
        return int(found)
    same = {name: location[name] for name in ("name", "description", "encoding", "properties", "west", "south", "east", "north")}
    values = {**same, "feature": location["location"], "location": location["id"]}
    return insert(tx, "sensing_feature", "sensing.feature", values)


def add_sensor(
    tx: Transaction, name: str, description: str, encoding: str, metadata: Any, properties: dict[str, Any] | None = None
) -> int:
    """Add a sensor; returns its id."""
    text = isinstance(metadata, str)
    values = {
        "name": name,
        "description": description,
        "encoding": encoding,
        "metadata": metadata if text else "",
        "metadata_json": None if text else written(metadata),
        "properties": written(properties or {}),
    }
    return insert(tx, "sensing_sensor", "sensing.sensor", values)


def sensor_named(tx: Transaction, name: str) -> int:
    """The id of a sensor called `name` (empty: not known), made if need be."""
    name = name or "unknown"
    found = tx.session.value("SELECT MIN(id) FROM sensing_sensor WHERE name = :name", name=name)
    return int(found) if found is not None else add_sensor(tx, name, name, "text/html", name)


def add_property(tx: Transaction, name: str, definition: str, description: str, properties: dict[str, Any] | None = None) -> int:
    """Add an observed property; returns its id."""
    values = {"name": name, "definition": definition, "description": description, "properties": json.dumps(properties or {})}
    return insert(tx, "sensing_property", "sensing.property", values)


def property_named(tx: Transaction, name: str) -> int:
    """The id of an observed property called `name`, made if need be."""
    found = tx.session.value("SELECT MIN(id) FROM sensing_property WHERE name = :name", name=name)
    return int(found) if found is not None else add_property(tx, name, f"urn:mumian:property:{name}", name)
