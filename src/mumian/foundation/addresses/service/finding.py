"""Finding: from a parsed text to standard addresses and points, by indexed look-ups that widen only while nothing fits."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.addresses import store
from mumian.foundation.addresses.contracts import Candidate, Match, ParsedAddress, StandardAddress
from mumian.foundation.addresses.rules import matching, standard
from mumian.kernel.unit_of_work import Session

_WIDE, _GOOD = 40, 0.72
_MOST_TERMS = 4
_REACH = (1, 3, 8)


class Located(msgspec.Struct, frozen=True):
    """A point for a text: WGS 84 degrees, the radius in metres within which it is meant, how it was found, and why.

    `method` is exact, interpolated, crossing or level (the middle of what could be told); `address` is the nearest standard one.
    """

    longitude: float
    latitude: float
    radius: float
    method: str
    precision: str
    confidence: float
    reasons: tuple[str, ...]
    address: StandardAddress | None


class Near(msgspec.Struct, frozen=True):
    """A standard address near a point, and how far away it is in metres."""

    address: StandardAddress
    metres: float


def match(session: Session, parsed: ParsedAddress, date: str, limit: int = 5) -> Match:
    """The standard addresses that a parsed text may mean at a date, the best first."""
    asked = standard.fields(parsed.elements)
    asked, told = _renamed(session, asked, parsed, date)
    found: dict[str, Candidate] = {}
    finest: dict[str, str] = {}
    for reading in _readings(asked):
        for addresses in _widening(session, parsed, reading, date):
            for address in addresses:
                if address.code not in found:
                    confidence, reasons, level = matching.judge(reading, parsed.place, address)
                    found[address.code] = Candidate(address, confidence, (*told, *reasons))
                    finest[address.code] = level
            if any(candidate.confidence >= _GOOD for candidate in found.values()):
                break
        if found:
            break
    best = sorted(found.values(), key=lambda c: (-c.confidence, len(c.address.standard), c.address.code))[:limit]
    best = [candidate for candidate in best if candidate.confidence > 0.15]
    return Match(parsed, tuple(best), finest[best[0].address.code] if best else "")


def _readings(asked: dict[str, str]) -> Iterator[dict[str, str]]:
    """The fields as parsed; then a lone community as a compound, or the other way round: names like 光明新村 may be either."""
    yield asked
    for one, other in (("community", "poi"), ("poi", "community")):
        if one in asked and other not in asked:
            yield {(other if kind == one else kind): value for kind, value in asked.items()}


def _renamed(session: Session, asked: dict[str, str], parsed: ParsedAddress, date: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The fields with former and other names replaced by those in force, and a reason for each."""
    changed, told = dict(asked), list(parsed.place.reasons)
    for row in store.names_for(session, {kind: asked[kind] for kind in store.TERMS if kind in asked}):
        kind, alias = row["element"], row["alias"]
        here = not row["within"] or not parsed.place.district or row["within"] == parsed.place.district
        if here and changed[kind] == alias and (not row["until"] or date >= row["until"]):
            changed[kind] = row["name"]
            told.append(f"{kind}:former {alias}" if row["until"] else f"{kind}:alias {alias}")
    return changed, tuple(told)


def _widening(session: Session, parsed: ParsedAddress, asked: dict[str, str], date: str) -> Iterator[list[StandardAddress]]:
    """Searches from the narrowest to the widest."""
    district = parsed.place.district
    if district and asked:
        yield store.by_text(session, standard.standard(parsed.place, asked), date)
    keys = list(_keys(asked))
    for key in keys:
        yield store.search(session, key, date, district, _WIDE)
    for kind, name in ((kind, asked[kind]) for kind in store.TERMS if kind in asked):
        for term in _similar(session, kind, name):
            for key in _keys({**asked, kind: term}):
                if key.get(kind) == term:
                    yield store.search(session, key, date, district, _WIDE)
    if district:
        for key in keys:
            yield store.search(session, key, date, "", _WIDE)


def _keys(asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Sets of indexed columns that may hold the address, from all that is known down to less."""
    tail = standard.tail(asked)
    for kind in ("road", "poi"):
        if kind not in asked:
            continue
        key: dict[str, Any] = {kind: asked[kind]}
        if kind == "road":
            if "number" not in asked:
                yield key
                continue
            key["number_value"] = standard.number_value(asked["number"])
        yield {**key, "tail": tail}
        if tail:
            yield {**key, "tail": ""}
        yield key
    if "community" in asked and "road" not in asked and "poi" not in asked:
        value = standard.number_value(asked["number"]) if "number" in asked else None
        yield {"community": asked["community"]} | ({} if value is None else {"number_value": value})


def _similar(session: Session, kind: str, name: str) -> list[str]:
    alike = [(matching.similarity(name, term), term) for term in store.terms_like(session, kind, name) if term != name]
    return [term for share, term in sorted(alike, reverse=True)[:_MOST_TERMS] if share >= 0.5]


def locate(session: Session, parsed: ParsedAddress, date: str) -> Located | None:
    """The point that a parsed text means, moved by what it says about direction and distance; None where nothing is known."""
    crossed = _crossing(session, parsed, date)
    if crossed is not None:
        return crossed
    found = match(session, parsed, date, 3)
    best = next((candidate for candidate in found.candidates if candidate.address.longitude is not None), None)
    asked = standard.fields(parsed.elements)
    exact = found.precision not in ("", "district", "street", "community", "road", "poi")
    if "number" in asked and "road" in asked and not (best and exact):
        between = _between(session, parsed, asked, date)
        if between is not None and (best is None or between.confidence >= best.confidence):
            return between
    if best is None:
        return None
    address = best.address
    method = "exact" if found.precision in (*standard.TAIL, "number", "subnumber", "poi", "subpoi") else "level"
    radius = float(matching.RADIUS.get(found.precision, 20000))
    point = (address.longitude or 0.0, address.latitude or 0.0)
    return _moved(Located(*point, radius, method, found.precision, best.confidence, best.reasons, address), parsed)


def _between(session: Session, parsed: ParsedAddress, asked: dict[str, str], date: str) -> Located | None:
    """A number that the library lacks, by its neighbours on the same side of the road."""
    value = standard.number_value(asked["number"])
    road = _renamed(session, asked, parsed, date)[0]["road"]
    near = store.neighbours(session, road, value, parsed.place.district, date)
    if len(near) < 2:
        return None
    low, high = near
    low_value, high_value = standard.number_value(low.number), standard.number_value(high.number)
    share = (value - low_value) / (high_value - low_value)
    longitude = (low.longitude or 0.0) * (1 - share) + (high.longitude or 0.0) * share
    latitude = (low.latitude or 0.0) * (1 - share) + (high.latitude or 0.0) * share
    length = matching.metres((low.longitude or 0.0, low.latitude or 0.0), (high.longitude or 0.0, high.latitude or 0.0))
    reasons = ("road:equal", f"number:between {low.number} {high.number}")
    confidence = 0.8 if length < 500 else 0.6
    nearest = low if share < 0.5 else high
    made = Located(longitude, latitude, max(20.0, length / 2), "interpolated", "road", confidence, reasons, nearest)
    return _moved(made, parsed)


def _crossing(session: Session, parsed: ParsedAddress, date: str) -> Located | None:
    """Where two roads come nearest to each other, by the addresses along them."""
    roads = matching.crossing(parsed.elements)
    if roads is None:
        return None
    sides = [np.array(store.along(session, road, parsed.place.district, date, 1500)) for road in roads]
    if not all(len(side) for side in sides):
        return None
    first, second = sides
    shift = (first[:, None, :] - second[None, :, :]) * np.array([np.cos(np.radians(first[0, 1])), 1.0])
    apart = np.hypot(shift[..., 0], shift[..., 1])
    i, j = np.unravel_index(int(apart.argmin()), apart.shape)
    middle = (first[i] + second[j]) / 2
    radius = max(30.0, float(apart[i, j]) * 111_320 / 2)
    reasons = (f"crossing:{roads[0]} {roads[1]}",)
    confidence = 0.85 if radius < 150 else 0.5
    return Located(float(middle[0]), float(middle[1]), radius, "crossing", "road", confidence, reasons, None)


def _moved(located: Located, parsed: ParsedAddress) -> Located:
    east, north, words = matching.offset(parsed.elements)
    if not words:
        return located
    longitude, latitude = matching.moved(located.longitude, located.latitude, east, north)
    radius = located.radius + (30.0 if east or north else 100.0)
    reasons = (*located.reasons, f"relation:{words}")
    return msgspec.structs.replace(located, longitude=longitude, latitude=latitude, radius=radius, reasons=reasons)


def nearest(session: Session, longitude: float, latitude: float, date: str, limit: int = 5) -> list[Near]:
    """The standard addresses nearest to a point, up to about 1.6 km away."""
    here = (longitude, latitude)
    for reach in _REACH:
        first, last = -reach, reach
        ranges = [
            (standard.cell_of(longitude, latitude, first, dy), standard.cell_of(longitude, latitude, last, dy))
            for dy in range(first, last + 1)
        ]
        found = store.in_cells(session, ranges, date, 2000)
        near = sorted(
            (Near(a, round(matching.metres(here, (a.longitude or 0.0, a.latitude or 0.0)), 1)) for a in found), key=_far
        )
        if near and (near[0].metres <= reach * 180 or reach == _REACH[-1]):
            return near[:limit]
    return []


def _far(near: Near) -> tuple[float, str]:
    return near.metres, near.address.code
