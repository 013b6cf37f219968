"""Conformance: the requirements of OGC 18-088 that this service meets, as its root tells them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mumian.kernel.errors import MissingPort
from mumian.kernel.platform import Platform

_SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/req"
_DATA_MODEL = (
    *("thing", "location", "historical-location", "datastream", "sensor", "observed-property", "observation"),
    *("feature-of-interest", "entity-control-information", "common-control-information"),
)
_REQUEST = (
    *("order", "expand", "select", "orderby", "top", "skip", "count", "filter"),
    *("built-in-filter-operations", "built-in-query-functions", "pagination", "status-code"),
)
_WRITE = (
    *("create-entity", "link-to-existing-entities", "deep-insert", "deep-insert-status-code", "update-entity"),
    *("delete-entity", "historical-location-auto-creation"),
)
_MQTT = (f"{_SPEC}/create-observations-via-mqtt/observations-creation", f"{_SPEC}/receive-updates-via-mqtt/receive-updates")
CONFORMANCE = [
    f"{_SPEC}/datamodel",
    *(f"{_SPEC}/datamodel/{name}" for name in _DATA_MODEL),
    f"{_SPEC}/resource-path/resource-path-to-entities",
    f"{_SPEC}/request-data",
    *(f"{_SPEC}/request-data/{name}" for name in _REQUEST),
    *(f"{_SPEC}/create-update-delete/{name}" for name in _WRITE),
    f"{_SPEC}/multi-datastream",
    f"{_SPEC}/data-array/data-array",
    "https://github.com/INSIDE-information-systems/SensorThingsAPI/blob/master/CSV-ResultFormat/CSV-ResultFormat.md",
    "https://fraunhoferiosb.github.io/FROST-Server/extensions/JsonBatchRequest.html",
]


@dataclass(frozen=True)
class MqttAddress:
    """The port by which MQTT tells where its clients connect; `find` gives None while nobody can."""

    find: Callable[[], str | None]


def server_settings(platform: Platform) -> dict[str, Any]:
    """What the root tells of the service: what it conforms to, and where MQTT is spoken, if it is."""
    try:
        address = platform.get(MqttAddress).find()
    except MissingPort:
        address = None
    if address is None:
        return {"conformance": CONFORMANCE}
    return {"conformance": [*CONFORMANCE, *_MQTT], **{claim: {"endpoints": [address]} for claim in _MQTT}}
