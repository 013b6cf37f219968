"""The neutral grid H3 over HTTP: the cell of a point, rings, areas filled with cells, points counted by cell."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from mumian.foundation.grids import models
from mumian.foundation.grids.endpoints.grids import READ
from mumian.foundation.grids.locating import neutral
from mumian.foundation.grids.rules import shapes
from mumian.kernel.errors import Invalid

router = APIRouter(prefix="/api/v1/foundation/grids", tags=["grids"])
_Cell = Annotated[str, Path(max_length=16, pattern=r"^[0-9a-f]{1,16}$")]


@router.get("/h3/{cell}")
async def cell(_: READ, cell: _Cell, rings: Annotated[int, Query(ge=0, le=neutral.MOST_RINGS)] = 0) -> dict[str, Any]:
    """A cell with its hexagon, and the cells around it up to some rings."""
    if not neutral.is_cell(cell):
        raise Invalid.field("cell", "grids.no_cell", cell=cell)
    return {"cell": cell, "geometry": neutral.boundary(cell), "ring": neutral.ring(cell, rings)}


@router.post("/h3/fill")
async def fill(_: READ, body: models.CellsBody) -> dict[str, Any]:
    """The cells whose middle lies in a polygon."""
    shape, fault = shapes.read(body.geometry)
    if shape is None:
        raise Invalid.field("geometry", fault)
    west, south, east, north = shape.bounds
    box = (east - west) * (north - south) * 111_320**2
    expected = max(neutral.expected_cells(shapes.area(shape), body.resolution), neutral.expected_cells(box, body.resolution) / 50)
    if expected > neutral.MOST_CELLS:
        raise Invalid.field("resolution", "grids.too_many_cells", count=round(expected), most=neutral.MOST_CELLS)
    return {"cells": await asyncio.to_thread(neutral.fill, body.geometry, body.resolution)}


@router.post("/h3/count")
async def count(_: READ, body: models.CountBody) -> dict[str, Any]:
    """How many points lie in each cell, and the sum of their values."""
    for name, values in (("latitudes", body.latitudes), ("values", body.values)):
        if values is not None and len(values) != len(body.longitudes):
            raise Invalid.field(name, "field.length", expected=str(len(body.longitudes)))
    cells = await asyncio.to_thread(neutral.cells_of, body.longitudes, body.latitudes, body.resolution)
    found = neutral.aggregate(cells, body.values)
    return {"cells": [{"cell": key, "count": number, "sum": total} for key, (number, total) in sorted(found.items())]}
