"""Creating: things with their locations, and datastreams with sensor and observed property, inside each other if need be."""

from typing import Any

import msgspec

from mumian.foundation.identity.api import Caller, actor_for
from mumian.foundation.sensing import store
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.sta.ingest import Ref
from mumian.foundation.sensing.sta.parsing import decode
from mumian.foundation.sensing.sta.paths import Path
from mumian.kernel.errors import Fault, Invalid, NotFound
from mumian.kernel.unit_of_work import Transaction

CREATABLE = ("Things", "Datastreams", "Sensors", "ObservedProperties")
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


class _Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str | None = None
    description: str = ""
    properties: dict[str, Any] = {}
    id: int | None = msgspec.field(name="@iot.id", default=None)


class PointBody(msgspec.Struct, forbid_unknown_fields=True):
    """A GeoJSON point."""

    type: str
    coordinates: tuple[float, float]


class LocationBody(_Body, kw_only=True):
    """Where a thing stands."""

    encoding: str = msgspec.field(name="encodingType", default="application/geo+json")
    location: PointBody


class SensorBody(_Body, kw_only=True):
    """A sensor, or a reference to one."""

    encoding: str = msgspec.field(name="encodingType", default="text/html")
    metadata: str = ""


class PropertyBody(_Body, kw_only=True):
    """An observed property, or a reference to one."""

    definition: str = ""


class UnitBody(msgspec.Struct, forbid_unknown_fields=True):
    """A unit of measurement."""

    name: str | None = None
    symbol: str | None = None
    definition: str | None = None


class DatastreamBody(_Body, kw_only=True):
    """A datastream with all that it needs."""

    unit: UnitBody = msgspec.field(name="unitOfMeasurement")
    kind: str = msgspec.field(name="observationType", default=_MEASUREMENT)
    area: Any = msgspec.field(name="observedArea", default=None)
    thing: Ref | None = msgspec.field(name="Thing", default=None)
    sensor: SensorBody = msgspec.field(name="Sensor")
    observed: PropertyBody = msgspec.field(name="ObservedProperty")


class ThingBody(_Body, kw_only=True):
    """A thing with its locations and datastreams."""

    locations: list[LocationBody] = msgspec.field(name="Locations", default_factory=list)
    datastreams: list[DatastreamBody] = msgspec.field(name="Datastreams", default_factory=list)


_DECODERS: dict[str, "msgspec.json.Decoder[Any]"] = {
    "Things": msgspec.json.Decoder(ThingBody),
    "Datastreams": msgspec.json.Decoder(DatastreamBody),
    "Sensors": msgspec.json.Decoder(SensorBody),
    "ObservedProperties": msgspec.json.Decoder(PropertyBody),
}


async def create(sensing: Sensing, path: Path, body: bytes, caller: Caller) -> tuple[str, int]:
    """Create what the body describes, all or nothing; returns its set and id. Raises Malformed, Invalid, NotFound."""
    name = path.last
    draft = decode(_DECODERS[name], body)
    thing = path.owner_id if path.names[:-1] == ("Things",) else None
    if len(path.names) > 1 and thing is None:
        raise NotFound(kind="resource", name=path.text)
    owner = caller.organisation

    def work(tx: Transaction) -> int:
        if name == "Things":
            return _thing(tx, draft, owner)
        if name == "Datastreams":
            return _datastream(tx, draft, thing, owner, "")
        return _sensor(tx, draft, "") if name == "Sensors" else _observed(tx, draft, "")

    return name, await sensing.register(work, actor_for(caller))


def _thing(tx: Transaction, draft: ThingBody, owner: str | None) -> int:
    if len(draft.locations) > 1:
        raise Invalid.field("Locations", "field.length", expected="≤ 1")
    row = {"name": _named(draft, ""), "description": draft.description, "properties": draft.properties, "origin": "sensorthings"}
    new = store.add_thing(tx, row)
    if draft.locations:
        location = draft.locations[0]
        place = _place(location)
        longitude, latitude = location.location.coordinates
        values = {"name": place["place"], "description": location.description, "encoding": location.encoding, "properties": "{}"}
        text = store.written({"type": "Point", "coordinates": [longitude, latitude]})
        bounds = store.place((longitude, latitude, longitude, latitude))
        made = store.insert(tx, "sensing_location", "sensing.location", {**values, "location": text, **bounds})
        store.move(tx, new, [made], tx.now_text)
    for number, datastream in enumerate(draft.datastreams):
        if datastream.thing is not None:
            raise Invalid.field(f"Datastreams[{number}].Thing", "field.unknown", expected="no Thing inside of a Thing")
        _datastream(tx, datastream, new, owner, f"Datastreams[{number}].")
    return new


def _place(location: LocationBody) -> dict[str, Any]:
    longitude, latitude = location.location.coordinates
    if location.location.type != "Point":
        raise Invalid.field("Locations[0].location.type", "field.choice", expected="Point")
    for axis, value, most in ((0, longitude, 180), (1, latitude, 90)):
        if not -most <= value <= most:
            raise Invalid.field(f"Locations[0].location.coordinates[{axis}]", "field.range", expected=f"-{most}…{most}")
    return {"place": _named(location, "Locations[0]."), "longitude": longitude, "latitude": latitude}


def _datastream(tx: Transaction, draft: DatastreamBody, thing: int | None, owner: str | None, at: str) -> int:
    thing = thing if thing is not None else (draft.thing.id if draft.thing is not None else None)
    if thing is None:
        raise Invalid.field(f"{at}Thing", "field.missing")
    if draft.kind != _MEASUREMENT:
        raise Invalid.field(f"{at}observationType", "field.choice", expected=_MEASUREMENT)
    if tx.session.value("SELECT id FROM sensing_thing WHERE id = :id", id=_fitting(thing)) is None:
        raise Invalid.field(f"{at}Thing.@iot.id", "field.reference", kind="Thing", name=thing)
    title = _named(draft, at)
    serial = tx.session.value("SELECT COUNT(*) FROM sensing_stream WHERE thing = :thing", thing=thing)
    made = store.StreamDraft(
        name=f"sta-{thing}-{int(serial) + 1}",
        title={"zh": title, "en": title},
        description=draft.description,
        thing=thing,
        sensor=_sensor(tx, draft.sensor, f"{at}Sensor."),
        property=_observed(tx, draft.observed, f"{at}ObservedProperty."),
        unit=draft.unit.symbol or draft.unit.name or "1",
        unit_name=draft.unit.name or "",
        unit_definition=draft.unit.definition or "",
        owner=owner,
        origin="sensorthings",
        properties=draft.properties,
    )
    return store.register(tx, made)


def _sensor(tx: Transaction, draft: SensorBody, at: str) -> int:
    if draft.id is not None:
        return _existing(tx, "sensing_sensor", draft.id, f"{at}@iot.id", "Sensor")
    return store.add_sensor(tx, _named(draft, at), draft.description, draft.encoding, draft.metadata)


def _observed(tx: Transaction, draft: PropertyBody, at: str) -> int:
    if draft.id is not None:
        return _existing(tx, "sensing_property", draft.id, f"{at}@iot.id", "ObservedProperty")
    return store.add_property(tx, _named(draft, at), draft.definition, draft.description)


def _existing(tx: Transaction, table: str, number: int, field: str, kind: str) -> int:
    found = tx.session.value(f"SELECT id FROM {table} WHERE id = :id", id=_fitting(number))
    if found is None:
        raise Invalid.field(field, "field.reference", kind=kind, name=number)
    return int(found)


def _named(draft: _Body, at: str) -> str:
    if not draft.name or len(draft.name) > 300:
        fault = ("field.missing", {}) if not draft.name else ("field.length", {"expected": "1…300"})
        raise Invalid(Fault(f"{at}name", fault[0], fault[1]))
    return draft.name


def _fitting(number: int) -> int:
    return number if abs(number) < 2**63 else -1
