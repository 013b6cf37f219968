"""Bodies and answers of the grids' API."""

import datetime as dt
import json
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from mumian.foundation.grids.contracts import Grid, Versioned, VisitResult, Where

GridCode = Annotated[str, Field(pattern=r"^[0-9]{4,15}$")]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    """The base of all bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class TitleBody(Body):
    """A title in both languages."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class PersonBody(Body):
    """Somebody who looks after a grid."""

    role: str = Field(min_length=1, max_length=60)
    name: str = Field(min_length=1, max_length=60)
    contact: str = Field("", max_length=60)


class ChangeBody(Body):
    """Other people in charge, another title or kind, from a day on."""

    date: dt.date
    title: TitleBody | None = None
    kind: Literal["general", "special"] | None = None
    organisation: Name | None = None
    people: list[PersonBody] | None = Field(None, max_length=50)


class PartBody(Body):
    """A part that a grid is split into."""

    code: GridCode
    title: TitleBody
    geometry: dict[str, Any] | None = None
    kind: Literal["general", "special"] = "general"
    organisation: Name = ""


class SplitBody(Body):
    """The parts that a grid becomes from a day on."""

    date: dt.date
    parts: list[PartBody] = Field(min_length=2, max_length=200)


class MergeBody(Body):
    """The grids that become one from a day on, and its code."""

    date: dt.date
    codes: list[GridCode] = Field(min_length=2, max_length=200)
    code: GridCode
    title: TitleBody | None = None


class RecodeBody(Body):
    """The new code of a grid from a day on."""

    date: dt.date
    code: GridCode


class EndBody(Body):
    """The day from which there is no such grid, and why."""

    date: dt.date
    reason: str = Field(min_length=1, max_length=400)


class PointsBody(Body):
    """Many points, as two lists of equal length."""

    longitudes: list[Longitude] = Field(min_length=1, max_length=200_000)
    latitudes: list[Latitude] = Field(min_length=1, max_length=200_000)
    level: Literal["city", "district", "street", "community", "grid"] = "grid"
    date: dt.date | None = None


class BuildingBody(Body):
    """A building to register; the code is made from its grid unless it is given, the grid found by its point or address."""

    title: TitleBody
    code: str = Field("", pattern=r"^[0-9A-Za-z-]{0,40}$")
    grid: str = Field("", pattern=r"^[0-9]{0,15}$")
    address: str = Field("", max_length=40)
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    floors: int = Field(0, ge=0, le=400)


class BuildingPatch(Body):
    """What changes about a building."""

    title: TitleBody | None = None
    grid: GridCode | None = None
    address: str | None = Field(None, max_length=40)
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    floors: int | None = Field(None, ge=0, le=400)
    state: Literal["standing", "demolished"] | None = None


class ComponentBody(Body):
    """A component to register; without a code it gets the next serial of its district and class."""

    code: str = Field("", pattern=r"^([0-9]{16})?$")
    category: str = Field(pattern=r"^[0-9]{4}$")
    district: str = Field("", pattern=r"^([0-9]{6})?$")
    name: Name = ""
    longitude: Longitude
    latitude: Latitude
    owner: Name = ""
    keeper: Name = ""
    state: Literal["intact", "damaged", "missing", "obstructed", "removed"] = "intact"
    source: Name = ""


class ComponentPatch(Body):
    """What changes about a component."""

    title: TitleBody | None = None
    owner: Name | None = None
    keeper: Name | None = None
    state: Literal["intact", "damaged", "missing", "obstructed", "removed"] | None = None


class SubjectBody(Body):
    """What is to be looked at."""

    kind: Literal["address", "building", "component", "grid"]
    code: str = Field(min_length=1, max_length=60, pattern=r"^[0-9A-Za-z.-]+$")


class VisitsBody(Body):
    """Visits to open: one for each subject."""

    subjects: list[SubjectBody] = Field(min_length=1, max_length=1000)
    purpose: str = Field(min_length=1, max_length=400)
    organisation: Name = ""
    assignee: Name = ""
    due: dt.datetime | None = None


class FindingBody(Body):
    """What was found on a visit."""

    result: VisitResult
    note: str = Field("", max_length=4000)
    evidence: list[Name] = Field(default_factory=list, max_length=20)
    longitude: Longitude | None = None
    latitude: Latitude | None = None


class NoteBody(Body):
    """Why a visit is called off."""

    note: str = Field(min_length=1, max_length=4000)


class CellsBody(Body):
    """An area to be filled with H3 cells."""

    geometry: dict[str, Any]
    resolution: int = Field(ge=0, le=15)


class CountBody(Body):
    """Points to be counted by H3 cell, each with a value or not."""

    longitudes: list[Longitude] = Field(min_length=1, max_length=200_000)
    latitudes: list[Latitude] = Field(min_length=1, max_length=200_000)
    values: list[Annotated[float, Field(allow_inf_nan=False)]] | None = Field(None, max_length=200_000)
    resolution: int = Field(ge=0, le=15)


def shown(version: Versioned) -> dict[str, Any]:
    """A version as the API shows it; boundaries as GeoJSON."""
    made: dict[str, Any] = msgspec.to_builtins(version)
    if isinstance(version, Grid):
        made["geometry"] = json.loads(version.geometry) if version.geometry else None
    return made


def brief(version: Versioned) -> dict[str, Any]:
    """A version as a list shows it: without its boundary."""
    made: dict[str, Any] = msgspec.to_builtins(version)
    made.pop("geometry", None)
    return made


def where_out(found: Where) -> dict[str, Any]:
    """Where a point lies, as the API shows it."""
    return {
        "longitude": found.longitude,
        "latitude": found.latitude,
        "date": found.date,
        "responsible": found.responsible,
        "chain": [brief(grid) for grid in found.chain],
    }
