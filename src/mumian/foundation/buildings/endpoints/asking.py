"""Asking: parameters that several endpoints of buildings share, and how they are read."""

from typing import Annotated

from fastapi import Depends, Header, Path, Query

from mumian.foundation.buildings.rules.ground import Bounds, on_earth
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.errors import Invalid

BASE = "/api/v1/foundation/buildings"
Read = Annotated[Caller, Depends(permit("building:read"))]
Write = Annotated[Caller, Depends(permit("building:write"))]
Import = Annotated[Caller, Depends(permit("building:import"))]
Cursor = Annotated[str | None, Query(max_length=400)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Box = Annotated[str | None, Query(max_length=200, description="west,south,east,north in WGS 84 degrees.")]
Code = Annotated[str, Path(max_length=40, pattern=r"^[0-9A-Za-z.-]+$")]
Language = Annotated[str | None, Header(max_length=1000)]
Longitude = Annotated[float, Query(ge=-180, le=180)]
Latitude = Annotated[float, Query(ge=-90, le=90)]


def box(text: str | None) -> Bounds | None:
    """Bounds of a parameter; raises Invalid."""
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not on_earth((numbers[0], numbers[1], numbers[2], numbers[3])):
        raise Invalid.field("bbox", "spatial.bbox")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def anchor(text: str | None) -> tuple[float, float] | None:
    """A longitude and latitude; raises Invalid."""
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 2 or not on_earth((numbers[0], numbers[1], numbers[0], numbers[1])):
        raise Invalid.field("anchor", "buildings.anchor")
    return numbers[0], numbers[1]


def version(if_match: Annotated[str | None, Header(max_length=40)] = None) -> int | None:
    """The version that a change expects, of the header If-Match; raises Invalid."""
    if if_match is None or if_match.strip() == "*":
        return None
    given = if_match.strip().removeprefix("W/").strip('"')
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise Invalid.field("If-Match", "spatial.etag")
    return int(given)


Expected = Annotated[int | None, Depends(version)]
