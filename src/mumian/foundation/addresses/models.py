"""Bodies and answers of the addresses' API."""

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from mumian.foundation.addresses.contracts import Match, ParsedAddress, StandardAddress
from mumian.foundation.addresses.service.finding import Located, Near
from mumian.foundation.addresses.service.parsing import MOST_CHARACTERS

Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Part = Annotated[str, Field(max_length=60)]


class Body(BaseModel):
    """The base of all bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class TextBody(Body):
    """One text to understand, as of a day."""

    text: Text
    date: dt.date | None = None
    limit: int = Field(5, ge=1, le=50)


class PointBody(Body):
    """A point in WGS 84 degrees."""

    longitude: Longitude
    latitude: Latitude
    date: dt.date | None = None
    limit: int = Field(5, ge=1, le=50)


class BulkBody(Body):
    """Many texts at once."""

    texts: list[Annotated[str, Field(max_length=MOST_CHARACTERS)]] = Field(min_length=1, max_length=100_000)
    task: Literal["parse", "match", "geocode"] = "geocode"
    date: dt.date | None = None


class AddressBody(Body):
    """A standard address by its fields; `division` is a district (6 digits) or a street (9)."""

    division: str = Field(pattern=r"^([0-9]{6}|[0-9]{9})$")
    code: str = Field("", max_length=40, pattern=r"^[0-9A-Za-z.-]*$")
    community: Part = ""
    road: Part = ""
    number: Part = ""
    subroad: Part = ""
    subnumber: Part = ""
    poi: Part = ""
    subpoi: Part = ""
    building: Part = ""
    unit: Part = ""
    floor: Part = ""
    room: Part = ""
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    valid_from: dt.date | None = None
    source: str = Field("", max_length=80)


class RetireBody(Body):
    """The day from which an address is no more, and why."""

    date: dt.date
    reason: str = Field(min_length=1, max_length=400)


class RenameBody(Body):
    """A road of a district has another name from a day on."""

    district: str = Field(pattern=r"^[0-9]{6}$")
    old: str = Field(min_length=2, max_length=60)
    new: str = Field(min_length=2, max_length=60)
    date: dt.date


class RenamedOut(BaseModel):
    """How many addresses have a new name."""

    addresses: int


class DivisionOut(BaseModel):
    """A division by its code, with the names above it."""

    code: str
    name: str
    names: list[str]


def parsed_out(parsed: ParsedAddress) -> dict[str, Any]:
    """A parsed address as the API shows it."""
    place = msgspec.to_builtins(parsed.place)
    elements = [element._asdict() for element in parsed.elements]
    return {"text": parsed.text, "standard": parsed.standard, "method": parsed.method, "place": place, "elements": elements}


def match_out(found: Match) -> dict[str, Any]:
    """A match as the API shows it."""
    candidates = [msgspec.to_builtins(candidate) for candidate in found.candidates]
    return {"parsed": parsed_out(found.parsed), "precision": found.precision, "candidates": candidates}


def located_out(found: Located | None) -> dict[str, Any] | None:
    """A point as the API shows it."""
    return None if found is None else msgspec.to_builtins(found)


def near_out(found: Near) -> dict[str, Any]:
    """A near address as the API shows it."""
    return {"metres": found.metres, "address": address_out(found.address)}


def address_out(address: StandardAddress) -> dict[str, Any]:
    """A standard address as the API shows it."""
    shown: dict[str, Any] = msgspec.to_builtins(address)
    return shown
