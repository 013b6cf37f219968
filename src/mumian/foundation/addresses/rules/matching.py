"""Matching: how well a standard address answers a text, with the reasons, and what its point is worth."""

import re
from collections.abc import Mapping, Sequence
from math import cos, hypot, radians

from mumian.foundation.addresses.contracts import Element, Place, StandardAddress
from mumian.foundation.addresses.rules.standard import bare

WEIGHTS = {
    "district": 1.5, "street": 0.5, "community": 0.8, "road": 3.0, "number": 2.5, "subroad": 1.0, "subnumber": 1.0, "poi": 2.5,
    "subpoi": 0.5, "building": 1.2, "unit": 0.6, "floor": 0.3, "room": 1.0,
}  # fmt: skip
LADDER = (
    "district",
    "street",
    "community",
    "road",
    "poi",
    "subpoi",
    "number",
    "subroad",
    "subnumber",
    "building",
    "unit",
    "floor",
    "room",
)
_NUMBERS = ("number", "subnumber", "building", "unit", "floor", "room")
_METRES = re.compile(r"(\d+)米")
_STEP = {"东": (1, 0), "西": (-1, 0), "南": (0, -1), "北": (0, 1)}
RADIUS = {
    "room": 10, "floor": 10, "unit": 10, "building": 15, "number": 20, "subnumber": 20, "poi": 100, "subpoi": 60, "road": 800,
    "subroad": 400, "community": 800, "street": 2500, "district": 10000,
}  # fmt: skip


def similarity(a: str, b: str) -> float:
    """1 for equal names, less for one slip, at least 0.6 for a name within the other, 0 for all else."""
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    if a in b or b in a:
        return 0.6 + 0.4 * min(len(a), len(b)) / max(len(a), len(b))
    return 1.0 - 1.0 / max(len(a), len(b)) if one_slip(a, b) else 0.0


def one_slip(a: str, b: str) -> bool:
    """Whether two different texts are one character apart: another one, one more, one less, or two neighbours changed round."""
    first, shorter = 0, min(len(a), len(b))
    while first < shorter and a[first] == b[first]:
        first += 1
    last = 0
    while last < shorter - first and a[-1 - last] == b[-1 - last]:
        last += 1
    middle_a, middle_b = a[first : len(a) - last], b[first : len(b) - last]
    return max(len(middle_a), len(middle_b)) == 1 or (len(middle_a) == 2 and middle_a == middle_b[::-1])


def judge(asked: Mapping[str, str], place: Place, address: StandardAddress) -> tuple[float, tuple[str, ...], str]:
    """Confidence 0–1, reasons and the finest level that agrees, for an address as the answer to the fields asked for."""
    wanted, got = 0.0, 0.0
    reasons: list[str] = []
    finest = ""
    values = dict(asked)
    if place.district or place.names[2]:
        fits = address.district in place.others
        values["district"] = place.district or (address.district if fits else next(iter(place.others), ""))
    for level in LADDER:
        if level not in values or (level == "district" and not values[level]):
            continue
        share, word = _level(level, values[level], address)
        wanted += WEIGHTS[level]
        got += WEIGHTS[level] * share
        reasons.append(f"{level}:{word}")
        if share >= 0.99:
            finest = level
    if not wanted:
        return 0.0, (), ""
    confidence = max(0.0, got / wanted)
    if not asked.get("number") and not asked.get("poi") and not asked.get("building"):
        confidence *= 0.6
    return round(min(1.0, confidence), 4), tuple(reasons), finest


def _level(level: str, value: str, address: StandardAddress) -> tuple[float, str]:
    """What one level contributes, from -0.5 (contradicts) to 1 (equal), and the word for it."""
    known = getattr(address, level)
    if level in _NUMBERS:
        if bare(known) == bare(value):
            return 1.0, "equal"
        return (0.0, "absent") if not known else (-0.4, "different")
    if known == value:
        return 1.0, "equal"
    if not known:
        return 0.2, "absent"
    if level in ("district", "street"):
        return (-0.5, "different") if level == "district" else (0.0, "different")
    alike = similarity(value, known)
    return (alike, f"similar {alike:.2f}") if alike >= 0.5 else (-0.3, "different")


def offset(elements: Sequence[Element]) -> tuple[float, float, str]:
    """Metres to the east and to the north that the relations of a text add, and the words that say so."""
    east = north = 0.0
    words = []
    for element in elements:
        if element.kind != "relation":
            continue
        words.append(element.text)
        metres = _METRES.search(element.text)
        steps = [_STEP[character] for character in element.text if character in _STEP]
        if metres and steps:
            length = float(metres[1]) / hypot(sum(s[0] for s in steps), sum(s[1] for s in steps) or 0) if len(steps) < 3 else 0.0
            east += sum(s[0] for s in steps) * length
            north += sum(s[1] for s in steps) * length
    return min(east, 1e5), min(north, 1e5), "".join(words)


def moved(longitude: float, latitude: float, east: float, north: float) -> tuple[float, float]:
    """A point some metres away, on a sphere of 111,320 m a degree: good for neighbourhoods."""
    return longitude + east / (111_320 * max(0.01, cos(radians(latitude)))), latitude + north / 111_320


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance between two near points (longitude, latitude) in metres."""
    return hypot((a[0] - b[0]) * 111_320 * cos(radians((a[1] + b[1]) / 2)), (a[1] - b[1]) * 111_320)


def crossing(elements: Sequence[Element]) -> tuple[str, str] | None:
    """The two roads of an intersection: 甲路与乙路交叉口."""
    roads = [e.text for e in elements if e.kind in ("road", "subroad")]
    joined = any(e.kind == "relation" and (e.text in "与和、/" or "口" in e.text or "交" in e.text) for e in elements)
    numbered = any(e.kind == "number" for e in elements)
    return (roads[0], roads[1]) if len(roads) > 1 and joined and not numbered else None
