"""What the worker is told and what it answers about an IFC file."""

from typing import Any

import msgspec


class Job(msgspec.Struct, kw_only=True):
    """An IFC file to read, and the seconds and bytes that may be spent on it."""

    path: str
    seconds: int
    memory: int


class Place(msgspec.Struct, kw_only=True):
    """Where a model's origin lies: in a named system (x, y metres) or in WGS 84 degrees; `east` is the direction (x, y) of the
    model's plane that points east there (or along the system's x), `scale` turns the model's metres into those of the system."""

    crs: str
    x: float
    y: float
    east: tuple[float, float] = (1.0, 0.0)
    scale: float = 1.0


class IfcBuilding(msgspec.Struct, kw_only=True):
    """A building of the file: its structure, products by class, and its foot as rings of polygons (metres of the model)."""

    guid: str
    name: str
    products: int
    classes: dict[str, int]
    structure: dict[str, Any]
    storeys: int
    below: int
    foot: list[list[list[tuple[float, float]]]] = []
    levels: tuple[float, float] | None = None
    attributes: dict[str, Any] = {}


class IfcReport(msgspec.Struct, kw_only=True):
    """The file as read: the number of its products in all, its buildings and its place; or why it cannot be read."""

    schema: str = ""
    products: int = 0
    buildings: list[IfcBuilding] = []
    place: Place | None = None
    unreadable: str | None = None
    missing: bool = False
