"""Bodies and answers of the buildings' API."""

import datetime as dt
import json
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from mumian.foundation.buildings.contracts import Building, ImportReport, ObjectFault
from mumian.kernel.i18n import text

Name = Annotated[str, Field(max_length=200)]
Source = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Code = Annotated[str, Field(max_length=40, pattern=r"^[0-9A-Za-z.-]*$")]
Use = Literal[
    "", "residential", "office", "commercial", "industrial", "education", "health", "government", "culture", "transport",
    "utility", "agriculture", "mixed", "other",
]  # fmt: skip
Count = Annotated[int, Field(ge=0, le=100_000_000)]


class Body(BaseModel):
    """The base of all bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class TitleBody(Body):
    """A title in both languages."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class BuildingPatch(Body):
    """What changes about a building; what is left out stays."""

    title: TitleBody | None = None
    footprint: dict[str, Any] | None = Field(None, description="GeoJSON Polygon or MultiPolygon in WGS 84.")
    height: float | None = Field(None, gt=0, le=2000, allow_inf_nan=False)
    ground: float | None = Field(None, ge=-500, le=9000, allow_inf_nan=False)
    storeys: int | None = Field(None, ge=0, le=400)
    below: int | None = Field(None, ge=0, le=60)
    use: Use | None = None
    year: int | None = Field(None, ge=1000, le=2100)
    state: Literal["planned", "standing", "demolished", "withdrawn"] | None = None
    registered: Code | None = None
    address: Code | None = None
    owner: Name | None = None
    parent: Code | None = None


class BuildingBody(BuildingPatch):
    """A building to register by hand."""

    footprint: dict[str, Any] = Field(description="GeoJSON Polygon or MultiPolygon in WGS 84.")
    kind: Literal["Building", "BuildingPart", "Bridge", "Tunnel", "OtherConstruction"] = "Building"
    source: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    source_id: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class LayerBody(Body):
    """A layer of footprints to bring in, and the fields that say what."""

    layer: str = Field(min_length=1, max_length=100)
    source: Source
    owner: Name = ""
    complete: bool = False
    dry: bool = False
    id_field: Name = ""
    name_field: Name = ""
    height_field: Name = ""
    storeys_field: Name = ""
    use_field: Name = ""
    year_field: Name = ""
    storey_metres: float = Field(3.0, gt=1, le=20, allow_inf_nan=False)


class AreaBody(Body):
    """An area in WGS 84 degrees: west, south, east, north."""

    bbox: tuple[
        Annotated[float, Field(ge=-180, le=180)],
        Annotated[float, Field(ge=-90, le=90)],
        Annotated[float, Field(ge=-180, le=180)],
        Annotated[float, Field(ge=-90, le=90)],
    ]


class PremisesBody(Body):
    """Counts of one place by one source; no person, no name."""

    building: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z.-]+$")]
    address: Code = ""
    unit: Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    room: Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    as_of: dt.date
    people: Count | None = None
    houses: Count | None = None
    units: Count | None = None
    facilities: Count | None = None


class PremisesList(Body):
    """What a source tells of places; at most 5,000 at once."""

    source: Source
    items: list[PremisesBody] = Field(min_length=1, max_length=5000)


def shown(building: Building) -> dict[str, Any]:
    """A building as the API shows it; its footprint as GeoJSON."""
    made: dict[str, Any] = msgspec.to_builtins(building)
    made["footprint"] = json.loads(building.footprint) if building.footprint else None
    return made


def brief(building: Building) -> dict[str, Any]:
    """A building as a list shows it: without footprint and attributes."""
    made: dict[str, Any] = msgspec.to_builtins(building)
    del made["footprint"], made["attributes"]
    return made


def as_feature(building: Building) -> dict[str, Any]:
    """A building as a GeoJSON feature."""
    properties = brief(building)
    return {
        "type": "Feature",
        "id": building.code,
        "geometry": json.loads(building.footprint) if building.footprint else None,
        "properties": properties,
    }


def fault_out(fault: ObjectFault, language: str) -> dict[str, Any]:
    """A fault with its text in a language."""
    return {"object": fault.object, "field": fault.field, "key": fault.key, "text": text(fault.key, language, **fault.values)}


def report_out(report: ImportReport, language: str) -> dict[str, Any]:
    """A report with the texts of its faults."""
    made: dict[str, Any] = msgspec.to_builtins(report)
    made["faults"] = [fault_out(fault, language) for fault in report.faults]
    return made
