"""Specs of the spatial kinds: what a declaration of a layer or a city says."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.kernel.declarations.kinds import Spec
from mumian.kernel.errors import Invalid

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


class ControlPoint(Spec):
    """A place known to lie inside a feature; it finds layers whose coordinate system is mislabelled."""

    feature: str = Field(description="The key of the feature that the point must lie in.")
    longitude: Longitude = Field(description="Degrees, WGS 84.")
    latitude: Latitude = Field(description="Degrees, WGS 84.")


class PropertySpec(Spec):
    """A property that features of a layer have."""

    name: str = Field(min_length=1, max_length=120, description="As it stands in the features.")
    type: Literal["string", "integer", "number", "boolean", "date", "datetime", "json"] = Field("string")
    title: dict[Literal["zh", "en"], str] | None = Field(None, description="What people read: zh and en.")
    required: bool = Field(False, description="Whether every feature must have it.")


class LiveSpec(Spec):
    """Live values laid over features: the newest observation of a stream that a property of the feature names."""

    property: str = Field(description="The property that names the stream, or the thing whose stream is meant.")
    by: Literal["stream", "thing"] = Field("stream", description="What the property names.")
    observed_property: str | None = Field(None, description="With `by: thing`, which of its streams: the observed property.")
    shown: bool = Field(False, description="Whether features and tiles carry the values unless asked without: `live=false`.")


class StyleSpec(Spec):
    """How a map draws a layer, unless the map says otherwise."""

    colour: str = Field("#1f6feb", pattern="^#[0-9a-fA-F]{6}$", description="Of points, lines and boundaries.")
    fill: str | None = Field(None, pattern="^#[0-9a-fA-F]{6}$", description="Of areas; the colour where not given.")
    opacity: float = Field(0.25, ge=0, le=1, description="Of areas, 0 to 1.")
    width: float = Field(1.5, gt=0, le=50, description="Of lines, in pixels.")
    radius: float = Field(4, gt=0, le=50, description="Of points, in pixels.")
    label: str | None = Field(None, description="The property to write beside features.")


class LayerSpec(Spec):
    """A layer of features: from a file beside the declaration, from another part of the platform, or kept here and edited."""

    source: str | None = Field(
        None,
        min_length=1,
        description="The file, relative to the folder of the declaration's own file; GeoJSON or any import format.",
    )
    sublayer: str | None = Field(None, description="Which layer of the file; the first where not given.")
    view: str | None = Field(None, description="A view of what another component keeps, such as streams.")
    crs: str = Field("EPSG:4326", description="The coordinate system of the file's numbers: a name or URI.")
    key: str = Field("code", description="The property that identifies a feature; unique in the file.")
    name: str = Field("name", description="The property with the feature's name: text, or {zh, en}.")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="The file's SHA-256; ties this exact file to the evidence ledger."
    )
    control_points: tuple[ControlPoint, ...] = Field((), description="Places known to lie inside features.")
    description: dict[Literal["zh", "en"], str] | None = Field(None, description="What the layer is for: zh and en.")
    owner: str | None = Field(None, description="The Organisation that keeps the layer; who may write must have rights there.")
    editable: bool = Field(False, description="Whether features may be changed and files brought in while the city runs.")
    properties: tuple[PropertySpec, ...] = Field((), description="The properties that features have; more come with the data.")
    strict: bool = Field(False, description="Whether properties that are not declared are refused.")
    time: tuple[str, ...] = Field(
        (), max_length=2, description="The property with a feature's time, or those with its start and end."
    )
    tile_properties: tuple[str, ...] | None = Field(None, description="The properties that tiles carry; all where not given.")
    live: LiveSpec | None = Field(None, description="Live values to lay over the features.")
    style: StyleSpec = Field(default=StyleSpec(), description="How a map draws it.")

    @field_validator("crs")
    @classmethod
    def _known_system(cls, value: str) -> str:
        try:
            return parse_crs(value).name
        except Invalid as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.view is not None and (self.source is not None or self.editable):
            raise ValueError("a view has neither a source nor editable features of its own")
        if self.source is None and self.view is None and not self.editable:
            raise ValueError("say where features come from: source, view, or editable: true")
        return self


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
