"""Facts: all that is known of one building on one page: parts, grid, address, model, who is registered there, pipes beside it."""

from typing import Any

import msgspec
import shapely
import shapely.ops

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.buildings.contracts import Building
from mumian.foundation.buildings.pipes import store as pipes
from mumian.foundation.buildings.rules import ground
from mumian.foundation.buildings.service import premises
from mumian.foundation.buildings.service.keeping import found
from mumian.foundation.buildings.store import BUILDINGS, MODELS, PREMISES, STANDS, bounds_of, children, within
from mumian.foundation.grids.api import Grids
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_NEAR_ADDRESS, _NEAR_PIPE, _MOST = 60.0, 50.0, 500


def near(
    session: Session, longitude: float, latitude: float, metres: float, kind: str, limit: int
) -> list[tuple[float, Building]]:
    """Objects of a kind at most so many metres from a point, the nearest first, each with its distance."""
    where, params = within(ground.around(longitude, latitude, metres))
    held = BUILDINGS.page(session, "", 5_000, {"kind": kind}, where + STANDS, **params)
    made: list[tuple[float, Building]] = []
    for building in held:
        away = ground.distance(shapely.from_geojson(building.footprint), longitude, latitude)
        if away <= metres:
            made.append((away, building))
    return sorted(made, key=lambda one: (one[0], one[1].code))[:limit]


def facts(platform: Platform, session: Session, code: str, may: dict[str, bool]) -> dict[str, Any]:
    """The page of a building; `may` says which of premises and pipes the reader may see. Raises NotFound."""
    building = found(session, code)
    parts = children(session, [code])
    model = MODELS.get(session, code)
    made: dict[str, Any] = {
        "building": building,
        "parts": [{"code": part.code, "kind": part.kind, "height": part.height, "lods": part.lods} for part in parts[:_MOST]],
        "model": None if model is None else msgspec.to_builtins(model),
        **_place(platform, session, building),
    }
    if may["premises"]:
        held = PREMISES.of(session, "building", [code])
        made["premises"] = {"totals": premises.totals(held), "items": [msgspec.to_builtins(one) for one in held[:_MOST]]}
    if may["pipes"]:
        made["pipes"] = _pipes(session, building)
    return made


def _place(platform: Platform, session: Session, building: Building) -> dict[str, Any]:
    """The grids that hold the building, its entry in their register, its address, and addresses inside or beside it."""
    grids, addresses = platform.get(Grids), platform.get(Addresses)
    registered = grids.building(session, building.registered) if building.registered else None
    address = addresses.find(session, building.address) if building.address else None
    made: dict[str, Any] = {"registered": _plain(registered), "address": _plain(address), "grid": None, "addresses": []}
    if building.longitude is None or building.latitude is None:
        return made
    where = grids.where(session, building.longitude, building.latitude)
    chain = [{"code": grid.code, "level": grid.level, "title": grid.title} for grid in where.chain]
    made["grid"] = {"responsible": where.responsible, "chain": chain}
    for one in addresses.nearest(session, building.longitude, building.latitude, limit=10):
        if one.metres <= _NEAR_ADDRESS:
            made["addresses"].append({"code": one.address.code, "standard": one.address.standard, "metres": one.metres})
    return made


def _plain(value: Any) -> Any:
    return None if value is None else msgspec.to_builtins(value)


def _pipes(session: Session, building: Building) -> list[dict[str, Any]]:
    """Pipes at most fifty metres away, the nearest first."""
    bounds = bounds_of(building)
    if bounds is None or building.longitude is None or building.latitude is None:
        return []
    up = ground.around(building.longitude, building.latitude, _NEAR_PIPE)
    aside, above = up[2] - building.longitude, up[3] - building.latitude
    wider = (bounds[0] - aside, bounds[1] - above, bounds[2] + aside, bounds[3] + above)
    shape, made = shapely.from_geojson(building.footprint), []
    for network, kind, edge in pipes.within(session, wider, 2_000):
        a, b = shapely.ops.nearest_points(shape, shapely.from_geojson(edge.line))
        away = ground.distance(b, a.x, a.y)
        if away <= _NEAR_PIPE:
            some = {
                "kind": edge.kind,
                "diameter": edge.diameter,
                "depth": edge.depth,
                "material": edge.material,
                "year": edge.year,
            }
            made.append({"metres": away, "network": network, "network_kind": kind, "id": edge.id, **some})
    return sorted(made, key=lambda one: (one["metres"], one["network"], one["id"]))[:50]
