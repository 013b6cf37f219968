"""The sets of SensorThings 1.1 with Tasking: where the records and the lake keep each, and what links them."""

from mumian.foundation.sensing.sta.model import EntitySet, Link, Model, Property

_ID = Property("number", "{a}.id")
_NAMED = {"id": _ID, "name": Property("text", "{a}.name"), "description": Property("text", "{a}.description")}
_PROPERTIES = {"properties": Property("json", "{a}.properties")}
_ENCODED = {"encodingType": Property("text", "{a}.encoding")}
_METADATA = {"metadata": Property("text", "{a}.metadata")}


def _of(target: str, column: str) -> Link:
    """A link to the one entity whose id a column has."""
    return Link(target, False, f"{{b}}.id = {{a}}.{column}")


def _all(target: str, column: str) -> Link:
    """A link to all entities that name this one in a column."""
    return Link(target, True, f"{{b}}.{column} = {{a}}.id")


def _through(target: str, via: str, near: str, far: str, order: str = "") -> Link:
    return Link(target, True, f"{{b}}.id = {{v}}.{far}", via, f"{{v}}.{near} = {{a}}.id", order=order)


def _crossing(target: str, many: bool) -> Link:
    return Link(target, many, crossing=True)


_STREAM = {
    "id": _ID,
    "name": Property("text", "{a}.title_en"),
    "description": Property("text", "{a}.description"),
    "observationType": Property("text", "{a}.observation_type"),
    "observedArea": Property("geometry", "{a}.observed_area"),
    "properties/stream": Property("text", "{a}.name"),
    "properties/title/zh": Property("text", "{a}.title_zh"),
    "properties/title/en": Property("text", "{a}.title_en"),
    "properties/owner": Property("text", "{a}.owner"),
    "properties/frequencySeconds": Property("number", "{a}.frequency_seconds"),
    **_PROPERTIES,
}
_STREAM_LINKS = {"Thing": _of("Things", "thing"), "Sensor": _of("Sensors", "sensor")}
_OBSERVATIONS = {"Observations": _crossing("Observations", many=True)}
_END = (
    "CASE WHEN {a}.detail IS NULL THEN {a}.time "
    "ELSE coalesce(TRY_CAST(json_extract({a}.detail, '$.end') AS BIGINT), {a}.time) END"
)
_VALID = [f"TRY_CAST(json_extract({{a}}.detail, '$.validTime[{place}]') AS BIGINT)" for place in (0, 1)]
_SETS = (
    EntitySet(
        "Things",
        "Thing",
        "sensing_thing",
        {**_NAMED, **_PROPERTIES},
        {
            "Locations": _through("Locations", "sensing_thing_location", "thing", "location"),
            "HistoricalLocations": _all("HistoricalLocations", "thing"),
            "Datastreams": _all("Datastreams", "thing"),
            "MultiDatastreams": _all("MultiDatastreams", "thing"),
            "TaskingCapabilities": _all("TaskingCapabilities", "thing"),
        },
    ),
    EntitySet(
        "Locations",
        "Location",
        "sensing_location",
        {**_NAMED, **_ENCODED, "location": Property("geometry", "{a}.location", bits="bounds"), **_PROPERTIES},
        {
            "Things": _through("Things", "sensing_thing_location", "location", "thing"),
            "HistoricalLocations": _through("HistoricalLocations", "sensing_history_location", "location", "history"),
        },
    ),
    EntitySet(
        "HistoricalLocations",
        "HistoricalLocation",
        "sensing_history",
        {"id": _ID, "time": Property("stamp", "{a}.time")},
        {
            "Thing": _of("Things", "thing"),
            "Locations": _through("Locations", "sensing_history_location", "history", "location"),
        },
    ),
    EntitySet(
        "Datastreams",
        "Datastream",
        "sensing_stream",
        {
            **_STREAM,
            "unitOfMeasurement/name": Property("text", "{a}.unit_name"),
            "unitOfMeasurement/symbol": Property("text", "{a}.unit"),
            "unitOfMeasurement/definition": Property("text", "{a}.unit_definition"),
        },
        {**_STREAM_LINKS, "ObservedProperty": _of("ObservedProperties", "property"), **_OBSERVATIONS},
        only="{a}.multi = 0",
    ),
    EntitySet(
        "MultiDatastreams",
        "MultiDatastream",
        "sensing_stream",
        {
            **_STREAM,
            "unitOfMeasurements": Property("json", "{a}.units"),
            "multiObservationDataTypes": Property("json", "{a}.observation_types"),
        },
        {
            **_STREAM_LINKS,
            "ObservedProperties": _through("ObservedProperties", "sensing_stream_property", "stream", "property", "{v}.place"),
            **_OBSERVATIONS,
        },
        only="{a}.multi = 1",
    ),
    EntitySet(
        "Sensors",
        "Sensor",
        "sensing_sensor",
        {**_NAMED, **_ENCODED, **_METADATA, **_PROPERTIES},
        {"Datastreams": _all("Datastreams", "sensor"), "MultiDatastreams": _all("MultiDatastreams", "sensor")},
    ),
    EntitySet(
        "ObservedProperties",
        "ObservedProperty",
        "sensing_property",
        {**_NAMED, "definition": Property("text", "{a}.definition"), **_PROPERTIES},
        {
            "Datastreams": _all("Datastreams", "property"),
            "MultiDatastreams": _through("MultiDatastreams", "sensing_stream_property", "property", "stream"),
        },
    ),
    EntitySet(
        "Observations",
        "Observation",
        "observation",
        {
            "id": _ID,
            "phenomenonTime": Property("period", "{a}.time", _END),
            "resultTime": Property("time", "{a}.result_time"),
            "result": Property("result", "{a}.detail", parts=("result",), number="{a}.result"),
            "resultQuality": Property("quality", "{a}.detail", parts=("resultQuality",), bits="{a}.flags"),
            "validTime": Property("period", _VALID[0], _VALID[1]),
            "parameters": Property("json", "{a}.detail", parts=("parameters",)),
            "#stream": Property("number", "{a}.stream"),
            "#feature": Property("number", "TRY_CAST(json_extract({a}.detail, '$.feature') AS BIGINT)"),
        },
        {
            "Datastream": _crossing("Datastreams", many=False),
            "MultiDatastream": _crossing("MultiDatastreams", many=False),
            "FeatureOfInterest": _crossing("FeaturesOfInterest", many=False),
        },
    ),
    EntitySet(
        "FeaturesOfInterest",
        "FeatureOfInterest",
        "sensing_feature",
        {**_NAMED, **_ENCODED, "feature": Property("geometry", "{a}.feature", bits="bounds"), **_PROPERTIES},
        _OBSERVATIONS,
    ),
    EntitySet(
        "Actuators",
        "Actuator",
        "sensing_actuator",
        {**_NAMED, **_ENCODED, **_METADATA, **_PROPERTIES},
        {"TaskingCapabilities": _all("TaskingCapabilities", "actuator")},
    ),
    EntitySet(
        "TaskingCapabilities",
        "TaskingCapability",
        "sensing_capability",
        {**_NAMED, "taskingParameters": Property("json", "{a}.parameters"), **_PROPERTIES},
        {"Thing": _of("Things", "thing"), "Actuator": _of("Actuators", "actuator"), "Tasks": _all("Tasks", "capability")},
    ),
    EntitySet(
        "Tasks",
        "Task",
        "sensing_task",
        {
            "id": _ID,
            "creationTime": Property("stamp", "{a}.created"),
            "changeTime": Property("stamp", "{a}.changed"),
            "status": Property("text", "{a}.status"),
            "taskingParameters": Property("json", "{a}.parameters"),
            **_PROPERTIES,
        },
        {"TaskingCapability": _of("TaskingCapabilities", "capability")},
    ),
)
MODEL: Model = {entities.name: entities for entities in _SETS}
