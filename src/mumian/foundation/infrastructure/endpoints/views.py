"""What the endpoints take and show."""

import re
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from mumian.foundation.infrastructure.contracts import Facility
from mumian.foundation.infrastructure.models import DAY_PATTERN, State
from mumian.kernel.errors import Invalid

Text = Annotated[str, Field(max_length=400)]
Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=200)]


class Body(BaseModel):
    """The base of all bodies."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """What was sent."""
        return self.model_dump(exclude_unset=True)


class FacilityPatch(Body):
    """What may change of a facility."""

    name: str = Field("", min_length=1, max_length=200)
    owner: str = Field("", min_length=1, max_length=80)
    operator: Text = ""
    address: Text = ""
    longitude: float | None = None
    latitude: float | None = None
    built: str | None = Field(None, pattern=DAY_PATTERN)
    properties: dict[str, Any] = Field(default_factory=dict, max_length=200)
    devices: Words = []
    streams: dict[str, Annotated[str, Field(max_length=200)]] = Field(default_factory=dict, max_length=200)
    ends: Words = []
    plane: str = Field("", max_length=60)
    note: str = Field("", max_length=2000)


class FacilityBody(FacilityPatch):
    """A facility to enter."""

    code: str = Field(min_length=1, max_length=80)
    kind: str = Field(min_length=1, max_length=80)
    name: str = Field(min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=80)
    state: State = "planned"


class StepBody(Body):
    """A step of a facility's life."""

    step: Literal["begin", "open", "renew", "reopen", "retire"]
    day: str | None = Field(None, pattern=DAY_PATTERN)
    note: str = Field("", max_length=2000)


class StatusBody(Body):
    """The live state of a facility."""

    status: str = Field(min_length=1, max_length=60)
    note: str = Field("", max_length=400)


class FacilityOut(BaseModel):
    """A facility as kept; `live` is its live state, where it has one."""

    code: str
    kind: str
    name: str
    owner: str
    operator: str
    address: str
    longitude: float | None
    latitude: float | None
    district: str | None
    state: str
    built: str | None
    properties: dict[str, Any]
    devices: list[str]
    streams: dict[str, str]
    ends: list[str]
    plane: str
    note: str
    origin: str
    changed: str
    version: int
    live: dict[str, Any] | None = None


def shown(facility: Facility, live: dict[str, Any] | None = None) -> FacilityOut:
    """A facility for an answer."""
    return FacilityOut(**msgspec.structs.asdict(facility), live=live)


def version(if_match: str | None) -> int | None:
    """The version in an If-Match header; raises Invalid."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"?(\d{1,18})"?', if_match.strip())
    if found is None:
        raise Invalid.field("If-Match", "field.pattern", expected='"7"')
    return int(found[1])


def box(text: str | None) -> dict[str, float]:
    """West, south, east, north in degrees from `w,s,e,n`; raises Invalid."""
    if text is None:
        return {}
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise Invalid.field("bbox", "field.pattern", expected="west,south,east,north") from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid.field("bbox", "field.range", expected="-180,-90,180,90")
    return {"west": west, "south": south, "east": east, "north": north}
