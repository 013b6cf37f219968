"""What buildings hand out: city objects, their shapes, what is in them, who is registered there, and reports of imports."""

from typing import Any, Literal

import msgspec

Text = dict[str, str]
BUILDING_KINDS = ("Building", "BuildingPart")
USES = (
    "residential", "office", "commercial", "industrial", "education", "health", "government", "culture", "transport", "utility",
    "agriculture", "mixed", "other",
)  # fmt: skip
State = Literal["planned", "standing", "demolished", "withdrawn"]
Counted = Literal["people", "houses", "units", "facilities"]


class Versioned(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a kept thing; the newest holds. `changed` is the ISO instant at which it was written."""

    code: str
    version: int = 1
    changed: str


class Building(Versioned, frozen=True, kw_only=True):
    """A city object, most often a building; `kind` is its CityJSON type (Building, BuildingPart, Bridge, Road, …).

    `footprint` is GeoJSON text in WGS 84 (empty where there is none), `area` its square metres, `ground` the level of its foot in
    metres of the source's own height system, `height` metres above it. `storeys` are those above ground, `below` those under it.
    `lods` names the levels of detail that were brought in; their surfaces lie in the lake under `shapes`, in the system `crs`.
    `registered` is the code in the grids' register of buildings 楼栋编码, `address` that of a standard address, `parent` the
    building that this is a part of. `source` and `source_id` say where it came from: the same pair is the same object.
    """

    kind: str = "Building"
    title: Text = {}
    parent: str = ""
    footprint: str = ""
    longitude: float | None = None
    latitude: float | None = None
    west: float | None = None
    south: float | None = None
    east: float | None = None
    north: float | None = None
    area: float = 0.0
    height: float | None = None
    ground: float | None = None
    storeys: int | None = None
    below: int | None = None
    use: str = ""
    year: int | None = None
    state: str = "standing"
    lods: list[str] = []
    shapes: str = ""
    crs: str = ""
    registered: str = ""
    address: str = ""
    owner: str = ""
    source: str
    source_id: str
    attributes: dict[str, Any] = {}


class Model(Versioned, frozen=True, kw_only=True):
    """The building information model of a building: `schema` is that of its IFC file, `products` how many there are in all.

    `classes` counts products by IFC class; `structure` is the spatial structure: {guid, class, name, elevation?, products, parts}
    and the site.
    """

    schema: str
    products: int
    classes: dict[str, int]
    structure: dict[str, Any]
    digest: str


class Premises(Versioned, frozen=True, kw_only=True):
    """What is registered in a building, or at an address, unit and room of it 四实: counts alone, no person and no name.

    `people` 实有人口, `houses` 实有房屋, `units` 实有单位, `facilities` 实有设施; None where the source does not say. `source` is
    who holds the register, `as_of` the ISO day of the counts. `verified` is the instant of the visit that saw it, `finding` what
    was found (confirmed, changed, absent, …), `visit` the visit's code.
    """

    building: str
    address: str = ""
    unit: str = ""
    room: str = ""
    source: str
    as_of: str
    people: int | None = None
    houses: int | None = None
    units: int | None = None
    facilities: int | None = None
    finding: str = ""
    visit: str = ""
    verified: str = ""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One geometry of an object: `boundaries` nest as in CityJSON and count in `vertices` (x, y, z in the file's system)."""

    lod: str
    type: str
    boundaries: Any
    semantics: Any = None
    vertices: list[tuple[float, float, float]]


class ObjectFault(msgspec.Struct, frozen=True):
    """Something wrong with one object, feature or line of a file: its id or number, field, translation key and values."""

    object: str
    field: str
    key: str
    values: dict[str, str]


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did with the objects of a file; `kinds` counts them by type. At most 1,000 faults are listed."""

    objects: int
    added: int
    changed: int
    repeated: int
    refused: int
    withdrawn: int = 0
    kinds: dict[str, int]
    crs: str
    faults: tuple[ObjectFault, ...]
    batch: str = ""
    digest: str = ""
