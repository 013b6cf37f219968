"""Conformance: the requirements of OGC 18-088 that this service meets, as its root tells them."""

_SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/req"
_DATA_MODEL = (
    *("thing", "location", "historical-location", "datastream", "sensor", "observed-property", "observation"),
    *("feature-of-interest", "entity-control-information", "common-control-information"),
)
_REQUEST = (
    *("order", "expand", "select", "orderby", "top", "skip", "count", "filter"),
    *("built-in-filter-operations", "built-in-query-functions", "pagination", "status-code"),
)
CONFORMANCE = [
    f"{_SPEC}/datamodel",
    *(f"{_SPEC}/datamodel/{name}" for name in _DATA_MODEL),
    f"{_SPEC}/resource-path/resource-path-to-entities",
    f"{_SPEC}/request-data",
    *(f"{_SPEC}/request-data/{name}" for name in _REQUEST),
    f"{_SPEC}/multi-datastream",
    f"{_SPEC}/data-array/data-array",
    "https://github.com/INSIDE-information-systems/SensorThingsAPI/blob/master/CSV-ResultFormat/CSV-ResultFormat.md",
]
