"""Mapping: which entity a sensed thing is, and which attribute a stream is (types after the Smart Data Models where they fit)."""

import re
from urllib.parse import quote

from mumian.foundation.context.rules.core import NGSI_LD, VOCABULARY

NAME, LOCATION = VOCABULARY + "name", NGSI_LD + "location"
_TYPES = (
    ("AirQualityObserved", {"pm25", "pm2_5", "pm10", "no2", "so2", "o3", "co", "aqi", "pm1", "nox", "voc"}),
    ("NoiseLevelObserved", {"noise", "laeq", "lamax", "lden", "sound_level"}),
    ("TrafficFlowObserved", {"speed", "intensity", "flow", "occupancy", "traffic", "vehicle_count", "averagevehiclespeed"}),
    ("OffStreetParking", {"available_spots", "availablespotnumber", "parking", "occupied_spots"}),
    ("FloodMonitoring", {"water_level", "waterlevel", "stage", "water_depth", "flood_level"}),
    ("WaterQualityObserved", {"ph", "turbidity", "dissolved_oxygen", "conductivity", "cod", "ammonia"}),
    ("ACMeasurement", {"active_power", "voltage", "current", "power", "energy"}),
    ("WeatherObserved", {
        "temperature", "humidity", "relative_humidity", "pressure", "wind_speed", "wind_direction", "precipitation", "rain",
        "rainfall", "dew_point", "visibility", "solar_radiation",
    }),
)  # fmt: skip
_UNIT_CODES = {
    "ug/m3": "GQ", "µg/m3": "GQ", "ug/m^3": "GQ", "mg/m3": "GP", "%": "P1", "°c": "CEL", "cel": "CEL", "degc": "CEL", "c": "CEL",
    "k": "KEL", "m": "MTR", "mm": "MMT", "cm": "CMT", "km": "KMT", "m/s": "MTS", "km/h": "KMH", "hpa": "A97", "pa": "PAL",
    "db": "2N", "w": "WTT", "kw": "KWT", "kwh": "KWH", "v": "VLT", "a": "AMP", "s": "SEC", "min": "MIN", "h": "HUR", "deg": "DD",
    "°": "DD", "m3/h": "MQH", "m3/s": "MQS", "l/s": "G51", "1": "C62", "ppm": "59", "ppb": "61", "mbar": "MBR", "m3": "MTQ",
}  # fmt: skip
_UNFIT = re.compile(r"[\s<>\"'=;()\x00-\x1f,|\[\]{}\\^`.]+")


def type_of(observed_property: str) -> str:
    """The type of an entity whose first stream observes this property; `Device` where no model fits."""
    word = observed_property.lower().replace(".", "").replace(" ", "_").replace("-", "_")
    return next((name for name, words in _TYPES if word in words), "Device")


def entity_id(type_: str, thing: str) -> str:
    """The id of the entity that a thing is."""
    return f"urn:ngsi-ld:{type_}:{quote(thing, safe=':@!$*+,;=-._~')}"


def attribute(observed_property: str) -> str:
    """The address of the attribute that a stream of this property is."""
    return VOCABULARY + (_UNFIT.sub("_", observed_property) or "value")


def dataset_id(stream: str) -> str:
    """The dataset of a stream, where a thing has several of one property."""
    return f"urn:ngsi-ld:Dataset:{quote(stream, safe=':-._~')}"


def unit_code(unit: str) -> str | None:
    """The UN/CEFACT code (Recommendation 20) of a unit; None where none is known."""
    return _UNIT_CODES.get(unit.strip().lower())
