"""What may be written of each entity: its table, the column of each property, and how its links are kept."""

from dataclasses import dataclass, field
from typing import Literal

from mumian.foundation.sensing.contracts import MEASUREMENT

Form = Literal["text", "json", "time", "geometry", "object", "any", "derived"]
_TYPE = MEASUREMENT.removesuffix("OM_Measurement")
COMPLEX = f"{_TYPE}OM_ComplexObservation"
TASK_STATES = ("created", "accepted", "running", "completed", "failed", "cancelled")


@dataclass(frozen=True)
class Property:
    """A property: its column, the form of its value, whether it must be given, and what it is if it is not.

    Forms: text, time (ISO 8601), any (JSON), object (JSON), geometry (JSON; GeoJSON where the encoding says so, with bounds),
    json (text stays text, other JSON goes to the column `…_json`), derived (what a request says of it is passed over).
    """

    column: str
    form: Form = "text"
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A navigation link to the set `target`.

    `column`: the own column that holds the target's id. `back`: the target's column that holds the own id. `through`: a table of
    pairs with the columns for the own and for the other id. `required`: an entity cannot be without it.
    """

    target: str
    column: str = ""
    back: str = ""
    through: tuple[str, str, str] | None = None
    required: bool = False

    @property
    def many(self) -> bool:
        """Whether it leads to a set."""
        return not self.column


@dataclass(frozen=True)
class EntityType:
    """An entity set: the singular of its name, its table (with a condition on its rows), sequence, properties and links."""

    name: str
    single: str
    table: str
    sequence: str
    properties: dict[str, Property]
    links: dict[str, Link] = field(default_factory=dict)
    condition: str = "1 = 1"


_NAME = {"name": Property("name", required=True), "description": Property("description", default="")}
_PROPERTIES = {"properties": Property("properties", "object", default="{}")}
_DOCUMENTED = {
    "encodingType": Property("encoding", default="text/html"),
    "metadata": Property("metadata", "json", default=""),
}
_STREAM = {
    "name": Property("title_en", required=True),
    "description": Property("description", default=""),
    "observedArea": Property("observed_area", "any"),
    "phenomenonTime": Property("", "derived"),
    "resultTime": Property("", "derived"),
    **_PROPERTIES,
}
_STREAM_LINKS = {
    "Thing": Link("Things", column="thing", required=True),
    "Sensor": Link("Sensors", column="sensor", required=True),
    "Observations": Link("Observations", back="stream"),
}
_PLACED = ("sensing_thing_location", "thing", "location")
_PAST = ("sensing_history_location", "history", "location")
_MULTI = ("sensing_stream_property", "stream", "property")
_GEOJSON = "application/geo+json"

_THING = EntityType(
    "Things",
    "Thing",
    "sensing_thing",
    "sensing.thing",
    {**_NAME, **_PROPERTIES},
    {
        "Locations": Link("Locations", through=_PLACED),
        "HistoricalLocations": Link("HistoricalLocations", back="thing"),
        "Datastreams": Link("Datastreams", back="thing"),
        "MultiDatastreams": Link("MultiDatastreams", back="thing"),
        "TaskingCapabilities": Link("TaskingCapabilities", back="thing"),
    },
)
_LOCATION = EntityType(
    "Locations",
    "Location",
    "sensing_location",
    "sensing.location",
    {
        **_NAME,
        "encodingType": Property("encoding", default=_GEOJSON),
        "location": Property("location", "geometry", required=True),
        **_PROPERTIES,
    },
    {
        "Things": Link("Things", through=(_PLACED[0], "location", "thing")),
        "HistoricalLocations": Link("HistoricalLocations", through=(_PAST[0], "location", "history")),
    },
)
_HISTORY = EntityType(
    "HistoricalLocations",
    "HistoricalLocation",
    "sensing_history",
    "sensing.history",
    {"time": Property("time", "time", required=True)},
    {
        "Thing": Link("Things", column="thing", required=True),
        "Locations": Link("Locations", through=_PAST, required=True),
    },
)
_DATASTREAM = EntityType(
    "Datastreams",
    "Datastream",
    "sensing_stream",
    "sensing.stream",
    {
        **_STREAM,
        "observationType": Property("observation_type", default=MEASUREMENT),
        "unitOfMeasurement": Property("", "object", required=True),
    },
    {**_STREAM_LINKS, "ObservedProperty": Link("ObservedProperties", column="property", required=True)},
    "multi = 0",
)
_MULTI_DATASTREAM = EntityType(
    "MultiDatastreams",
    "MultiDatastream",
    "sensing_stream",
    "sensing.stream",
    {
        **_STREAM,
        "observationType": Property("observation_type", default=COMPLEX),
        "unitOfMeasurements": Property("units", "any", required=True),
        "multiObservationDataTypes": Property("observation_types", "any", required=True),
    },
    {**_STREAM_LINKS, "ObservedProperties": Link("ObservedProperties", through=_MULTI, required=True)},
    "multi = 1",
)
_SENSOR = EntityType(
    "Sensors",
    "Sensor",
    "sensing_sensor",
    "sensing.sensor",
    {**_NAME, **_DOCUMENTED, **_PROPERTIES},
    {
        "Datastreams": Link("Datastreams", back="sensor"),
        "MultiDatastreams": Link("MultiDatastreams", back="sensor"),
    },
)
_OBSERVED_PROPERTY = EntityType(
    "ObservedProperties",
    "ObservedProperty",
    "sensing_property",
    "sensing.property",
    {**_NAME, "definition": Property("definition", default=""), **_PROPERTIES},
    {
        "Datastreams": Link("Datastreams", back="property"),
        "MultiDatastreams": Link("MultiDatastreams", through=(_MULTI[0], "property", "stream")),
    },
)
_FEATURE = EntityType(
    "FeaturesOfInterest",
    "FeatureOfInterest",
    "sensing_feature",
    "sensing.feature",
    {
        **_NAME,
        "encodingType": Property("encoding", default=_GEOJSON),
        "feature": Property("feature", "geometry", required=True),
        **_PROPERTIES,
    },
    {"Observations": Link("Observations", back="feature")},
)
_ACTUATOR = EntityType(
    "Actuators",
    "Actuator",
    "sensing_actuator",
    "sensing.actuator",
    {**_NAME, **_DOCUMENTED, **_PROPERTIES},
    {"TaskingCapabilities": Link("TaskingCapabilities", back="actuator")},
)
_CAPABILITY = EntityType(
    "TaskingCapabilities",
    "TaskingCapability",
    "sensing_capability",
    "sensing.capability",
    {**_NAME, "taskingParameters": Property("parameters", "object", required=True), **_PROPERTIES},
    {
        "Thing": Link("Things", column="thing", required=True),
        "Actuator": Link("Actuators", column="actuator", required=True),
        "Tasks": Link("Tasks", back="capability"),
    },
)
_TASK = EntityType(
    "Tasks",
    "Task",
    "sensing_task",
    "sensing.task",
    {
        "taskingParameters": Property("parameters", "object", required=True),
        "status": Property("status", default=TASK_STATES[0], choices=TASK_STATES),
        "creationTime": Property("created", "derived"),
        **_PROPERTIES,
    },
    {"TaskingCapability": Link("TaskingCapabilities", column="capability", required=True)},
)
TYPES: dict[str, EntityType] = {
    kind.name: kind
    for kind in (
        _THING,
        _LOCATION,
        _HISTORY,
        _DATASTREAM,
        _MULTI_DATASTREAM,
        _SENSOR,
        _OBSERVED_PROPERTY,
        _FEATURE,
        _ACTUATOR,
        _CAPABILITY,
        _TASK,
    )
}
SINGLE = {kind.single: kind.name for kind in TYPES.values()}
