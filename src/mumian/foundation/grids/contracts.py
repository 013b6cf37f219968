"""What grids hand out: grids, buildings, components and visits as kept, where a point lies, and reports of imports."""

from typing import Literal

import msgspec

LEVEL_OF_LENGTH = {4: "city", 6: "district", 9: "street", 12: "community", 15: "grid"}
LEVELS = tuple(LEVEL_OF_LENGTH.values())
Text = dict[str, str]
Level = Literal["city", "district", "street", "community", "grid"]
GridKind = Literal["general", "special"]
ComponentState = Literal["intact", "damaged", "missing", "obstructed", "removed"]
SubjectKind = Literal["address", "building", "component", "grid"]
VisitResult = Literal["confirmed", "changed", "absent", "damaged", "missing", "obstructed", "removed", "repaired"]


class Versioned(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a registered thing: it holds from `valid_from` until before `valid_to` (empty: still)."""

    code: str
    version: int = 1
    valid_from: str
    valid_to: str = ""


class Grid(Versioned, frozen=True, kw_only=True):
    """A grid of one of five levels 市、区、街道、社区、网格; its code begins with that of its parent.

    Dates are ISO days. `people` are {role, name, contact}; `geometry` is GeoJSON text in WGS 84 (empty where none is known),
    `area` square metres, `kind` general 综合网格 or special 专属网格.
    """

    level: str
    parent: str
    title: Text
    kind: str = "general"
    organisation: str = ""
    people: list[Text] = []
    geometry: str = ""
    longitude: float | None = None
    latitude: float | None = None
    area: float = 0.0


class Building(Versioned, frozen=True, kw_only=True):
    """A building 楼栋 by its lasting code: fifteen digits of the grid where it was first registered and four of a serial.

    `address` is the code of a standard address, `grid` the grid in which it lies now; times are ISO instants.
    """

    title: Text
    grid: str
    address: str = ""
    longitude: float | None = None
    latitude: float | None = None
    floors: int = 0
    state: str = "standing"


class Component(Versioned, frozen=True, kw_only=True):
    """A city component 部件; sixteen digits: district (6), class (2 + 2) and serial (6), after GB/T 30428.2.

    `owner` is the organisation that owns it, `keeper` the one that maintains it; times are ISO instants.
    """

    category: str
    title: Text
    district: str
    grid: str = ""
    longitude: float | None = None
    latitude: float | None = None
    owner: str = ""
    keeper: str = ""
    state: str = "intact"
    inspected: str = ""
    source: str = ""


class Visit(Versioned, frozen=True, kw_only=True):
    """A task to go and look 核查/巡查: at an address, a building, a component or a grid, and what was found there.

    `code` is the id; `evidence` names pictures or records; `due`, `done` are ISO instants.
    """

    subject_kind: str
    subject: str
    purpose: str
    state: str = "open"
    organisation: str = ""
    assignee: str = ""
    due: str = ""
    result: str = ""
    note: str = ""
    evidence: list[str] = []
    longitude: float | None = None
    latitude: float | None = None
    done: str = ""
    done_by: str = ""


class Where(msgspec.Struct, frozen=True):
    """Where a point lies on a day: the grids that hold it from the city down, and what is missing below."""

    longitude: float
    latitude: float
    date: str
    chain: tuple[Grid, ...]

    def code(self, level: str) -> str | None:
        """The code of the grid of that level, or None."""
        return next((grid.code for grid in self.chain if grid.level == level), None)

    @property
    def responsible(self) -> str | None:
        """The organisation responsible for the finest grid that names one."""
        return next((grid.organisation for grid in reversed(self.chain) if grid.organisation), None)


class RowFault(msgspec.Struct, frozen=True):
    """Something wrong with one row or feature: its number (from 1; a CSV's header is 1), the field, a key and its values."""

    row: int
    field: str
    key: str
    values: dict[str, str]


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did; `notes` tell of gaps, which do not keep anything out. At most 1,000 faults are listed."""

    rows: int
    added: int
    repeated: int
    refused: int
    faults: tuple[RowFault, ...]
    notes: tuple[RowFault, ...]
    batch: str
