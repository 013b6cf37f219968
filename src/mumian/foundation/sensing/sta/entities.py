"""Entities of SensorThings: where each set is kept, by which properties it is asked for, and how it is written."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Any

from mumian.foundation.sensing.contracts import NONE
from mumian.foundation.sensing.rules import instant
from mumian.foundation.sensing.sta.paths import NAVIGATION

Entity = dict[str, Any]
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


@dataclass(frozen=True)
class EntitySet:
    """A set in the records: its rows, the properties that may be filtered and sorted by, and its properties from a row."""

    rows: str
    columns: dict[str, tuple[str, str]]
    properties: Callable[[dict[str, Any]], Entity]


def _point(row: dict[str, Any]) -> Any:
    if row["longitude"] is None:
        return None
    return {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]}


def _thing(row: dict[str, Any]) -> Entity:
    return {"name": row["name"], "description": row["description"], "properties": json.loads(row["properties"])}


def _location(row: dict[str, Any]) -> Entity:
    return {
        "name": row["name"],
        "description": row["description"],
        "encodingType": row["encoding"],
        "location": json.loads(row["location"]),
        "properties": json.loads(row["properties"]),
    }


def _sensor(row: dict[str, Any]) -> Entity:
    return {"name": row["name"], "description": row["description"], "encodingType": row["encoding"], "metadata": row["metadata"]}


def _observed_property(row: dict[str, Any]) -> Entity:
    return {"name": row["name"], "definition": row["definition"], "description": row["description"]}


def _datastream(row: dict[str, Any]) -> Entity:
    unit = {"name": row["unit_name"] or row["unit"], "symbol": row["unit"], "definition": row["unit_definition"]}
    title = {"zh": row["title_zh"], "en": row["title_en"]}
    own = {"stream": row["name"], "title": title, "owner": row["owner"], "frequencySeconds": row["frequency_seconds"]}
    return {
        "name": row["title_en"],
        "description": row["description"],
        "observationType": _MEASUREMENT,
        "unitOfMeasurement": unit,
        "observedArea": _point(row),
        "properties": {**json.loads(row["properties"]), **own},
    }


def _feature(row: dict[str, Any]) -> Entity:
    return {
        "name": row["name"],
        "description": row["description"],
        "encodingType": row["encoding"],
        "feature": json.loads(row["feature"]),
        "properties": json.loads(row["properties"]),
    }


_NAMED = {"id": ("e.id", "number"), "@iot.id": ("e.id", "number"), "name": ("e.name", "text")}
_DESCRIBED = {**_NAMED, "description": ("e.description", "text")}
_STREAMS = (
    "(SELECT s.*, t.name AS thing_name, t.longitude, t.latitude FROM sensing_stream s JOIN sensing_thing t ON t.id = s.thing)"
)

SETS: dict[str, EntitySet] = {
    "Things": EntitySet("sensing_thing", _DESCRIBED, _thing),
    "Locations": EntitySet("sensing_location", _DESCRIBED, _location),
    "Sensors": EntitySet("sensing_sensor", {**_DESCRIBED, "metadata": ("e.metadata", "text")}, _sensor),
    "ObservedProperties": EntitySet(
        "sensing_property", {**_DESCRIBED, "definition": ("e.definition", "text")}, _observed_property
    ),
    "Datastreams": EntitySet(
        _STREAMS,
        {
            **_DESCRIBED,
            "name": ("e.title_en", "text"),
            "unitOfMeasurement/symbol": ("e.unit", "text"),
            "unitOfMeasurement/name": ("e.unit_name", "text"),
            "properties/stream": ("e.name", "text"),
            "properties/owner": ("e.owner", "text"),
        },
        _datastream,
    ),
    "FeaturesOfInterest": EntitySet("sensing_feature", _DESCRIBED, _feature),
}
OBSERVATION_COLUMNS = {
    "id": ("e.id", "number"),
    "@iot.id": ("e.id", "number"),
    "result": ("e.result", "number"),
    "phenomenonTime": ("e.time", "time"),
    "resultTime": ("e.result_time", "time"),
}


def entity(set_name: str, number: int, properties: Entity, base: str) -> Entity:
    """A whole entity: id, self link, properties and navigation links."""
    own = f"{base}/{set_name}({number})"
    links = {f"{name}@iot.navigationLink": f"{own}/{name}" for name in NAVIGATION[set_name]}
    return {"@iot.id": number, "@iot.selfLink": own, **properties, **links}


def observation(row: tuple[int, int, int, float, int], base: str) -> Entity:
    """An observation from id, stream, time, result and result time; a missing result is null."""
    number, _, time, result, result_time = row
    properties = {
        "phenomenonTime": written(time),
        "resultTime": None if result_time == NONE else written(result_time),
        "result": None if isnan(result) else result,
    }
    return entity("Observations", number, properties, base)


def written(time: int) -> str:
    """µs since 1970 as ISO 8601 UTC, with milliseconds or microseconds as needed."""
    moment = instant(time)
    return moment.isoformat(timespec="milliseconds" if time % 1000 == 0 else "microseconds").replace("+00:00", "Z")
