"""Specs of the spatial kinds: what a declaration of a layer or a city says."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from mumian.kernel.declarations.kinds import Spec

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


class ControlPoint(Spec):
    """A place known to lie inside a feature; it finds layers whose coordinate system is mislabelled."""

    feature: str = Field(description="The key of the feature that the point must lie in.")
    longitude: Longitude = Field(description="Degrees, WGS 84.")
    latitude: Latitude = Field(description="Degrees, WGS 84.")


class LayerSpec(Spec):
    """Features from a GeoJSON file, converted to WGS 84 when they are loaded."""

    source: str = Field(min_length=1, description="The GeoJSON file, relative to the folder of the declaration's own file.")
    crs: Literal["EPSG:4326", "GCJ-02", "BD-09"] = Field("EPSG:4326", description="The coordinate system of the file's numbers.")
    key: str = Field("code", description="The property that identifies a feature; unique in the file.")
    name: str = Field("name", description="The property with the feature's name: text, or {zh, en}.")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="The file's SHA-256; ties this exact file to the evidence ledger."
    )
    control_points: tuple[ControlPoint, ...] = Field((), description="Places known to lie inside features.")


class CitySpec(Spec):
    """The city that the platform runs; there is one."""

    number_prefix: str = Field(pattern="^[A-Z]{2,6}$", description="Begins the numbers of incidents.")
    code: str = Field(pattern="^[0-9]{6}$", description="The city's code after GB/T 2260.")
    centre: tuple[Longitude, Latitude] = Field(description="Longitude and latitude of the map's first view, WGS 84.")
    bounds: tuple[Longitude, Latitude, Longitude, Latitude] = Field(description="West, south, east, north in degrees, WGS 84.")
    timezone: str = Field(description="The IANA time zone, such as Asia/Shanghai; it begins and ends the city's days.")
    district_layer: str = Field(description="The Layer with the districts' boundaries.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no IANA time zone; write it like Asia/Shanghai") from error
        return value
