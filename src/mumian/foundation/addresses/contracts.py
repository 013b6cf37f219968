"""What addresses hand out: parsed addresses, standard addresses, candidates with reasons, and reports of imports."""

from typing import NamedTuple

import msgspec

KINDS_OF_ELEMENT = (
    "country", "province", "city", "district", "zone", "street", "community", "road", "number", "subroad", "subnumber",
    "poi", "subpoi", "building", "unit", "floor", "room", "occupant", "relation", "noise", "other",
)  # fmt: skip


class Element(NamedTuple):
    """A part of an address: its kind (one of KINDS_OF_ELEMENT), its text and where it stands in the plain text."""

    kind: str
    text: str
    start: int
    end: int


class Place(msgspec.Struct, frozen=True):
    """Codes after GB/T 2260 and the statistical street codes that an address resolves to; empty where unknown.

    `names` are the standard names of province, city, district and street; `others` are codes that fit equally well.
    """

    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    names: tuple[str, str, str, str] = ("", "", "", "")
    others: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class ParsedAddress(msgspec.Struct, frozen=True):
    """An address taken apart; `standard` is its standard form, `method` is `rules` or the name of the trained model."""

    text: str
    elements: tuple[Element, ...]
    place: Place
    standard: str
    method: str

    def first(self, kind: str) -> str:
        """The text of the first element of that kind, or nothing."""
        return next((element.text for element in self.elements if element.kind == kind), "")


class StandardAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One address of the library 标准地址 as it holds from `valid_from` until before `valid_to` (dates, empty: open).

    `code` is its own lasting code. Longitude and latitude are WGS 84 degrees, None where unknown.
    """

    code: str
    valid_from: str
    valid_to: str = ""
    district: str
    street: str = ""
    community: str = ""
    road: str = ""
    number: str = ""
    subroad: str = ""
    subnumber: str = ""
    poi: str = ""
    subpoi: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    standard: str
    longitude: float | None = None
    latitude: float | None = None
    source: str = ""


class Candidate(msgspec.Struct, frozen=True):
    """A standard address that may be meant: `confidence` 0–1 with the reasons for and against."""

    address: StandardAddress
    confidence: float
    reasons: tuple[str, ...]


class Match(msgspec.Struct, frozen=True):
    """The answer to a text: how it was understood, and the candidates, the best first.

    `precision` names the finest level that the best candidate shares with the text; empty without a candidate.
    """

    parsed: ParsedAddress
    candidates: tuple[Candidate, ...]
    precision: str = ""


class RowFault(msgspec.Struct, frozen=True):
    """A row that was refused: its line (1 is the header), the field, a translation key and its values."""

    line: int
    field: str
    key: str
    values: dict[str, str]


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did: rows read, added, changed, repeated as they were, and the faults (at most 1,000 are listed)."""

    rows: int
    added: int
    changed: int
    repeated: int
    refused: int
    faults: tuple[RowFault, ...]
    batch: str
