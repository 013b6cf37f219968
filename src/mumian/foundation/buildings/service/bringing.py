"""Bringing: a file of buildings, whichever of the known formats it has, read and brought in."""

import asyncio
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mumian.foundation.buildings.contracts import ImportReport
from mumian.foundation.buildings.files import drafting
from mumian.foundation.buildings.files.bodies import unpacked
from mumian.foundation.buildings.files.drafting import Drafted, Names
from mumian.foundation.buildings.files.job import Place
from mumian.foundation.buildings.files.running import read_ifc
from mumian.foundation.buildings.service import importing
from mumian.foundation.buildings.service.importing import Origin
from mumian.foundation.buildings.settings import BuildingSettings
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM

_COLLECTION = re.compile(rb'"type"\s*:\s*"FeatureCollection"')

_ANY = Names()


@dataclass(frozen=True)
class Reading:
    """What a file does not say itself: its system, the fields of footprints, and where the origin of an IFC model lies."""

    crs: str | None = None
    names: Names = _ANY
    anchor: tuple[float, float] | None = None


def drafted(content: bytes, reading: Reading, limits: BuildingSettings) -> Drafted:
    """Buildings of CityJSON, GeoJSON footprints or IFC (STEP form), plain or gzip, told apart by what is in them.

    Blocks. Raises BadModel, TooLarge, Unavailable where IFC cannot be read here.
    """
    body = unpacked(content, limits.file_bytes)
    if body.lstrip()[:12] == b"ISO-10303-21":
        place = None if reading.anchor is None else Place(crs="CRS84", x=reading.anchor[0], y=reading.anchor[1])
        return drafting.of_ifc(read_ifc(body, limits), place, sha256(body).hexdigest())
    if _COLLECTION.search(body):
        return drafting.of_geojson(body, reading.names, reading.crs, limits.objects)
    return drafting.of_cityjson(body, reading.crs, limits.objects)


async def bring(
    platform: Platform, file: Path, origin: Origin, reading: Reading, limits: BuildingSettings, dry: bool = False
) -> ImportReport:
    """Bring a file in, or (`dry`) only say what would be done."""
    content = await asyncio.to_thread(file.read_bytes)
    drafts = await asyncio.to_thread(drafted, content, reading, limits)
    if not dry:
        return await importing.run(platform, drafts, origin, content, SYSTEM)
    prepared = await asyncio.to_thread(importing.prepare, platform, drafts, origin)
    return await platform.records.read(lambda session: importing.preview(session, prepared, origin))
