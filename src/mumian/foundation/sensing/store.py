"""Store of sensing: things, sensors, properties and streams, planned folds and kept answers, in the records."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.sensing.contracts import StreamInfo
from mumian.foundation.sensing.events import StreamRegistered, StreamRetired
from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

STREAMS = (
    "SELECT s.*, t.name AS thing_name, t.longitude, t.latitude, n.name AS sensor_name, p.name AS property_name "
    "FROM sensing_stream s JOIN sensing_thing t ON t.id = s.thing "
    "JOIN sensing_sensor n ON n.id = s.sensor JOIN sensing_property p ON p.id = s.property"
)


@dataclass(frozen=True)
class StreamDraft:
    """A stream to register; `thing`, `sensor` and `property` are ids."""

    name: str
    title: dict[str, str]
    description: str
    thing: int
    sensor: int
    property: int
    unit: str
    origin: str
    unit_name: str = ""
    unit_definition: str = ""
    owner: str | None = None
    frequency_seconds: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    properties: dict[str, Any] = field(default_factory=dict)


def add_thing(tx: Transaction, row: Row) -> int:
    """Add a thing: name, description, properties, place, longitude, latitude, origin; returns its id."""
    new = next_value(tx.session, "sensing.thing")
    values = {**row, "id": new, "properties": json.dumps(row["properties"], ensure_ascii=False)}
    tx.session.execute(
        "INSERT INTO sensing_thing (id, name, description, properties, place, longitude, latitude, origin) "
        "VALUES (:id, :name, :description, :properties, :place, :longitude, :latitude, :origin)",
        **values,
    )
    return new


def declared_thing(tx: Transaction, name: str, longitude: float | None, latitude: float | None) -> int:
    """The id of the thing that declarations call `name`, made or moved as need be."""
    found = tx.session.value("SELECT id FROM sensing_thing WHERE name = :name AND origin = 'declaration'", name=name)
    if found is None:
        place = {"place": name, "longitude": longitude, "latitude": latitude}
        return add_thing(tx, {"name": name, "description": name, "properties": {}, "origin": "declaration", **place})
    if longitude is not None:
        tx.session.execute(
            "UPDATE sensing_thing SET longitude = :longitude, latitude = :latitude WHERE id = :id",
            id=found,
            longitude=longitude,
            latitude=latitude,
        )
    return int(found)


def add_sensor(tx: Transaction, name: str, description: str, encoding: str, metadata: str) -> int:
    """Add a sensor; returns its id."""
    new = next_value(tx.session, "sensing.sensor")
    tx.session.execute(
        "INSERT INTO sensing_sensor (id, name, description, encoding, metadata) "
        "VALUES (:id, :name, :description, :encoding, :metadata)",
        id=new,
        name=name,
        description=description,
        encoding=encoding,
        metadata=metadata,
    )
    return new


def sensor_named(tx: Transaction, name: str) -> int:
    """The id of a sensor called `name` (empty: not known), made if need be."""
    name = name or "unknown"
    found = tx.session.value("SELECT MIN(id) FROM sensing_sensor WHERE name = :name", name=name)
    return int(found) if found is not None else add_sensor(tx, name, name, "text/html", name)


def add_property(tx: Transaction, name: str, definition: str, description: str) -> int:
    """Add an observed property; returns its id."""
    new = next_value(tx.session, "sensing.property")
    tx.session.execute(
        "INSERT INTO sensing_property (id, name, definition, description) VALUES (:id, :name, :definition, :description)",
        id=new,
        name=name,
        definition=definition,
        description=description,
    )
    return new


def property_named(tx: Transaction, name: str) -> int:
    """The id of an observed property called `name`, made if need be."""
    found = tx.session.value("SELECT MIN(id) FROM sensing_property WHERE name = :name", name=name)
    return int(found) if found is not None else add_property(tx, name, f"urn:mumian:property:{name}", name)


def register(tx: Transaction, draft: StreamDraft) -> int:
    """Make the stream, or change the one of that name, and tell; returns its id, which never changes."""
    found = tx.session.value("SELECT id FROM sensing_stream WHERE name = :name", name=draft.name)
    new = int(found) if found is not None else next_value(tx.session, "sensing.stream")
    values = {k: v for k, v in draft.__dict__.items() if k not in ("title", "properties")}
    values |= {"id": new, "title_zh": draft.title["zh"], "title_en": draft.title["en"], "retired": 0}
    values["properties"] = json.dumps(draft.properties, ensure_ascii=False)
    if found is None:
        names = ", ".join(values)
        tx.session.execute(f"INSERT INTO sensing_stream ({names}) VALUES ({', '.join(':' + n for n in values)})", **values)
    else:
        changes = ", ".join(f"{n} = :{n}" for n in values if n not in ("id", "name"))
        tx.session.execute(f"UPDATE sensing_stream SET {changes} WHERE id = :id AND name = :name", **values)
    tx.emit(
        StreamRegistered(
            subject=draft.name,
            stream=new,
            origin=draft.origin,
            observed_property=tx.session.value("SELECT name FROM sensing_property WHERE id = :id", id=draft.property),
            unit=draft.unit,
            owner=draft.owner,
            frequency_seconds=draft.frequency_seconds,
        )
    )
    return new


def retire(tx: Transaction, name: str) -> None:
    """Let the stream take no more observations."""
    found = tx.session.value("SELECT id FROM sensing_stream WHERE name = :name", name=name)
    if found is not None:
        tx.session.execute("UPDATE sensing_stream SET retired = 1 WHERE id = :id", id=found)
        tx.emit(StreamRetired(subject=name, stream=int(found)))


def streams(session: Session) -> list[StreamInfo]:
    """All streams, by id."""
    return [_stream(row) for row in session.rows(f"{STREAMS} ORDER BY s.id")]


def _stream(row: Row) -> StreamInfo:
    return StreamInfo(
        id=row["id"],
        name=row["name"],
        title={"zh": row["title_zh"], "en": row["title_en"]},
        observed_property=row["property_name"],
        unit=row["unit"],
        owner=row["owner"],
        thing=row["thing_name"],
        longitude=row["longitude"],
        latitude=row["latitude"],
        frequency_seconds=row["frequency_seconds"],
        origin=row["origin"],
        sensor=row["sensor_name"],
        minimum=row["minimum"],
        maximum=row["maximum"],
        retired=bool(row["retired"]),
    )


def plan_fold(tx: Transaction, row: Row) -> None:
    """Remember a fold that is about to be committed to the lake."""
    names = ", ".join(row)
    tx.session.execute(f"INSERT INTO sensing_fold ({names}, recorded) VALUES ({', '.join(':' + n for n in row)}, 0)", **row)


def planned_folds(session: Session) -> list[Row]:
    """Folds of which it is not written yet whether the lake has them."""
    return session.rows("SELECT * FROM sensing_fold WHERE recorded = 0 ORDER BY position")


def forget_fold(tx: Transaction, first_id: int, last_id: int) -> None:
    """Drop a planned fold that the lake never got."""
    tx.session.execute("DELETE FROM sensing_fold WHERE first_id = :first AND last_id = :last", first=first_id, last=last_id)


def finish_fold(tx: Transaction, first_id: int, last_id: int) -> None:
    """Mark a fold as being in the lake."""
    tx.session.execute(
        "UPDATE sensing_fold SET recorded = 1 WHERE first_id = :first AND last_id = :last", first=first_id, last=last_id
    )


def keep_answers(tx: Transaction, answers: Sequence[Row], oldest: int, most: int) -> None:
    """Keep answers to requests with an Idempotency-Key; forget those before `oldest` (µs since 1970) and all but `most`."""
    if answers:
        tx.session.execute_many(
            "INSERT INTO sensing_answer (key, digest, answer, time) VALUES (:key, :digest, :answer, :time) "
            "ON CONFLICT (key) DO NOTHING",
            answers,
        )
    tx.session.execute("DELETE FROM sensing_answer WHERE time < :oldest", oldest=oldest)
    limit = tx.session.value("SELECT time FROM sensing_answer ORDER BY time DESC LIMIT 1 OFFSET :most", most=most)
    if limit is not None:
        tx.session.execute("DELETE FROM sensing_answer WHERE time <= :limit", limit=limit)


def answers(session: Session) -> list[Row]:
    """All kept answers, oldest first."""
    return session.rows("SELECT key, digest, answer, time FROM sensing_answer ORDER BY time")
