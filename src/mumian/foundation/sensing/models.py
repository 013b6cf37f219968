"""Models of what may be declared about a stream."""

from typing import Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec


class StreamSpec(Spec):
    """A stream 数据流: what one sensor of one thing observes of one property, where, how often, and whose it is."""

    thing: str = Field(min_length=1, max_length=200, description="The thing that carries the sensor, such as a station.")
    longitude: float | None = Field(None, ge=-180, le=180, description="Where the thing stands, WGS 84 degrees east.")
    latitude: float | None = Field(None, ge=-90, le=90, description="Where the thing stands, WGS 84 degrees north.")
    sensor: str = Field("", max_length=200, description="The instrument or method.")
    observed_property: str = Field(min_length=1, max_length=200, description="What is observed, such as pm25.")
    unit: str = Field(min_length=1, max_length=60, description="The unit of the results, such as ug/m3.")
    frequency_seconds: int | None = Field(
        None, gt=0, description="How often an observation is expected, in seconds; empty: irregular."
    )
    owner: str | None = Field(None, max_length=80, description="The organisation that answers for the stream.")
    minimum: float | None = Field(None, description="The least valid result; smaller ones are refused.")
    maximum: float | None = Field(None, description="The greatest valid result; greater ones are refused.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("longitude and latitude go together; give both or neither")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum; exchange them")
        return self
