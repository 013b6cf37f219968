"""Files over HTTP: a layer's tiles as one file to take away."""

import asyncio
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.tiles.keeping import archive
from mumian.kernel.errors import Invalid
from mumian.kernel.web import PlatformDep

router = APIRouter(prefix="/api/v1/foundation/spatial/layers/{name}", tags=["spatial"])
_Reader = Annotated[Caller, Depends(permit("layer:read"))]


@router.get("/pmtiles", response_class=FileResponse, responses={200: {"content": {"application/vnd.pmtiles": {}}}})
async def pmtiles(
    platform: PlatformDep,
    name: str,
    caller: _Reader,
    minzoom: Annotated[int, Query(ge=0, le=16)] = 0,
    maxzoom: Annotated[int, Query(ge=0, le=16)] = 12,
) -> FileResponse:
    """A layer's tiles as one PMTiles file (version 3)."""
    spatial = platform.get(Spatial)
    spec = spatial.layers.spec(name)
    require(caller, "layer:read", spec.owner)
    if minzoom > maxzoom:
        raise Invalid.field("minzoom", "field.range", expected=f"≤ {maxzoom}")
    folder = Path(await asyncio.to_thread(mkdtemp, prefix="mumian-tiles-"))
    path, title = folder / f"{name}.pmtiles", spatial.layers.title(name)["en"]
    remove = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        await asyncio.to_thread(archive, spatial.layers, name, path, spec.tile_properties, (minzoom, maxzoom), title)
    except BaseException:
        await remove()
        raise
    return FileResponse(path, media_type="application/vnd.pmtiles", filename=path.name, background=remove)
