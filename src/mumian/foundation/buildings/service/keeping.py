"""Keeping buildings: registered one by one, changed, and linked to the registers of grids and addresses."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import shapely

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.buildings.contracts import Building
from mumian.foundation.buildings.errors import SourceTaken
from mumian.foundation.buildings.files.drafts import ground_fields
from mumian.foundation.buildings.rules import ground
from mumian.foundation.buildings.service.recording import record
from mumian.foundation.buildings.store import BUILDINGS
from mumian.foundation.grids.api import Grids
from mumian.kernel.errors import Invalid, NotFound, Stale
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, next_value

OWN = "register"


class Keeping:
    """Changes of single buildings, each checked against the registers that it speaks of."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def add(self, tx: Transaction, values: Mapping[str, Any]) -> Building:
        """Register a building. Raises Invalid, SourceTaken."""
        given = self._checked(tx.session, values)
        source, source_id = str(given.pop("source", "") or OWN), str(given.pop("source_id", "") or "")
        if source_id and BUILDINGS.of(tx.session, "source_id", [source_id], source=source):
            raise SourceTaken(source=source, name=source_id)
        code = f"B{next_value(tx.session, 'buildings.code'):09d}"
        made = Building(code=code, changed=tx.now_text, source=source, source_id=source_id or code, **given)
        record(tx, BUILDINGS, "add", [made], source)
        return made

    def change(self, tx: Transaction, code: str, values: Mapping[str, Any], expected: int | None) -> Building:
        """A new version of a building; what is None stays. Raises NotFound, Stale, Invalid."""
        old = found(tx.session, code)
        if expected is not None and old.version != expected:
            raise Stale(expected=expected, found=old.version)
        given = self._checked(tx.session, values, code)
        new = msgspec.structs.replace(old, **given)
        if new == old:
            return old
        new = msgspec.structs.replace(new, version=old.version + 1, changed=tx.now_text)
        record(tx, BUILDINGS, "change", [new], old.source)
        return new

    def _checked(self, session: Session, values: Mapping[str, Any], code: str = "") -> dict[str, Any]:
        given = {name: value for name, value in values.items() if value is not None}
        if "footprint" in given:
            given |= footprint(given.pop("footprint"))
        if given.get("registered") and self._platform.get(Grids).building(session, given["registered"]) is None:
            raise Invalid.field("registered", "buildings.no_registered", code=given["registered"])
        if given.get("address") and self._platform.get(Addresses).find(session, given["address"]) is None:
            raise Invalid.field("address", "buildings.no_address", code=given["address"])
        if given.get("parent") and (given["parent"] == code or BUILDINGS.get(session, given["parent"]) is None):
            raise Invalid.field("parent", "buildings.no_parent", code=given["parent"])
        return given

    def link(self, tx: Transaction, buildings: Sequence[Building]) -> tuple[int, list[str]]:
        """Give buildings without an address the one standard address that lies inside their footprint.

        Returns how many were linked, and the codes of those that hold several, which a person must decide.
        """
        linked, several = [], []
        for building in buildings:
            if building.address or not building.footprint or building.longitude is None or building.latitude is None:
                continue
            shape = shapely.from_geojson(building.footprint)
            near = self._platform.get(Addresses).nearest(tx.session, building.longitude, building.latitude, limit=20)
            inside = [one.address.code for one in near if _holds(shape, one.address.longitude, one.address.latitude)]
            if len(inside) == 1:
                new = msgspec.structs.replace(building, address=inside[0], version=building.version + 1, changed=tx.now_text)
                linked.append(new)
            elif inside:
                several.append(building.code)
        if linked:
            record(tx, BUILDINGS, "link", linked)
        return len(linked), several


def _holds(shape: Any, longitude: float | None, latitude: float | None) -> bool:
    return longitude is not None and latitude is not None and bool(shapely.covers(shape, shapely.Point(longitude, latitude)))


def footprint(geometry: Any) -> dict[str, Any]:
    """What a building says of a GeoJSON footprint in WGS 84. Raises Invalid."""
    shape = ground.area_of(geometry)
    if shape is None or not ground.on_earth(shape.bounds):
        raise Invalid.field("footprint", "buildings.no_footprint")
    text = ground.text_of(shape)
    if not text:
        raise Invalid.field("footprint", "buildings.no_footprint")
    return ground_fields(shapely.from_geojson(text), text)


def found(session: Session, code: str) -> Building:
    """A building that holds; raises NotFound."""
    building = BUILDINGS.get(session, code)
    if building is None:
        raise NotFound(kind="building", name=code)
    return building
