"""Streams in the records: registered, retired, and read one by one, in pages, or by what is special about them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.sensing.contracts import MEASUREMENT, StreamInfo
from mumian.foundation.sensing.events import StreamRegistered, StreamRetired
from mumian.foundation.sensing.store.rows import insert, update, written
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Row, Session, Transaction

STREAMS = (
    "SELECT s.*, t.name AS thing_name, t.longitude, t.latitude, n.name AS sensor_name, p.name AS property_name "
    "FROM sensing_stream s JOIN sensing_thing t ON t.id = s.thing "
    "JOIN sensing_sensor n ON n.id = s.sensor JOIN sensing_property p ON p.id = s.property"
)
_FACTS = "SELECT id, retired, minimum, maximum, moved_to, multi, observation_type FROM sensing_stream"


@dataclass(frozen=True)
class StreamDraft:
    """A stream to register; `thing`, `sensor` and `property` are ids.

    An empty `name` becomes `sta-` and the stream's id. A stream of several properties has them in `several`, in their order, with
    `units` and `observation_types`; `property` is the first of them then.
    """

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
    observation_type: str = MEASUREMENT
    observed_area: str | None = None
    units: str | None = None
    observation_types: str | None = None
    several: tuple[int, ...] = ()


def register(tx: Transaction, draft: StreamDraft) -> int:
    """Make the stream, or change the one of that name, and tell; returns its id, which never changes."""
    found = tx.session.value("SELECT id FROM sensing_stream WHERE name = :name", name=draft.name) if draft.name else None
    values = {k: v for k, v in draft.__dict__.items() if k not in ("title", "properties", "several")}
    values |= {"title_zh": draft.title["zh"], "title_en": draft.title["en"], "retired": 0, "multi": int(bool(draft.several))}
    values["properties"] = written(draft.properties)
    if draft.observed_area is None:
        del values["observed_area"]
    values["feature"] = tx.session.value("SELECT feature FROM sensing_thing WHERE id = :id", id=draft.thing)
    if values["feature"] is not None and draft.observed_area is None:
        area = "SELECT feature FROM sensing_feature WHERE id = :id AND west IS NOT NULL"
        values["observed_area"] = tx.session.value(area, id=values["feature"])
    if found is None:
        new = insert(tx, "sensing_stream", "sensing.stream", {**values, "name": draft.name or new_id()})
        if not draft.name:
            update(tx, "sensing_stream", new, {"name": f"sta-{new}"})
    else:
        new = int(found)
        update(tx, "sensing_stream", new, values)
    keep_properties(tx, new, draft.several)
    announce(tx, new)
    return new


def announce(tx: Transaction, number: int) -> None:
    """Tell what the stream is now."""
    row = tx.session.row(f"{STREAMS} WHERE s.id = :id", id=number)
    assert row is not None
    tx.emit(
        StreamRegistered(
            subject=row["name"],
            stream=number,
            origin=row["origin"],
            observed_property=row["property_name"],
            unit=row["unit"],
            owner=row["owner"],
            frequency_seconds=row["frequency_seconds"],
        )
    )


def keep_properties(tx: Transaction, stream: int, several: Sequence[int]) -> None:
    """Remember the observed properties of a stream of several, in their order."""
    if not several:
        return
    tx.session.execute("DELETE FROM sensing_stream_property WHERE stream = :stream", stream=stream)
    sql = "INSERT INTO sensing_stream_property (stream, place, property) VALUES (:stream, :place, :property)"
    rows = [{"stream": stream, "place": place, "property": number} for place, number in enumerate(several)]
    tx.session.execute_many(sql, rows)


def retire(tx: Transaction, name: str) -> None:
    """Let the stream take no more observations."""
    found = tx.session.value("SELECT id FROM sensing_stream WHERE name = :name", name=name)
    if found is not None:
        tx.session.execute("UPDATE sensing_stream SET retired = 1 WHERE id = :id", id=found)
        tx.emit(StreamRetired(subject=name, stream=int(found)))


def streams(session: Session) -> list[StreamInfo]:
    """All streams, by id."""
    return [_stream(row) for row in session.rows(f"{STREAMS} ORDER BY s.id")]


def observing(session: Session, observed: Collection[str]) -> list[StreamInfo]:
    """The streams of observed properties of these names that take observations, by id."""
    sql = f"{STREAMS} WHERE p.name = :name AND s.retired = 0"
    found = [_stream(row) for name in sorted(set(observed)) for row in session.rows(sql, name=name)]
    return sorted(found, key=lambda info: info.id)


def page(session: Session, after: int, limit: int) -> list[StreamInfo]:
    """The first `limit` streams with ids above `after` that take observations, by id."""
    sql = f"{STREAMS} WHERE s.id > :after AND s.retired = 0 ORDER BY s.id LIMIT :limit"
    return [_stream(row) for row in session.rows(sql, after=after, limit=limit)]


def stream(session: Session, number: int) -> StreamInfo | None:
    """The stream of that id, retired or not."""
    row = session.row(f"{STREAMS} WHERE s.id = :id", id=number)
    return None if row is None else _stream(row)


def stream_named(session: Session, name: str) -> StreamInfo | None:
    """The stream of that name, unless it is retired."""
    row = session.row(f"{STREAMS} WHERE s.name = :name AND s.retired = 0", name=name)
    return None if row is None else _stream(row)


def highest(session: Session) -> int:
    """The highest id that a stream has or had."""
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'sensing.stream'") or 0)


def deleted(session: Session) -> list[int]:
    """The ids of deleted streams."""
    return [row["id"] for row in session.rows("SELECT id FROM sensing_deleted_stream ORDER BY id")]


def special(session: Session, after: int, limit: int) -> list[Row]:
    """What the registry must know of the streams above `after` that are not plain: open, unbounded, unmoved measurements."""
    where = (
        "(retired = 1 OR minimum IS NOT NULL OR maximum IS NOT NULL OR moved_to IS NOT NULL OR multi = 1 "
        f"OR observation_type <> '{MEASUREMENT}')"
    )
    return session.rows(f"{_FACTS} WHERE id > :after AND {where} ORDER BY id LIMIT :limit", after=after, limit=limit)


def facts(session: Session, number: int) -> Row | None:
    """What the registry must know of one stream."""
    return session.row(f"{_FACTS} WHERE id = :id", id=number)


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
        observation_type=row["observation_type"],
        multi=bool(row["multi"]),
    )
